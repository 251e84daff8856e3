// SPDX-License-Identifier: Apache-2.0
// FACTS, "Guards": for each guard at least one attack that is stopped under its name, and a twin that passes. (port-security, slow-client, ssrf and
// fronting are in detectors_test.cc.)

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

/// A policy of guards alone, two ports, two zones.
std::string guards(std::string_view what) {
  return "weir: 1\nzones: { inside: { ports: [lan0, lan1], networks: [10.0.0.0/8] }, outside: { ports: [wan0] } }\nguards: { " + std::string(what) + " }\n";
}

TEST(Guard, NormaliseStopsFlaws) {
  Filter f(guards("normalise: true"));
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "10.0.0.5") / Tcp(80, 80).flags("S")), "drop guard.normalise") << "land";
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("SF")), "drop guard.normalise") << "bad flags";
  EXPECT_EQ(f.send(Eth() / Ipv4().length(9000) / Udp(40000, 80) / "x"), "drop guard.normalise") << "bad length";
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("S")), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40001, 80).flags("SEC")), "pass") << "ECN is none";
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  c.put(Side::Client, 0, "GET /a");
  EXPECT_EQ(c.put(Side::Client, 0, "GET /b"), "drop guard.normalise") << "a retransmission that differs";
  EXPECT_EQ(c.put(Side::Client, 0, "GET /a"), "pass");
}

TEST(Guard, AntiSpoofStopsSourcesThatCannotBe) {
  Filter f(guards("anti-spoof: true"));
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "10.0.0.6") / Udp(40000, 9) / "x", "wan0"), "drop guard.anti-spoof") << "inside from outside";
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.6") / Udp(40000, 9) / "x", "lan0"), "drop guard.anti-spoof");
  EXPECT_EQ(f.send(Eth() / Ipv4("127.0.0.1", "10.0.0.6") / Udp(40000, 9) / "x", "wan0"), "drop guard.anti-spoof") << "a martian";
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 9) / "x", "lan0"), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.6") / Udp(40000, 9) / "x", "wan0"), "pass");
  EXPECT_EQ(plain(f.send(Eth() / Ipv4("0.0.0.0", "255.255.255.255") / Udp(68, 67) / "discover", "lan0")), "pass");
}

std::string dhcp(std::uint8_t op, std::uint8_t type, std::string_view server = {}, std::string_view mac = "00:00:5e:00:53:01") {
  std::string out = be(op, 1) + be(0x010600, 3) + be(7, 4) + be(0, 4) + be(0, 16) + bytes_of(mac_of(mac)) + std::string(10 + 192, '\0');
  out += be(0x63825363, 4) + be(0x3501, 2) + be(type, 1);
  if (!server.empty()) out += be(0x3604, 2) + bytes_of(ip_of(server), false);
  return out + "\xff";
}

TEST(Guard, DhcpSnoopingStopsServersThatAreNone) {
  Filter f(guards("dhcp-snooping: { servers: [10.0.0.1] }"));
  const auto offer = [](std::string_view from, std::string_view id) {
    return Eth() / Ipv4(from, "10.0.0.5") / Udp(67, 68) / dhcp(2, 2, id);
  };
  EXPECT_EQ(f.send(offer("10.0.0.66", "10.0.0.66")), "drop guard.dhcp-snooping");
  EXPECT_EQ(f.send(offer("10.0.0.66", "10.0.0.1")), "drop guard.dhcp-snooping") << "the sender must be listed";
  EXPECT_EQ(f.send(offer("10.0.0.1", "10.0.0.66")), "drop guard.dhcp-snooping") << "and the server-id";
  EXPECT_EQ(plain(f.send(offer("10.0.0.1", "10.0.0.1"))), "pass");
  EXPECT_EQ(plain(f.send(Eth() / Ipv4("0.0.0.0", "255.255.255.255") / Udp(68, 67) / dhcp(1, 1))), "pass");
  // A client speaks for itself: its hardware address is the Ethernet source, unless a relay passes it on.
  EXPECT_EQ(f.send(Eth() / Ipv4("0.0.0.0", "255.255.255.255") / Udp(68, 67) / dhcp(1, 1, {}, "02:00:00:00:00:99")), "drop guard.dhcp-snooping");
  std::string relayed = dhcp(1, 1, {}, "02:00:00:00:00:98");
  relayed.replace(24, 4, std::string("\x0a\0\0\x01", 4));
  EXPECT_EQ(plain(f.send(Eth() / Ipv4("10.0.0.1", "10.0.0.2") / Udp(67, 67) / relayed)), "pass");
  Filter lax(guards("dhcp-snooping: { servers: [10.0.0.1], verify_mac: false }"));
  EXPECT_EQ(plain(lax.send(Eth() / Ipv4("0.0.0.0", "255.255.255.255") / Udp(68, 67) / dhcp(1, 1, {}, "02:00:00:00:00:99"))), "pass");
  Filter t(guards("dhcp-snooping: { trusted: [wan0] }"));
  EXPECT_EQ(t.send(offer("10.0.0.1", "10.0.0.1"), "lan0"), "drop guard.dhcp-snooping");
  EXPECT_EQ(plain(t.send(offer("10.0.0.1", "10.0.0.1"), "wan0")), "pass");
}

