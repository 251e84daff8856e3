// SPDX-License-Identifier: Apache-2.0
#include "policy/settle.h"

#include <algorithm>

#include "facts/field_ids.h"

namespace weir::policy {
namespace {

/// What a condition can still come to on a flow of this protocol.
enum class Prospect : std::uint8_t { Holds, Fails, Ends, Later, Always };
// Holds, Fails: so for each flow of it, once the protocol is certain at the latest. Ends: fixed by the flow's ends. Later: known
// once. Always: may take a new value with each packet, transaction or reading.

struct Step {
  Prospect prospect = Prospect::Ends;
  int rank = 0;         ///< Of what is waited for: 0 the first packet, 1 an answer, 2 the protocol, 3 a fact of its own.
};

bool names_protocol(const Condition& c, std::uint8_t number) {
  for (const NumberRange& r : c.values.numbers)
    if (r.first <= number && number <= r.last) return true;
  return false;
}

/// It is read to its end: its messages come again and again.
bool describes_transactions(const Vocabulary& words, AppId app) {
  const auto names = words.field_names();
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    const FieldRow& row = *words.field(name);
    return row.scope == Scope::Transaction && words.owners(row.id).has(app);
  });
}

Step step_of(const CompiledCondition& compiled, const Vocabulary& words, AppId app, std::uint8_t ip_protocol) {
  const Condition& c = *compiled.condition;
  const FieldRow& row = *compiled.row;
  if (c.field == field::kAppProtocol) {
    if (c.values.present || c.values.absent || c.values.hidden) return {Prospect::Later, 2};
    return {c.values.apps.has(app) != c.negated ? Prospect::Holds : Prospect::Fails, 2};
  }
  if (c.field == field::kIpProtocol && !asks_extension_headers(c))
    return {names_protocol(c, ip_protocol) != c.negated ? Prospect::Holds : Prospect::Fails, 0};
  if (compiled.apart) return {c.negated ? Prospect::Holds : Prospect::Fails, 0};  // Packets with one are judged by themselves.
  // Otherwise content may bring it, until the protocol is read no more.
  if (c.field == field::kFlaw && !describes_transactions(words, app) && ip_protocol == ip_protocol::kTcp) return {Prospect::Later, 3};
  // Headers that a flow of TCP or UDP does not have.
  const bool icmp = row.name.starts_with("icmp."), tcp = row.name.starts_with("tcp."), link = row.name.starts_with("arp.");
  const bool words_only = c.values.absent || c.values.present || c.values.hidden;
  if (!words_only && (icmp || link || (tcp && ip_protocol != ip_protocol::kTcp))) return {Prospect::Fails, 0};
  if (c.field == field::kFlowState) return {Prospect::Later, 1};
  const AppSet& owners = words.owners(c.field);
  if (!owners.empty() && !owners.has(app) && !words_only) return {Prospect::Fails, 2};
  switch (compiled.kind) {
    case KeyKind::Fixed: return {Prospect::Ends, 0};
    case KeyKind::Content: return {Prospect::Later, 3};
    case KeyKind::Packet:
    case KeyKind::Passing: break;
  }
  return {Prospect::Always, 0};
}

std::string always_text(const CompiledCondition& c) {
  const std::string key = (c.condition->negated ? "not." : "") + std::string(c.row->name);
  if (c.kind == KeyKind::Packet) return key + " is asked of each packet";
  return key + (c.row->scope == Scope::Reading ? " is read again with each packet" : " is asked of each transaction");
}

std::string later_text(int rank, std::string_view key) {
  switch (rank) {
    case 0: return "with the first packet";
    case 1: return "with the first answer";
    case 2: return "when app.protocol is certain";
    default: return "when " + std::string(key) + " is known or absent";
  }
}

/// One rule: whether it can match flows of the protocol, for certain does, and what it waits for.
struct RuleOutlook {
  bool can_match = true, sure = true;
  int rank = 0;
  std::string_view key;
  const CompiledCondition* always = nullptr;
};

void wait_for(RuleOutlook& outlook, const Step& step, const CompiledCondition& c) {
  if (step.rank < outlook.rank || step.rank == 0) return;
  outlook.rank = step.rank;
  outlook.key = c.row->name;
}

RuleOutlook outlook_of(const CompiledRule& rule, const Vocabulary& words, AppId app, std::uint8_t ip_protocol) {
  RuleOutlook out;
  const CompiledCondition* fails = nullptr;
  Step failing;
  for (const CompiledCondition& c : rule.match) {
    const Step step = step_of(c, words, app, ip_protocol);
    if (step.prospect == Prospect::Fails && (fails == nullptr || step.rank < failing.rank)) fails = &c, failing = step;
    if (step.prospect == Prospect::Always && out.always == nullptr) out.always = &c;
    if (step.prospect != Prospect::Holds) out.sure = false;
    wait_for(out, step, c);
  }
  if (fails != nullptr) {  // It is out as soon as that one is certain, whatever else it asks.
    RuleOutlook gone;
    gone.can_match = gone.sure = false;
    wait_for(gone, failing, *fails);
    return gone;
  }
  for (const auto& map : rule.unless) {
    bool can_hold = true;
    for (const CompiledCondition& c : map) can_hold = can_hold && step_of(c, words, app, ip_protocol).prospect != Prospect::Fails;
    if (!can_hold) continue;
    out.sure = false;
    for (const CompiledCondition& c : map) {
      const Step step = step_of(c, words, app, ip_protocol);
      if (step.prospect == Prospect::Always && out.always == nullptr) out.always = &c;
      wait_for(out, step, c);
    }
  }
  return out;
}

}  // namespace

Settling settling_of(const RuleSet& rules, AppId app, std::uint8_t ip_protocol) {
  Settling out;
  int rank = 0;
  std::string_view key;
  for (RuleId id = 0; id < rules.rules().size(); ++id) {
    const CompiledRule& compiled = rules.rule(id);
    const Rule& rule = *compiled.rule;
    const RuleOutlook outlook = outlook_of(compiled, rules.vocabulary(), app, ip_protocol);
    if (outlook.rank > rank) {
      rank = outlook.rank;
      key = outlook.key;
      out.rule = id;
    }
    if (!outlook.can_match) continue;
    const bool counts_on = rule.action == Action::Limit && rule.limit.unit != LimitUnit::Flows;
    if (outlook.always != nullptr || counts_on) {
      out.settles = false;
      out.rule = id;
      out.rule_name = rule.name;
      out.key = outlook.always != nullptr ? std::string(outlook.always->row->name) : std::string();
      out.when = outlook.always != nullptr ? always_text(*outlook.always) : "it counts as long as the flow lives";
      return out;
    }
    const bool ends = rule.action != Action::Alert && rule.action != Action::Limit && rule.action != Action::Ban && !rule.monitor;
    if (outlook.sure && ends) break;
  }
  out.when = later_text(rank, key);
  out.key = rank >= 2 ? std::string(key) : std::string();
  if (rank == 0) out.rule = kNoRule;
  else out.rule_name = rules.policy().rules[out.rule].name;
  return out;
}

}  // namespace weir::policy
