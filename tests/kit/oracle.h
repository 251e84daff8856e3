// SPDX-License-Identifier: Apache-2.0
#pragma once

// The oracle: the meaning of a policy written down as plainly as can be, to hold the compiled matcher to. Every rule is asked with every
// condition that it has, in order; there are no candidate lists, classes, memories or shortcuts. What it shares with the product is
// policy::judge() of one condition and kind_of() a key, which have tests of their own.
//
// How far a denial by `default` reaches depends on the rules that might have decided otherwise, and the matcher may know cheaply or not that a
// rule cannot. So two answers bound it: with those rules alone that no fixed header rules out, and with all.

#include <string>
#include <vector>

#include "policy/match.h"

namespace weir::kit {

struct OracleOutcome {
  RuleId rule = kNoRule;
  policy::Action action = policy::Action::Allow;
  bool pass = true, certain = true, settled = true;
  bool headers_only = true;
  policy::Reach reach_least = policy::Reach::Packet, reach_most = policy::Reach::Packet;  ///< Of a denial; equal for a rule.
  std::vector<RuleId> reports;  ///< Alerts and monitored rules that match.
};

inline OracleOutcome of(const policy::Outcome& o) {
  OracleOutcome out{o.rule, o.action, o.pass, o.certain, o.settled, o.headers_only, o.reach, o.reach, {}};
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
                                         policy::asks_apart(c)};
      parts.push_back(policy::judge(cc, view, rules.zones()));
    }
    return all_of(parts);
  };
  std::vector<Judgement> whole{judged(rule.match)};
  for (const policy::AllOf& exception : rule.unless) whole.push_back(not_so(judged(exception)));
  return all_of(whole);
}

/// What kinds of key a rule has, `unless` included.
struct Kinds {
  bool packet = false, content = false, transaction = false, reading = false;
  bool headers() const { return !content && !transaction && !reading; }
};
inline Kinds kinds_of(const policy::RuleSet& rules, const policy::Rule& rule) {
  Kinds kinds;
  const auto add = [&](const policy::AllOf& conditions) {
    for (const policy::Condition& c : conditions) {
      const FieldRow& row = *rules.vocabulary().field(c.field);
      const policy::KeyKind kind = policy::kind_of(row);
      const bool of_flow = row.name == "ip.protocol" && !policy::asks_extension_headers(c);
      kinds.packet |= kind == policy::KeyKind::Packet && !of_flow;
      kinds.content |= kind == policy::KeyKind::Content;
      kinds.transaction |= row.scope == Scope::Transaction;
      kinds.reading |= row.scope == Scope::Reading;
    }
  };
  add(rule.match);
  for (const policy::AllOf& exception : rule.unless) add(exception);
  return kinds;
}

/// DESIGN: on UDP a deny by a transaction's or packet's facts stops that datagram, one by the flow's facts the flow; a deny by headers that
/// packet. On TCP a deny for content ends the flow.
inline policy::Reach reach_of(const policy::Rule& rule, const Kinds& kinds, bool udp) {
  using policy::Reach;
  if (rule.action == Action::Limit && rule.limit.unit >= policy::LimitUnit::Packets) return Reach::Packet;
  if (udp && (kinds.transaction || (kinds.content && kinds.packet && rule.action != Action::Limit))) return Reach::Datagram;
  return kinds.transaction || kinds.content || rule.action == Action::Limit ? Reach::Flow : Reach::Packet;
}

/// Headers that are the same for the whole flow rule it out.
inline bool ruled_out(const policy::RuleSet& rules, const policy::Rule& rule, const View& view) {
  for (const policy::Condition& c : rule.match) {
    const FieldRow* row = rules.vocabulary().field(c.field);
    const bool extension = row->name == "ip.protocol" && policy::asks_extension_headers(c);
    const policy::CompiledCondition cc{&c, row, policy::kind_of(*row), extension};
    if (cc.kind != policy::KeyKind::Fixed && row->name != "ip.protocol") continue;
    const Judgement j = policy::judge(cc, view, rules.zones());
    if (j.truth == Truth::False && j.final) return true;
  }
  return false;
}

inline policy::Reach reach_of_default(const policy::RuleSet& rules, const View& view, bool all, bool udp) {
  bool content = false, transaction = false;
  for (const policy::Rule& rule : rules.policy().rules) {
    if (!all && (view.packet->frame->time.wall_ns >= rule.expires_wall_ns || ruled_out(rules, rule, view))) continue;
    const Kinds kinds = kinds_of(rules, rule);
    content |= kinds.content;
    transaction |= kinds.transaction;
  }
  if (transaction) return udp ? policy::Reach::Datagram : policy::Reach::Flow;
  return content ? policy::Reach::Flow : policy::Reach::Packet;
}

inline bool denies(Action action) { return action == Action::Drop || action == Action::Reject || action == Action::Sinkhole; }

}  // namespace asking

inline OracleOutcome oracle(const policy::RuleSet& rules, const View& view, policy::Meters& meters) {
  using policy::Action, policy::Judgement, policy::Truth;
  OracleOutcome out;
  const bool udp = view.flow != nullptr && view.flow->ends.protocol == ip_protocol::kUdp;
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
    const asking::Kinds kinds = asking::kinds_of(rules, rule);
    if (!(j.truth == Truth::False && j.final) && !kinds.headers()) out.headers_only = false;
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
    out.reach_least = out.reach_most = asking::reach_of(rule, kinds, udp);
    return out;
  }
  out.reach_least = asking::reach_of_default(rules, view, false, udp);
  out.reach_most = asking::reach_of_default(rules, view, true, udp);
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
inline std::string difference(const OracleOutcome& told, const policy::Outcome& outcome, const View& view) {
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
  differs("headers_only", static_cast<int>(told.headers_only), static_cast<int>(got.headers_only));
  // Packet, flow, datagram: what asks more comes later, since on UDP a transaction speaks for itself.
  const auto rank = [](policy::Reach reach) { return reach == policy::Reach::Packet ? 0 : reach == policy::Reach::Flow ? 1 : 2; };
  const int reached = rank(got.reach_least);
  // A frame of no flow (ARP) has none.
  if (view.flow != nullptr && !told.pass && (reached < rank(told.reach_least) || reached > rank(told.reach_most)))
    out += "reach: the oracle says " + std::to_string(rank(told.reach_least)) + " to " + std::to_string(rank(told.reach_most)) + ", the matcher " +
           std::to_string(reached) + "; ";
  if (told.reports != got.reports) out += "reports differ; ";
  return out;
}

}  // namespace weir::kit
