// SPDX-License-Identifier: Apache-2.0
// CONTRACT section 2: limits (units, burst, per, over) and bans (whom, after, within, for); DESIGN: what counts and what does not.

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

std::string rule(std::string_view match, std::string_view action) {
  return "weir: 1\nrules: [ { name: r, match: { " + std::string(match) + " }, action: " + std::string(action) + " } ]";
}
std::string syn(std::uint16_t from, std::uint16_t to = 80, std::string_view client = "10.0.0.5") {
  return Eth() / Ipv4(client, "198.51.100.80") / Tcp(from, to).flags("S");
}

/// How many of n frames pass.
template <typename Make>
std::size_t passing(Filter& f, std::size_t n, Make&& make) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += plain(f.send(make(i))) == "pass" ? 1U : 0U;
  return count;
}

TEST(Limit, StartsFullAndExactlyBurstPassAtOnce) {
  Filter f(rule("port: 80", "{ limit: { rate: 1 flows/s, burst: 5, per: from } }"));
  f.step(1);
  EXPECT_EQ(passing(f, 20, [](std::size_t i) { return syn(static_cast<std::uint16_t>(40000 + i)); }), 5U);
  f.after(2 * kSecond);
  EXPECT_EQ(passing(f, 20, [](std::size_t i) { return syn(static_cast<std::uint16_t>(41000 + i)); }), 2U) << "and fills with the rate";
}

TEST(Limit, DefaultBurstIsOneSecondsWorthAtLeastOne) {
  Filter f(rule("port: 80", "{ limit: { rate: 7/s, per: from } }"));
  f.step(1);
  EXPECT_EQ(passing(f, 20, [](std::size_t i) { return syn(static_cast<std::uint16_t>(40000 + i)); }), 7U);
  Filter g(rule("port: 80", "{ limit: { rate: 6/h, per: from } }"));
  g.step(1);
  EXPECT_EQ(passing(g, 20, [](std::size_t i) { return syn(static_cast<std::uint16_t>(40000 + i)); }), 1U);
}

TEST(Limit, IsKeptApartByWhatPerNames) {
  Filter f(rule("port: 80", "{ limit: { rate: 2/m, burst: 2, per: from } }"));
  f.step(1);
  const auto client = [](std::size_t i) { return "10.0.0." + std::to_string(1 + i % 4); };
  EXPECT_EQ(passing(f, 40, [&](std::size_t i) { return syn(static_cast<std::uint16_t>(40000 + i), 80, client(i)); }), 8U);
  Filter g(rule("port: 80", "{ limit: { rate: 2/m, burst: 2, per: from/24 } }"));
  g.step(1);
  EXPECT_EQ(passing(g, 40, [&](std::size_t i) { return syn(static_cast<std::uint16_t>(40000 + i), 80, client(i)); }), 2U);
  Filter v6(rule("port: 80", "{ limit: { rate: 2/m, burst: 2, per: from } }"));
  v6.step(1);
  EXPECT_EQ(passing(v6, 40, [](std::size_t i) {
              return std::string(Eth() / Ipv6("2001:db8::" + std::to_string(i + 10), "2001:db8:1::1") / Tcp(static_cast<std::uint16_t>(40000 + i), 80).flags("S"));
            }), 2U) << "IPv6 by /64 unless told";
}

TEST(Limit, InPacketsPolicesAndEndsNothing) {
  Filter f(rule("port: 9", "{ limit: { rate: 3 packets/s, burst: 3, per: from } }"));
  f.step(1);
  Datagrams d{f, "10.0.0.5", 40000, "198.51.100.53", 9};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(plain(d.ask("x")), "pass");
  EXPECT_EQ(d.ask("x"), "drop r");
  f.after(kSecond);
  EXPECT_EQ(plain(d.ask("x")), "pass") << "it stopped that packet, not the flow";
}

TEST(Limit, InBitsCountsLengths) {
  Filter f(rule("port: 9", "{ limit: { rate: 8 kbit/s, burst: 8000, per: from } }"));
  f.step(1);
  Datagrams d{f, "10.0.0.5", 40000, "198.51.100.53", 9};
  EXPECT_EQ(plain(d.ask(std::string(472, 'x'))), "pass");  // 500 bytes of IP: 4000 bits.
  EXPECT_EQ(plain(d.ask(std::string(472, 'x'))), "pass");
  EXPECT_EQ(plain(d.ask(std::string(472, 'x'))), "drop");
}

TEST(Limit, InFlowsDeniesAndOnTcpEndsTheFlow) {
  Filter f(rule("port: 80", "{ limit: { rate: 1 flows/m, burst: 1, per: from } }"));
  Connection first(f, "10.0.0.5", 40000, "198.51.100.80", 80), second(f, "10.0.0.5", 40001, "198.51.100.80", 80);
  EXPECT_EQ(plain(first.open()), "pass");
  EXPECT_EQ(second.syn(), "drop r");
  EXPECT_EQ(plain(first.client(http_get("a.example", "/"))), "pass") << "one flow, one token";
  EXPECT_EQ(second.syn(), "drop r");
  f.after(2 * kMinute);
  EXPECT_EQ(plain(second.syn()), "pass") << "a deny from headers alone makes no flow entry: the SYN sent again is a new flow";
}

