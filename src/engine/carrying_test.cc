// SPDX-License-Identifier: Apache-2.0
// Which flows a datapath may carry by itself, when it is told, and what the engine learns back. DESIGN, "Settled flows".

#include <gtest/gtest.h>

#include <map>

#include "engine/carrier.h"
#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

/// Carries what it is told, and gives back what the test lets it have carried.
class Kernel final : public Carrier {
 public:
  std::map<std::uint32_t, SettledFlow> flows;
  std::vector<std::uint64_t> offered;  ///< Frames.
  std::vector<state::BanKey> banned;
  Carried next;                        ///< For whichever flow is asked for next.
  bool due = false;

  void on_settled(const SettledFlow& flow) override {
    flows[flow.flow] = flow;
    offered.push_back(flow.frame);
  }
  bool read(std::uint32_t flow, Carried& out) override {
    out = std::exchange(next, Carried{});
    out.flow = flow;
    return flows.contains(flow);
  }
  std::size_t read_due(Nanoseconds, std::span<Carried> out) override {
    if (!std::exchange(due, false) || flows.empty()) return 0;
    read(flows.begin()->first, out[0]);
    return 1;
  }
  bool on_ended(std::uint32_t flow, Carried& out) override {
    out = std::exchange(next, Carried{});
    return flows.erase(flow) != 0;
  }
  void on_banned(const state::BanKey& key) override { banned.push_back(key); }
  void on_generation(std::uint32_t) override {}
};

engine::EngineOptions with(Kernel& kernel, bool identify = false) {
  engine::EngineOptions options = small_engine();
  options.carrier = &kernel;
  options.identify = identify;
  return options;
}

constexpr std::string_view kAllow = "weir: 1\nrules: [ { name: all, match: { ip.protocol: [tcp, udp] }, action: allow } ]\n";

TEST(Carrying, ATcpFlowIsToldOnceItsHandshakeIsDone) {
  Kernel kernel;
  Filter f(kAllow, with(kernel));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(kernel.offered, (std::vector<std::uint64_t>{3}));
  const SettledFlow& flow = kernel.flows.begin()->second;
  EXPECT_TRUE(flow.pass);
  EXPECT_EQ(flow.side, Side::Client);
  EXPECT_EQ(flow.ends.server_port, 80);
  EXPECT_FALSE(flow.tcp_checked);
}

TEST(Carrying, WithIdentificationItWaitsForTheName) {
  Kernel kernel;
  Filter f(kAllow, with(kernel, true));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  c.open();
  EXPECT_TRUE(kernel.offered.empty());
  c.client(tls_hello("a.example"));
  c.server("\x16\x03\x03\x00\x04\x0e\x00\x00\x00");
  for (int i = 0; i < 8; ++i) c.client("some more of it, encrypted"), c.server("and so is this");
  EXPECT_FALSE(kernel.offered.empty());
}

TEST(Carrying, NotWhatTransactionsDecide) {
  Kernel kernel;
  Filter f("weir: 1\nrules: [ { name: bad, match: { http.host: evil.example }, action: drop } ]\n", with(kernel));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  c.client(http_get("a.example", "/"));
  c.server(http_ok());
  EXPECT_TRUE(kernel.offered.empty());
}

TEST(Carrying, NotWherePacketsAreCounted) {
  Kernel kernel;
  Filter f("weir: 1\nrules: [ { name: udp, match: { ip.protocol: udp }, action: allow }, "
           "{ name: slow, match: { ip.protocol: tcp }, action: { limit: { rate: 1000 packets/s, per: from } } } ]\n", with(kernel));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_TRUE(kernel.offered.empty());
  Datagrams d{f};
  d.ask("?");
  EXPECT_EQ(kernel.offered.size(), 1U) << "UDP is decided before";
}

TEST(Carrying, NotWhereTcpIsJudgedStrictly) {
  for (const bool strict : {false, true}) {
    Kernel kernel;
    Filter f(std::string("weir: 1\nguards: { tcp-state: ") + (strict ? "{ strict: true }" : "true") + " }\n", with(kernel));
    Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
    c.open();
    EXPECT_EQ(kernel.offered.empty(), strict);
    if (strict) continue;
    const SettledFlow& flow = kernel.flows.begin()->second;
    EXPECT_TRUE(flow.tcp_checked);
    EXPECT_NE(flow.tcp[0].window_end, 0U);
    EXPECT_EQ(flow.tcp[0].next, flow.tcp[0].acked);
  }
}

