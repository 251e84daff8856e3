// SPDX-License-Identifier: Apache-2.0
#include "policy/guards.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "facts/field_ids.h"
#include "tests/kit/vocabulary.h"

namespace weir::policy {
namespace {

Policy guarded(std::string_view guards, const Vocabulary& words = kit::vocabulary()) {
  Loaded loaded = load_policy_text("p.yaml", sentence("weir: 1\nessential: false\nguards:\n  ", guards, "\nrules: []\n"), words);
  EXPECT_TRUE(loaded.policy.has_value()) << render(loaded.diagnostics);
  return loaded.policy ? std::move(*loaded.policy) : Policy{};
}

bool asks(const Rule& rule, FieldId id) {
  return std::any_of(rule.match.begin(), rule.match.end(), [&](const Condition& c) { return c.field == id; });
}

TEST(Guards, StandInTheirFixedOrderWhateverTheFileSays) {
  std::string all;
  for (std::string_view name : guard_names()) {
    const std::string value = name == "knock" ? "{ports: [1, 2]}" : name == "flood" ? "[{what: syn, rate: 1/s}]" : "true";
    all = sentence("  ", name, ": ", value, "\n") + all;  // last first
  }
  const Policy policy = guarded(all.substr(2));
  std::vector<std::string> names;
  for (const Rule& rule : policy.rules) {
    EXPECT_TRUE(rule.guard);
    if (names.empty() || names.back() != rule.name) names.push_back(rule.name);
  }
  std::vector<std::string> expected;
  for (std::string_view name : guard_names()) expected.push_back(sentence("guard.", name));
  EXPECT_EQ(names, expected);
}

TEST(Guards, TakeActionUnlessTechniqueAndMode) {
  const Policy policy = guarded("scan: {action: {ban: source, for: 5m}, unless: [{from: 10.0.0.0/8}], technique: [T1205], mode: monitor}");
  ASSERT_EQ(policy.rules.size(), 1U);
  const Rule& rule = policy.rules[0];
  EXPECT_EQ(rule.action, Action::Ban);
  EXPECT_EQ(rule.unless.size(), 1U);
  EXPECT_EQ(rule.techniques, std::vector<std::string>{"T1205"});
  EXPECT_TRUE(rule.monitor);
}

TEST(Guards, SynCookiesHaveABudgetForEachAddressAndPortNamed) {
  const Policy all = guarded("syn-cookies: true");
  ASSERT_EQ(all.rules.size(), 1U);
  EXPECT_TRUE(all.rules[0].limit.asks_source && all.rules[0].limit.spare_known);
  EXPECT_EQ(all.rules[0].limit.rate, 1000);
  EXPECT_EQ(all.rules[0].limit.per, (std::vector<PerKey>{{field::kTo, 32, 128}}));
  const Policy ports = guarded("syn-cookies: {above: 5/s, ports: [443, 80, 81]}");
  ASSERT_EQ(ports.rules.size(), 1U);
  EXPECT_EQ(ports.rules[0].limit.per.size(), 2U);
  EXPECT_EQ(ports.rules[0].match[2].values.numbers, (std::vector<NumberRange>{{80, 81}, {443, 443}}));
}

TEST(Guards, TcpStateDropsMidstreamUnlessTold) {
  EXPECT_TRUE(guarded("tcp-state: true").wishes.tcp_midstream_drop);
  EXPECT_FALSE(guarded("tcp-state: {midstream: pick-up}").wishes.tcp_midstream_drop);
  const Policy policy = guarded("tcp-state: {strict: true}");
  EXPECT_TRUE(policy.wishes.tcp_strict);
  ASSERT_EQ(policy.rules.size(), 2U);
  EXPECT_TRUE(asks(policy.rules[0], field::kFlowState));
  EXPECT_TRUE(asks(policy.rules[1], field::kFlaw));
}

TEST(Guards, SolicitedStopsIcmpErrorsOfNoFlowAlwaysAndEchoRepliesWhereAsked) {
  EXPECT_EQ(guarded("solicited: true").rules.size(), 3U);
  EXPECT_EQ(guarded("solicited: {protocols: [dns]}").rules.size(), 2U);
  EXPECT_EQ(guarded("solicited: {protocols: [dns, icmp]}").rules.size(), 3U);
  EXPECT_EQ(guarded("solicited: {protocols: [icmp]}").rules.size(), 2U);
}

TEST(Guards, DhcpServersMustBeListedAsSenderAndAsServer) {
  const Policy policy = guarded("dhcp-snooping: {servers: [192.168.1.5], rate: 5/s}");
  ASSERT_EQ(policy.rules.size(), 4U) << "servers of DHCP and of DHCPv6, the rate, and clients that lie about their address";
  EXPECT_EQ(guarded("dhcp-snooping: {servers: [192.168.1.5], verify_mac: false}").rules.size(), 3U);
  ASSERT_EQ(policy.rules[0].unless.size(), 1U);
  EXPECT_EQ(policy.rules[0].unless[0].size(), 2U);
  EXPECT_EQ(policy.rules[1].action, Action::Limit);
  EXPECT_DOUBLE_EQ(policy.rules[1].limit.rate, 5);
  EXPECT_EQ(policy.rules[1].limit.per[0].field, kit::vocabulary().field("dhcp.client_mac")->id);
  const Policy by_port = guarded("dhcp-snooping: {trusted: [uplink]}");
  EXPECT_EQ(by_port.rules[1].limit.per[0].field, field::kInPort);
}

TEST(Guards, WhatIsNotBuiltInIsLeftOutWithAWarning) {
  Vocabulary core;
  core.add_apps(std::span(kit::kApps).first(1));
  core.add_fields(core_fields());
  const Loaded loaded = load_policy_text("p.yaml", "weir: 1\nessential: false\nguards: {dhcp-snooping: {trusted: [a]}}\nrules: []\n", core);
  ASSERT_TRUE(loaded.policy.has_value());
  EXPECT_TRUE(loaded.policy->rules.empty());
  EXPECT_EQ(loaded.diagnostics.warnings(), 2U);
}

TEST(Guards, FloodItemsAreLimits) {
  const Policy policy = guarded("flood: [{what: syn, per: from, rate: 4/s, burst: 20}, {what: icmp, per: from/128, rate: 100/s}, {what: flows, rate: 5/s, action: {ban: port, for: 10s}}]");
  ASSERT_EQ(policy.rules.size(), 3U);
  EXPECT_EQ(policy.rules[0].limit.unit, LimitUnit::Packets);
  const auto& flags = policy.rules[0].match[1].values.flags;
  EXPECT_NE(std::find(flags.begin(), flags.end(), 0x02), flags.end());
  EXPECT_EQ(std::find(flags.begin(), flags.end(), 0x12), flags.end());
  EXPECT_DOUBLE_EQ(policy.rules[0].limit.burst, 20);
  EXPECT_EQ(policy.rules[1].limit.per[0].prefix_v6, 128);
  EXPECT_DOUBLE_EQ(policy.rules[1].limit.burst, 100);
  EXPECT_EQ(policy.rules[2].limit.unit, LimitUnit::Flows);
  EXPECT_EQ(policy.rules[2].limit.over, Action::Ban);
  EXPECT_EQ(policy.rules[2].ban.for_ns, 10 * kSecond);
}

TEST(Guards, InspectionsPassTheUnlistedUnlessTold) {
  EXPECT_EQ(guarded("arp-inspection: {learn: none, bindings: [{ip: 10.0.0.1, mac: \"00:11:22:33:44:55\"}]}").rules.size(), 2U);
  const Policy policy = guarded("arp-inspection: {learn: first, unlisted: drop, rate: 15/s}");
  EXPECT_EQ(policy.rules.size(), 4U);
  EXPECT_EQ(policy.wishes.arp.learn, StateWishes::Learn::First);
  EXPECT_EQ(policy.rules[3].limit.per[0].field, field::kArpSenderMac);
}

TEST(Guards, TheUndecidedGuardMatchesNothingByItself) {
  const Policy policy = guarded("undecided: {frames: 4}");
  ASSERT_EQ(policy.rules.size(), 1U);
  EXPECT_TRUE(policy.rules[0].match[0].values.numbers.empty());
  EXPECT_EQ(policy.undecided.frames_max, 4U);
}

}  // namespace
}  // namespace weir::policy