TEST(Limit, InRequestsCountsDescribedTransactionsOnce) {
  Filter f(rule("http.uri: /login", "{ limit: { rate: 3/m, burst: 3, per: from } }"));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(plain(c.client(http_get("a.example", "/login"))), "pass") << i;
    EXPECT_EQ(plain(c.server(http_ok())), "pass");
    EXPECT_EQ(plain(c.client(http_get("a.example", "/other"))), "pass");
    EXPECT_EQ(plain(c.server(http_ok())), "pass");
  }
  EXPECT_EQ(c.client(http_get("a.example", "/login")), "drop r");
  EXPECT_EQ(c.client(http_get("a.example", "/other")), "drop r") << "on TCP it ends the flow";
}

TEST(Limit, InRequestsCountsEachOfSeveralInOneFrame) {
  Filter f(rule("http.uri: /login", "{ limit: { rate: 3/m, burst: 3, per: from } }"));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  std::string four;
  for (int i = 0; i < 4; ++i) four += http_get("a.example", "/login");
  EXPECT_EQ(c.client(four), "drop r");
}

TEST(Limit, OnUdpARequestOverItStopsItsDatagramOnly) {
  Filter f(rule("dns.qname: .example", "{ limit: { rate: 2/m, burst: 2, per: from } }"));
  Datagrams d{f};
  EXPECT_EQ(plain(d.ask(dns_query("a.example", 1))), "pass");
  EXPECT_EQ(plain(d.answer(dns_answer("a.example", "192.0.2.1", 1))), "pass");
  EXPECT_EQ(plain(d.ask(dns_query("b.example", 2))), "pass");
  EXPECT_EQ(d.ask(dns_query("c.example", 3)), "drop r");
  EXPECT_EQ(plain(d.ask(dns_query("c.test", 4))), "pass");
}

TEST(Limit, UnderTheRateTheNextRuleIsAskedAndOverItAnyAction) {
  Filter f(R"(weir: 1
default: drop
rules:
  - { name: few, match: { port: 80 }, action: { limit: { rate: 1/m, per: from, over: alert } } }
  - { name: web, match: { port: 80 }, action: allow })");
  EXPECT_EQ(f.send(syn(40000)), "pass web");
  EXPECT_EQ(f.send(syn(40001)), "pass web");
  f.end();
  EXPECT_EQ(f.count("alert allowed few"), 1U);
  Filter g(R"(weir: 1
rules:
  - { name: few, match: { port: 80 }, action: { limit: { rate: 1/m, per: from, over: reject } } })");
  g.send(syn(40000));
  EXPECT_EQ(g.send(syn(40001)), "drop few");
  EXPECT_EQ(g.emitted().size(), 1U) << "a reset";
}

TEST(Limit, InMonitorModeTellsAndStopsNothing) {
  Filter f("weir: 1\nrules: [ { name: r, match: { port: 9 }, mode: monitor, action: { limit: { rate: 2 packets/s, burst: 2, per: from } } } ]");
  f.step(1);
  Datagrams d{f, "10.0.0.5", 40000, "198.51.100.53", 9};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(plain(d.ask("x")), "pass");
  f.end();
  EXPECT_GE(f.count("alert would-block r"), 1U) << "what would be stopped is told, also on a flow that settles otherwise";
}

// ---- Bans

struct BanCase {
  std::string whom;
  bool same_client_elsewhere, other_client_same_port, other_client_other_port, other_client_udp;  ///< Stopped?
};

TEST(Ban, OfEachKindReachesWhatItNames) {
  const BanCase cases[] = {
      {"source", true, false, false, false},
      {"destination", false, true, true, true},
      {"port", false, true, false, false},
      {"protocol", false, true, true, false},
  };
  for (const BanCase& c : cases) {
    SCOPED_TRACE(c.whom);
    Filter f(rule("http.uri: /bad", "{ ban: " + c.whom + ", for: 10m }"));
    Connection bad(f, "10.0.0.5", 40000, "198.51.100.80", 80);
    bad.open();
    EXPECT_EQ(bad.client(http_get("a.example", "/bad")), "drop r");
    const auto stopped = [&](std::string_view client, std::string_view server, std::uint16_t port) {
      return f.send(Eth() / Ipv4(client, server) / Tcp(41000, port).flags("S")) == "drop r";
    };
    EXPECT_EQ(stopped("10.0.0.5", "203.0.113.7", 22), c.same_client_elsewhere);
    EXPECT_EQ(stopped("10.0.0.6", "198.51.100.80", 80), c.other_client_same_port);
    EXPECT_EQ(stopped("10.0.0.6", "198.51.100.80", 22), c.other_client_other_port);
    EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.6", "198.51.100.80") / Udp(41000, 80) / "x") == "drop r", c.other_client_udp);
    EXPECT_FALSE(stopped("10.0.0.7", "203.0.113.7", 22));
  }
}

