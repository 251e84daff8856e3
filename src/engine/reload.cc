// SPDX-License-Identifier: Apache-2.0
// Reload: another rule set between two batches, and what becomes of flows that are older.
//
// Nothing is walked but bans and denials. A flow carries the generation under which it was judged last; its next packet, a hold's
// end or an ICMP error about it finds it older and renews it:
//
//   all that was asked up to the rule that decided is as it was    the verdict stands
//   settled or denied otherwise    judged again from what it kept: headers, zones, application, names. The rule that decided, if it
//                                  is unchanged itself, still matches; what was not kept is hidden (DESIGN, "Settled flows")
//   not settled                    goes on reading; rules are asked again with what is known
//
// What a flow keeps, in a block of the pool: for each fact of the flow's scope its field, its size, its value.
//
//   size:1  { field:2  size:1  value:size } …    size 255: absent; text as it is, other values as 16 bytes

#include <cstring>

#include "engine/carrier.h"
#include "engine/lane.h"
#include "engine/stopper.h"
#include "facts/field_ids.h"
#include "proto/registry.h"

namespace weir::engine {

using policy::Changes;
using state::FlowVerdict;

namespace {

constexpr std::size_t kKeptMax = 255;
constexpr std::uint8_t kAbsent = 255;
constexpr std::size_t kEntryHead = 3;

bool is_text(FieldType type) { return type == FieldType::Text || type == FieldType::TextFold || type == FieldType::Domain; }

/// Bytes of that flow went by before now, or may have.
bool in_its_middle(const Flow& flow) {
  if (flow.ends.protocol != ip_protocol::kTcp) return false;
  for (const state::TcpSide& side : flow.tcp)
    if (side.seen && side.next != side.initial) return true;
  return flow.picked_up;
}

}  // namespace

const Changes& Lane::changes_since(std::uint32_t generation) const {
  static const Changes kTooOld;  // Every rule is another, none stands.
  const std::size_t ago = generation_ - generation;
  return ago == 0 || ago > since_.size() ? kTooOld : *since_[since_.size() - ago];
}

Reloaded Lane::reload(std::shared_ptr<const policy::RuleSet> rules, const Changes& changes) {
  flush_gathered(true);
  Reloaded out;
  out.identical = changes.identical;
  const auto renamed = [&](RuleId id) { return changes.renamed(id); };
  out.bans_dropped = bans_.rename(renamed, now_.mono_ns);
  out.denials_dropped = denials_.rename(renamed);

  // Counters and meters go with their rule.
  Counters before = counters_;
  counters_.rules.assign(rules->rules().size() + 1, {});
  counters_.rules.back() = before.rules.back();
  std::vector<RuleId> meters(rules->rules().size(), kNoRule);
  for (RuleId id = 0; id < changes.now.size(); ++id) {
    const RuleId now = changes.now[id];
    const policy::Rule& old = rules_->policy().rules[id];
    const bool counts = old.action == policy::Action::Limit || old.action == policy::Action::Ban;
    if (now == kNoRule) {
      out.meters_dropped += counts ? 1 : 0;
      continue;
    }
    counters_.rules[now] = before.rules[id];
    const policy::Rule& its = rules->policy().rules[now];
    const bool counts_alike = its.action == old.action && its.limit.unit == old.limit.unit && its.limit.per == old.limit.per && its.ban.what == old.ban.what;
    if (counts_alike) meters[now] = meters_[id];
    else out.meters_dropped += counts ? 1 : 0;
  }
  for (RuleId& meter : meters)
    if (meter == kNoRule) meter = meters_next_++;
  meters_ = std::move(meters);

  auto step = std::make_shared<const Changes>(changes);
  for (std::shared_ptr<const Changes>& since : since_) {
    if (step->identical && since->identical) continue;
    since = std::make_shared<const Changes>(policy::joined(*since, *step));
  }
  since_.push_back(std::move(step));
  if (since_.size() > kGenerationsMax) since_.pop_front();

  out.before = std::exchange(rules_, std::move(rules));
  out.generation = ++generation_;
  if (options_.carrier != nullptr) options_.carrier->on_generation(generation_);
  if (options_.stopper != nullptr) options_.stopper->on_rules(rules_, generation_);
  readings_.reload(*rules_);
  take_rules();
  view_.packet = nullptr;
  return out;
}

/// The flow was judged under an older rule set.
void Lane::renew(std::uint32_t index) {
  Flow& flow = flows_.at(index);
  const Changes& since = changes_since(flow.generation);
  flow.generation = generation_;
  Live* const live = static_cast<Live*>(flow.live);
  if (live != nullptr) live->facts.want(*wanted_set_);
  if (since.identical) return;
  const RuleId decided = flow.rule;
  flow.rule = since.renamed(decided);
  flow.from = rules_->zones().zone_of(flow.ends.client, flow.port, flow.ends.server);
  flow.to = rules_->zones().zone_of(flow.ends.server, flow.port, flow.ends.client);
  if (live != nullptr) renew_live(flow, *live, since);
  if (flow.verdict == FlowVerdict::Open || since.stands(decided)) return;
  if (flow.carried) take_back(index);
  reopen(flow, since.is_same(decided) ? flow.rule : kNoRule);
}

/// It is still read: rules are asked again, and what was counted and told for rules that are gone is forgotten.
void Lane::renew_live(Flow& flow, Live& live, const Changes& since) {
  constexpr RuleId kTold = 0x80000000U, kBan = 0x40000000U;  // As in alerts.cc and meters.cc.
  live.flow.from = flow.from;
  live.flow.to = flow.to;
  live.matched = false;
  live.settling = false;
  std::uint8_t kept = 0;
  for (std::size_t i = 0; i < live.counted_count; ++i) {
    Live::Counted counted = live.counted[i];
    const RuleId kind = counted.rule & (kTold | kBan), now = since.renamed(counted.rule & ~(kTold | kBan));
    if (now == kNoRule) continue;
    counted.rule = kind | now;
    live.counted[kept++] = counted;
  }
  live.counted_count = kept;
  live.ban_rule = live.ban_rule == kNoRule ? kNoRule : since.renamed(live.ban_rule);
  live.pinned = since.is_same(live.pinned) ? since.renamed(live.pinned) : kNoRule;
  live.renewed = true;
  resume_reading(live);
}

namespace {

/// Each datagram says something for itself.
bool tells_transactions(const proto::Protocol& p) {
  for (const FieldRow& row : p.fields)
    if (row.scope == Scope::Transaction) return true;
  return false;
}

}  // namespace

/// Its parser was not wanted so far. Datagrams are read from now on; in the middle of a stream or a handshake nothing can begin, and
/// what would have been said is hidden.
void Lane::resume_reading(Live& live) {
  if (live.flow.app.open || live.parser == kUnknownApp || !live.parser_done || live.parser_told) return;
  const proto::Protocol& p = proto::protocol(live.parser);
  if (live.flow.ends.protocol == ip_protocol::kUdp && live.flow.app.count == 1 && tells_transactions(p)) {
    if (live.parser_state != nullptr) pool_.release(live.parser_state, p.state_bytes);
    live.parser_state = nullptr;
    live.parser = kUnknownApp;  // Begins with the next datagram.
    live.parser_done = false;
    return;
  }
  hide_unsaid(live.flow, live.facts);
}

/// Its verdict is open again: it is judged with its next packet, from what it kept.
void Lane::reopen(Flow& flow, RuleId pinned) {
  const bool middle = in_its_middle(flow);
  if (flow.live == nullptr) {
    Live* const live = make_live(flow);
    if (live == nullptr && flow.verdict == FlowVerdict::Denied && flow.rule != kNoRule) return;  // No memory: it stays denied.
    flow.verdict = FlowVerdict::Open;
    flow.settled = flow.logged = false;
    flow.denied_because = Reason::Rule;
    flow.picked_up = flow.picked_up || middle;
    if (live == nullptr) return;  // It is judged by what its headers and its application say.
    live->flow.app.midstream = flow.picked_up;
    AppChain& app = live->flow.app;
    app.hidden = app.count == 0 && flow.named && flow.picked_up;
    const AppId spoken = app.innermost();
    const bool udp = flow.ends.protocol == ip_protocol::kUdp;
    if (udp) app.may_extend = app.count == 1 && may_turn_out_otherwise(*live, spoken);
    if (!app.open && !(udp && tells_transactions(proto::protocol(spoken)))) {
      // No parser can begin in the middle of what it would read.
      live->parser = spoken;
      live->parser_done = true;
      live->reading = udp;  // What the port promises may still come.
    }
    recall_facts(flow, live->flow, live->facts);
    if (wanted_.test(field::kServerName) && live->facts.state(field::kServerName) != FactState::Known)
      tell_names(flow.ends, live->facts);
    live->facts.persist();
    release_kept(flow);
  } else {
    flow.verdict = FlowVerdict::Open;
    flow.settled = flow.logged = false;
  }
  Live& live = *static_cast<Live*>(flow.live);
  live.renewed = true;
  live.pinned = pinned;
  live.matched = false;
  live.settling = false;
}

/// A flow that settles or is denied keeps what a reload may ask for again: facts of the flow's scope, as far as they fit.
void Lane::keep_facts(Flow& flow, const Facts& facts) {
  release_kept(flow);
  std::uint8_t block[1 + kKeptMax];
  std::size_t size = 0;
  const auto put = [&](FieldId field, std::uint8_t length, const void* bytes) {
    const std::size_t value = length == kAbsent ? 0 : length;
    if (size + kEntryHead + value > kKeptMax) return;  // What does not fit is hidden later.
    std::uint8_t* at = block + 1 + size;
    std::memcpy(at, &field, 2);
    at[2] = length;
    if (value != 0) std::memcpy(at + kEntryHead, bytes, value);
    size += kEntryHead + value;
  };
  facts.for_each([&](FieldId field, Scope scope, const Value& value) {
    if (scope != Scope::Flow) return;
    if (!is_text(words_.field(field)->type)) return put(field, sizeof value, &value);
    if (const std::string_view text = value.text(); text.size() < kAbsent) put(field, static_cast<std::uint8_t>(text.size()), text.data());
  });
  for (std::size_t layer = 0; layer < flow.apps_count; ++layer)
    for (const FieldRow& row : proto::protocol(flow.apps[layer]).fields)
      if (row.scope == Scope::Flow && wanted_.test(row.id) && facts.state(row.id) == FactState::Absent) put(row.id, kAbsent, nullptr);
  if (wanted_.test(field::kServerName) && facts.state(field::kServerName) == FactState::Absent) put(field::kServerName, kAbsent, nullptr);
  if (size == 0) return;
  block[0] = static_cast<std::uint8_t>(size);
  flow.kept = static_cast<std::uint8_t*>(pool_.take(1 + size));
  if (flow.kept == nullptr) ++counters_.pool_empty;
  else std::memcpy(flow.kept, block, 1 + size);
}

void Lane::release_kept(Flow& flow) {
  if (flow.kept != nullptr) pool_.release(flow.kept, std::size_t{1} + flow.kept[0]);
  flow.kept = nullptr;
}

/// What was kept, as facts again. The rest of what its application would have said is hidden.
void Lane::recall_facts(const Flow& flow, const FlowFacts& ends, Facts& facts) const {
  if (flow.kept != nullptr) {
    const std::uint8_t *at = flow.kept + 1, *const end = at + flow.kept[0];
    while (at < end) {
      FieldId field;
      std::memcpy(&field, at, 2);
      const std::uint8_t length = at[2];
      at += kEntryHead;
      const FieldRow& row = *words_.field(field);
      if (length == kAbsent) {
        facts.close(field, Scope::Flow);
        continue;
      }
      Value value = Value::of_number(0);
      if (is_text(row.type)) value = Value::of_text({reinterpret_cast<const char*>(at), length});
      else std::memcpy(static_cast<void*>(&value), at, sizeof value);
      if (row.list) facts.add(field, Scope::Flow, value, is_text(row.type));
      else facts.set(field, Scope::Flow, value, is_text(row.type));
      if (row.list && !facts.complete(field)) facts.close(field, Scope::Flow);
      at += length;
    }
  }
  if (ends.packets[0] + ends.packets[1] > 1)
    for (const FieldId first : {field::kPayloadEntropy, field::kPayloadFirstBytes})
      if (facts.state(first) == FactState::NotYet) facts.hide(first, Scope::Flow);
  hide_unsaid(ends, facts);
}

void Lane::hide_unsaid(const FlowFacts& ends, Facts& facts) const {
  const bool tcp = ends.ends.protocol == ip_protocol::kTcp;
  const auto hide_missing = [&](const FieldRow& row) {
    if (facts.state(row.id) == FactState::NotYet && (row.scope == Scope::Flow || tcp)) facts.hide(row.id, row.scope);
  };
  if (!ends.app.open)
    for (std::size_t layer = 0; layer < ends.app.count; ++layer) {
      const proto::Protocol& p = proto::protocol(ends.app.layers[layer]);
      for (const FieldRow& row : p.fields) hide_missing(row);
      for (const FieldId shared : p.shared)
        if (const FieldRow* row = words_.field(shared)) hide_missing(*row);
    }
}

/// The rules, or those before the one that still matches (`pinned`), and then that.
policy::Outcome Lane::ask(const policy::RuleSet& rules, const policy::Candidates& candidates, const View& view, RuleId pinned, policy::Meters& meters) const {
  if (pinned == kNoRule) return policy::match(rules, candidates, view, meters);
  policy::Candidates before = candidates;
  before.group_ends = nullptr;  // Asked one by one.
  before.count = 0;
  while (before.count < candidates.count && candidates.first[before.count] < pinned) ++before.count;
  policy::Outcome outcome = policy::match(rules, before, view, meters);
  if (outcome.rule != kDefaultRule && outcome.rule != kNoRule) return outcome;
  const policy::Rule& rule = rules.policy().rules[pinned];
  outcome.rule = pinned;
  outcome.action = rule.action == policy::Action::Limit ? rule.limit.over : rule.action == policy::Action::Ban ? policy::Action::Drop : rule.action;
  outcome.pass = outcome.action == policy::Action::Allow;
  outcome.certain = !outcome.pass || !outcome.unknown_deny;
  outcome.headers_only = false;
  outcome.reach = policy::Reach::Flow;
  return outcome;
}

}  // namespace weir::engine
