// SPDX-License-Identifier: Apache-2.0
#include "policy/check.h"

#include <gtest/gtest.h>

#include "policy/document.h"
#include "tests/kit/vocabulary.h"

namespace weir::policy {
namespace {

Policy rules(std::string_view lines) {
  Loaded loaded = load_policy_text("p", sentence("weir: 1\nessential: false\nzones: {a: {networks: [10.0.0.0/8]}, b: {}}\nrules:\n", lines), kit::vocabulary());
  EXPECT_TRUE(loaded.policy.has_value()) << render(loaded.diagnostics);
  return loaded.policy ? std::move(*loaded.policy) : Policy{};
}

std::size_t warnings(std::string_view first, std::string_view second) {
  const Policy policy = rules(sentence("  - {name: x, ", first, "}\n  - {name: y, ", second, "}\n"));
  return check_policy(policy, kit::vocabulary()).warnings();
}

TEST(Check, ARuleBehindAWiderOneIsNeverReached) {
  struct Row {
    std::string_view first, second;
    std::size_t expected;
  };
  constexpr Row kRows[] = {
      {"match: {port: 1-100}, action: drop", "match: {port: 22, from: a}, action: allow", 1},
      {"match: {port: 22, from: a}, action: drop", "match: {port: 22}, action: allow", 0},
      {"match: {port: 1-100}, action: alert", "match: {port: 22}, action: allow", 0},
      {"match: {port: 1-100}, action: drop, mode: monitor", "match: {port: 22}, action: allow", 0},
      {"match: {port: 1-100}, action: drop, expires: 2030-01-01", "match: {port: 22}, action: allow", 0},
      {"match: {port: 1-100}, action: drop, on: [host]", "match: {port: 22}, action: allow", 0},
      {"match: {port: 1-100}, unless: [{from: a}], action: drop", "match: {port: 22}, action: allow", 0},
      {"match: {port: 1-100}, unless: [{from: a}], action: drop", "match: {port: 22}, unless: [{from: a}], action: allow", 1},
      {"match: {from: 10.0.0.0/8}, action: drop", "match: {from: 10.1.0.0/16}, action: allow", 1},
      {"match: {from: 10.1.0.0/16}, action: drop", "match: {from: 10.0.0.0/8}, action: allow", 0},
      {"match: {from: a}, action: drop", "match: {from: [a, b]}, action: allow", 0},
      {"match: {not.port: 22}, action: drop", "match: {not.port: [22, 80]}, action: allow", 1},
      {"match: {not.port: [22, 80]}, action: drop", "match: {not.port: 22}, action: allow", 0},
      {"match: {dns.qname: present}, action: drop", "match: {dns.qname: a.example}, action: allow", 1},
      {"match: {dns.qname: a.example}, action: drop", "match: {dns.qname: a.example}, action: allow", 1},
      {"match: {dns.qname: .a.example}, action: drop", "match: {dns.qname: \"*\"}, action: allow", 0},
      {"match: {smb.share: hidden}, action: drop", "match: {smb.share: x}, action: allow", 0},
      {"match: {}, action: drop", "match: {port: 1}, action: allow", 1},
  };
  for (const Row& row : kRows) EXPECT_EQ(warnings(row.first, row.second), row.expected) << row.first << " | " << row.second;
}

TEST(Check, ContradictionsAreSeen) {
  EXPECT_EQ(warnings("match: {port: 22, not.port: 20-30}, action: drop", "match: {port: 1}, action: drop"), 1U);
  EXPECT_EQ(warnings("match: {port: 20-40, not.port: 20-30}, action: drop", "match: {port: 1}, action: drop"), 0U);
  EXPECT_EQ(warnings("match: {ip.protocol: udp, tcp.flags: S}, action: drop", "match: {port: 1}, action: drop"), 1U);
  EXPECT_EQ(warnings("match: {ip.protocol: ah, tcp.flags: S}, action: drop", "match: {port: 1}, action: drop"), 0U);
  EXPECT_EQ(warnings("match: {port: 22}, unless: [{port: 20-30}], action: drop", "match: {port: 1}, action: drop"), 1U);
}

TEST(Check, ExpiredRulesAreNamed) {
  CheckOptions options;
  options.now_wall_ns = 2'000'000'000 * kSecond;
  EXPECT_EQ(check_policy(rules("  - {name: x, match: {port: 1}, action: drop, expires: 2020-01-01}\n"), kit::vocabulary(), options).warnings(), 1U);
}

TEST(Check, FactsThatADatapathDoesNotHaveNeedAnOn) {
  const Policy policy = rules("  - {name: x, match: {process.path: /bin/x}, action: drop}\n  - {name: y, match: {user: bob}, action: drop, on: [host]}\n");
  EXPECT_EQ(check_for(policy, kit::vocabulary(), on::kBridge, Severity::Error).errors(), 1U);
  EXPECT_EQ(check_for(policy, kit::vocabulary(), on::kHost, Severity::Error).errors(), 0U);
}

TEST(Check, TheBudgetForPairsIsSaid) {
  CheckOptions options;
  options.pairs_max = 0;
  const Policy policy = rules("  - {name: x, match: {port: 1}, action: drop}\n  - {name: y, match: {port: 1}, action: drop}\n");
  EXPECT_EQ(check_policy(policy, kit::vocabulary(), options).warnings(), 1U);
}

}  // namespace
}  // namespace weir::policy