TEST(Carrying, APacketOfASettledFlowWithAFlawIsJudged) {
  Kernel kernel;
  Filter f("weir: 1\nguards: { tcp-state: true }\n", with(kernel));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_TRUE(f.settled());
  EXPECT_EQ(c.send(Side::Client, c.tcp(Side::Client, 0).flags("SF")), "drop guard.tcp-state");
  EXPECT_EQ(c.send(Side::Client, c.tcp(Side::Client, 0).flags("FU")), "drop guard.tcp-state");
  EXPECT_EQ(c.client("a"), "pass") << "the flow goes on";
}

TEST(Carrying, ABudgetOfBeginningsOrFragmentsKeepsNoFlow) {
  for (const char* what : {"syn", "fragments", "icmp"}) {
    Kernel kernel;
    Filter f(std::string("weir: 1\nguards: { flood: [ { what: ") + what + ", per: from, rate: 2/s, burst: 2 } ] }\n", with(kernel));
    Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 9000);
    c.open();
    EXPECT_FALSE(kernel.offered.empty()) << what;
    c.client("a");
    if (what != std::string_view("syn")) continue;
    for (int i = 0; i < 4; ++i) c.send(Side::Client, c.tcp(Side::Client, 0).flags("S").seq(77));
    EXPECT_EQ(c.send(Side::Client, c.tcp(Side::Client, 0).flags("S").seq(77)), "drop guard.flood") << "each SYN counts, of a settled flow too";
  }
}

TEST(Carrying, WhatOnlyASynMayIsNotSettledByIt) {
  Kernel kernel;
  Filter f("weir: 1\ndefault: drop\nrules: [ { name: only-syn, match: { tcp.flags: S }, action: allow } ]\n", with(kernel));
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(40000, 80).flags("S").seq(1)), "pass only-syn");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(40000, 80).flags("A").seq(2)), "drop default");
}

TEST(Carrying, UnderNormaliseAFlowSettlesOnceNobodyReadsIt) {
  Kernel kernel;
  Filter f("weir: 1\nguards: { normalise: true }\n", with(kernel));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  c.open();
  EXPECT_TRUE(kernel.offered.empty()) << "its hello may be malformed";
  c.client(tls_hello("a.example"));
  c.server("\x16\x03\x03\x00\x04\x0e\x00\x00\x00");
  for (int i = 0; i < 8; ++i) c.client("some more of it, encrypted"), c.server("and so is this");
  EXPECT_FALSE(kernel.offered.empty());
  EXPECT_EQ(c.send(Side::Client, c.tcp(Side::Client, 0).flags("SF")), "drop guard.normalise") << "headers are judged packet by packet";
  EXPECT_EQ(c.client("a"), "pass");
  Connection web(f, "10.0.0.5", 40001, "198.51.100.80", 80);
  const std::size_t before = kernel.offered.size();
  web.open();
  web.client(http_get("a.example", "/"));
  web.server(http_ok());
  EXPECT_EQ(kernel.offered.size(), before) << "the next request may be malformed";
}

TEST(Carrying, NotATunnel) {
  Kernel kernel;
  Filter f(kAllow, with(kernel));
  f.send(Eth() / Ipv4() / Udp(40000, 4789) / "not VXLAN yet");
  EXPECT_TRUE(kernel.offered.empty()) << "the next datagram on that port may be";
}

TEST(Carrying, ADeniedFlowIsToldWithItsSecondPacket) {
  Kernel kernel;
  Filter f("weir: 1\nrules: [ { name: no-dns, match: { app.protocol: dns }, action: drop } ]\n", with(kernel));
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("a.example")), "drop no-dns");
  EXPECT_TRUE(kernel.offered.empty());
  EXPECT_EQ(d.ask(dns_query("b.example", 2)), "drop no-dns");
  ASSERT_EQ(kernel.flows.size(), 1U);
  EXPECT_FALSE(kernel.flows.begin()->second.pass);
  kernel.next.packets[0] = 7;
  kernel.due = true;
  f.wait(kSecond).carried(7);
  EXPECT_EQ(f.counters().dropped, 9U);
  EXPECT_EQ(f.counters().rules[f.engine().rules().rules().size() - 1].packets, 9U);
}