TEST(Ban, StopsWhatIsAliveInBothDirections) {
  Filter f(rule("http.uri: /bad", "{ ban: source, for: 10m }"));
  Connection alive(f, "10.0.0.5", 39000, "203.0.113.7", 22), bad(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  alive.open();
  EXPECT_EQ(alive.server("SSH-2.0-x\r\n"), "pass");
  bad.open();
  EXPECT_EQ(bad.client(http_get("a.example", "/bad")), "drop r");
  EXPECT_EQ(alive.client("SSH-2.0-y\r\n"), "drop r");
  EXPECT_EQ(alive.server("more"), "drop r");
  EXPECT_EQ(f.reason(), Reason::Banned);
}

TEST(Ban, IsOverAfterItsTimeAndArrivalsDoNotExtendIt) {
  Filter f(rule("port: 23", "{ ban: source, for: 1m }"));
  EXPECT_EQ(f.send(syn(40000, 23)), "drop r");
  EXPECT_EQ(f.after(50 * kSecond).send(syn(40001, 80)), "drop r");
  EXPECT_EQ(f.after(11 * kSecond).send(syn(40002, 80)), "pass");
}

TEST(Ban, BeginsWithTheNthMatchWithinItsTime) {
  Filter f(rule("port: 23", "{ ban: source, for: 10m, after: 3, within: 10s }"));
  EXPECT_EQ(f.send(syn(40000, 23)), "pass") << "matches before the N-th go on to the next rule";
  EXPECT_EQ(f.send(syn(40001, 23)), "pass");
  f.after(11 * kSecond);
  EXPECT_EQ(f.send(syn(40002, 23)), "pass") << "the first two are forgotten";
  EXPECT_EQ(f.send(syn(40003, 23)), "pass");
  EXPECT_EQ(f.send(syn(40004, 23)), "drop r");
  EXPECT_EQ(f.send(syn(40005, 80)), "drop r");
}

TEST(Ban, CountsOneMatchAFlowForFlowRules) {
  Filter f(rule("port: 23", "{ ban: source, for: 10m, after: 3 }"));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 23);
  EXPECT_EQ(plain(c.open()), "pass");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(plain(c.client("x")), "pass") << "one match a flow";
}

TEST(Ban, CountsOneMatchATransaction) {
  Filter f(rule("dns.qname: .evil.example", "{ ban: source, for: 10m, after: 3 }"));
  Datagrams d{f};
  EXPECT_EQ(plain(d.ask(dns_query("a.evil.example", 1))), "pass");
  EXPECT_EQ(plain(d.answer(dns_answer("a.evil.example", "192.0.2.1", 1))), "pass") << "the answer is of the same transaction";
  EXPECT_EQ(plain(d.ask(dns_query("b.evil.example", 2))), "pass");
  EXPECT_EQ(plain(d.answer(dns_answer("b.evil.example", "192.0.2.1", 2))), "pass");
  EXPECT_EQ(d.ask(dns_query("c.evil.example", 3)), "drop r");
  EXPECT_EQ(d.ask(dns_query("good.example", 4)), "drop r");
}

TEST(Ban, WhatABanStopsCountsTowardsNoBan) {
  Filter f(R"(weir: 1
rules:
  - { name: first, match: { port: 23 }, action: { ban: source, for: 1m } }
  - { name: second, match: { port: 80 }, action: { ban: source, for: 1h, after: 3 } })");
  EXPECT_EQ(f.send(syn(40000, 23)), "drop first");
  for (std::uint16_t i = 1; i < 8; ++i) EXPECT_EQ(f.send(syn(static_cast<std::uint16_t>(40000 + i), 80)), "drop first");
  f.after(kMinute);
  EXPECT_EQ(f.send(syn(41000, 80)), "pass") << "stopped arrivals were no matches of `second`";
}

TEST(Rates, CountWhatArrivesAlsoWhatIsStopped) {
  Filter f(R"(weir: 1
rules:
  - { name: fast, match: { rate.packets: 50- }, action: drop }
  - { name: telnet, match: { port: 23 }, action: drop })");
  f.step(kMillisecond);
  for (std::uint16_t i = 0; i < 40; ++i) EXPECT_EQ(f.send(syn(static_cast<std::uint16_t>(40000 + i), 23)), "drop telnet");
  std::string last;
  for (std::uint16_t i = 0; i < 12; ++i) last = f.send(syn(static_cast<std::uint16_t>(41000 + i), 80));
  EXPECT_EQ(last, "drop fast");
  f.after(3 * kSecond);
  EXPECT_EQ(f.send(syn(42000, 80)), "pass");
}

}  // namespace
}  // namespace weir::engine
