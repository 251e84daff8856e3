// SPDX-License-Identifier: Apache-2.0
// What each step of a packet's way costs, beside a floor in the same process: the floor reads each frame's headers, hashes
// its ends and looks them up in a table. Medians of several rounds and ratios; one absolute time means nothing on a machine
// that others use. The capture is the argument, else demo/demo.pcap, repeated until it is long enough.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "datapath/capture/capture_reader.h"
#include "engine/engine.h"
#include "policy/document.h"
#include "state/flow_table.h"
#include "wire/wire.h"

namespace {

using namespace weir;

constexpr int kRounds = 5;
constexpr std::size_t kFramesMin = 200'000;

struct Nothing final : engine::EventSink {
  void on_alert(const engine::AlertRecord&) override {}
  void on_flow(const engine::FlowRecord&) override {}
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision&) override {}
};

/// Frames with bytes of their own, the capture over and over, each time later.
struct Traffic {
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<Frame> frames;
};

bool load(const std::string& path, Traffic& traffic) {
  auto reader = datapath::CaptureReader::open(path);
  if (!reader) {
    std::fprintf(stderr, "steps_bench: %s\n", reader.error().message.c_str());
    return false;
  }
  Frame batch[64];
  std::vector<Frame> once;
  while (const std::size_t n = reader->next(batch))
    for (std::size_t i = 0; i < n; ++i) {
      traffic.bytes.emplace_back(batch[i].bytes.begin(), batch[i].bytes.end());
      once.push_back(batch[i]);
    }
  if (once.empty()) return false;
  for (std::size_t i = 0; i < once.size(); ++i) once[i].bytes = traffic.bytes[i];
  const Nanoseconds span = once.back().time.mono_ns - once.front().time.mono_ns + 2 * kHour;
  for (Nanoseconds turn = 0; traffic.frames.size() < kFramesMin; ++turn)
    for (Frame frame : once) {
      frame.number = traffic.frames.size() + 1;
      frame.time.mono_ns += turn * span;
      frame.time.wall_ns += turn * span;
      traffic.frames.push_back(frame);
    }
  return true;
}

/// Median nanoseconds a frame.
double measure(const Traffic& traffic, const std::function<void()>& round) {
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const auto began = std::chrono::steady_clock::now();
    round();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    times.push_back(took.count() / static_cast<double>(traffic.frames.size()));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void run_engine(const Traffic& traffic, const std::shared_ptr<const policy::RuleSet>& rules, bool identify) {
  Nothing sink;
  engine::EngineOptions options;
  options.identify = identify;
  engine::Engine engine(options, rules, sink);
  Decision out[32];
  for (std::size_t at = 0; at < traffic.frames.size(); at += 32)
    engine.on_frames(std::span(traffic.frames).subspan(at, std::min<std::size_t>(32, traffic.frames.size() - at)), out);
  engine.finish();
}

std::shared_ptr<const policy::RuleSet> compiled(const std::string& text) {
  policy::Loaded loaded = policy::load_policy_text("bench", text, engine::vocabulary());
  CHECK(loaded.policy.has_value());
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
}

std::string rules_text(int count, bool by_content) {
  std::string text = "weir: 1\ndefault: allow\nrules:\n";
  for (int i = 1; i <= count; ++i) {
    const std::string to = "203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
    text += "  - {name: r" + std::to_string(i) + ", match: {to: " + to;
    if (by_content) text += ", app.protocol: [tls, http, dns], tls.sni: .blocked" + std::to_string(i) + ".example";
    text += "}, action: drop}\n";
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  Traffic traffic;
  if (!load(argc > 1 ? argv[1] : "demo/demo.pcap", traffic)) return 2;
  const auto floor = [&] {
    state::FlowTable table(1 << 20, 1);
    Packet packet;
    for (const Frame& frame : traffic.frames) {
      wire::parse(frame, packet, {.tunnels = false});
      if (packet.layers_count == 0) continue;
      const IpLayer& l = packet.layers[0];
      const state::FlowKey key{l.src, l.dst, l.src_port, l.dst_port, l.protocol, 0};
      const std::uint64_t hash = table.hash(key);
      if (table.find(key, hash).index == state::kNoFlow) table.insert(key, hash, frame.time.mono_ns);
    }
  };
  const auto decode = [&] {
    Packet packet;
    for (const Frame& frame : traffic.frames) wire::parse(frame, packet);
  };
  const auto none = compiled("weir: 1\ndefault: allow\nrules: []\n");
  const auto fifty = compiled(rules_text(50, true));
  const auto headers50 = compiled(rules_text(50, false));
  const auto headers10k = compiled(rules_text(10'000, false));
  const auto everywhere = compiled("weir: 1\ndefault: allow\nrules:\n  - {name: names, match: {dns.qname: .blocked.example}, action: drop}\n"
                                   "  - {name: hosts, match: {http.host: .blocked.example}, action: drop}\n"
                                   "  - {name: sni, match: {tls.sni: .blocked.example}, action: drop}\n");
  struct Row {
    const char* name;
    std::function<void()> round;
  };
  const Row rows[] = {
      {"floor: headers and one flow lookup", floor},
      {"decode alone", decode},
      {"engine, no rules, applications not sought", [&] { run_engine(traffic, none, false); }},
      {"engine, no rules", [&] { run_engine(traffic, none, true); }},
      {"engine, 50 rules on names", [&] { run_engine(traffic, fifty, true); }},
      {"engine, names asked on every flow", [&] { run_engine(traffic, everywhere, true); }},
      {"engine, 50 header rules", [&] { run_engine(traffic, headers50, true); }},
      {"engine, 10,000 header rules", [&] { run_engine(traffic, headers10k, true); }},
  };
  std::printf("%zu frames, medians of %d rounds\n%-46s %10s %8s\n", traffic.frames.size(), kRounds, "", "ns/packet", "ratio");
  double base = 0;
  for (const Row& row : rows) {
    const double ns = measure(traffic, row.round);
    if (base == 0) base = ns;
    std::printf("%-46s %10.0f %8.1f\n", row.name, ns, ns / base);
  }
  return 0;
}
