// SPDX-License-Identifier: Apache-2.0
// What each step of a packet's way costs, alone and joined, beside a floor in the same process: the floor reads each frame's
// headers and looks its flow up. Medians of several rounds and ratios; one absolute time means nothing on a machine that others
// use, so scripts/bench counts instructions beside them.
//   steps_bench [--json] [--frames N] [--row NAME] [CAPTURE]
// --row runs that row once, for callgrind: `--toggle-collect=weir_bench_round` counts its round and nothing else.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <functional>

#include "bench/traffic.h"
#include "engine/engine.h"
#include "facts/field_ids.h"
#include "policy/document.h"
#include "proto/registry.h"
#include "report/eve.h"
#include "state/stream.h"

/// What is counted. Not inlined, and with a name that callgrind can be told.
extern "C" __attribute__((noinline)) void weir_bench_round(const std::function<void()>& round) { round(); }

namespace weir::bench {
namespace {

constexpr int kRounds = 5;

struct Nothing final : engine::EventSink {
  void on_alert(const engine::AlertRecord&) override {}
  void on_flow(const engine::FlowRecord&) override {}
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision&) override {}
};
struct NoMeters final : policy::Meters {
  bool over_limit(RuleId, const policy::Rule&, const View&) override { return false; }
  bool ban_begins(RuleId, const policy::Rule&, const View&) override { return false; }
};

using Rules = std::shared_ptr<const policy::RuleSet>;

Rules compiled(const std::string& rules) {
  policy::Loaded loaded = policy::load_policy_text("bench", "weir: 1\ndefault: allow\nrules:\n" + rules, engine::vocabulary());
  CHECK(loaded.policy.has_value());
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)),
                                                 engine::vocabulary());
}

std::string address_rules(int count, bool by_content) {
  std::string text;
  for (int i = 1; i <= count; ++i) {
    text +=
        "  - {name: r" + std::to_string(i) + ", match: {to: 203.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
    if (by_content) text += ", app.protocol: [tls, http, dns], tls.sni: .blocked" + std::to_string(i) + ".example";
    text += "}, action: drop}\n";
  }
  return text;
}

std::string glob_rules(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i)
    text += "  - {name: r" + std::to_string(i) + ", match: {http.path: '/x" + std::to_string(i) + "*y?.php'}, action: drop}\n";
  return text;
}

void run_engine(const Traffic& traffic, const Rules& rules, bool identify) {
  Nothing sink;
  engine::EngineOptions options;
  options.identify = identify;
  engine::Engine engine(options, rules, sink);
  Decision out[32];
  for (std::size_t at = 0; at < traffic.frames.size(); at += 32)
    engine.on_frames(std::span(traffic.frames).subspan(at, std::min<std::size_t>(32, traffic.frames.size() - at)), out);
  engine.finish();
}

void run_streams(const Traffic& traffic) {
  static SlabPool pool(std::size_t{1} << 30);
  std::vector<state::Stream> streams(traffic.streams);
  for (const Segment& s : traffic.segments) {
    state::Stream& stream = streams[s.stream];
    if (!stream.started()) stream.start(s.sequence + (s.begins ? 1 : 0));
    if (!s.payload.empty()) {
      stream.insert(pool, s.sequence, s.payload);
      stream.consume(stream.ready().size());
    }
    if (streams[s.other].started()) streams[s.other].acknowledge(s.acknowledges);
  }
  for (state::Stream& stream : streams) stream.release(pool);
}

/// As the engine does it: a first byte rules most protocols out, once a program; the rest are asked.
class Identifier {
 public:
  Identifier() {
    for (const bool udp : {false, true})
      for (unsigned b = 0; b < 256; ++b) {
        const std::uint8_t byte = static_cast<std::uint8_t>(b);
        for (const proto::Protocol* p : proto::protocols()) {
          if (p->identify == nullptr || !(udp ? p->udp : p->tcp)) continue;
          if (udp || p->identify({.client = Bytes(&byte, 1), .ip_protocol = 6}) != proto::Match::No) may_[udp][b].push_back(p);
        }
      }
  }
  std::size_t ask(const Beginning& flow) const {
    const bool udp = flow.key.protocol == ip_protocol::kUdp;
    const proto::Evidence evidence{.client = flow.payload.first(std::min(flow.payload.size(), proto::kEvidenceMax)),
                                   .client_port = flow.key.src_port,
                                   .server_port = flow.key.dst_port,
                                   .ip_protocol = flow.key.protocol};
    std::size_t left = 0;
    for (const proto::Protocol* p : may_[udp][flow.payload[0]]) {
      const proto::Match m = p->identify(evidence);
      if (m == proto::Match::Yes) return 1;
      left += m != proto::Match::No;
    }
    return left;
  }

