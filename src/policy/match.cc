// SPDX-License-Identifier: Apache-2.0
#include "policy/match.h"

#include <algorithm>
#include <array>

#include "facts/field_ids.h"
#include "policy/values.h"

namespace weir::policy {
namespace {

using namespace field;

Judgement truth(bool value, bool final) { return {value ? Truth::True : Truth::False, final}; }

bool has_ports(std::uint8_t protocol) {
  return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || protocol == ip_protocol::kSctp;
}

Judgement judge_app(const Condition& c, const View& view) {
  if (view.flow == nullptr || !has_ports(view.flow->ends.protocol)) return truth(c.values.absent && !c.negated, true);
  const AppChain& app = view.flow->app;
  if (app.hidden) return truth(c.values.hidden && !c.negated, true);
  const bool open = app.open;
  const AppSet candidates = view.at_bound ? AppSet::of(kUnknownApp) : app.candidates;
  const AppSet& asked = c.values.apps;
  if (c.values.present || c.values.absent || c.values.hidden) {
    const bool known = app.count != 0 && app.layers[0] != kUnknownApp;
    if (app.count == 0) return {Truth::Unknown, false};
    return truth((known && c.values.present) != c.negated, true);
  }
  if (c.negated) {  // The outermost layer: what this port really speaks.
    if (app.count != 0) return truth(!asked.has(app.layers[0]), true);
    if (app.midstream) return view.at_bound ? truth(false, false) : Judgement{Truth::Unknown, false};
    if (!candidates.intersects(asked)) return truth(true, !view.at_bound);
    if (candidates.inside(asked)) return truth(false, !view.at_bound);
    return {Truth::Unknown, false};
  }
  for (std::size_t i = 0; i < app.count; ++i)
    if (asked.has(app.layers[i])) return truth(true, true);
  if (!open) return truth(false, !app.may_extend);
  if (!candidates.intersects(asked)) return truth(false, false);
  if (candidates.inside(asked)) return truth(true, !view.at_bound);
  return {Truth::Unknown, false};
}

Judgement judge_ip_protocol(const CompiledCondition& cc, const View& view) {
  const Condition& c = *cc.condition;
  if (view.layer == nullptr || view.layer->version == 0) return truth(c.values.absent && !c.negated, true);
  if (c.values.present) return truth(!c.negated, true);
  const auto asked = [&](std::uint8_t n) {
    for (const NumberRange& r : c.values.numbers)
      if (r.first <= n && n <= r.last) return true;
    return false;
  };
  if (view.flow != nullptr && asked(view.flow->ends.protocol)) return truth(!c.negated, true);
  for (std::size_t i = 0; i < view.layer->protocols_count; ++i)
    if (asked(view.layer->protocols[i])) return truth(!c.negated, false);
  return truth(c.negated, !cc.extension_headers);
}

/// Whether the fact can still take another value on this flow.
bool can_change(const CompiledCondition& cc, const View& view, const Fact& fact) {
  if (cc.kind == KeyKind::Fixed || view.flow == nullptr) return false;
  const FieldId id = cc.row->id;
  if (id == kFlowState) return view.flow->state == FlowState::New || view.flow->state == FlowState::Invalid;
  if (cc.apart) return false;
  const AppChain& app = view.flow->app;
  // Once nobody reads the flow any more only headers bring flaws, and a settled flow's packet that has one is judged by itself.
  if (id == kFlaw) return !view.described_all || (app.may_extend && !app.hidden);
  if (cc.kind == KeyKind::Packet) return true;
  const AppSet& owners = view.vocabulary->owners(id);
  const bool comes_later = has_ports(view.flow->ends.protocol) && (app.open || app.may_extend) && !app.hidden;
  if (id == kAppConfirmed || id == kAppOnStandardPort) return fact.state == FactState::NotYet;
  if (cc.kind == KeyKind::Content) {
    if (fact.state == FactState::NotYet || !fact.complete) return true;
    return fact.state == FactState::Absent && !owners.empty() && comes_later;
  }
  if (cc.row->scope == Scope::Reading) {
    // Readings of one kind of packet take no value on flows of others.
    const std::uint8_t protocol = view.flow->ends.protocol;
    if (id == kArpBinding) return false;
    if (id == kNdBinding) return protocol == ip_protocol::kIcmpv6;
    if (id == kIcmpTunnel) return protocol == ip_protocol::kIcmp || protocol == ip_protocol::kIcmpv6;
    return owners.empty() || may_come(view, id) || comes_later;
  }
  if (!owners.empty() && !may_come(view, id)) return comes_later;
  return !view.described_all || comes_later;
}

}  // namespace

Judgement judge(const CompiledCondition& cc, const View& view, const ZoneMap& zones) {
  const Condition& c = *cc.condition;
  if (c.field == kAppProtocol) return judge_app(c, view);
  if (c.field == kIpProtocol) return judge_ip_protocol(cc, view);
  const Fact fact = look_up(view, c.field);
  const bool final = !can_change(cc, view, fact);
  if (c.values.absent || c.values.present || c.values.hidden) {
    if (fact.state == FactState::NotYet) return {Truth::Unknown, false};
    const bool holds = (c.values.absent && fact.state == FactState::Absent) ||
                       (c.values.present && fact.state == FactState::Known) ||
                       (c.values.hidden && fact.state == FactState::Hidden);
    return truth(holds != c.negated, final);
  }
  switch (fact.state) {
    case FactState::NotYet: return {Truth::Unknown, false};
    case FactState::Absent:
    case FactState::Hidden: return truth(false, final);
    case FactState::Known: break;
  }
  const bool by_zone = cc.row->type == FieldType::Address && !c.values.zones.empty();
  const bool hit = fact.any([&](const Value& value) {
    ZoneId zone = kNoZone;
    if (by_zone) {
      if (c.field == kFrom || c.field == kClientIp) zone = view.flow->from;
      else if (c.field == kTo || c.field == kServerIp) zone = view.flow->to;
      else zone = zones.zone_of(value.ip(), view.packet->frame->port, view.layer == nullptr ? value.ip() : view.layer->dst);
    }
    return value_matches(c, *cc.row, value, zone);
  });
  const bool grows = !fact.complete && !cc.row->list && cc.row->type == FieldType::Number && !c.values.numbers.empty();
  if (grows) {
    // It only grows: certain is what is so for every larger number too.
    const std::uint64_t least = fact.least(), last = c.values.numbers.back().last;
    const bool stays = hit ? least >= c.values.numbers.back().first && last == UINT64_MAX : last < least;
    if (!stays) return {Truth::Unknown, false};
  }
  // The packet at hand is of those that are judged by themselves: the next one is not.
  if (hit) return truth(!c.negated, (final && !cc.apart) || cc.kind == KeyKind::Content);
  // A list that may grow can still bring the value.
  if (!grows && !fact.complete && (cc.row->list || cc.row->scope == Scope::Transaction)) return {Truth::Unknown, false};
  return truth(c.negated, final);
}

namespace {

Judgement judge_all(const std::vector<CompiledCondition>& conditions, const View& view, const ZoneMap& zones) {
  Judgement all{Truth::True, true};
  for (const CompiledCondition& cc : conditions) {
    const Judgement one = judge(cc, view, zones);
    if (one.truth == Truth::False) {
      if (one.final) return one;
      all = {Truth::False, false};
    } else if (all.truth != Truth::False) {
      if (one.truth == Truth::Unknown) all.truth = Truth::Unknown;
      all.final = all.final && one.final;
    }
  }
  return all;
}

}  // namespace

Judgement judge(const CompiledRule& rule, const View& view, const ZoneMap& zones, bool residual) {
  Judgement whole = judge_all(residual ? rule.residual : rule.match, view, zones);
  if (whole.truth == Truth::False && whole.final) return whole;
  for (const auto& map : rule.unless) {
    const Judgement exception = judge_all(map, view, zones);
    if (exception.truth == Truth::True) {
      if (exception.final) return {Truth::False, true};
      whole = {Truth::False, false};
    } else if (whole.truth != Truth::False) {
      if (exception.truth == Truth::Unknown) whole.truth = Truth::Unknown;
      whole.final = whole.final && exception.final;
    }
  }
  return whole;
}

namespace {

bool is_deny(Action action) { return action == Action::Drop || action == Action::Reject || action == Action::Sinkhole; }

bool asleep(const Rule& rule, const View& view) {
  return rule.expires_wall_ns != INT64_MAX && view.packet->frame->time.wall_ns >= rule.expires_wall_ns;
}

Reach reach_of(const CompiledRule& rule, const View& view) {
  const bool udp = view.flow != nullptr && view.flow->ends.protocol == ip_protocol::kUdp;
  if (rule.rule->action == Action::Limit) {
    if (rule.rule->limit.unit >= LimitUnit::Packets) return Reach::Packet;
    return udp && rule.transaction ? Reach::Datagram : Reach::Flow;
  }
  if (rule.transaction) return udp ? Reach::Datagram : Reach::Flow;
  if (rule.content) return udp && rule.packet ? Reach::Datagram : Reach::Flow;
  return Reach::Packet;
}

Reach reach_of_default(const Candidates& candidates, const View& view) {
  const bool udp = view.flow != nullptr && view.flow->ends.protocol == ip_protocol::kUdp;
  if (candidates.transaction) return udp ? Reach::Datagram : Reach::Flow;
  return candidates.content ? Reach::Flow : Reach::Packet;
}

}  // namespace

namespace {

/// One question: rules are asked in their order until one ends it.
class Asking {
 public:
  Asking(const RuleSet& rules, const View& view, Meters& meters)
      : rules_(rules), view_(view), meters_(meters), residual_(view.flow != nullptr) {
    out.headers_only = true;
  }

