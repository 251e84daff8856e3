// SPDX-License-Identifier: Apache-2.0
#include "policy/check.h"

#include <algorithm>

#include "facts/field_ids.h"
#include "facts/packet.h"
#include "policy/shadow_index.h"

namespace weir::policy {
namespace {

bool has_plain_values(const Values& v) {
  return !v.numbers.empty() || !v.apps.empty() || !v.zones.empty() || v.prefixes || !v.sets.empty() || v.names || v.texts || !v.macs.empty() || !v.flags.empty();
}

bool inside(const std::vector<NumberRange>& narrow, const std::vector<NumberRange>& wide) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const NumberRange& n) {
    return std::any_of(wide.begin(), wide.end(), [&](const NumberRange& w) { return w.first <= n.first && n.last <= w.last; });
  });
}

bool inside(const PrefixSet& narrow, const PrefixSet& wide) {
  bool all = true;
  narrow.for_each_range([&](const Ip& first, const Ip& last) {
    bool found = false;
    wide.for_each_range([&](const Ip& from, const Ip& to) { found = found || (from <= first && last <= to); });
    all = all && found;
  });
  return all;
}

template <typename T>
bool all_in(const std::vector<T>& narrow, const std::vector<T>& wide) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const T& v) { return std::find(wide.begin(), wide.end(), v) != wide.end(); });
}

/// Names and patterns are compared as they were written: all of the narrow ones stand in the wide list too.
bool written_in(const Values& narrow, const Values& wide) { return all_in(narrow.written, wide.written); }

/// Every value that `narrow` names, `wide` names too.
bool values_inside(const Values& narrow, const Values& wide) {
  constexpr std::size_t kRangesMax = 64;  // above that the comparison would no longer be cheap
  if ((narrow.absent && !wide.absent) || (narrow.hidden && !wide.hidden) || (narrow.present && !wide.present)) return false;
  if (wide.present) return true;  // whatever has a value is there
  if (narrow.names || narrow.texts) return written_in(narrow, wide);
  if (narrow.numbers.size() > kRangesMax || wide.numbers.size() > kRangesMax || !inside(narrow.numbers, wide.numbers)) return false;
  if (!narrow.apps.inside(wide.apps) || !all_in(narrow.zones, wide.zones) || !all_in(narrow.sets, wide.sets)) return false;
  if (!all_in(narrow.flags, wide.flags)) return false;
  for (const auto& mac : narrow.macs)
    if (std::none_of(wide.macs.begin(), wide.macs.end(), [&](const auto& w) { return (mac.second & w.second) == w.second && (mac.first & w.second) == w.first; }))
      return false;
  if (!narrow.prefixes) return true;
  return wide.prefixes && narrow.prefixes->size() <= kRangesMax && wide.prefixes->size() <= kRangesMax && inside(*narrow.prefixes, *wide.prefixes);
}

bool ends_the_asking(const Rule& rule) {
  const bool terminal = rule.action == Action::Allow || rule.action == Action::Drop || rule.action == Action::Reject;
  return terminal && !rule.monitor && rule.expires_wall_ns == INT64_MAX;
}

bool covers(const Rule& earlier, const Rule& later) {
  if ((later.datapaths & ~earlier.datapaths) != 0 || !implies(later.match, earlier.match)) return false;
  // What spares a packet from the earlier rule must spare it from the later one too.
  return std::all_of(earlier.unless.begin(), earlier.unless.end(), [&](const AllOf& spared) {
    return std::any_of(later.unless.begin(), later.unless.end(), [&](const AllOf& also) { return implies(spared, also); });
  });
}

class Checker {
 public:
  Checker(const Policy& policy, const Vocabulary& words, const CheckOptions& options) : policy_(policy), words_(words), options_(options) {}

  Diagnostics run() {
    for (const Rule& rule : policy_.rules)
      if (!rule.guard && !rule.essential) check_alone(rule);
    check_pairs();
    out_.sort();
    return std::move(out_);
  }

 private:
  void warn(const Position& at, std::string message) { out_.add(Severity::Warning, policy_.files[at.file], at.line, at.column, std::move(message)); }

