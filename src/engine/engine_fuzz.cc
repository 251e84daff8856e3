// SPDX-License-Identifier: Apache-2.0
// The whole engine on hostile bytes. An input is a policy's number and then pieces, each a time and a frame: drawn raw, or as a segment or
// datagram of one of four conversations (so that mutations reach the parsers through real streams). Two engines run it; it must hold that
//
//   nothing crashes, reads out of bounds or loops;  both runs give the same decisions and events, in the same order;
//   each frame has one final verdict, and what was counted adds up;  a TCP flow that was denied stays denied until a SYN;
//   the pool has its memory back.
//
// A piece: how (bit 7: raw; bit 6: UDP; bits 4–5: conversation; bit 3: server's; bit 2: long pause; bits 0–1: flags), time in
// milliseconds, size (two bytes); TCP: offset from the side's next byte (signed); then the bytes.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/engine.h"
#include "policy/document.h"
#include "tests/kit/packet.h"

namespace weir::engine {
namespace {

constexpr std::string_view kRules = R"(
rules:
  - { name: names, match: { dns.qname: .evil.example }, action: drop }
  - { name: answers, match: { dns.answer: 192.0.2.66 }, action: { sinkhole: 0.0.0.0 } }
  - { name: sni, match: { tls.sni: [ evil.example, '*.bad.example' ] }, action: reject }
  - { name: uri, match: { http.uri: /evil }, unless: [ { http.host: good.example } ], action: reject }
  - { name: share, match: { smb.share: secret }, action: { ban: source, for: 1m, after: 2 } }
  - { name: ftp, match: { ftp.command: [ STOR, PORT ] }, action: drop }
  - { name: only-tls, match: { port: 443, not.app.protocol: [ tls, quic ] }, action: drop }
  - { name: known, match: { server.name: evil.example }, action: drop }
  - { name: mail, match: { smtp.from: '*evil*' }, action: alert }
  - { name: agents, match: { not.http.user_agent: 'curl*', port: 8080 }, action: { limit: { rate: 5/m, per: from } } }
  - { name: packets, match: { port: 9 }, action: { limit: { rate: 20 packets/s, per: [ from, to ] } } }
  - { name: tiny, match: { ip.ttl: 1 }, action: drop }
  - { name: watched, match: { app.protocol: ssh, app.confirmed: true }, mode: monitor, action: drop }
)";
constexpr std::string_view kGuards = R"(
guards:
  normalise: true
  anti-spoof: true
  port-security: { macs_max: 3 }
  dhcp-snooping: { servers: [ 10.0.0.1 ] }
  ra-guard: { routers: [ "fe80::1" ] }
  arp-inspection: { learn: first }
  nd-inspection: { learn: first }
  source-guard: { learn: first }
  tcp-state: { midstream: pick-up }
  solicited: { protocols: [ dns, icmp ] }
  amplification: { ratio: 10 }
  flood: [ { what: syn, rate: 50/s }, { what: flows, rate: 100/s, per: to }, { what: fragments, rate: 40/s } ]
  undecided: true
  knock: { ports: [ 7000, 8000, 9000 ] }
  scan: { ports: 30, within: 10s }
  dns-tunnel: true
  icmp-tunnel: true
  slow-client: true
  ssrf: true
  fronting: true
)";

std::shared_ptr<const policy::RuleSet> compile(const std::string& yaml) {
  policy::Loaded loaded = policy::load_policy_text("fuzz.yaml", yaml, vocabulary());
  for (const auto& d : loaded.diagnostics.all())
    if (!loaded.policy) std::fprintf(stderr, "%s\n", policy::render(d).c_str());
  CHECK(loaded.policy.has_value());
  return std::make_shared<policy::RuleSet>(std::make_shared<policy::Policy>(std::move(*loaded.policy)), vocabulary());
}

const std::shared_ptr<const policy::RuleSet>& rules(std::size_t which) {
  static const std::shared_ptr<const policy::RuleSet> all[] = {
      compile("weir: 1\n" + std::string(kRules)),
      compile("weir: 1\nundecided: hold\n" + std::string(kRules)),
      compile("weir: 1\n" + std::string(kGuards) + std::string(kRules)),
      compile("weir: 1\ndefault: drop\nidle: { tcp: 20s, udp: 5s }\n" + std::string(kGuards) + std::string(kRules) + "  - { name: rest, match: { app.protocol: [ http, dns, smb, tls ] }, action: allow }\n"),
  };
  return all[which % std::size(all)];
}

struct Drawn {
  std::vector<std::uint8_t> bytes;
  Nanoseconds at_ns;
  std::string tcp;  ///< The two ends of a TCP segment that the fuzzer drew itself, in one order.
  bool syn = false;
};