 private:
  std::array<std::array<std::vector<const proto::Protocol*>, 256>, 2> may_;
};

/// Judges the first request of a flow of HTTP: its path is there.
class Matching {
 public:
  explicit Matching(Rules rules) : rules_(std::move(rules)), facts_(pool_, rules_->wanted()) {
    const Vocabulary& words = engine::vocabulary();
    packet_.frame = &frame_;
    packet_.layers_count = 1;
    IpLayer& l = packet_.layers[0];
    l.version = 4, l.protocol = l.protocols[0] = ip_protocol::kTcp, l.protocols_count = 1, l.has_transport = true;
    flow_.ends = {
        .client = Ip::v4(0xC0000201), .server = Ip::v4(0xC6336402), .client_port = 40000, .server_port = 80, .protocol = 6};
    flow_.app.layers[flow_.app.count++] = *words.app("http");
    flow_.app.open = false;
    const FieldRow& path = *words.field("http.path");
    facts_.set(path.id, path.scope, Value::of_text("/index/of/things/x12.html"), true);
    view_ = {.vocabulary = &words, .packet = &packet_, .layer = &l, .flow = &flow_, .facts = &facts_};
  }
  void ask(std::uint32_t server) {
    flow_.ends.server = Ip::v4(0xC6336400 + (server & 255));
    policy::match(*rules_, rules_->candidates(flow_), view_, meters_);
  }

 private:
  SlabPool pool_{1 << 16};
  Rules rules_;
  NoMeters meters_;
  Frame frame_;
  Packet packet_;
  FlowFacts flow_;
  Facts facts_;
  View view_;
};

struct Row {
  std::string name;
  const char* unit;
  double budget_ns;  ///< DESIGN, "Budget"; 0: none of its own.
  std::size_t count;
  std::function<void()> round;
};

/// A rule set is compiled when its row is run, so that one row pays for one.
std::function<void()> matching(const std::string& rules, std::size_t times) {
  auto made = std::make_shared<std::unique_ptr<Matching>>();
  const auto prepare = [made, rules] {
    if (*made == nullptr) *made = std::make_unique<Matching>(compiled(rules));
  };
  return [made, prepare, times] {
    prepare();
    for (std::size_t i = 0; i < times; ++i) (*made)->ask(static_cast<std::uint32_t>(i));
  };
}
std::function<void()> engine_with(const Traffic& traffic, const std::string& rules, bool identify) {
  auto made = std::make_shared<Rules>();
  return [&traffic, rules, identify, made] {
    if (*made == nullptr) *made = compiled(rules.empty() ? "  []\n" : rules);
    run_engine(traffic, *made, identify);
  };
}

