// SPDX-License-Identifier: Apache-2.0
// Which denials the kernel may repeat. tests/live/xdp_stops_test.cc shows that it then answers as the engine does.

#include "datapath/bridge/lower.h"

#include <gtest/gtest.h>

#include "tests/kit/filter.h"

namespace weir::datapath {
namespace {

using namespace kit;

Lowered of(std::string_view yaml) { return lower(*rules_of(yaml)); }

constexpr std::string_view kZones = "weir: 1\nzones: { inside: { networks: [10.0.0.0/8] }, outside: {} }\n";

constexpr RuleId kOwn = 7;  ///< The first of the policy's own rules, behind what is essential.

TEST(Lower, AFloodOfHeadersIsARow) {
  const Lowered l = of("weir: 1\nguards:\n  flood:\n"
                       "    - { what: syn, per: from, rate: 10/s, burst: 20 }\n"
                       "    - { what: udp, per: [to, port], rate: 1000/s }\n"
                       "    - { what: icmp, per: [from, to], rate: 8 kbit/s }\n"
                       "    - { what: fragments, per: [from/24, ip.protocol], rate: 5/s }\n");
  ASSERT_EQ(l.budgets.size(), 4U);
  EXPECT_EQ(l.budgets[0].row.what, WEIR_ROW_SYN);
  EXPECT_EQ(l.budgets[0].row.packet_ns, 88'888'888U);
  EXPECT_EQ(l.budgets[0].row.burst_ns, 2'000'000'000U + static_cast<std::uint64_t>(kBudgetSlack));
  EXPECT_EQ(l.budgets[0].row.from4_be, 0xffffffffU);
  EXPECT_EQ(l.budgets[0].row.to4_be, 0U);
  EXPECT_EQ(l.budgets[1].row.what, WEIR_ROW_UDP);
  EXPECT_EQ(l.budgets[1].row.per, WEIR_PER_PORT);
  EXPECT_EQ(l.budgets[2].row.packet_ns, 0U);
  EXPECT_EQ(l.budgets[2].row.byte_ns_q16, 58'254'222'222U) << "1000 bytes a second, and an eighth";
  EXPECT_EQ(l.budgets[3].row.per, WEIR_PER_PROTOCOL);
  EXPECT_EQ(l.budgets[3].row.from4_be, 0x00ffffffU) << "as bytes on the wire";
  EXPECT_EQ(l.budgets[3].row.from6_be[0], ~std::uint64_t{0});
}

TEST(Lower, WhatHeadersDoNotTellStaysWithTheEngine) {
  for (const char* flood : {"{ what: flows, per: from, rate: 10/s }", "{ what: requests, per: from, rate: 10/s }", "{ what: packets, per: from, rate: 10/s }",
                            "{ what: fragments, per: port, rate: 10/s }", "{ what: syn, per: from, rate: 10/s, mode: monitor }"})
    EXPECT_TRUE(of("weir: 1\nguards: { flood: [ " + std::string(flood) + " ] }\n").budgets.empty()) << flood;
}

TEST(Lower, ARuleInFrontThatPassesCountsOrReportsKeepsTheBudgetHere) {
  const auto budgets = [](std::string_view first) {
    return of(std::string(kZones) + "rules:\n  - " + std::string(first) +
              "\n  - { name: pings, match: { ip.protocol: [icmp, icmpv6] }, action: { limit: { rate: 10 packets/s, per: from } } }\n").budgets.size();
  };
  EXPECT_EQ(budgets("{ name: first, match: { to: inside }, action: drop }"), 1U);
  EXPECT_EQ(budgets("{ name: first, match: { to: inside }, action: allow }"), 0U);
  EXPECT_EQ(budgets("{ name: first, match: { to: inside }, action: alert }"), 0U);
  EXPECT_EQ(budgets("{ name: first, match: { to: inside }, action: drop, mode: monitor }"), 0U);
  EXPECT_EQ(budgets("{ name: first, match: { to: inside, ip.protocol: tcp }, action: allow }"), 1U) << "no ping is TCP";
  EXPECT_EQ(budgets("{ name: first, match: { to: inside }, action: { limit: { rate: 10 flows/s, per: from } } }"), 0U);
}

TEST(Lower, ADenialThatOnlyAsksForTheSourceIsOneOfTheSource) {
  const Lowered l = of(std::string(kZones) + "rules:\n"
                       "  - { name: a, match: { from: 192.0.2.0/24 }, action: drop }\n"
                       "  - { name: b, match: { from: outside }, unless: [ { src.ip: 203.0.113.1 } ], action: drop }\n"
                       "  - { name: c, match: { from: 192.0.2.0/24, to: inside }, action: drop }\n"
                       "  - { name: d, match: { from: 192.0.2.0/24 }, action: reject }\n"
                       "  - { name: e, match: { peer: 192.0.2.0/24 }, action: drop }\n");
  std::vector<RuleId> rules;
  for (const LoweredSource& s : l.sources) rules.push_back(s.rule);
  EXPECT_EQ(rules, (std::vector<RuleId>{kOwn, kOwn + 1, kOwn + 4}));
  EXPECT_NE(l.source_of(kOwn + 1), nullptr);
  EXPECT_EQ(l.source_of(kOwn + 2), nullptr);
  ASSERT_FALSE(l.sources[2].earlier.empty());
  EXPECT_EQ(l.sources[2].earlier.back().rule, kOwn + 3) << "drops in front need no look";
  EXPECT_EQ(l.sources[0].earlier.size(), l.sources[1].earlier.size());
  // DHCP is essential.
  EXPECT_EQ(l.free_udp[67 / 64] >> (67 % 64) & 1, 1U);
  EXPECT_EQ(l.free_udp[53 / 64] >> (53 % 64) & 1, 0U);
  for (const LoweredSource::Earlier& e : l.sources[0].earlier) EXPECT_EQ(e.what & (WEIR_STOP_SYN | WEIR_STOP_ECHO | WEIR_STOP_UDP | WEIR_STOP_OTHER), 0) << e.rule;
  EXPECT_TRUE(l.silent);
}

TEST(Lower, RatesOfArrivalsCountEveryPacket) {
  const Lowered l = of("weir: 1\nguards: { flood: [ { what: syn, per: from, rate: 10/s } ] }\n"
                       "rules: [ { name: r, match: { rate.packets.to: 1000- }, action: drop }, { name: a, match: { from: 192.0.2.1 }, action: drop } ]\n");
  EXPECT_TRUE(l.budgets.empty());
  EXPECT_TRUE(l.sources.empty());
  EXPECT_FALSE(l.bans);
}

TEST(Lower, APolicyThatOnlyWatchesStopsNothing) {
  const Lowered l = of("weir: 1\nmode: monitor\nrules: [ { name: a, match: { from: 192.0.2.1 }, action: drop } ]\n");
  EXPECT_TRUE(l.sources.empty());
  EXPECT_FALSE(l.bans);
}

TEST(Lower, ABanEndsEarlyEnoughForWhatCountsItsPackets) {
  EXPECT_EQ(of("weir: 1\n").ban_margin_ns, 0);
  EXPECT_EQ(of("weir: 1\nguards: { scan: { ports: 20, within: 10s } }\n").ban_margin_ns, 10 * kSecond);
}

}  // namespace
}  // namespace weir::datapath