TEST(Carrying, WhatWasCarriedCountsAndKeepsTheFlowAlive) {
  Kernel kernel;
  Filter f(kAllow, with(kernel));
  Datagrams d{f};
  d.ask("?");
  d.answer("!");
  // Answered UDP is idle after 180 s; the kernel saw a packet at 170 s.
  kernel.next.packets[1] = 1000;
  kernel.next.bytes[1] = 1'000'000;
  kernel.next.last_ns = 170 * kSecond;
  kernel.due = true;
  f.carried(1000).wait(171 * kSecond).wait(100 * kSecond);
  EXPECT_TRUE(f.flows().empty());
  EXPECT_EQ(f.counters().packets, 1002U);
  f.wait(200 * kSecond);
  ASSERT_EQ(f.flows().size(), 1U);
  EXPECT_EQ(f.flows()[0].packets[1], 1001U);
  EXPECT_TRUE(kernel.flows.empty()) << "it was taken back";
}

TEST(Carrying, AFlowIsCreditedBeforeItEnds) {
  Kernel kernel;
  Filter f(kAllow, with(kernel));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  kernel.next.packets[0] = 5;
  kernel.next.fin[0] = kernel.next.fin[1] = true;
  kernel.next.last_ns = 2 * kSecond;
  kernel.due = true;
  f.wait(3 * kSecond);
  kernel.next.packets[0] = 6;
  f.carried(11).end();
  ASSERT_EQ(f.flows().size(), 1U);
  EXPECT_EQ(f.flows()[0].packets[0], 13U);
  EXPECT_EQ(f.flows()[0].ended, FlowRecord::Ended::Closed);
}

TEST(Carrying, ASynAfterAnEndThatTheKernelSawOpensAnew) {
  Kernel kernel;
  Filter f(kAllow, with(kernel));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  kernel.next.reset = true;
  kernel.next.packets[0] = 1;
  f.carried(1);
  f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(40000, 80).flags("S").seq(77));
  EXPECT_EQ(f.flows().size(), 1U) << "credited first, so it is seen to be over";
}

TEST(Carrying, AFlowThatMovedOnUnseenIsTakenUpAnew) {
  const std::string yaml = "weir: 1\nguards: { tcp-state: true }\n" + std::string(kAllow.substr(8));
  const auto client = [](std::string_view flags, std::uint32_t seq, std::uint32_t ack) {
    return Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(40000, 80).flags(flags).seq(seq).ack(ack);
  };
  const auto server = [](std::string_view flags, std::uint32_t seq, std::uint32_t ack) {
    return Eth() / Ipv4("198.51.100.80", "10.0.0.5") / Tcp(80, 40000).flags(flags).seq(seq).ack(ack);
  };
  for (const bool unseen : {false, true}) {
    Kernel kernel;
    Filter f(yaml, with(kernel));
    f.send(client("S", 100, 0));
    f.send(server("SA", 500, 101));
    EXPECT_EQ(f.send(client("A", 101, 501)), "pass all");
    ASSERT_FALSE(kernel.flows.empty());
    kernel.next.packets[1] = 1000;
    kernel.next.unseen = unseen;
    f.carried(1000);
    // A probe of the closed window, which is numbered one short (RFC 9293, 3.8.6.1), and what it asks for.
    EXPECT_EQ(f.send(server("A", 10'000'500, 101)), unseen ? "pass all" : "drop guard.tcp-state");
    EXPECT_EQ(f.send(client("A", 101, 10'000'501)), unseen ? "pass all" : "drop guard.tcp-state");
    EXPECT_EQ(f.send(server("A", 10'000'501, 101) / "more of it"), unseen ? "pass all" : "drop guard.tcp-state");
  }
}

TEST(Carrying, ABanIsTold) {
  Kernel kernel;
  Filter f("weir: 1\nrules: [ { name: b, match: { port: 23 }, action: { ban: source, for: 60s } } ]\n", with(kernel));
  f.send(Eth() / Ipv4("192.0.2.1", "198.51.100.80") / Tcp(40000, 23).flags("S"));
  ASSERT_EQ(kernel.banned.size(), 1U);
  EXPECT_EQ(kernel.banned[0].ip, ip_of("192.0.2.1"));
}

}  // namespace
}  // namespace weir::engine