  void check_alone(const Rule& rule) {
    if (options_.now_wall_ns != 0 && rule.expires_wall_ns <= options_.now_wall_ns) warn(rule.position, sentence("the rule `", rule.name, "` has expired"));
    check_contradictions(rule);
    for (const AllOf& spared : rule.unless)
      if (implies(rule.match, spared)) warn(rule.position, sentence("the rule `", rule.name, "` never matches: its `unless` holds wherever `match` does"));
    for (std::size_t i = 0; i < rule.unless.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (rule.unless[i].size() == rule.unless[j].size() && implies(rule.unless[i], rule.unless[j]) && implies(rule.unless[j], rule.unless[i]))
          warn(rule.unless[i].front().position, sentence("this map under `unless` of `", rule.name, "` stands there twice"));
  }

  void check_contradictions(const Rule& rule) {
    const Condition* transport = nullptr;
    for (const Condition& c : rule.match) {
      if (c.field == field::kIpProtocol && !c.negated) transport = &c;
      if (c.negated) continue;
      for (const Condition& other : rule.match) {
        if (!other.negated || other.field != c.field || words_.field(c.field)->list) continue;
        if (has_plain_values(c.values) && !c.values.absent && !c.values.hidden && !c.values.present && values_inside(c.values, other.values))
          warn(c.position, sentence("the rule `", rule.name, "` never matches: `", words_.field(c.field)->name, "` and `not.", words_.field(c.field)->name,
                                    "` exclude each other"));
      }
    }
    if (transport == nullptr || transport->values.absent || transport->values.present || transport->values.hidden) return;
    for (const Condition& c : rule.match) {
      const bool tcp = c.field == field::kTcpFlags || c.field == field::kTcpFlagsAny;
      const bool icmp = c.field == field::kIcmpType || c.field == field::kIcmpCode || c.field == field::kIcmpPayloadBytes;
      if ((tcp && never(*transport, {ip_protocol::kTcp})) || (icmp && never(*transport, {ip_protocol::kIcmp, ip_protocol::kIcmpv6})))
        warn(c.position, sentence("the rule `", rule.name, "` never matches: no such packet has `", words_.field(c.field)->name, "`"));
    }
  }

  /// The condition names only other transports, so that the chain of headers cannot end in one of these.
  static bool never(const Condition& transport, std::initializer_list<std::uint64_t> wanted) {
    constexpr std::uint64_t kTransports[] = {ip_protocol::kTcp, ip_protocol::kUdp, ip_protocol::kIcmp, ip_protocol::kIcmpv6, ip_protocol::kSctp};
    return std::all_of(transport.values.numbers.begin(), transport.values.numbers.end(), [&](const NumberRange& range) {
      return range.first == range.last && std::find(std::begin(kTransports), std::end(kTransports), range.first) != std::end(kTransports) &&
             std::find(wanted.begin(), wanted.end(), range.first) == wanted.end();
    });
  }

  // Each own rule against the earlier ones that end the asking and that the index offers, as long as the budget lasts: the time is
  // bounded whatever the policy.
  void check_pairs() {
    ShadowIndex enders;
    std::uint64_t pairs = 0;
    for (const Rule& rule : policy_.rules) {
      if (!rule.guard && !rule.essential) {
        enders.for_each_candidate(rule, [&](const Rule& earlier) {
          if (++pairs > options_.pairs_max) return true;
          if (!covers(earlier, rule)) return false;
          const bool written = earlier.position.line > 0 && !earlier.essential;
          warn(rule.position, sentence("the rule `", rule.name, "` is never reached: `", earlier.name, "`",
                                       written ? sentence(" in line ", earlier.position.line) : std::string(), " decides all that it matches"));
          return true;
        });
        if (pairs > options_.pairs_max)
          return warn(rule.position, sentence("rules from here on were not compared with those before them: more than ", options_.pairs_max, " pairs"));
      }
      if (ends_the_asking(rule)) enders.add(rule);
    }
  }

  const Policy& policy_;
  const Vocabulary& words_;
  const CheckOptions& options_;
  Diagnostics out_;
};

}  // namespace

bool implies(const Condition& narrow, const Condition& wide) {
  if (narrow.field != wide.field || narrow.negated != wide.negated) return false;
  // "None of many" implies "none of some": the other way round.
  if (narrow.negated) return !wide.values.present && !narrow.values.present && values_inside(wide.values, narrow.values);
  if (!has_plain_values(narrow.values) && !narrow.values.absent && !narrow.values.hidden && !narrow.values.present) return false;
  return values_inside(narrow.values, wide.values);
}

bool implies(const AllOf& narrow, const AllOf& wide) {
  return std::all_of(wide.begin(), wide.end(), [&](const Condition& w) {
    return std::any_of(narrow.begin(), narrow.end(), [&](const Condition& n) { return implies(n, w); });
  });
}

Diagnostics check_policy(const Policy& policy, const Vocabulary& words, const CheckOptions& options) { return Checker(policy, words, options).run(); }

Diagnostics check_for(const Policy& policy, const Vocabulary& words, std::uint8_t datapaths, Severity severity) {
  Diagnostics out;
  const auto look = [&](const Rule& rule, const Condition& c) {
    const FieldRow& row = *words.field(c.field);
    // `on:` takes the rule away from the others, so only what it keeps must have the fact.
    const std::uint8_t missing = static_cast<std::uint8_t>(datapaths & rule.datapaths & ~row.datapaths);
    if (missing == 0) return;
    std::string names;
    for (const auto& [bit, name] : {std::pair{on::kCapture, "capture"}, std::pair{on::kBridge, "bridge"}, std::pair{on::kHost, "host"}})
      if ((missing & bit) != 0) names += sentence(names.empty() ? "" : ", ", name);
    out.add(severity, policy.files[c.position.file], c.position.line, c.position.column,
            sentence("`", row.name, "` is not known on: ", names, "; say where the rule `", rule.name, "` holds, such as `on: [host]`"));
  };
  for (const Rule& rule : policy.rules) {
    for (const Condition& c : rule.match) look(rule, c);
    for (const AllOf& all : rule.unless)
      for (const Condition& c : all) look(rule, c);
  }
  out.sort();
  return out;
}

}  // namespace weir::policy