TEST(Guard, RaGuardStopsRoutersThatAreNone) {
  Filter f(guards("ra-guard: { routers: ['fe80::1'] }"));
  const auto advertisement = [](std::string_view from) { return Eth() / Ipv6(from, "ff02::1").ttl(255) / Icmpv6(134) / std::string(8, '\0'); };
  EXPECT_EQ(f.send(advertisement("fe80::66")), "drop guard.ra-guard");
  EXPECT_EQ(plain(f.send(advertisement("fe80::1"))), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv6("fe80::66", "ff02::1").ttl(255) / Destination() / Icmpv6(134) / std::string(8, '\0')), "drop guard.ra-guard")
      << "behind an extension header (RFC 7113)";
}

TEST(Guard, ArpInspectionStopsClaimsThatContradict) {
  Filter f(guards("arp-inspection: { bindings: [ { ip: 10.0.0.1, mac: '00:00:5e:00:53:01' } ] }"));
  EXPECT_EQ(f.send(Eth().src("00:00:5e:00:53:66") / ArpPacket(2).sender("00:00:5e:00:53:66", "10.0.0.1")), "drop guard.arp-inspection");
  EXPECT_EQ(f.send(Eth() / ArpPacket(2).sender("00:00:5e:00:53:01", "10.0.0.1")), "pass");
  EXPECT_EQ(f.send(Eth().src("00:00:5e:00:53:66") / ArpPacket(1).sender("00:00:5e:00:53:01", "10.0.0.1")), "drop guard.arp-inspection")
      << "Ethernet source and sender differ";
  EXPECT_EQ(f.send(Eth() / ArpPacket(1).sender("00:00:5e:00:53:01", "10.0.0.7")), "pass") << "unlisted";
  Filter g(guards("arp-inspection: { learn: first }"));
  EXPECT_EQ(g.send(Eth() / ArpPacket(1).sender("00:00:5e:00:53:01", "10.0.0.7")), "pass");
  EXPECT_EQ(g.send(Eth().src("00:00:5e:00:53:66") / ArpPacket(1).sender("00:00:5e:00:53:66", "10.0.0.7")), "drop guard.arp-inspection");
  EXPECT_EQ(g.send(Eth() / ArpPacket(1).sender("00:00:5e:00:53:01", "10.0.0.7")), "pass") << "what was dropped taught nothing";
}

TEST(Guard, NdInspectionStopsClaimsThatContradict) {
  Filter f(guards("nd-inspection: { learn: first }"));
  const auto advertisement = [](std::string_view mac) {
    return Eth().src(mac) / Ipv6("fe80::5", "ff02::1").ttl(255) / Icmpv6(136) / (bytes_of(ip_of("fe80::5"), true) + "\x02\x01" + bytes_of(mac_of(mac)));
  };
  EXPECT_EQ(plain(f.send(advertisement("00:00:5e:00:53:01"))), "pass");
  EXPECT_EQ(f.send(advertisement("00:00:5e:00:53:66")), "drop guard.nd-inspection");
  EXPECT_EQ(plain(f.send(advertisement("00:00:5e:00:53:01"))), "pass");
}

TEST(Guard, SourceGuardStopsBorrowedAddresses) {
  Filter f(guards("source-guard: { bindings: [ { ip: 10.0.0.5, mac: '00:00:5e:00:53:01' } ] }"));
  EXPECT_EQ(f.send(Eth().src("00:00:5e:00:53:66") / Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 9) / "x"), "drop guard.source-guard");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 9) / "x"), "pass");
}

