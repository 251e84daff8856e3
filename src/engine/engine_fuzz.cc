// SPDX-License-Identifier: Apache-2.0
// The whole engine over hostile frames: a byte string cut into frames and times, under one policy with every kind of rule and tables so
// small that they fill. It checks what must hold, not only that nothing crashes: every packet is accounted for, every held
// frame is decided once, and two runs decide alike.

#include <cstdlib>
#include <set>
#include <vector>

#include "engine/engine.h"
#include "policy/document.h"

namespace {

using namespace weir;

constexpr char kPolicy[] = R"(weir: 1
zones: { inside: { networks: [192.0.2.0/24, "2001:db8::/32"] }, outside: {} }
default: drop
undecided: hold
guards:
  normalise: true
  anti-spoof: true
  dhcp-snooping: { servers: [192.0.2.1] }
  ra-guard: { routers: ["fe80::1"] }
  arp-inspection: { learn: first }
  nd-inspection: { learn: first }
  tcp-state: { midstream: pick-up }
  solicited: { protocols: [dns] }
  flood:
    - { what: syn, per: from, rate: 5/s }
    - { what: requests, per: from, rate: 5/s }
  dns-tunnel: true
  icmp-tunnel: true
  scan: true
  knock: { ports: [7000, 8000] }
rules:
  - { name: names, match: { dns.qname: .bad.example }, action: reject }
  - { name: hosts, match: { http.host: .bad.example }, action: drop }
  - { name: sni, match: { tls.sni: .bad.example }, action: drop }
  - { name: share, match: { smb.share: "ADMIN$" }, action: { ban: source, for: 10s, after: 2 } }
  - { name: slow, match: { app.protocol: [http, dns] }, action: { limit: { rate: 3 requests/s, per: from } } }
  - { name: watch, mode: monitor, match: { app.protocol: unknown }, action: drop }
  - { name: known, match: { app.protocol: [http, dns, tls, smb, ftp, smtp, ssh] }, action: allow }
  - { name: ping, match: { ip.protocol: [icmp, icmpv6] }, action: allow }
)";

std::shared_ptr<const policy::RuleSet> rules() {
  static const auto made = [] {
    policy::Loaded loaded = policy::load_policy_text("fuzz", kPolicy, engine::vocabulary());
    CHECK(loaded.policy.has_value());
    return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
  }();
  return made;
}

struct Sink final : engine::EventSink {
  std::set<std::uint64_t> waiting;
  std::vector<Verdict> verdicts;

  void on_alert(const engine::AlertRecord&) override {}
  void on_flow(const engine::FlowRecord&) override {}
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision& decision) override {
    CHECK(waiting.erase(decision.frame) == 1);
    verdicts.push_back(decision.verdict);
  }
};

/// A frame: link type, time step in 10 ms, two bytes of length, its bytes.
std::vector<Verdict> run(const std::uint8_t* data, std::size_t size) {
  engine::EngineOptions options;
  options.flows_max = 64;
  options.pool_bytes = 1 << 20;
  options.table_entries = 64;
  Sink sink;
  engine::Engine engine(options, rules(), sink);
  Time now{kSecond, kSecond};
  for (std::uint64_t number = 1; size >= 4; ++number) {
    const std::size_t length = std::min<std::size_t>(size - 4, static_cast<std::size_t>(data[2]) << 8 | data[3]);
    const std::vector<std::uint8_t> exact(data + 4, data + 4 + length);
    Frame frame;
    frame.bytes = exact;
    frame.wire_bytes = static_cast<std::uint32_t>(length);
    frame.link = static_cast<LinkType>(data[0] % 5);
    frame.number = number;
    now.mono_ns += data[1] * (10 * kMillisecond);
    now.wall_ns = now.mono_ns;
    frame.time = now;
    Decision decision;
    // A held frame may be released by the very call that it came with only after its own decision: it waits from now on.
    sink.waiting.insert(number);
    engine.on_frames({&frame, 1}, {&decision, 1});
    if (decision.verdict != Verdict::Hold) CHECK(sink.waiting.erase(number) == 1);
    sink.verdicts.push_back(decision.verdict);
    data += 4 + length;
    size -= 4 + length;
  }
  engine.finish();
  CHECK(sink.waiting.empty());
  CHECK(engine.counters().packets == engine.counters().passed + engine.counters().dropped);
  return sink.verdicts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1 << 16) return 0;
  CHECK(run(data, size) == run(data, size));
  return 0;
}
