// SPDX-License-Identifier: Apache-2.0
// DESIGN, "How a verdict comes about": how far a deny reaches, tombstones, answers of what was denied, ends both ways, related flows, idle times,
// zones and who is the client (CONTRACT section 1).

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr std::string_view kBadName = R"(weir: 1
rules: [ { name: bad, match: { dns.qname: evil.example }, action: drop } ])";

TEST(Reach, OnTcpADenyEndsTheFlow) {
  Filter f(R"(weir: 1
rules: [ { name: uri, match: { http.uri: /bad }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.client(http_get("a.example", "/good")), "pass");
  EXPECT_EQ(c.server(http_ok()), "pass");
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "drop uri");
  EXPECT_EQ(c.server(http_ok()), "drop uri");
  EXPECT_EQ(f.reason(), Reason::Tombstone);
  EXPECT_EQ(c.client(http_get("a.example", "/good")), "drop uri") << "a TCP flow denied for content stays denied";
  EXPECT_EQ(c.rst(Side::Client), "drop uri");
  f.end();
  EXPECT_EQ(f.count("alert blocked uri"), 1U) << "once a flow, not a packet";
}

// SOCKS 4: the request alone may be something else; the answer makes it certain, and then what the request said counts, and what is inside.
TEST(Reading, ARequestThatItsAnswerNamesIsReadFirst) {
  Filter f(R"(weir: 1
rules: [ { name: target, match: { socks.target: 192.0.2.66 }, action: drop }, { name: host, match: { http.host: evil.example }, action: drop } ])");
  const std::string granted("\x00\x5a\x00\x50\xc0\x00\x02\x50", 8);
  const auto request = [](int last) { return std::string("\x04\x01\x00\x50\xc0\x00\x02", 7) + static_cast<char>(last) + std::string("\0", 1); };
  Connection named(f, "10.0.0.5", 40000, "198.51.100.80", 9999);
  named.open();
  named.client(request(66));
  EXPECT_EQ(named.server(granted), "drop target");
  Connection inner(f, "10.0.0.5", 40001, "198.51.100.80", 9999);
  inner.open();
  inner.client(request(80));
  EXPECT_EQ(inner.server(granted), "pass");
  EXPECT_EQ(inner.client(http_get("evil.example", "/")), "drop host");
}

TEST(Reading, WhatADenialOrAnEndCutsShortIsReported) {
  Filter f(R"(weir: 1
rules: [ { name: bad, match: { http.uri: /bad }, action: drop }, { name: read, match: { http.method: PUT }, action: drop } ])");
  Connection denied(f, "10.0.0.5", 40000, "198.51.100.80", 80), unanswered(f, "10.0.0.5", 40001, "198.51.100.80", 80);
  denied.open();
  denied.client(http_get("a.example", "/bad"));
  EXPECT_EQ(f.count("said http"), 1U);
  unanswered.open();
  unanswered.client(http_get("a.example", "/good"));
  EXPECT_EQ(f.count("said http"), 1U);
  f.end();
  EXPECT_EQ(f.count("said http"), 2U);
}

// No rule asks, so the flow settled at once and is read for the report alone.
TEST(Reading, WhatAClosedConnectionLeavesUnansweredIsReported) {
  engine::EngineOptions options = small_engine();
  options.event_fields.set(vocabulary().field("http.uri")->id);
  Filter f("weir: 1\nrules: []\n", options);
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  c.client(http_get("a.example", "/asked"));
  c.fin(Side::Server);
  c.fin(Side::Client);
  c.rst(Side::Client);
  f.end();
  EXPECT_EQ(f.count("said http"), 1U);
}

TEST(Reach, OnUdpATransactionStopsItsDatagramAndItsAnswer) {
  Filter f(kBadName);
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("good.example", 1)), "pass");
  EXPECT_EQ(d.ask(dns_query("evil.example", 2)), "drop bad");
  EXPECT_EQ(d.answer(dns_answer("evil.example", "192.0.2.66", 2)), "drop bad");
  EXPECT_EQ(d.answer(dns_answer("good.example", "192.0.2.80", 1)), "pass") << "the flow is not denied";
  EXPECT_EQ(d.ask(dns_query("good.example", 3)), "pass");
  f.end();
  EXPECT_EQ(f.count("alert blocked bad"), 1U) << "the answer is uncounted";
}