TEST(Guard, TcpStateStopsPacketsOfNoConnection) {
  Filter f(guards("tcp-state: true"));
  for (const char* flags : {"A", "FA", "F", "FPU", "", "SA", "R"}) EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 80).flags(flags)), "drop guard.tcp-state") << flags;
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  EXPECT_EQ(c.open(), "pass");
  EXPECT_EQ(c.send(Side::Client, c.tcp(Side::Client, 900'000'000), "x"), "drop guard.tcp-state") << "out of the window";
  EXPECT_EQ(c.send(Side::Server, c.tcp(Side::Server, 900'000'000).flags("R")), "drop guard.tcp-state");
  EXPECT_EQ(c.client("GET / HTTP/1.1\r\n\r\n"), "pass");
  EXPECT_EQ(c.server(http_ok()), "pass");
  EXPECT_EQ(c.fin(Side::Client), "pass");
  EXPECT_EQ(c.fin(Side::Server), "pass");
  Filter p(guards("tcp-state: { midstream: pick-up }"));
  EXPECT_EQ(p.send(Eth() / Ipv4() / Tcp(40000, 80).flags("A")), "pass");
}

TEST(Guard, SolicitedStopsAnswersThatNobodyAskedFor) {
  Filter f(guards("solicited: true"));
  Datagrams d{f};
  EXPECT_EQ(d.answer(dns_answer("a.example", "192.0.2.1")), "drop guard.solicited");
  EXPECT_EQ(d.ask(dns_query("a.example")), "pass");
  EXPECT_EQ(d.answer(dns_answer("a.example", "192.0.2.1")), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.9", "10.0.0.5") / Icmp(0) / "pong"), "drop guard.solicited");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.9") / Icmp(8).id(5) / "ping"), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.9", "10.0.0.5") / Icmp(0).id(5) / "ping"), "pass");
  const std::string quoted = Ipv4("10.0.0.5", "198.51.100.9") / Udp(41000, 9) / "12345678";
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.9", "10.0.0.5") / Icmp(3, 3) / quoted), "drop guard.solicited") << "an error about nothing";
}

TEST(Guard, AmplificationStopsReflectors) {
  Filter f(guards("amplification: { ratio: 5, answers: 10/s }"));
  f.step(kMillisecond);
  Datagrams d{f, "203.0.113.7", 40000, "10.0.0.53", 53};
  std::size_t stopped = 0;
  for (std::uint16_t i = 0; i < 40; ++i) {
    d.ask(dns_query("a.example", i));
    stopped += d.answer(dns_answer("a.example", "192.0.2.1", i) + std::string(900, '\0')) == "drop guard.amplification" ? 1U : 0U;
  }
  EXPECT_GT(stopped, 20U);
  Filter g(guards("amplification: { ratio: 5, answers: 10/s }"));
  Datagrams e{g, "203.0.113.7", 40000, "10.0.0.53", 53};
  for (std::uint16_t i = 0; i < 40; ++i) {
    e.ask(dns_query("a.example", i));
    EXPECT_EQ(e.answer(dns_answer("a.example", "192.0.2.1", i)), "pass") << "answers about as long as their questions";
  }
}

TEST(Guard, FloodStopsWhatExceedsIt) {
  Filter f(guards("flood: [ { what: syn, rate: 10/s } ]"));
  f.step(1);
  std::size_t passed = 0;
  for (std::uint16_t i = 0; i < 50; ++i) passed += f.send(Eth() / Ipv4() / Tcp(static_cast<std::uint16_t>(40000 + i), 80).flags("S")) == "pass" ? 1U : 0U;
  EXPECT_EQ(passed, 10U);
  EXPECT_EQ(f.send(Eth() / Ipv4("192.0.2.99", "198.51.100.2") / Tcp(40000, 80).flags("S")), "pass") << "per source";
  EXPECT_EQ(f.send(Eth() / Ipv4() / Udp(40000, 9) / "x"), "pass");
  Filter g(guards("flood: [ { what: icmp, rate: 3/s }, { what: fragments, rate: 2/s } ]"));
  g.step(1);
  passed = 0;
  for (std::uint16_t i = 0; i < 20; ++i) passed += g.send(Eth() / Ipv4() / Icmp(8).sequence(i) / "x") == "pass" ? 1U : 0U;
  EXPECT_EQ(passed, 3U);
}

