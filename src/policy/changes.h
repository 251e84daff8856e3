// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changes: what a reload does to each rule. A rule is found again by its name (of several with one name, as guards have them, by
// its place among those), and is the same if nothing that it asks or does is different: its conditions, the contents of
// its sets, its action, and the ground that all rules stand on (zones, accounts, what guards ask of state).
//
// "The same" errs to the safe side: it may be false for rules that mean the same, and is never true for others. Where it
// holds, what was decided by that rule need not be asked again.

#include <vector>

#include "policy/compile.h"

namespace weir::policy {

struct Changes {
  std::vector<RuleId> now;   ///< By the number that a rule had: the one that it has, or kNoRule where it is gone.
  std::vector<bool> same;    ///< By the number that it had.
  RuleId same_until = 0;     ///< Rules before this number are the same, in the same places.
  bool identical = false;    ///< Rules, default, ground and bounds: nothing would be decided otherwise.

  /// Numbers that no rule has (`default`, …) stay.
  RuleId renamed(RuleId before) const { return before >= kOperatorRule ? before : before < now.size() ? now[before] : kNoRule; }
  bool is_same(RuleId before) const { return before < same.size() && same[before]; }
  /// Everything that was asked up to the rule that decided is as it was: what it decided stands.
  bool stands(RuleId decided) const { return identical || decided < same_until; }
};

Changes changes_between(const RuleSet& before, const RuleSet& after);
/// From the first to the last of three rule sets.
Changes joined(const Changes& first, const Changes& second);

}  // namespace weir::policy