std::vector<Row> rows_of(const Traffic& traffic) {
  const std::size_t frames = traffic.frames.size(), keys = traffic.keys.size(), segments = traffic.segments.size(),
                    flows = traffic.beginnings.size();
  constexpr std::size_t kMatches = 20'000, kEvents = 20'000;
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
  const auto track = [&] {
    state::FlowTable table(1 << 20, 1);
    for (const state::FlowKey& key : traffic.keys) {
      const std::uint64_t hash = table.hash(key);
      if (table.find(key, hash).index == state::kNoFlow) table.insert(key, hash, 1);
    }
  };
  const auto identify = [&, identifier = std::make_shared<Identifier>()] {
    std::size_t left = 0;
    for (const Beginning& flow : traffic.beginnings) left += identifier->ask(flow);
    CHECK(left <= flows * 512);
  };
  const auto event = [] {
    const Rules rules = compiled("  - {name: no-dns, technique: T1071.004, match: {port: 53}, action: drop}\n");
    auto eve = report::Eve::open("/dev/null", *rules, {.flows = true});
    CHECK(eve.ok());
    engine::AlertRecord alert;
    alert.rule = 0, alert.action = policy::Action::Drop, alert.blocked = alert.has_ip = true;
    alert.dst = Ip::v4(0xC6336402), alert.src_port = 40000, alert.dst_port = 53, alert.protocol = 17;
    for (std::size_t i = 0; i < kEvents; ++i) {
      alert.src = Ip::v4(0x0a000000 + static_cast<std::uint32_t>(i));
      alert.wall_ns += 10'000;
      (*eve)->on_alert(alert);
    }
  };
  const std::string everywhere =
      "  - {name: names, match: {dns.qname: .blocked.example}, action: drop}\n  - {name: hosts, match: {http.host: "
      ".blocked.example}, "
      "action: drop}\n  - {name: sni, match: {tls.sni: .blocked.example}, action: drop}\n";
  return {
      {"floor: headers and one flow lookup", "packet", 0, frames, floor},
      {"decode", "packet", 0, frames, decode},
      {"track: find or open the flow", "packet", 0, keys, track},
      {"reassemble", "segment", 0, segments, [&] { run_streams(traffic); }},
      {"identify: a flow's first bytes", "flow", 0, flows, identify},
      {"match: candidates and 50 rules", "request", 0, kMatches, matching(address_rules(50, true), kMatches)},
      {"match: 10 rules with a glob on http.path", "request", 0, kMatches, matching(glob_rules(10), kMatches)},
      {"match: 10,000 rules with a glob on http.path", "request", 0, kMatches, matching(glob_rules(10'000), kMatches)},
      {"event: an alert, written", "event", 300, kEvents, event},
      {"engine, no rules, applications not sought", "packet", 230, frames, engine_with(traffic, "", false)},
      {"engine, no rules", "packet", 230, frames, engine_with(traffic, "", true)},
      {"engine, 50 rules on names", "packet", 230, frames, engine_with(traffic, address_rules(50, true), true)},
      {"engine, names asked on every flow", "packet", 230, frames, engine_with(traffic, everywhere, true)},
      {"engine, 50 header rules", "packet", 230, frames, engine_with(traffic, address_rules(50, false), true)},
      {"engine, 10,000 header rules", "packet", 230, frames, engine_with(traffic, address_rules(10'000, false), true)},
  };
}

/// Median nanoseconds a unit.
double measure(const Row& row) {
  weir_bench_round(row.round);  // Warm, and what is compiled is compiled.
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const auto began = std::chrono::steady_clock::now();
    weir_bench_round(row.round);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    times.push_back(took.count() / static_cast<double>(row.count));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

int run(int argc, char** argv) {
  std::string capture = "demo/demo.pcap", only;
  std::size_t frames_min = 200'000;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json")
      json = true;
    else if (word == "--row" && i + 1 < argc)
      only = argv[++i];
    else if (word == "--frames" && i + 1 < argc)
      frames_min = std::max<std::size_t>(1, std::strtoul(argv[++i], nullptr, 10));
    else
      capture = word;
  }
  Traffic traffic;
  if (!traffic.load(capture, frames_min)) return 2;
  std::vector<Row> rows = rows_of(traffic);
  if (!only.empty()) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == only; });
    if (row == rows.end()) return std::fprintf(stderr, "steps_bench: no row is called `%s`\n", only.c_str()), 2;
    row->round();  // What is compiled is compiled, uncounted.
    weir_bench_round(row->round);
    return std::printf("%zu\n", row->count) < 0 ? 3 : 0;
  }
  if (!json)
    std::printf("%zu frames, medians of %d rounds\n%-46s %10s %-8s %8s %8s\n", traffic.frames.size(), kRounds, "", "ns", "a",
                "ratio", "budget");
  double base = 0;
  for (const Row& row : rows) {
    const double ns = measure(row);
    if (base == 0) base = ns;
    if (json)
      std::printf("{\"name\": \"%s\", \"unit\": \"%s\", \"ns\": %.1f, \"budget_ns\": %.0f, \"count\": %zu}\n", row.name.c_str(),
                  row.unit, ns, row.budget_ns, row.count);
    else
      std::printf("%-46s %10.0f %-8s %8.1f %8s\n", row.name.c_str(), ns, row.unit, ns / base,
                  row.budget_ns == 0 ? "" : std::to_string(static_cast<int>(row.budget_ns)).c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) { return weir::bench::run(argc, argv); }