TEST(Reach, OnUdpTheFirstDatagramsDenialRemembersItsEnds) {
  Filter f(kBadName);
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("evil.example", 2)), "drop bad");
  EXPECT_EQ(d.answer(dns_answer("evil.example", "192.0.2.66", 2)), "drop bad");
  EXPECT_EQ(f.reason(), Reason::Answer);
  EXPECT_EQ(d.ask(dns_query("good.example", 3)), "pass") << "another question is another transaction";
}

TEST(Reach, OnUdpAFlowFactDeniesTheFlow) {
  Filter f(R"(weir: 1
rules: [ { name: no-dns, match: { app.protocol: dns }, action: drop } ])");
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("good.example")), "drop no-dns");
  EXPECT_EQ(d.answer(dns_answer("good.example", "192.0.2.80")), "drop no-dns");
  EXPECT_EQ(d.ask("what is no DNS at all"), "drop no-dns") << "the flow is denied";
}

TEST(Reach, APacketFactStopsThatPacket) {
  Filter f(R"(weir: 1
rules: [ { name: low-ttl, match: { ip.ttl: 1-5 }, action: drop } ])");
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("good.example")), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.53").ttl(3) / Udp(40000, 53) / dns_query("good.example", 2)), "drop low-ttl");
  EXPECT_EQ(d.ask(dns_query("good.example", 3)), "pass");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(f.send(Eth() / c.ipv4(Side::Client).ttl(2) / c.tcp(Side::Client, 0)), "drop low-ttl");
  EXPECT_EQ(c.client("GET "), "pass");
}

TEST(Tombstone, LivesAsLongAsAnIdleEstablishedFlowAndIsRefreshed) {
  Filter f("weir: 1\nidle: { tcp: 100s }\nrules: [ { name: bad, match: { tls.sni: evil.example }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  c.open();
  EXPECT_EQ(c.client(tls_hello("evil.example")), "drop bad");
  for (int i = 0; i < 4; ++i) {
    f.after(90 * kSecond);
    EXPECT_EQ(c.client("more"), "drop bad") << i;
    EXPECT_EQ(f.reason(), Reason::Tombstone);
  }
  f.after(101 * kSecond);
  EXPECT_EQ(c.client("more"), "pass") << "it is a new flow, picked up";
}

TEST(BothWays, ATcpPacketOfNoFlowIsJudgedByHeadersBothWays) {
  Filter f(R"(weir: 1
zones: { inside: { networks: [10.0.0.0/8] }, outside: {} }
rules: [ { name: no-telnet-out, match: { from: inside, to: outside, port: 23 }, action: drop } ])");
  // The answer to a denied SYN must not open a flow the wrong way round.
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.5") / Tcp(23, 40000).flags("SA")), "drop no-telnet-out");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.5") / Tcp(23, 40000).flags("A") / "data"), "drop no-telnet-out");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Tcp(40000, 23).flags("A") / "data"), "drop no-telnet-out");
  // A SYN says who the client is.
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.5") / Tcp(40000, 23).flags("S")), "pass");
}

TEST(BothWays, RulesThatNeedContentSeeOnlyTheEndsAsChosen) {
  Filter f(R"(weir: 1
zones: { inside: { networks: [10.0.0.0/8] }, outside: {} }
rules: [ { name: content, match: { from: inside, app.protocol: telnet }, action: drop } ])");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.5") / Tcp(40000, 23).flags("A")), "pass");
}

TEST(BothWays, AUdpAnswerOfNoFlowIsJudgedBothWays) {
  Filter f(R"(weir: 1
zones: { inside: { networks: [10.0.0.0/8] }, outside: {} }
rules: [ { name: no-dns-out, match: { from: inside, to: outside, port: 53 }, action: drop } ])");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.53", "10.0.0.5") / Udp(53, 40000) / dns_answer("a.example", "192.0.2.1")), "drop no-dns-out");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.53", "10.0.0.5") / Udp(53, 40000) / "no dns, but from a service's port"), "drop no-dns-out");
}