  /// Asks a rule. True: it is R, and the outcome is whole.
  bool ends(RuleId id);
  /// Asks a rule one of whose conditions certainly does not hold now.
  void note(RuleId id);
  /// A further rule of such a kind cannot change the outcome any more.
  bool is_known(Judgement condition, AnswerClass answer) const {
    if (condition.truth == Truth::False && condition.final) return true;
    if (out.settled || out.headers_only) return false;
    if (condition.truth == Truth::False || answer == AnswerClass::Report) return true;
    return answer == AnswerClass::Pass ? unknown_pass_ : unknown_deny_;
  }
  Outcome by_default(const Candidates& candidates);

  Outcome out;

 private:
  bool decide(const CompiledRule& compiled, RuleId id);
  void report(RuleId id, Action action) {
    if (out.reports_count < Outcome::kReportsMax) out.reports[out.reports_count++] = {id, action};
  }
  /// Counts what is open about it. True if it certainly holds.
  bool weigh(const CompiledRule& compiled);
  void conclude() {
    out.certain = out.pass ? !unknown_deny_ : !unknown_pass_;
    out.unknown_deny = unknown_deny_;
  }

  const RuleSet& rules_;
  const View& view_;
  Meters& meters_;
  bool residual_;
  bool unknown_pass_ = false, unknown_deny_ = false;
};

bool Asking::weigh(const CompiledRule& compiled) {
  const Judgement j = judge(compiled, view_, rules_.zones(), residual_);
  if (!j.final) {
    out.settled = false;
    out.headers_only = out.headers_only && compiled.header_only;
  }
  if (j.truth == Truth::Unknown) {
    const AnswerClass answer = compiled.answer_class();
    unknown_pass_ = unknown_pass_ || answer == AnswerClass::Pass;
    unknown_deny_ = unknown_deny_ || answer == AnswerClass::Deny;
  }
  return j.truth == Truth::True;
}

void Asking::note(RuleId id) {
  const CompiledRule& compiled = rules_.rule(id);
  if (!asleep(*compiled.rule, view_)) weigh(compiled);
}

bool Asking::ends(RuleId id) {
  const CompiledRule& compiled = rules_.rule(id);
  const Rule& rule = *compiled.rule;
  if (asleep(rule, view_) || !weigh(compiled)) return false;
  if (!compiled.header_only) out.headers_only = false;
  if (compiled.answer_class() == AnswerClass::Report) {
    if (rule.action == Action::Limit && rule.limit.unit != LimitUnit::Flows) out.settled = false;  // As if it were enforced.
    if (rule.action == Action::Limit && !meters_.over_limit(id, rule, view_)) return false;
    if (rule.action == Action::Ban && !meters_.ban_begins(id, rule, view_)) return false;
    report(id, rule.action);
    return false;
  }
  return decide(compiled, id);
}

/// A rule that holds and is enforced. True unless a meter lets it by.
bool Asking::decide(const CompiledRule& compiled, RuleId id) {
  const Rule& rule = *compiled.rule;
  if (rule.action == Action::Limit) {
    // What is counted again and again is never settled.
    if (rule.limit.unit != LimitUnit::Flows) out.settled = false;
    if (!meters_.over_limit(id, rule, view_)) return false;
    if (rule.limit.over == Action::Alert) return report(id, Action::Alert), false;
    out.action = rule.limit.over;
    if (out.action == Action::Ban) {
      meters_.ban_begins(id, rule, view_);
      out.action = Action::Drop;
    }
  } else if (rule.action == Action::Ban) {
    if (!meters_.ban_begins(id, rule, view_)) return false;
    out.action = Action::Drop;
  } else {
    out.action = rule.action;
  }
  out.rule = id;
  out.pass = !is_deny(out.action);
  out.reach = reach_of(compiled, view_);
  conclude();
  return true;
}

Outcome Asking::by_default(const Candidates& candidates) {
  const Action action = rules_.policy().default_action;
  out.pass = !is_deny(action);
  out.action = action;
  out.rule = out.pass ? kNoRule : kDefaultRule;
  out.reach = reach_of_default(candidates, view_);
  conclude();
  return out;
}

/// How a condition on an indexed field stands where no value of the rule's is there; the rules that a value may concern go to
/// `hits`.
Judgement ask_index(const IndexedField& indexed, const View& view, IndexedHits& hits) {
  const FieldRow& row = *indexed.sample.row;
  const Fact fact = look_up(view, row.id);
  if (fact.state == FactState::NotYet) return {Truth::Unknown, false};
  const bool final = !can_change(indexed.sample, view, fact);
  if (fact.state != FactState::Known) return {Truth::False, final};
  fact.any([&](const Value& value) {
    indexed.index.for_each_rule(value.text(), [&](RuleId id) {
      if (hits.has(id)) return;
      hits.marks[id] = hits.question;
      hits.rules.push_back(id);
    });
    return false;
  });
  if (!fact.complete && (row.list || row.scope == Scope::Transaction)) return {Truth::Unknown, false};
  return {Truth::False, final};
}



/// Single rules and the rules that the index names are asked in their order. Of all others only one thing counts, what they leave
/// open, and that is the same for a whole group once one of them has left it open: so a group is walked up to that one.
Outcome match_indexed(const RuleSet& rules, const Candidates& candidates, const View& view, Meters& meters) {
  IndexedHits& hits = rules.hits();
  hits.rules.clear();
  if (++hits.question == 0) std::fill(hits.marks.begin(), hits.marks.end(), 0), hits.question = 1;
  std::array<Judgement, kIndexedGroupsMax> by_field;
  for (std::size_t f = 0; f < rules.indexed_fields().size(); ++f) by_field[f] = ask_index(rules.indexed_fields()[f], view, hits);
  std::sort(hits.rules.begin(), hits.rules.end());

  Asking asking(rules, view, meters);
  const std::size_t groups = rules.groups().size();
  std::array<std::uint32_t, kIndexedGroupsMax> walked;
  for (std::size_t g = 0; g < groups; ++g) walked[g] = g == 0 ? 0 : candidates.group_ends[g - 1];
  const auto note_before = [&](RuleId id) {
    for (std::size_t g = 0; g < groups; ++g) {
      const IndexedGroup& group = rules.groups()[g];
      for (; walked[g] < candidates.group_ends[g] && candidates.grouped[walked[g]] < id; ++walked[g]) {
        if (asking.is_known(by_field[group.field], group.answer)) break;
        if (!hits.has(candidates.grouped[walked[g]])) asking.note(candidates.grouped[walked[g]]);
      }
    }
  };
  auto hit = hits.rules.begin();
  std::uint32_t single = 0;
  for (;;) {
    const RuleId next_single = single < candidates.single_count ? candidates.single[single] : kNoRule;
    while (hit != hits.rules.end() && *hit < next_single && !std::binary_search(candidates.begin(), candidates.end(), *hit))
      ++hit;
    const bool by_hit = hit != hits.rules.end() && *hit < next_single;
    const RuleId id = by_hit ? *hit++ : next_single;
    note_before(id);
    if (id == kNoRule) return asking.by_default(candidates);
    if (!by_hit) ++single;
    if (asking.ends(id)) return asking.out;
  }
}

}  // namespace

Outcome match(const RuleSet& rules, const Candidates& candidates, const View& view, Meters& meters) {
  if (candidates.group_ends != nullptr && view.flow != nullptr) return match_indexed(rules, candidates, view, meters);
  Asking asking(rules, view, meters);
  for (const RuleId id : candidates)
    if (asking.ends(id)) return asking.out;
  return asking.by_default(candidates);
}

bool cuts(const RuleSet& rules, const Outcome& outcome) {
  if (outcome.reach == Reach::Flow || outcome.rule == kDefaultRule) return true;
  if (outcome.rule >= rules.rules().size()) return false;
  const CompiledRule& rule = rules.rule(outcome.rule);
  return outcome.reach == Reach::Packet && !rule.packet && !rule.content && !rule.transaction && !rule.reading && rule.rule->action != Action::Limit;
}

RuleId match_headers(const RuleSet& rules, const Candidates& candidates, const View& view) {
  for (const RuleId id : candidates) {
    const CompiledRule& compiled = rules.rule(id);
    const Rule& rule = *compiled.rule;
    const bool ends = is_deny(rule.action) || rule.action == Action::Allow;
    if (!compiled.header_only || !ends || rule.monitor || asleep(rule, view)) continue;
    if (judge(compiled, view, rules.zones(), true).truth == Truth::True) return id;
  }
  return kNoRule;
}

}  // namespace weir::policy
