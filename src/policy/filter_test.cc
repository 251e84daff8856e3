// SPDX-License-Identifier: Apache-2.0
// A filter in the language of rules, read with a policy's zones and sets.

#include <gtest/gtest.h>

#include "policy/document.h"
#include "tests/kit/vocabulary.h"

namespace weir::policy {
namespace {

constexpr std::string_view kPolicy = R"(weir: 1
zones: { inside: { networks: [10.0.0.0/8] }, outside: {} }
sets: { resolvers: { addresses: [10.0.0.53] } }
guards: { tcp-state: true }
rules: [ { name: a, match: { port: 23 }, action: drop } ])";

Loaded filtered(std::string filter) {
  LoadOptions options;
  options.filter = std::move(filter);
  return load_policy_text("test.yaml", kPolicy, kit::vocabulary(), options);
}

TEST(Filter, IsTheOnlyRuleAndKnowsZonesAndSets) {
  const Loaded loaded = filtered("{ from: inside, to: '@resolvers', port: 53 }");
  ASSERT_TRUE(loaded.policy.has_value());
  ASSERT_EQ(loaded.policy->rules.size(), 1U);
  EXPECT_EQ(loaded.policy->rules[0].name, "filter");
  EXPECT_EQ(loaded.policy->rules[0].match.size(), 3U);
  EXPECT_EQ(loaded.diagnostics.warnings(), 0U);
}

TEST(Filter, EmptyHoldsForEverything) { EXPECT_TRUE(filtered("{}").policy.has_value()); }

TEST(Filter, MistakesAreToldAtTheirPlace) {
  const Loaded loaded = filtered("{ prot: 53 }");
  ASSERT_FALSE(loaded.policy.has_value());
  EXPECT_EQ(loaded.diagnostics.all()[0].file, "filter");
  EXPECT_FALSE(filtered("[53]").policy.has_value());
  EXPECT_FALSE(filtered("{ from: nowhere }").policy.has_value());
}

}  // namespace
}  // namespace weir::policy
