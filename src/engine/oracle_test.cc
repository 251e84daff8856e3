// SPDX-License-Identifier: Apache-2.0
// The compiled matcher against the oracle: random policies over random facts, each state of each fact among them; then over conversations
// through the engine. Seeds are fixed.

#include "tests/kit/oracle_probe.h"

#include <gtest/gtest.h>

#include "tests/kit/random_policy.h"
#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

/// Over the rate, or the N-th match, by the rule's number: the same for both that ask.
class FixedMeters final : public policy::Meters {
 public:
  bool over_limit(RuleId id, const policy::Rule&, const View&) override { return id % 2 == 0; }
  bool ban_begins(RuleId id, const policy::Rule&, const View&) override { return id % 3 == 0; }
};

/// One moment of some flow: everything that a view shows, made up.
class Moment {
 public:
  Moment(RandomPolicy& random, const policy::RuleSet& rules) : random_(random), pool_(1 << 20), facts_(pool_, all_), readings_(pool_, all_) {
    all_.set();
    make_packet();
    make_flow(rules);
    for (const std::string_view name : vocabulary().field_names()) make_fact(*vocabulary().field(name));
    view_.vocabulary = &vocabulary();
    view_.packet = &packet_;
    view_.layer = &packet_.layers[0];
    view_.flow = &flow_;
    view_.facts = random_.chance(8) ? nullptr : &facts_;
    view_.readings = &readings_;
    view_.now_ns = 10 * kSecond;
    view_.at_bound = random_.chance(6);
    view_.described_all = !flow_.app.open && random_.chance(3);
    if (random_.chance(8)) view_.flaws.add(Flaw::Conflict);
  }
  const View& view() const { return view_; }

