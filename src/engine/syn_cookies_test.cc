// SPDX-License-Identifier: Apache-2.0
// The guard `syn-cookies`: beyond the budget the sender of a SYN is asked, and who answers is let in.

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/kit/filter.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr std::string_view kGuard = R"(weir: 1
zones: { servers: { networks: [198.51.100.0/24, '2001:db8:1::/48'] } }
guards: { syn-cookies: { above: 2/s, to: servers, ports: [80, 443] } })";

Layers syn(std::string_view from, std::uint16_t port, std::uint32_t seq = 5000, std::string_view to = "198.51.100.80") {
  return Eth() / Ipv4(from, to) / Tcp(40000, port).flags("S").seq(seq);
}

/// What the answer acknowledges; fails if there is not one answer, a SYN-ACK.
std::uint32_t asked(const Filter& f, std::size_t tcp_at = 34) {
  EXPECT_EQ(f.emitted().size(), 1U);
  if (f.emitted().size() != 1 || f.emitted()[0].size() != tcp_at + 20) return 0;
  const Bytes bytes = as_bytes(f.emitted()[0]);
  EXPECT_EQ(bytes[tcp_at + 13], tcp_flag::kSyn | tcp_flag::kAck);
  return load_be32(&bytes[tcp_at + 8]);
}

void spend(Filter& f) {
  f.step(0);
  EXPECT_EQ(f.send(syn("192.0.2.1", 80)), "pass");
  EXPECT_EQ(f.send(syn("192.0.2.2", 80)), "pass");
}

TEST(SynCookieGuard, WhoAnswersIsLetIn) {
  Filter f(kGuard);
  spend(f);
  EXPECT_EQ(f.send(syn("192.0.2.3", 80)), "drop guard.syn-cookies");
  const std::uint32_t acknowledged = asked(f);
  EXPECT_LT(5000 - acknowledged, 65536U) << "no number of the client's: it must reset";
  EXPECT_EQ(f.send(Eth() / Ipv4("192.0.2.3", "198.51.100.80") / Tcp(40000, 80).flags("R").seq(acknowledged)), "drop guard.syn-cookies") << "asked here, answered here";
  EXPECT_EQ(f.reason(), Reason::Answer);
  EXPECT_TRUE(f.emitted().empty());
  EXPECT_EQ(f.counters().senders_proven, 1U);
  EXPECT_EQ(f.send(syn("192.0.2.3", 80, 5000 + 65536)), "drop guard.syn-cookies") << "another SYN";
  EXPECT_EQ(f.send(syn("192.0.2.3", 80)), "pass") << "the one that it answered for";
  EXPECT_EQ(f.send(syn("192.0.2.3", 80)), "pass") << "and again: its flow has begun";
}

TEST(SynCookieGuard, OtherResetsAreNoAnswers) {
  Filter f(kGuard);
  spend(f);
  EXPECT_EQ(f.send(syn("192.0.2.3", 80)), "drop guard.syn-cookies");
  const std::uint32_t acknowledged = asked(f);
  const auto reset = [&](std::string_view from, std::uint32_t seq, std::string_view flags) {
    return f.send(Eth() / Ipv4(from, "198.51.100.80") / Tcp(40000, 80).flags(flags).seq(seq));
  };
  reset("192.0.2.3", acknowledged + 1, "R");
  reset("192.0.2.4", acknowledged, "R");
  reset("192.0.2.3", acknowledged, "RA");
  EXPECT_EQ(f.counters().senders_proven, 0U);
  EXPECT_EQ(f.send(syn("192.0.2.3", 80)), "drop guard.syn-cookies");
}

TEST(SynCookieGuard, WhoFinishedAHandshakeIsSpared) {
  Filter f(kGuard);
  f.step(0);
  const std::string_view a = "192.0.2.9", b = "198.51.100.80";
  EXPECT_EQ(f.send(syn(a, 80, 1)), "pass");
  f.send(Eth() / Ipv4(b, a) / Tcp(80, 40000).flags("SA").seq(9).ack(2));
  f.send(Eth() / Ipv4(a, b) / Tcp(40000, 80).flags("A").seq(2).ack(10));
  EXPECT_EQ(f.send(syn("192.0.2.1", 80)), "pass");
  EXPECT_EQ(f.send(syn("192.0.2.2", 80)), "drop guard.syn-cookies");
  EXPECT_EQ(f.send(Eth() / Ipv4(a, b) / Tcp(40001, 80).flags("S").seq(1)), "pass");
}

TEST(SynCookieGuard, ASynThatPassedMayComeAgain) {
  Filter f(kGuard);
  spend(f);
  EXPECT_EQ(f.send(syn("192.0.2.1", 80)), "pass") << "lost on its way, perhaps";
  EXPECT_EQ(f.send(syn("192.0.2.5", 80)), "drop guard.syn-cookies");
}

TEST(SynCookieGuard, AnAnswerIsHeardWhateverFlowThereWas) {
  Filter f(kGuard);
  spend(f);
  EXPECT_EQ(f.send(syn("192.0.2.3", 80)), "drop guard.syn-cookies");
  const std::uint32_t acknowledged = asked(f);
  const auto reset = [&](std::uint32_t seq) { return f.send(Eth() / Ipv4("192.0.2.3", "198.51.100.80") / Tcp(40000, 80).flags("R").seq(seq)); };
  EXPECT_EQ(reset(acknowledged + 1), "pass") << "of a flow that begins and ends with it, as others see it";
  EXPECT_EQ(reset(acknowledged), "drop guard.syn-cookies");
  EXPECT_EQ(f.counters().senders_proven, 1U);
}

TEST(SynCookieGuard, OnlyWhatItNamesIsCounted) {
  Filter f(kGuard);
  spend(f);
  EXPECT_EQ(f.send(syn("192.0.2.3", 80)), "drop guard.syn-cookies");
  EXPECT_EQ(f.send(syn("192.0.2.3", 443)), "pass") << "another port has its own budget";
  EXPECT_EQ(f.send(syn("192.0.2.3", 25)), "pass");
  EXPECT_EQ(f.send(syn("192.0.2.3", 80, 5000, "203.0.113.1")), "pass") << "not in the zone";
  EXPECT_EQ(f.send(syn("192.0.2.3", 80, 5000, "198.51.100.81")), "pass") << "another server";
}

TEST(SynCookieGuard, AsksOverIpv6) {
  Filter f(kGuard);
  f.step(0);
  const auto six = [](std::string_view from, std::string_view flags, std::uint32_t seq) {
    return Eth() / Ipv6(from, "2001:db8:1::80") / Tcp(40000, 80).flags(flags).seq(seq);
  };
  EXPECT_EQ(f.send(six("2001:db8::1", "S", 1)), "pass");
  EXPECT_EQ(f.send(six("2001:db8::2", "S", 1)), "pass");
  EXPECT_EQ(f.send(six("2001:db8::3", "S", 1)), "drop guard.syn-cookies");
  f.send(six("2001:db8::3", "R", asked(f, 54)));
  EXPECT_EQ(f.send(six("2001:db8::3", "S", 1)), "pass");
}

TEST(SynCookieGuard, InMonitorModeNobodyIsAsked) {
  Filter f("weir: 1\nguards: { syn-cookies: { above: 1/s, mode: monitor } }\n");
  f.step(0);
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(f.send(syn("192.0.2." + std::to_string(1 + i), 80)), "pass");
    EXPECT_TRUE(f.emitted().empty());
  }
}

}  // namespace
}  // namespace weir::engine