TEST(Reversed, AUdpDenialByHeadersLeavesItsEndsForSixtySeconds) {
  Filter f(R"(weir: 1
zones: { inside: { networks: [10.0.0.0/8] }, outside: {} }
rules: [ { name: no-out, match: { from: inside, to: outside, port: 31999 }, action: drop } ])");
  const std::string ask = Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 31999) / "ask";
  const std::string answer = Eth() / Ipv4("198.51.100.2", "10.0.0.5") / Udp(31999, 40000) / "answer";
  EXPECT_EQ(f.send(answer), "pass") << "nothing was denied yet: another flow";
  Filter g(R"(weir: 1
zones: { inside: { networks: [10.0.0.0/8] }, outside: {} }
rules: [ { name: no-out, match: { from: inside, to: outside, port: 31999 }, action: drop } ])");
  EXPECT_EQ(g.send(ask), "drop no-out");
  EXPECT_EQ(g.after(50 * kSecond).send(answer), "drop no-out");
  EXPECT_EQ(g.reason(), Reason::Answer);
  EXPECT_EQ(g.after(50 * kSecond).send(answer), "drop no-out") << "refreshed";
  EXPECT_EQ(g.after(61 * kSecond).send(answer), "pass");
}

TEST(Icmp, AnErrorSharesItsFlowsVerdict) {
  Filter f(kBadName);
  const auto quote = [](std::uint16_t port) { return std::string(Ipv4("10.0.0.5", "198.51.100.53") / Udp(port, 53) / "8 bytes."); };
  Datagrams d{f};
  d.ask(dns_query("good.example"));
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.53", "10.0.0.5") / Icmp(3, 3) / quote(40000)), "pass");
  Filter g(R"(weir: 1
rules: [ { name: no-dns, match: { app.protocol: dns }, action: drop } ])");
  Datagrams e{g};
  EXPECT_EQ(e.ask(dns_query("good.example")), "drop no-dns");
  EXPECT_EQ(g.send(Eth() / Ipv4("198.51.100.53", "10.0.0.5") / Icmp(3, 3) / quote(40000)), "drop no-dns");
}

TEST(Icmp, AnErrorAboutAnEchoSharesItsFlowsVerdict) {
  Filter f(R"(weir: 1
zones: { inside: { networks: [10.0.0.0/8] }, outside: {} }
rules: [ { name: not-in, match: { from: outside, to: inside }, action: drop } ])");
  const auto echo = [](std::uint16_t id) { return std::string(Ipv4("10.0.0.5", "198.51.100.2") / Icmp(8).id(id) / "hop"); };
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Icmp(8).id(7) / "hop"), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("203.0.113.1", "10.0.0.5") / Icmp(11) / echo(7)), "pass") << "a router on the way";
  EXPECT_EQ(f.send(Eth() / Ipv4("203.0.113.1", "10.0.0.5") / Icmp(11) / echo(8)), "drop not-in") << "another echo";
}

TEST(Icmp, AnErrorOfNoFlowIsJudgedByThePacketThatItQuotes) {
  Filter f(R"(weir: 1
rules: [ { name: no-snmp, match: { port: 161 }, action: drop } ])");
  const std::string quoted = Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 161) / "8 bytes.";
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.5") / Icmp(3, 3) / quoted), "drop no-snmp");
  const std::string back = Ipv4("198.51.100.2", "10.0.0.5") / Udp(161, 40000) / "8 bytes.";
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Icmp(3, 3) / back), "drop no-snmp") << "its ends both ways";
  const std::string other = Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 162) / "8 bytes.";
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.5") / Icmp(3, 3) / other), "pass");
}