 private:
  Ip address() {
    return ip_of(random_.one_of({"10.0.0.5", "10.9.0.7", "192.168.1.10", "192.0.2.1", "198.51.100.53", "8.8.8.8", "2001:db8::2", "fd00::1"}));
  }
  void make_packet() {
    frame_.number = 1;
    frame_.time = {.mono_ns = 10 * kSecond, .wall_ns = 1'704'067'200 * kSecond};
    packet_.frame = &frame_;
    packet_.layers_count = 1;
    if (random_.chance(5)) packet_.vlans_count = 1, packet_.vlans[0] = static_cast<std::uint16_t>(random_.pick(10));
    IpLayer& l = packet_.layers[0];
    constexpr std::uint8_t kProtocols[] = {6, 6, 6, 17, 17, 1, 47, 132, 50};
    l.protocol = kProtocols[random_.pick(std::size(kProtocols))];
    l.protocols_count = 0;
    if (random_.chance(6)) l.protocols[l.protocols_count++] = ip_protocol::kAh;
    l.protocols[l.protocols_count++] = l.protocol;
    l.version = random_.chance(3) ? 6 : 4;
    l.ttl = static_cast<std::uint8_t>(random_.chance(2) ? 64 : random_.pick(256));
    l.length = static_cast<std::uint16_t>(random_.pick(1500));
    l.has_transport = true;
    l.tcp_flags = flags_of(random_.one_of({"S", "SA", "A", "PA", "FA", "RA", "R"}));
    l.icmp_type = random_.chance(2) ? 8 : 3;
  }
  void make_flow(const policy::RuleSet& rules) {
    IpLayer& l = packet_.layers[0];
    flow_.ends.client = address();
    flow_.ends.server = address();
    const bool ports = l.protocol == 6 || l.protocol == 17 || l.protocol == 132;
    constexpr std::uint16_t kPorts[] = {53, 80, 443, 445, 40000, 139, 1023, 1024, 65535};
    if (ports) flow_.ends.client_port = kPorts[random_.pick(std::size(kPorts))], flow_.ends.server_port = kPorts[random_.pick(std::size(kPorts))];
    flow_.ends.protocol = l.protocol;
    const bool client_sends = random_.chance(2);
    l.src = client_sends ? flow_.ends.client : flow_.ends.server;
    l.dst = client_sends ? flow_.ends.server : flow_.ends.client;
    l.src_port = client_sends ? flow_.ends.client_port : flow_.ends.server_port;
    l.dst_port = client_sends ? flow_.ends.server_port : flow_.ends.client_port;
    flow_.from = rules.zones().zone_of(flow_.ends.client, kNoPort, flow_.ends.server);
    flow_.to = rules.zones().zone_of(flow_.ends.server, kNoPort, flow_.ends.client);
    flow_.state = static_cast<FlowState>(random_.pick(4));
    flow_.unsolicited = l.protocol == 17 && random_.chance(5);
    flow_.packets[0] = random_.pick(8);
    flow_.bytes[1] = random_.pick(3000);
    AppChain& app = flow_.app;
    app.candidates = AppSet::of(kUnknownApp);
    for (const std::string_view name : {"dns", "tls", "http", "smb", "ssh", "ftp"})
      if (random_.chance(3)) app.candidates.add(*vocabulary().app(name));
    app.count = static_cast<std::uint8_t>(random_.pick(3));
    for (std::size_t i = 0; i < app.count; ++i) app.layers[i] = *vocabulary().app(random_.one_of({"dns", "tls", "http", "smb", "ssh", "unknown"}));
    app.open = app.count == 0 ? !random_.chance(8) : random_.chance(4);
    app.hidden = app.count == 0 && !app.open;
    app.may_extend = app.count != 0 && !app.open && random_.chance(3);
    app.confirmed = app.count != 0 && random_.chance(2);
  }
  void make_fact(const FieldRow& row) {
    const bool reading = row.scope == Scope::Reading;
    if (row.scope == Scope::Packet) return;
    Facts& store = reading ? readings_ : facts_;
    switch (random_.pick(6)) {
      case 0: return;  // Not yet.
      case 1: return store.close(row.id, row.scope);
      case 2: return store.hide(row.id, row.scope);
      default: break;
    }
    const auto value = [&] {
      switch (row.type) {
        case FieldType::Text:
        case FieldType::TextFold:
        case FieldType::Domain:
          return Value::of_text(random_.one_of({"www.example.com", "example.org", "a.evil.example", "/", "/evil/x", "GET", "curl/8", "ipc$", "h2", "good.test"}));
        case FieldType::Address: return Value::of_ip(address());
        default: return Value::of_number(random_.chance(2) ? random_.pick(3) : random_.pick(1000));
      }
    };
    const bool text = row.type == FieldType::Text || row.type == FieldType::TextFold || row.type == FieldType::Domain;
    if (row.list) {
      for (std::size_t n = 1 + random_.pick(3); n-- > 0;) store.add(row.id, row.scope, value(), text);
      if (random_.chance(2)) store.close(row.id, row.scope);
    } else {
      store.set(row.id, row.scope, value(), text);
    }
  }

  RandomPolicy& random_;
  SlabPool pool_;
  FieldSet all_;
  Facts facts_, readings_;
  Frame frame_;
  Packet packet_;
  FlowFacts flow_;
  View view_;
};

TEST(Oracle, AgreesWithTheMatcherOnRandomPoliciesAndFacts) {
  FixedMeters meters;
  std::size_t differences = 0, judged = 0, denied = 0, undecided = 0, open = 0;
  for (std::uint32_t seed = 1; seed <= 400; ++seed) {
    RandomPolicy random(seed);
    const std::string yaml = random.yaml(true);
    const auto rules = rules_of(yaml);
    for (int i = 0; i < 50; ++i) {
      const Moment moment(random, *rules);
      const policy::Outcome outcome = policy::match(*rules, rules->candidates(*moment.view().flow), moment.view(), meters);
      const OracleOutcome told = oracle(*rules, moment.view(), meters);
      const std::string differs = difference(told, outcome, moment.view());
      ++judged;
      denied += told.pass ? 0U : 1U;
      undecided += told.certain ? 0U : 1U;
      open += told.settled ? 0U : 1U;
      if (differs.empty()) continue;
      if (++differences <= 3) ADD_FAILURE() << "seed " << seed << ", moment " << i << ": " << differs << "\n" << yaml;
    }
  }
  // It tried what it should try.
  EXPECT_GT(denied, judged / 10);
  EXPECT_GT(undecided, judged / 25);
  EXPECT_GT(open, judged / 10);
  EXPECT_EQ(differences, 0U);
}

/// A few of everything, as a client would say it.
void converse(Filter& f) {
  Datagrams d{f, "10.0.0.5", 40000, "198.51.100.53", 53};
  d.ask(dns_query("www.example.com", 1));
  d.answer(dns_answer("www.example.com", "192.0.2.80", 1));
  d.ask(dns_query("a.evil.example", 2, 16));
  Connection web(f, "10.9.0.7", 40001, "192.0.2.80", 80), tls(f, "192.168.1.10", 40002, "8.8.8.8", 443), smb(f, "10.0.0.5", 40003, "192.168.1.10", 445);
  web.open();
  web.client(http_get("www.example.com", "/"));
  web.server(http_ok());
  web.client(http_get("example.org", "/evil/x"));
  web.server(http_ok(std::string(3000, 'x')));
  tls.open();
  const std::string hello = tls_hello("a.example.org");
  tls.client(hello.substr(0, 50));
  tls.client(hello.substr(50));
  smb.open();
  smb.client(smb_negotiate());
  smb.server(smb_negotiated());
  smb.client(smb_connect("\\\\s\\ipc$"));
  f.send(Eth() / Ipv4("10.0.0.5", "192.0.2.80") / Icmp(8) / "ping");
  f.send(Eth() / Vlan(5) / Ipv6("fd00::1", "2001:db8::2") / Tcp(40000, 22).flags("S"));
  f.send(Eth() / ArpPacket(1));
  f.send(Eth() / Ipv4("198.51.100.53", "10.0.0.5") / Udp(53, 41000) / dns_answer("x.example", "192.0.2.1"));
  f.send(Eth() / Ipv4("198.51.100.53", "10.0.0.5") / Tcp(443, 41000).flags("A") / "middle");
  web.fin(Side::Client);
  web.fin(Side::Server);
}

TEST(Oracle, AgreesWithTheEngineOnConversations) {
  std::uint64_t judged = 0, differences = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    RandomPolicy random(seed * 7919);
    const auto rules = rules_of(random.yaml(false));
    OracleProbe probe(*rules);
    EngineOptions options = small_engine();
    options.probe = &probe;
    Filter f(rules, options);
    converse(f);
    f.end();
    judged += probe.judged();
    differences += probe.differences();
  }
  EXPECT_GT(judged, 5000U);
  EXPECT_EQ(differences, 0U);
}

}  // namespace
}  // namespace weir::engine
