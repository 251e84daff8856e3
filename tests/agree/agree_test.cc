// SPDX-License-Identifier: Apache-2.0
// Replay and the live datapaths agree, over the project's own cases, the demo's capture, and captures that lie beside the project.
// A datapath joins by a line in kCandidates.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "datapath/bridge/packet_bridge.h"
#include "datapath/bridge/xdp_bridge.h"
#include "tests/agree/agreement.h"
#include "tests/live/xdp_lab.h"

namespace weir::agree {
namespace {

namespace fs = std::filesystem;

Opened open_packet_bridge(const std::vector<std::string>& ports, Clock clock) {
  auto bridge = datapath::PacketBridge::open({.ports = ports, .clock = std::move(clock)});
  if (!bridge.ok()) return {.path = nullptr, .why = bridge.error().message, .prepare = {}};
  return {.path = std::move(*bridge), .why = {}, .prepare = {}};
}

/// Native XDP needs far ends that poll; generic XDP takes every wire. Time is the script's, so the lane is never taken to hang.
template <datapath::Attach kMode>
Opened open_xdp_bridge(const std::vector<std::string>& ports, Clock clock) {
  for (std::size_t i = 0; i < ports.size(); ++i) datapath::turn_on_gro("far" + std::to_string(i));
  static const std::string pins = kit::own_pins();
  auto bridge = datapath::XdpBridge::open({.ports = ports, .clock = std::move(clock)}, {.force = kMode, .pins = pins, .hang_ns = 0},
                                          engine_options().flows_max);
  if (!bridge.ok()) return {.path = nullptr, .why = bridge.error().message, .prepare = {}};
  return {.path = std::move(*bridge), .why = {}, .prepare = {}};
}

constexpr Candidate kCandidates[] = {
    {"packet", open_packet_bridge},
    {"xdp", open_xdp_bridge<datapath::Attach::XdpNative>},
    {"xdp_generic", open_xdp_bridge<datapath::Attach::XdpGeneric>},
};

constexpr std::size_t kFrameBytesMax = 9'000;    ///< The wires' MTU.
constexpr std::size_t kCaptureFramesMax = 300;   ///< Of each capture, from its beginning.
constexpr std::size_t kCapturesMax = 30;

/// A frame that a wire can carry, and that the kernel does not find broken by itself (a tag with nothing behind it).
bool fits_a_wire(Bytes frame) {
  if (frame.size() < 14 || frame.size() > kFrameBytesMax) return false;
  const std::uint16_t type = load_be16(frame.data() + 12);
  return (type != 0x8100 && type != 0x88a8) || frame.size() >= 20;
}

/// A frame that names no port comes in on the side of its station: the two ends of a conversation are on two sides.
class Sides {
 public:
  PortIndex of(Bytes frame) {
    const Mac to = Mac::from_bytes(frame.data()), from = Mac::from_bytes(frame.data() + 6);
    const auto known = sides_.find(from);
    if (known != sides_.end()) return known->second;
    const auto peer = sides_.find(to);
    const PortIndex side = peer == sides_.end() ? PortIndex{0} : static_cast<PortIndex>(1 - peer->second);
    sides_[from] = side;
    return side;
  }

