// SPDX-License-Identifier: Apache-2.0
#pragma once

// TextIndex: where many rules ask one fact for texts, which of them a value may concern, in one look instead of one a rule. It
// names every rule whose texts hold and perhaps a few more; the matcher asks those, and knows of the others that they do not
// hold.
//
// Built once, asked without allocating; its marks belong to one lane at a time, as the rest of a RuleSet.

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "facts/decision.h"
#include "policy/glob_set.h"
#include "policy/rule.h"

namespace weir::policy {

class TextIndex {
 public:
  /// Whether an index can answer for the condition: positive, of texts and names alone, without regular expressions and sets.
  static bool takes(const Condition& condition, const FieldRow& row);

  /// `asked`: the rules and their conditions on this field, each of which takes() allowed.
  void build(const FieldRow& row, const std::vector<std::pair<RuleId, const Condition*>>& asked);

  /// Calls with each rule that the value may concern; some perhaps more than once.
  template <typename F>
  void for_each_rule(std::string_view text, F&& call) const {
    call_those_of(texts_, hash_folded(text, seed_, fold_), call);
    globs_.any(text, [&](std::uint32_t place) { return call(glob_rules_[place]), false; });
    if (names_.empty()) return;
    if (text.ends_with('.')) text.remove_suffix(1);
    for (;;) {
      call_those_of(names_, hash_folded(text, seed_, true), call);
      const std::size_t dot = text.find('.');
      if (dot == text.npos) return;
      text.remove_prefix(dot + 1);
    }
  }

 private:
  using ByHash = std::vector<std::pair<std::uint64_t, RuleId>>;  ///< Sorted. What only shares a hash is asked in vain.

  template <typename F>
  static void call_those_of(const ByHash& all, std::uint64_t hash, F&& call) {
    for (auto at = std::lower_bound(all.begin(), all.end(), std::pair{hash, RuleId{0}}); at != all.end() && at->first == hash;
         ++at)
      call(at->second);
  }

  bool fold_ = false;
  std::uint64_t seed_ = 0;
  ByHash texts_, names_;  ///< Whole values; names, of which each suffix is asked for.
  GlobSet globs_;
  std::vector<RuleId> glob_rules_;
};

}  // namespace weir::policy
