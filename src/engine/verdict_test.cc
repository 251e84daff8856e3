// SPDX-License-Identifier: Apache-2.0
// How a verdict comes about, sentence by sentence.

#include <gtest/gtest.h>

#include "tests/kit/filter.h"

namespace weir::engine {
namespace {

using namespace kit;

/// A DNS message with one question of type A; an answer says so and has none.
std::string dns(std::string_view name, bool answer = false, std::uint16_t id = 0x1234) {
  std::string out = be(id, 2) + (answer ? be(0x8180, 2) : be(0x0100, 2)) + be(1, 2) + be(0, 2) + be(0, 2) + be(0, 2);
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out += static_cast<char>(dot);
    out += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + std::string(1, '\0') + be(1, 2) + be(1, 2);
}
Ipv4 back() { return Ipv4().src("198.51.100.2").dst("192.0.2.1"); }
Layers query(std::string_view name, std::uint16_t port = 40000, std::uint16_t id = 0x1234) {
  return Eth() / Ipv4() / Udp(port, 53) / dns(name, false, id);
}
Layers answer(std::string_view name, std::uint16_t port = 40000, std::uint16_t id = 0x1234) {
  return Eth() / back() / Udp(53, port) / dns(name, true, id);
}

TEST(Verdict, ADeniedQueryStopsItsAnswerAndNothingElse) {
  Filter f("default: allow\nrules:\n  - {name: bad, match: {dns.qname: .bad.example}, action: drop}\n");
  EXPECT_TRUE(f.passes(query("good.example", 40000, 1)));
  EXPECT_FALSE(f.passes(query("x.bad.example", 40000, 2)));
  EXPECT_TRUE(f.passes(answer("good.example", 40000, 1)));
  EXPECT_FALSE(f.passes(answer("x.bad.example", 40000, 2)));
  EXPECT_EQ(f.rule(4), "bad");
  EXPECT_TRUE(f.passes(query("good.example", 40000, 3)));
}

TEST(Verdict, ADenialByHeadersStopsWhatComesBack) {
  Filter f("zones: {in: {networks: [192.0.2.0/24]}, out: {}}\ndefault: allow\nrules:\n  - {name: no-udp, match: {from: in, ip.protocol: udp, port: 9999}, action: drop}\n");
  EXPECT_FALSE(f.passes(Eth() / Ipv4() / Udp(40000, 9999) / "x"));
  EXPECT_FALSE(f.passes(Eth() / back() / Udp(9999, 40000) / "y"));
  EXPECT_EQ(f.rule(2), "no-udp");
  EXPECT_TRUE(f.passes(Eth() / back() / Udp(9998, 40000) / "y"));
}

TEST(Verdict, ADenyOnTcpEndsTheFlowAndItsTombstoneNamesTheRule) {
  Filter f("default: allow\nrules:\n  - {name: no-ssh, match: {app.protocol: ssh}, action: drop}\n");
  EXPECT_TRUE(f.passes(Eth() / Ipv4() / Tcp(40000, 443).flags("S").seq(100)));
  EXPECT_TRUE(f.passes(Eth() / back() / Tcp(443, 40000).flags("SA").seq(500).ack(101)));
  EXPECT_TRUE(f.passes(Eth() / Ipv4() / Tcp(40000, 443).flags("A").seq(101).ack(501)));
  EXPECT_FALSE(f.passes(Eth() / Ipv4() / Tcp(40000, 443).flags("PA").seq(101).ack(501) / "SSH-2.0-OpenSSH_9.2\r\n"));
  EXPECT_FALSE(f.passes(Eth() / back() / Tcp(443, 40000).flags("PA").seq(501).ack(101) / "SSH-2.0-dropbear\r\n"));
  EXPECT_EQ(f.rule(5), "no-ssh");
  EXPECT_EQ(f.alerts().size(), 1U) << "once a flow";
}

TEST(Verdict, NotTheProtocolIsCertainAtTheFirstByteThatCannotBeIt) {
  Filter f("default: allow\nrules:\n  - {name: only-tls, match: {port: 443, not.app.protocol: tls}, action: drop}\n");
  f.send(Eth() / Ipv4() / Tcp(40000, 443).flags("S").seq(100));
  f.send(Eth() / back() / Tcp(443, 40000).flags("SA").seq(500).ack(101));
  EXPECT_FALSE(f.passes(Eth() / Ipv4() / Tcp(40000, 443).flags("PA").seq(101).ack(501) / "G"));
}

TEST(Verdict, UndecidedPayloadIsHeldAndThenGoesTheWayOfTheRest) {
  for (const bool good : {true, false}) {
    Filter f("default: drop\nrules:\n  - {name: web, match: {app.protocol: http, http.host: good.example}, action: allow}\n");
    EXPECT_TRUE(f.passes(Eth() / Ipv4() / Tcp(40000, 80).flags("S").seq(100)));
    EXPECT_TRUE(f.passes(Eth() / back() / Tcp(80, 40000).flags("SA").seq(500).ack(101)));
    EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("PA").seq(101).ack(501) / "GET / HTTP/1.1\r\n"), Verdict::Hold);
    f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("PA").seq(117).ack(501) / (good ? "Host: good.example\r\n\r\n" : "Host: evil.example\r\n\r\n"));
    EXPECT_EQ(f.verdict(3), good ? Verdict::Pass : Verdict::Drop);
    EXPECT_EQ(f.verdict(4), good ? Verdict::Pass : Verdict::Drop);
    EXPECT_EQ(f.rule(4), good ? "web" : "default");
  }
}