std::vector<Drawn> draw(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint16_t kPorts[] = {443, 80, 445, 21};
  std::vector<Drawn> out;
  std::uint32_t next[4][2] = {{1, 1}, {1, 1}, {1, 1}, {1, 1}};
  Nanoseconds now_ns = kSecond;
  while (size >= 5 && out.size() < 400) {
    const std::uint8_t how = data[0];
    now_ns += data[1] * ((how & 4) != 0 ? kSecond : kMillisecond);
    const auto offset = static_cast<std::int8_t>(data[4]);
    const std::size_t n = std::min<std::size_t>(size - 5, (data[2] * 256U + data[3]) % 1500U);
    const std::string text(reinterpret_cast<const char*>(data + 5), n);
    data += 5 + n;
    size -= 5 + n;
    Drawn drawn;
    drawn.at_ns = now_ns;
    std::string bytes;
    const std::size_t who = how >> 4 & 3, side = how >> 3 & 1;
    const std::string client = "10.0.0." + std::to_string(5 + who % 2), server = "198.51.100.80";
    const kit::Ipv4 ip = side == 0 ? kit::Ipv4(client, server) : kit::Ipv4(server, client);
    const auto own = static_cast<std::uint16_t>(40000 + who);
    if ((how & 0x80) != 0) {
      bytes = text;
    } else if ((how & 0x40) != 0) {
      const std::uint16_t port = who == 0 ? 53 : who == 1 ? 443 : who == 2 ? 69 : 9;
      bytes = kit::Eth() / ip / (side == 0 ? kit::Udp(own, port) : kit::Udp(port, own)) / text;
    } else {
      constexpr std::string_view kFlags[] = {"PA", "S", "FA", "R"};
      const std::size_t flags = how & 3;
      kit::Tcp tcp = side == 0 ? kit::Tcp(own, kPorts[who]) : kit::Tcp(kPorts[who], own);
      const std::uint32_t at = 1000U + next[who][side] + static_cast<std::uint32_t>(offset);
      tcp.seq(flags == 1 ? 1000U : at).ack(1000U + next[who][1 - side]).flags(flags == 1 && side == 1 ? "SA" : kFlags[flags]);
      if (flags == 0) next[who][side] += static_cast<std::uint32_t>(static_cast<std::int64_t>(n) + offset);
      bytes = kit::Eth() / ip / tcp / text;
      drawn.tcp = client + ":" + std::to_string(own);
      drawn.syn = flags == 1;
    }
    drawn.bytes.assign(bytes.begin(), bytes.end());
    out.push_back(std::move(drawn));
  }
  return out;
}

/// Writes down all that comes out.
class Run final : public EventSink {
 public:
  Run(std::size_t which, const std::vector<Drawn>& frames) {
    EngineOptions options;
    options.flows_max = 64;
    options.pool_bytes = std::size_t{2} << 20;
    options.table_entries = 64;
    options.checksums = (which & 4) != 0 ? Checksums::Ignore : Checksums::Auto;
    Engine engine(options, rules(which), *this);
    std::map<std::string, bool> denied;
    for (const Drawn& drawn : frames) {
      Frame frame{.bytes = {drawn.bytes.data(), drawn.bytes.size()}, .wire_bytes = static_cast<std::uint32_t>(drawn.bytes.size()),
                  .number = ++number_, .time = {.mono_ns = drawn.at_ns, .wall_ns = drawn.at_ns}};
      Decision decision;
      engine.on_frames({&frame, 1}, {&decision, 1});
      CHECK(decision.frame == frame.number);
      if (decision.verdict != Verdict::Hold) note(decision);
      else log_.push_back("hold " + std::to_string(decision.frame));
      if (drawn.tcp.empty()) continue;
      // A SYN may begin anew, and a tombstone that was idle for its time is gone (20 s under the shortest policy).
      if (drawn.syn || frame.time.mono_ns - last_[drawn.tcp] >= 20 * kSecond) denied.erase(drawn.tcp);
      if (denied.contains(drawn.tcp)) CHECK(decision.verdict == Verdict::Drop);
      if (decision.verdict == Verdict::Drop && decision.reason == Reason::Tombstone) denied[drawn.tcp] = true;
      last_[drawn.tcp] = frame.time.mono_ns;
    }
    engine.finish();
    const Counters& c = engine.counters();
    CHECK(c.packets == number_);
    CHECK(c.passed + c.dropped == c.packets);
    CHECK(decided_.size() == number_);
    // What learned names and readings keep lives as long as the engine: 64 clients, four names each, and one list.
    CHECK(engine.pool_used() <= 64 * 4 * 256 + 8192);
  }
  bool operator==(const Run& other) const { return log_ == other.log_; }

 private:
  void note(const Decision& d) {
    CHECK(d.verdict != Verdict::Hold);
    CHECK(decided_.emplace(d.frame, d.verdict).second);
    log_.push_back(std::to_string(d.frame) + (d.verdict == Verdict::Pass ? " pass " : " drop ") + std::to_string(d.rule) + " " +
                   std::to_string(static_cast<int>(d.reason)) + (d.settled ? " settled " : " ") + std::to_string(d.emits_count));
  }
  void on_alert(const AlertRecord& r) override {
    log_.push_back("alert " + std::to_string(r.rule) + " " + std::to_string(r.frame) + " " + std::to_string(r.count) + " " + std::to_string(r.flow_id));
  }
  void on_flow(const FlowRecord& r) override {
    log_.push_back("flow " + std::to_string(r.flow_id) + " " + std::to_string(r.app) + " " + std::to_string(r.packets[0] + r.packets[1]) + " " +
                   std::to_string(static_cast<int>(r.ended)) + " " + std::to_string(static_cast<int>(r.acted)));
  }
  void on_transaction(const View& view, std::uint64_t flow_id) override { log_.push_back("said " + std::to_string(view.parser) + " " + std::to_string(flow_id)); }
  void on_released(const Decision& d) override { note(d); }

  std::uint64_t number_ = 0;
  std::map<std::uint64_t, Verdict> decided_;
  std::map<std::string, Nanoseconds> last_;
  std::vector<std::string> log_;
};

}  // namespace
}  // namespace weir::engine

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::engine;
  if (size < 1) return 0;
  const auto frames = draw(data + 1, size - 1);
  const Run one(data[0], frames), two(data[0], frames);
  CHECK(one == two);
  return 0;
}
