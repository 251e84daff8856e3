// SPDX-License-Identifier: Apache-2.0
#include "policy/match.h"

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
  if (cc.kind == KeyKind::Packet) return true;
  const AppChain& app = view.flow->app;
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
    const bool holds = (c.values.absent && fact.state == FactState::Absent) || (c.values.present && fact.state == FactState::Known) ||
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
  if (hit) return truth(!c.negated, final || cc.kind == KeyKind::Content);
  // A list that may grow can still bring the value. A number that only grows (http.body_bytes) likewise.
  if (!fact.complete && (cc.row->list || cc.row->scope == Scope::Transaction)) return {Truth::Unknown, false};
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

Outcome match(const RuleSet& rules, const Candidates& candidates, const View& view, Meters& meters) {
  Outcome out;
  bool unknown_pass = false, unknown_deny = false;
  out.headers_only = true;
  const bool residual = view.flow != nullptr;
  const auto report = [&](RuleId id, Action action) {
    if (out.reports_count < Outcome::kReportsMax) out.reports[out.reports_count++] = {id, action};
  };
  for (const RuleId id : candidates) {
    const CompiledRule& compiled = rules.rule(id);
    const Rule& rule = *compiled.rule;
    if (asleep(rule, view)) continue;
    const Judgement j = judge(compiled, view, rules.zones(), residual);
    if (!j.final) {
      out.settled = false;
      out.headers_only = out.headers_only && compiled.header_only;
    }
    if (j.truth == Truth::False) continue;
    if (j.truth == Truth::Unknown) {
      if (rule.monitor || rule.action == Action::Alert) continue;
      (compiled.is_pass() ? unknown_pass : unknown_deny) = true;
      continue;
    }
    if (!compiled.header_only) out.headers_only = false;
    if (rule.monitor || rule.action == Action::Alert) {
      if (rule.action == Action::Limit && rule.limit.unit != LimitUnit::Flows) out.settled = false;  // As if it were enforced.
      if (rule.action == Action::Limit && !meters.over_limit(id, rule, view)) continue;
      if (rule.action == Action::Ban && !meters.ban_begins(id, rule, view)) continue;
      report(id, rule.action);
      continue;
    }
    if (rule.action == Action::Limit) {
      // What is counted again and again is never settled.
      if (rule.limit.unit != LimitUnit::Flows) out.settled = false;
      if (!meters.over_limit(id, rule, view)) continue;
      if (rule.limit.over == Action::Alert) {
        report(id, Action::Alert);
        continue;
      }
      out.action = rule.limit.over;
      if (out.action == Action::Ban) {
        meters.ban_begins(id, rule, view);
        out.action = Action::Drop;
      }
    } else if (rule.action == Action::Ban) {
      if (!meters.ban_begins(id, rule, view)) continue;
      out.action = Action::Drop;
    } else {
      out.action = rule.action;
    }
    out.rule = id;
    out.pass = !is_deny(out.action);
    out.reach = reach_of(compiled, view);
    out.certain = out.pass ? !unknown_deny : !unknown_pass;
    out.unknown_deny = unknown_deny;
    return out;
  }
  const Action action = rules.policy().default_action;
  out.pass = !is_deny(action);
  out.action = action;
  out.rule = out.pass ? kNoRule : kDefaultRule;
  out.reach = reach_of_default(candidates, view);
  out.certain = out.pass ? !unknown_deny : !unknown_pass;
  out.unknown_deny = unknown_deny;
  return out;
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