TEST(Related, AnFtpDataFlowFollowsItsParent) {
  constexpr std::string_view policy = R"(weir: 1
default: drop
rules:
  - { name: ftp, match: { port: 21, not.ftp.command: STOR }, action: allow }
  - { name: no-stor, match: { ftp.command: STOR }, action: drop })";
  Filter f(policy);
  Connection c(f, "10.0.0.5", 40000, "198.51.100.21", 21);
  EXPECT_EQ(plain(c.open()), "pass");
  c.server("220 FTP ready\r\n");
  c.client("USER a\r\n");
  c.server("331 pass?\r\n");
  c.client("PASS b\r\n");
  c.server("230 in\r\n");
  EXPECT_EQ(plain(c.client("PASV\r\n")), "pass");
  EXPECT_EQ(plain(c.server("227 Entering Passive Mode (198,51,100,21,195,80)\r\n")), "pass");
  Connection data(f, "10.0.0.5", 40001, "198.51.100.21", 50000);
  EXPECT_EQ(plain(data.syn()), "pass") << "expected once";
  Connection again(f, "10.0.0.5", 40002, "198.51.100.21", 50000);
  EXPECT_EQ(plain(again.syn()), "drop") << "and once only";
  Connection stranger(f, "10.0.0.6", 40002, "198.51.100.21", 50000);
  EXPECT_EQ(plain(stranger.syn()), "drop") << "only for the parent's peer";
  data.syn_ack();
  data.ack();
  EXPECT_EQ(plain(data.server("file")), "pass");
  EXPECT_EQ(plain(c.client("STOR x\r\n")), "drop");
  EXPECT_EQ(plain(data.server("file")), "drop") << "a related flow is denied with its parent, also later";
}

TEST(Related, AnExpectationLastsThirtySeconds) {
  Filter f(R"(weir: 1
default: drop
rules: [ { name: ftp, match: { port: 21 }, action: allow } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.21", 21);
  c.open();
  c.server("220 FTP ready\r\n");
  c.client("PASV\r\n");
  c.server("227 Entering Passive Mode (198,51,100,21,195,80)\r\n");
  f.after(31 * kSecond);
  Connection data(f, "10.0.0.5", 40001, "198.51.100.21", 50000);
  EXPECT_EQ(data.syn(), "drop default");
}

TEST(Idle, EndsFlowsByTheirKind) {
  struct Case {
    std::string name;
    Nanoseconds lives;
    std::function<void(Filter&)> begin;
  };
  const Case cases[] = {
      {"TCP unanswered 60 s", 60 * kSecond, [](Filter& f) { Connection(f, "10.0.0.5", 40000, "198.51.100.80", 80).syn(); }},
      {"TCP established 1 h", kHour, [](Filter& f) { Connection(f, "10.0.0.5", 40000, "198.51.100.80", 80).open(); }},
      {"TCP closing 60 s", 60 * kSecond, [](Filter& f) { Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80); c.open(); c.fin(Side::Client); c.fin(Side::Server); }},
      {"UDP 60 s", 60 * kSecond, [](Filter& f) { Datagrams{f}.ask("x"); }},
      {"UDP answered 180 s", 180 * kSecond, [](Filter& f) { Datagrams{f}.ask(dns_query("a.example")); Datagrams{f}.answer(dns_answer("a.example", "192.0.2.1")); }},
      {"ICMP 30 s", 30 * kSecond, [](Filter& f) { f.send(Eth() / Ipv4() / Icmp(8) / "ping"); }},
      {"else 120 s", 120 * kSecond, [](Filter& f) { f.send(Eth() / Ipv4() / Esp() / "x"); }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Filter f("weir: 1");
    c.begin(f);
    f.wait(c.lives - kSecond);
    EXPECT_EQ(f.flows().size(), 0U);
    f.wait(3 * kSecond);
    EXPECT_EQ(f.flows().size(), 1U);
  }
}

TEST(Ends, TheClientIsWhoOpenedTheFlow) {
  constexpr std::string_view policy = R"(weir: 1
rules: [ { name: theirs, match: { from: 10.0.0.5 }, action: alert } ])";
  const auto client_is_five = [&](const std::string& frame) {
    Filter f(policy);
    f.send(frame);
    f.end();
    return !f.flows().empty() && f.flows()[0].ends.client == ip_of("10.0.0.5");
  };
  EXPECT_TRUE(client_is_five(Eth() / Ipv4("10.0.0.5", "10.0.0.6") / Tcp(80, 40000).flags("S"))) << "the sender of a SYN";
  EXPECT_TRUE(client_is_five(Eth() / Ipv4("10.0.0.6", "10.0.0.5") / Tcp(40000, 80).flags("SA"))) << "the receiver of a SYN-ACK";
  EXPECT_TRUE(client_is_five(Eth() / Ipv4("10.0.0.6", "10.0.0.5") / Tcp(443, 40000).flags("A") / "x")) << "picked up: the registered port serves";
  EXPECT_TRUE(client_is_five(Eth() / Ipv4("10.0.0.6", "10.0.0.5") / Tcp(30000, 40000).flags("A") / "x")) << "else the lower";
  EXPECT_TRUE(client_is_five(Eth() / Ipv4("10.0.0.5", "10.0.0.6") / Udp(53, 40000) / dns_query("a.example"))) << "the sender of the first packet";
  EXPECT_TRUE(client_is_five(Eth() / Ipv4("10.0.0.6", "10.0.0.5") / Udp(53, 40000) / dns_answer("a.example", "192.0.2.1"))) << "an answer's receiver";
}

TEST(Zones, AreTheLongestNetworkThenTheZoneWithout) {
  Filter f(R"(weir: 1
zones:
  inside: { networks: [10.0.0.0/8] }
  lab: { networks: [10.9.0.0/16] }
  outside: {}
rules:
  - { name: from-lab, match: { from: lab }, action: drop }
  - { name: out-in, match: { from: outside, to: inside }, action: drop })");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.9.0.5", "10.0.0.6") / Udp() / "x"), "drop from-lab");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.8.0.5", "10.0.0.6") / Udp() / "x"), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("198.51.100.2", "10.0.0.6") / Udp(40000, 9) / "x"), "drop out-in");
  EXPECT_EQ(f.send(Eth() / Ipv6("fe80::1", "2001:db8::5") / Udp(40000, 9) / "x"), "pass") << "link-local takes the peer's zone";
}

