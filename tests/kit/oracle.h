// SPDX-License-Identifier: Apache-2.0
#pragma once

// The oracle for matching: every rule in its order, with all its conditions; no candidates, nothing taken as answered. It shares judge() of
// one rule with the product, so what it shows wrong is stage A, the cut of candidate lists, and the running outcome. What one condition
// says of one fact it leaves to the tests of values.

#include "policy/match.h"

namespace weir::kit {

struct OracleOutcome {
  RuleId rule = kNoRule;
  bool pass = true, certain = true, settled = true;
  bool operator==(const OracleOutcome&) const = default;
};

inline OracleOutcome of(const policy::Outcome& o) { return {o.rule, o.pass, o.certain, o.settled}; }

inline bool denies(policy::Action action) {
  using policy::Action;
  return action == Action::Drop || action == Action::Reject || action == Action::Sinkhole || action == Action::Ban;
}

inline OracleOutcome oracle(const policy::RuleSet& rules, const View& view, policy::Meters& meters) {
  using policy::Action, policy::Truth;
  OracleOutcome out;
  bool maybe_pass = false, maybe_deny = false;
  for (RuleId id = 0; id < rules.rules().size(); ++id) {
    const policy::Rule& rule = *rules.rule(id).rule;
    if (rule.expires_wall_ns <= view.packet->frame->time.wall_ns && rule.expires_wall_ns != INT64_MAX) continue;
    const policy::Judgement j = policy::judge(rules.rule(id), view, rules.zones(), false);
    if (!j.final) out.settled = false;
    const bool never_decides = rule.monitor || rule.action == Action::Alert;
    if (j.truth == Truth::Unknown && !never_decides) (rule.action == Action::Allow ? maybe_pass : maybe_deny) = true;
    if (j.truth != Truth::True) continue;
    if (never_decides) {
      if (rule.action == Action::Limit) (void)meters.over_limit(id, rule, view);
      if (rule.action == Action::Ban) (void)meters.ban_begins(id, rule, view);
      continue;
    }
    Action action = rule.action;
    if (action == Action::Limit) {
      if (rule.limit.unit != policy::LimitUnit::Flows) out.settled = false;
      if (!meters.over_limit(id, rule, view) || rule.limit.over == Action::Alert) continue;
      action = rule.limit.over;
    } else if (action == Action::Ban && !meters.ban_begins(id, rule, view)) {
      continue;
    }
    out.rule = id;
    out.pass = !denies(action);
    out.certain = out.pass ? !maybe_deny : !maybe_pass;
    return out;
  }
  out.pass = !denies(rules.policy().default_action);
  out.rule = out.pass ? kNoRule : kDefaultRule;
  out.certain = out.pass ? !maybe_deny : !maybe_pass;
  return out;
}

}  // namespace weir::kit