 private:
  std::map<Mac, PortIndex> sides_;
};

Script of_case(const fs::path& directory) {
  Script script;
  script.name = directory.filename().string();
  script.policy = (directory / "policy.yaml").string();
  std::ifstream in(directory / "traffic.convo");
  const cli::Convo convo = cli::parse_convo(std::string(std::istreambuf_iterator<char>(in), {}));
  EXPECT_TRUE(convo.mistakes.empty());
  for (const cli::Step& step : convo.steps)
    if (!step.port.empty() && std::find(script.ports.begin(), script.ports.end(), step.port) == script.ports.end()) script.ports.push_back(step.port);
  for (const char* spare : {"p0", "p1"})
    if (script.ports.size() < 2) script.ports.emplace_back(spare);
  Sides sides;
  for (const cli::Step& step : convo.steps) {
    const Bytes bytes = as_bytes(step.frame);
    if (!fits_a_wire(bytes)) continue;
    const auto named = std::find(script.ports.begin(), script.ports.end(), step.port);
    const PortIndex port = named != script.ports.end() ? static_cast<PortIndex>(named - script.ports.begin()) : sides.of(bytes);
    script.steps.push_back({step.frame, port, {.mono_ns = kSecond + step.at_ns, .wall_ns = 1'704'067'200 * kSecond + step.at_ns}});
  }
  return script;
}

Script of_capture(const fs::path& path, const std::string& policy) {
  Script script;
  script.name = path.filename().string();
  script.policy = policy;
  script.ports = {"p0", "p1"};
  auto reader = datapath::CaptureReader::open(path.string());
  if (!reader.ok()) return script;
  Sides sides;
  Frame frame;
  while (script.steps.size() < kCaptureFramesMax && reader->next({&frame, 1}) == 1) {
    if (frame.link != LinkType::Ethernet || frame.bytes.size() != frame.wire_bytes || !fits_a_wire(frame.bytes)) continue;
    script.steps.push_back({std::string(as_text(frame.bytes)), sides.of(frame.bytes), frame.time});
  }
  return script;
}

/// Frames of one port that come close together get one time, so that they may be one batch.
void gather(Script& script, std::size_t batch) {
  for (std::size_t at = 0, first = 0; at < script.steps.size(); ++at) {
    if (script.steps[at].port != script.steps[first].port || at - first >= batch) first = at;
    script.steps[at].time = script.steps[first].time;
  }
}

std::vector<std::string> sorted(std::vector<std::string> all) {
  std::sort(all.begin(), all.end());
  return all;
}

/// Without what depends on how many frames the engine saw.
std::string without_numbers(const std::string& events) {
  std::string out;
  for (std::size_t at = 0; at < events.size();) {
    bool number = false;
    for (const std::string_view key : {"\"flow_id\":", "\"pcap_cnt\":"})
      if (std::string_view(events).substr(at).starts_with(key)) {
        at = events.find(',', at) + 1;
        number = true;
      }
    if (!number) out += events[at++];
  }
  return out;
}

/// Lines that differ, at most a few.
void expect_same_lines(const std::string& wanted, const std::string& came) {
  if (wanted == came) return;
  std::istringstream a(wanted), b(came);
  std::string x, y;
  for (int number = 1, told = 0; told < 3; ++number) {
    const bool more_a = static_cast<bool>(std::getline(a, x)), more_b = static_cast<bool>(std::getline(b, y));
    if (!more_a && !more_b) break;
    if (!more_a) x.clear();
    if (!more_b) y.clear();
    if (x == y) continue;
    ADD_FAILURE() << "event " << number << "\n  replay: " << x << "\n  live:   " << y;
    ++told;
  }
}

void expect_agreement(Script script, const Candidate& candidate, std::size_t batch) {
  SCOPED_TRACE(script.name + ", " + candidate.name + ", batches of " + std::to_string(batch));
  if (script.steps.empty()) return;
  if (batch > 1) gather(script, batch);
  const auto rules = rules_of(script);
  ASSERT_NE(rules, nullptr);
  WEIR_ENTER_LAB();
  for (std::size_t i = 0; i < script.ports.size(); ++i) kit::Lab::wire(script.ports[i], "far" + std::to_string(i), static_cast<int>(kFrameBytesMax));
  Live live(script, rules);
  std::string why;
  if (!live.run(candidate, batch, why)) GTEST_SKIP() << candidate.name << ": " << why;
  const Outcome wanted = Reference(script, rules).run();
  const Outcome& came = live.outcome();
  for (std::uint64_t n = 1; n <= script.steps.size(); ++n) {
    const auto a = wanted.verdicts.by_number.find(n), b = came.verdicts.by_number.find(n);
    ASSERT_NE(a, wanted.verdicts.by_number.end()) << "frame " << n;
    if (live.settles() && b == came.verdicts.by_number.end()) continue;  // Carried; the wires show whether it passed.
    ASSERT_NE(b, came.verdicts.by_number.end()) << "frame " << n << " has no verdict";
    EXPECT_EQ(a->second, b->second) << "frame " << n;
  }
  if (live.settles()) expect_same_lines(without_numbers(wanted.events), without_numbers(came.events));
  else expect_same_lines(wanted.events, came.events);
  for (std::size_t i = 0; i < script.ports.size(); ++i) {
    const auto port = static_cast<PortIndex>(i);
    const auto find = [port](const Outcome& o) {
      const auto found = o.out.find(port);
      return found == o.out.end() ? std::vector<std::string>() : found->second;
    };
    // Within a batch a frame that waited goes out in its own place, not behind those that came after it.
    const bool same = batch == 1 ? find(wanted) == find(came) : sorted(find(wanted)) == sorted(find(came));
    EXPECT_TRUE(same) << "at " << script.ports[i] << " came out " << find(came).size() << " frames, " << find(wanted).size() << " were to";
  }
}

class Agreement : public testing::TestWithParam<Candidate> {};

TEST_P(Agreement, OverTheCases) {
  std::set<fs::path> directories;
  for (const auto& entry : fs::directory_iterator("tests/cases"))
    if (fs::exists(entry.path() / "traffic.convo")) directories.insert(entry.path());
  ASSERT_GT(directories.size(), 20U);
  for (const fs::path& directory : directories)
    for (const std::size_t batch : {1U, 8U}) {
      expect_agreement(of_case(directory), GetParam(), batch);
      if (IsSkipped() || HasFatalFailure()) return;
    }
}

TEST_P(Agreement, OverTheDemo) {
  const Script demo = of_capture("demo/demo.pcap", "demo/policy.yaml");
  ASSERT_GT(demo.steps.size(), 100U);
  for (const std::size_t batch : {1U, 32U}) {
    expect_agreement(demo, GetParam(), batch);
    if (IsSkipped() || HasFatalFailure()) return;
  }
}

/// Captures that lie beside the project, every so many of them.
std::vector<fs::path> shared_captures() {
  std::set<fs::path> all;
  for (const char* beside : {"../shared/cases/nDPI/pcap", "../../shared/cases/nDPI/pcap"})
    if (fs::is_directory(beside) && all.empty())
      for (const auto& entry : fs::directory_iterator(beside))
        if (entry.is_regular_file() && entry.file_size() < (1U << 20)) all.insert(entry.path());
  std::vector<fs::path> out;
  const std::size_t every = all.size() / kCapturesMax + 1;
  std::size_t at = 0;
  for (const fs::path& path : all)
    if (at++ % every == 0) out.push_back(path);
  return out;
}

TEST_P(Agreement, OverSharedCaptures) {
  const auto captures = shared_captures();
  if (captures.empty()) GTEST_SKIP() << "there are no captures beside the project";
  for (const fs::path& capture : captures) {
    expect_agreement(of_capture(capture, "demo/policy.yaml"), GetParam(), 1);
    expect_agreement(of_capture(capture, "demo/policy.yaml"), GetParam(), 16);
    if (IsSkipped() || HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Datapaths, Agreement, testing::ValuesIn(kCandidates), [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace weir::agree