TEST(Verdict, AHoldEndsByTimeWithoutAPacketOfItsFlow) {
  Filter f("default: drop\nrules:\n  - {name: web, match: {app.protocol: http}, action: allow}\n");
  f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("S").seq(100), 0);
  f.send(Eth() / back() / Tcp(80, 40000).flags("SA").seq(500).ack(101), 0.01);
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("PA").seq(101).ack(501) / "GE", 0.02), Verdict::Hold);
  f.send(query("good.example"), 0.5);
  EXPECT_EQ(f.verdict(3), Verdict::Drop);
}

TEST(Verdict, ALimitCountsEachRequestOnceAndRefills) {
  Filter f("default: allow\nrules:\n  - {name: slow, match: {app.protocol: dns}, action: {limit: {rate: 1 requests/s, burst: 2, per: from}}}\n");
  EXPECT_TRUE(f.passes(query("a.example", 40001), 0));
  EXPECT_TRUE(f.passes(query("b.example", 40002), 0.1));
  EXPECT_FALSE(f.passes(query("c.example", 40003), 0.2));
  EXPECT_TRUE(f.passes(query("d.example", 40004), 1.3));
}

TEST(Verdict, ALimitInFlowsTakesOneTokenAFlow) {
  Filter f("default: allow\nrules:\n  - {name: few, match: {port: 80}, action: {limit: {rate: 1 flows/m, burst: 2, per: from}}}\n"
           "  - {name: secret, match: {http.uri: /secret}, action: drop}\n");
  for (const std::uint16_t port : {40001, 40002}) {
    EXPECT_TRUE(f.passes(Eth() / Ipv4() / Tcp(port, 80).flags("S").seq(100)));
    EXPECT_TRUE(f.passes(Eth() / back() / Tcp(80, port).flags("SA").seq(500).ack(101)));
    EXPECT_TRUE(f.passes(Eth() / Ipv4() / Tcp(port, 80).flags("A").seq(101).ack(501)));
  }
  EXPECT_FALSE(f.passes(Eth() / Ipv4() / Tcp(40003, 80).flags("S").seq(100)));
}

TEST(Verdict, ABanStopsEverythingOfTheSourceForItsTime) {
  Filter f("default: allow\nrules:\n  - {name: probe, match: {dns.qname: bait.example}, action: {ban: source, for: 1m, after: 2}}\n");
  EXPECT_TRUE(f.passes(query("bait.example", 40001), 0));
  EXPECT_FALSE(f.passes(query("bait.example", 40002), 1));
  EXPECT_FALSE(f.passes(query("good.example", 40003), 2));
  EXPECT_TRUE(f.passes(query("good.example", 40004), 62));
}

TEST(Verdict, AMonitoredRuleReportsAndStopsNothing) {
  Filter f("default: allow\nrules:\n  - {name: watch, mode: monitor, match: {dns.qname: .bad.example}, action: drop}\n");
  EXPECT_TRUE(f.passes(query("x.bad.example")));
  ASSERT_EQ(f.alerts().size(), 1U);
  EXPECT_TRUE(f.alerts()[0].monitored);
  EXPECT_FALSE(f.alerts()[0].blocked);
}

TEST(Verdict, PacketsOfNoConnectionAreStoppedByTcpState) {
  Filter f("default: allow\nguards: {tcp-state: true}\n");
  for (const char* flags : {"A", "FA", "F", "FPU", "", "SA"}) EXPECT_FALSE(f.passes(Eth() / Ipv4() / Tcp(40000, 80).flags(flags))) << flags;
  EXPECT_TRUE(f.passes(Eth() / Ipv4() / Tcp(40001, 80).flags("S")));
}

TEST(Verdict, AnErrorAboutADeniedPacketIsDeniedToo) {
  Filter f("default: allow\nguards: {solicited: true}\n");
  EXPECT_FALSE(f.passes(Eth() / back() / Icmp(3, 3) / (Ipv4() / Udp(40000, 9999) / "12345678").bytes()));
  EXPECT_TRUE(f.passes(Eth() / Ipv4() / Udp(40000, 9999) / "12345678"));
  EXPECT_TRUE(f.passes(Eth() / back() / Icmp(3, 3) / (Ipv4() / Udp(40000, 9999) / "12345678").bytes()));
}

TEST(Verdict, EveryHeldFrameIsDecidedAtTheEnd) {
  Filter f("default: drop\nrules:\n  - {name: web, match: {app.protocol: http}, action: allow}\n");
  f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("S").seq(100));
  f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("PA").seq(101).ack(501) / "GE");
  f.send(Eth() / Ipv4().protocol(17).id(9).offset(0).more() / std::string(24, 'x'));
  f.finish();
  EXPECT_EQ(f.counters().packets, f.counters().passed + f.counters().dropped);
}

}  // namespace
}  // namespace weir::engine
