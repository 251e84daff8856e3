// SPDX-License-Identifier: Apache-2.0
#pragma once

// The oracle: the meaning of a policy written down as plainly as can be, to hold the compiled matcher to. Every rule is asked with every
// condition that it has, in order; there are no candidate lists, classes, memories or shortcuts. What it shares with the product is
// policy::judge() of one condition, which has tests of its own.
//
// Not compared: `headers_only` and the reach of `default`, which say how an answer was come by.

#include <string>
#include <vector>

#include "policy/match.h"

namespace weir::kit {

struct OracleOutcome {
  RuleId rule = kNoRule;
  policy::Action action = policy::Action::Allow;
  bool pass = true, certain = true, settled = true;
  std::vector<RuleId> reports;  ///< Alerts and monitored rules that match.
  bool operator==(const OracleOutcome&) const = default;
};

inline OracleOutcome of(const policy::Outcome& o) {
  OracleOutcome out{o.rule, o.action, o.pass, o.certain, o.settled, {}};
  for (std::size_t i = 0; i < o.reports_count; ++i) out.reports.push_back(o.reports[i].rule);
  return out;
}

namespace asking {

using policy::Judgement, policy::Truth, policy::Action;

/// All of them hold (Kleene). False for good as soon as one is; true for good if all are.
inline Judgement all_of(const std::vector<Judgement>& parts) {
  bool any_false = false, any_unknown = false, false_for_good = false, all_final = true;
  for (const Judgement& part : parts) {
    any_false = any_false || part.truth == Truth::False;
    any_unknown = any_unknown || part.truth == Truth::Unknown;
    false_for_good = false_for_good || (part.truth == Truth::False && part.final);
    all_final = all_final && part.final;
  }
  if (any_false) return {Truth::False, false_for_good};
  return {any_unknown ? Truth::Unknown : Truth::True, all_final};
}
inline Judgement not_so(Judgement j) {
  if (j.truth != Truth::Unknown) j.truth = j.truth == Truth::True ? Truth::False : Truth::True;
  return j;
}

inline Judgement of_rule(const policy::RuleSet& rules, const policy::Rule& rule, const View& view) {
  const auto judged = [&](const policy::AllOf& conditions) {
    std::vector<Judgement> parts;
    for (const policy::Condition& c : conditions) {
      const FieldRow* row = rules.vocabulary().field(c.field);
      const policy::CompiledCondition cc{&c, row, policy::kind_of(*row), c.field == rules.vocabulary().field("ip.protocol")->id && policy::asks_extension_headers(c),
                                         policy::asks_headers_flaw(c)};
      parts.push_back(policy::judge(cc, view, rules.zones()));
    }
    return all_of(parts);
  };
  std::vector<Judgement> whole{judged(rule.match)};
  for (const policy::AllOf& exception : rule.unless) whole.push_back(not_so(judged(exception)));
  return all_of(whole);
}

inline bool denies(Action action) { return action == Action::Drop || action == Action::Reject || action == Action::Sinkhole; }

}  // namespace asking

inline OracleOutcome oracle(const policy::RuleSet& rules, const View& view, policy::Meters& meters) {
  using policy::Action, policy::Judgement, policy::Truth;
  OracleOutcome out;
  bool pass_possible = false, deny_possible = false;  // By a rule before R that is still unknown.
  const auto decide = [&](RuleId rule, Action action) {
    out.rule = rule;
    out.action = action;
    out.pass = !asking::denies(action);
    out.certain = out.pass ? !deny_possible : !pass_possible;
  };
  for (RuleId id = 0; id < rules.policy().rules.size(); ++id) {
    const policy::Rule& rule = rules.policy().rules[id];
    if (view.packet->frame->time.wall_ns >= rule.expires_wall_ns && rule.expires_wall_ns != INT64_MAX) continue;
    const Judgement j = asking::of_rule(rules, rule, view);
    if (!j.final) out.settled = false;
    const bool only_tells = rule.monitor || rule.action == Action::Alert;
    if (j.truth == Truth::Unknown && !only_tells) (rule.action == Action::Allow ? pass_possible : deny_possible) = true;
    if (j.truth != Truth::True) continue;
    if (rule.action == Action::Limit && rule.limit.unit != policy::LimitUnit::Flows) out.settled = false;
    if (rule.action == Action::Limit && !meters.over_limit(id, rule, view)) continue;
    if (rule.action == Action::Ban && !meters.ban_begins(id, rule, view)) continue;
    if (only_tells || (rule.action == Action::Limit && rule.limit.over == Action::Alert)) {
      if (out.reports.size() < policy::Outcome::kReportsMax) out.reports.push_back(id);
      continue;
    }
    Action action = rule.action == Action::Limit ? rule.limit.over : rule.action;
    if (action == Action::Ban) action = Action::Drop;
    decide(id, action);
    return out;
  }
  decide(kDefaultRule, rules.policy().default_action);
  if (out.pass) out.rule = kNoRule;
  return out;
}

/// For packets whose direction is a guess: the first rule that headers alone make certain.
inline RuleId oracle_of_headers(const policy::RuleSet& rules, const View& view) {
  for (RuleId id = 0; id < rules.policy().rules.size(); ++id) {
    const policy::Rule& rule = rules.policy().rules[id];
    if (rule.monitor || view.packet->frame->time.wall_ns >= rule.expires_wall_ns) continue;
    if (rule.action != policy::Action::Allow && !asking::denies(rule.action)) continue;
    if (rules.rule(id).header_only && asking::of_rule(rules, rule, view).truth == policy::Truth::True) return id;
  }
  return kNoRule;
}

/// What differs, in words; empty if nothing does.
inline std::string difference(const OracleOutcome& told, const policy::Outcome& outcome) {
  const OracleOutcome got = of(outcome);
  std::string out;
  const auto differs = [&](std::string_view what, auto expected, auto answer) {
    if (expected != answer) out += std::string(what) + ": the oracle says " + std::to_string(expected) + ", the matcher " + std::to_string(answer) + "; ";
  };
  differs("rule", told.rule, got.rule);
  differs("action", static_cast<int>(told.action), static_cast<int>(got.action));
  differs("pass", static_cast<int>(told.pass), static_cast<int>(got.pass));
  differs("certain", static_cast<int>(told.certain), static_cast<int>(got.certain));
  differs("settled", static_cast<int>(told.settled), static_cast<int>(got.settled));
  if (told.reports != got.reports) out += "reports differ; ";
  return out;
}

}  // namespace weir::kit