TEST(Zones, OfNoNetworkAreToldByThePort) {
  Filter f(R"(weir: 1
zones:
  inside: { ports: [lan0], networks: [10.0.0.0/8] }
  guest: { ports: [guest0] }
  outside: { ports: [wan0] }
rules: [ { name: guests, match: { from: guest }, action: drop } ])");
  EXPECT_EQ(f.send(Eth() / Ipv4("192.0.2.1", "10.0.0.6") / Udp(40000, 9) / "x", "guest0"), "drop guests");
  EXPECT_EQ(f.send(Eth() / Ipv4("192.0.2.2", "10.0.0.6") / Udp(40000, 9) / "x", "wan0"), "pass");
}

TEST(Names, AreLearnedFromAnswersThatThisClientGot) {
  Filter f(R"(weir: 1
rules: [ { name: bad, match: { server.name: evil.example }, action: drop } ])");
  Datagrams d{f};
  d.ask(dns_query("evil.example"));
  d.answer(dns_answer("evil.example", "198.51.100.66"));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.66", 31999);
  EXPECT_EQ(c.syn(), "drop bad");
  Connection other(f, "10.0.0.6", 40000, "198.51.100.66", 31999);
  EXPECT_EQ(other.syn(), "pass") << "another client did not ask";
  Connection elsewhere(f, "10.0.0.5", 40001, "198.51.100.67", 31999);
  EXPECT_EQ(elsewhere.syn(), "pass");
}

TEST(Names, AreLearnedWhereHeadersAloneLetTheAnswersPass) {
  Filter f(R"(weir: 1
rules:
  - { name: dns, match: { ip.protocol: udp, port: 53 }, action: allow }
  - { name: bad, match: { server.name: evil.example }, action: drop })");
  Datagrams d{f};
  for (const char* name : {"good.example", "evil.example"}) {
    d.ask(dns_query(name));
    d.answer(dns_answer(name, std::string_view(name) == "evil.example" ? "198.51.100.66" : "198.51.100.67"));
  }
  Connection c(f, "10.0.0.5", 40000, "198.51.100.66", 31999);
  EXPECT_EQ(c.syn(), "drop bad");
  Connection good(f, "10.0.0.5", 40001, "198.51.100.67", 31999);
  EXPECT_EQ(good.syn(), "pass");
}

TEST(Names, OfAnswersThatWereDroppedTeachNothing) {
  Filter f(R"(weir: 1
rules:
  - { name: no-answer, match: { dns.answer: 198.51.100.66 }, action: drop }
  - { name: bad, match: { server.name: evil.example }, action: drop })");
  Datagrams d{f};
  d.ask(dns_query("evil.example"));
  EXPECT_EQ(d.answer(dns_answer("evil.example", "198.51.100.66")), "drop no-answer");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.66", 31999);
  EXPECT_EQ(c.syn(), "pass");
}

}  // namespace
}  // namespace weir::engine