TEST(Guard, FragmentsAreCountedWhateverRulesBeforeWaitFor) {
  Filter f(guards("amplification: true, flood: [ { what: fragments, rate: 5/s } ]"));
  f.step(1);
  std::size_t stopped = 0;
  for (std::uint16_t i = 0; i < 50; ++i)
    stopped += f.send(Eth() / Ipv4().protocol(17).id(i).more() / (std::string("\x9c\x40\x00\x09\x00\x48\x00\x00", 8) + std::string(56, 'x'))) == "drop guard.flood" ? 1U : 0U;
  EXPECT_EQ(stopped, 45U);
}

TEST(Guard, KnockStopsTheSequenceFromItsSecondProbe) {
  Filter f(guards("knock: { ports: [7000, 8000, 9000], within: 15s }"));
  const auto knock = [&](std::uint16_t port, std::string_view from = "192.0.2.1") { return f.send(Eth() / Ipv4(from, "10.0.0.9") / Tcp(40000, port).flags("S")); };
  EXPECT_EQ(knock(7000), "pass");
  EXPECT_EQ(knock(8000), "drop guard.knock");
  EXPECT_EQ(knock(9000), "drop guard.knock");
  EXPECT_EQ(knock(8000, "192.0.2.2"), "pass") << "no sequence";
  EXPECT_EQ(knock(9000, "192.0.2.2"), "pass");
}

TEST(Guard, ScanStopsSourcesThatProbeManyPorts) {
  Filter f(guards("scan: { ports: 10, within: 10s }"));
  std::size_t stopped = 0;
  for (std::uint16_t port = 1; port <= 30; ++port) stopped += f.send(Eth() / Ipv4() / Tcp(40000, port).flags("S")) == "drop guard.scan" ? 1U : 0U;
  EXPECT_GE(stopped, 20U);
  EXPECT_LE(stopped, 21U);
  for (std::uint16_t i = 0; i < 30; ++i) EXPECT_EQ(f.send(Eth() / Ipv4("192.0.2.50", "198.51.100.2") / Tcp(static_cast<std::uint16_t>(41000 + i), 443).flags("S")), "pass");
}

TEST(Guard, DnsTunnelStopsNamesThatCarry) {
  Filter f(guards("dns-tunnel: true"));
  Datagrams d{f};
  std::size_t stopped = 0;
  for (std::uint16_t i = 0; i < 100; ++i) {
    std::string label;
    for (int k = 0; k < 50; ++k) label += static_cast<char>('a' + (i * 7 + k * 11) % 26);
    stopped += plain(d.ask(dns_query(label + std::to_string(i) + ".tunnel.example", i))) == "drop" ? 1U : 0U;
  }
  EXPECT_GT(stopped, 50U);
  for (std::uint16_t i = 0; i < 100; ++i) EXPECT_EQ(d.ask(dns_query("www.good.example", static_cast<std::uint16_t>(1000 + i))), "pass");
}

TEST(Guard, IcmpTunnelStopsEchoesThatCarry) {
  Filter f(guards("icmp-tunnel: true"));
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.9") / Icmp(8).id(5) / std::string(600, 'x')), "drop guard.icmp-tunnel");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.9") / Icmp(8).id(6).sequence(1) / std::string(56, 'x')), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.9", "10.0.0.5") / Icmp(0).id(6).sequence(1) / std::string(56, 'y')), "drop guard.icmp-tunnel")
      << "an answer that differs from its request";
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.9", "10.0.0.5") / Icmp(0).id(6).sequence(1) / std::string(56, 'x')), "pass");
}

TEST(Guard, StandsBeforeWhatIsEssentialAndTakesUnlessAndAction) {
  Filter f(R"(weir: 1
guards:
  ra-guard: { routers: ['fe80::1'], unless: [ { src.ip: 'fe80::7' } ], technique: [T1557] }
  tcp-state: { mode: monitor })");
  EXPECT_EQ(f.send(Eth() / Ipv6("fe80::66", "ff02::1").ttl(255) / Icmpv6(134) / std::string(8, '\0')), "drop guard.ra-guard");
  EXPECT_EQ(plain(f.send(Eth() / Ipv6("fe80::7", "ff02::1").ttl(255) / Icmpv6(134) / std::string(8, '\0'))), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("A") / "x"), "pass");
  f.end();
  EXPECT_EQ(f.count("alert would-block guard.tcp-state"), 1U);
}

}  // namespace
}  // namespace weir::engine
