// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/lower.h"

#include <algorithm>

#include "facts/field_ids.h"
#include "facts/packet.h"
#include "policy/match.h"

namespace weir::datapath {
namespace {

using namespace field;
using policy::Action;
using policy::CompiledCondition;
using policy::CompiledRule;
using policy::Condition;
using policy::LimitUnit;
using policy::PerKey;

bool is_of_source(FieldId id) {
  switch (id) {
    case kFrom: case kClientIp: case kSrcIp: case kFromZone: case kInPort: case kIpVersion: case kVlanId: return true;
    default: return false;
  }
}

/// `peer` is either end: of the source alone it is asked with both ends the source.
bool is_certain_by_source(const CompiledRule& rule) {
  const auto of_source = [](const CompiledCondition& c) { return is_of_source(c.condition->field) || c.condition->field == kPeer; };
  if (rule.match.empty() || !std::all_of(rule.match.begin(), rule.match.end(), of_source)) return false;
  return std::all_of(rule.unless.begin(), rule.unless.end(), [&](const auto& map) { return std::all_of(map.begin(), map.end(), of_source); });
}

bool only_drops(const CompiledRule& rule) { return rule.rule->action == Action::Drop && !rule.rule->monitor; }

bool reports_or_counts(const CompiledRule& rule) {
  return rule.rule->monitor || rule.rule->action == Action::Alert || rule.rule->action == Action::Limit || rule.rule->action == Action::Ban;
}

bool counts_arrivals(const policy::RuleSet& rules) {
  for (FieldId id = kRateSyn; id <= kRateRequestsTo; ++id)
    if (rules.wants(id)) return true;
  return false;
}

bool within(const Condition& c, std::initializer_list<std::uint64_t> wanted) {
  if (c.negated || c.values.absent || c.values.present || c.values.hidden) return false;
  std::size_t count = 0;
  for (const policy::NumberRange& range : c.values.numbers) {
    for (std::uint64_t n : wanted) count += range.first <= n && n <= range.last ? 1 : 0;
    if (range.last - range.first >= wanted.size()) return false;
  }
  std::uint64_t all = 0;
  for (const policy::NumberRange& range : c.values.numbers) all += range.last - range.first + 1;
  return count == wanted.size() && all == wanted.size();
}

/// Every set of flags with SYN and without ACK, RST and FIN, and no other.
bool asks_for_syn(const Condition& c) {
  if (c.field != kTcpFlags || c.negated || c.values.absent || c.values.present || c.values.hidden) return false;
  constexpr std::uint8_t kAsked = tcp_flag::kSyn | tcp_flag::kAck | tcp_flag::kRst | tcp_flag::kFin;
  constexpr std::size_t kSets = 16;
  return c.values.flags.size() == kSets && std::all_of(c.values.flags.begin(), c.values.flags.end(), [](std::uint8_t f) { return (f & kAsked) == tcp_flag::kSyn; });
}

/// What else the rule asks for is part of the key of its budgets: whose bucket there is, meets it.
bool told_by_budget(const policy::Rule& rule) {
  const auto& per = rule.limit.per;
  return std::all_of(rule.match.begin() + 2, rule.match.end(), [&](const Condition& c) {
    return std::any_of(per.begin(), per.end(), [&](const PerKey& key) {
      return key.field == c.field && (c.field == kPort || (c.field == kTo && key.prefix_v4 == 32 && key.prefix_v6 == 128));
    });
  });
}

/// What the rule counts, or WEIR_ROWS_MAX.
std::uint8_t what_of(const policy::Rule& rule) {
  constexpr auto kNothing = static_cast<std::uint8_t>(WEIR_ROWS_MAX);
  if (!rule.unless.empty()) return kNothing;
  const auto& m = rule.match;
  const bool syn = m.size() >= 2 && m[0].field == kIpProtocol && within(m[0], {ip_protocol::kTcp}) && asks_for_syn(m[1]);
  if (syn && (m.size() == 2 || (rule.limit.asks_source && told_by_budget(rule)))) return WEIR_ROW_SYN;
  if (m.size() != 1) return kNothing;
  if (m[0].field == kIpProtocol && within(m[0], {ip_protocol::kUdp})) return WEIR_ROW_UDP;
  if (m[0].field == kIpProtocol && within(m[0], {ip_protocol::kIcmp, ip_protocol::kIcmpv6})) return WEIR_ROW_ICMP;
  constexpr auto kFirst = static_cast<std::uint64_t>(FragmentKind::First), kLater = static_cast<std::uint64_t>(FragmentKind::Later);
  if (m[0].field == kIpFragment && within(m[0], {kFirst, kLater})) return WEIR_ROW_FRAGMENTS;
  return kNothing;
}

/// The first `length` bits of 64, as bytes on the wire.
std::uint64_t mask_be(unsigned length) { return length == 0 ? 0 : __builtin_bswap64(~std::uint64_t{0} << (64 - std::min(length, 64U))); }

void set_masks(const PerKey& per, weir_u32& v4_be, weir_u64 v6_be[2]) {
  v4_be = static_cast<weir_u32>(mask_be(per.prefix_v4));
  v6_be[0] = mask_be(per.prefix_v6);
  v6_be[1] = per.prefix_v6 > 64 ? mask_be(per.prefix_v6 - 64U) : 0;
}

/// What the budget is counted by; false if the kernel cannot.
bool lower_per(const policy::Limit& limit, weir_row& row) {
  for (const PerKey& per : limit.per) {
    switch (per.field) {
      case kFrom: case kClientIp: case kSrcIp: set_masks(per, row.from4_be, row.from6_be); break;
      case kTo: case kServerIp: case kDstIp: set_masks(per, row.to4_be, row.to6_be); break;
      case kPort: case kServerPort: case kDstPort: row.per |= WEIR_PER_PORT; break;
      case kIpProtocol: row.per |= WEIR_PER_PROTOCOL; break;
      default: return false;
    }
  }
  return row.what != WEIR_ROW_FRAGMENTS || (row.per & WEIR_PER_PORT) == 0;  // Later ones have none.
}

bool names(const Condition& c, std::uint64_t n) {
  if (c.values.present || c.values.hidden) return true;
  return std::any_of(c.values.numbers.begin(), c.values.numbers.end(), [n](const policy::NumberRange& r) { return r.first <= n && n <= r.last; });
}

constexpr std::uint64_t kIcmp6 = 256;  // Values of icmp.type are ICMP's number, or 256 and ICMPv6's.

bool names_echo(const Condition& c) { return names(c, 8) || names(c, kIcmp6 + 128); }

/// Kinds of packets that the rule may match: WEIR_STOP_….
std::uint8_t kinds_of(const CompiledRule& rule) {
  unsigned kinds = WEIR_STOP_SYN | WEIR_STOP_UDP | WEIR_STOP_ECHO | WEIR_STOP_FRAGMENT | WEIR_STOP_OTHER;
  for (const CompiledCondition& c : rule.match) {
    const Condition& asked = *c.condition;
    if (asked.values.absent || asked.negated) continue;
    if (asked.field >= kArpOp && asked.field <= kArpTargetIp) return 0;
    if (asked.field == kTcpFlags || asked.field == kTcpFlagsAny) kinds &= WEIR_STOP_SYN | WEIR_STOP_FRAGMENT;
    if (asked.field >= kIcmpType && asked.field <= kIcmpPayloadBytes) kinds &= WEIR_STOP_ECHO | WEIR_STOP_FRAGMENT;
    if (asked.field == kIcmpType && !names_echo(asked)) kinds &= ~unsigned{WEIR_STOP_ECHO};
    if (asked.field == kIpFragment) kinds &= unsigned{WEIR_STOP_FRAGMENT};
    if (asked.field == kPort || asked.field == kServerPort || asked.field == kClientPort || asked.field == kSrcPort || asked.field == kDstPort)
      kinds &= ~unsigned{WEIR_STOP_ECHO};
    if (asked.field != kIpProtocol || c.extension_headers) continue;
    if (!names(asked, ip_protocol::kTcp)) kinds &= ~unsigned{WEIR_STOP_SYN};
    if (!names(asked, ip_protocol::kUdp)) kinds &= ~unsigned{WEIR_STOP_UDP};
    if (!names(asked, ip_protocol::kIcmp) && !names(asked, ip_protocol::kIcmpv6)) kinds &= ~unsigned{WEIR_STOP_ECHO};
    const auto others = [](const policy::NumberRange& r) {
      for (std::uint64_t n = r.first; n <= r.last; ++n)
        if (n != ip_protocol::kTcp && n != ip_protocol::kUdp && n != ip_protocol::kIcmp && n != ip_protocol::kIcmpv6) return true;
      return false;
    };
    if (std::none_of(asked.values.numbers.begin(), asked.values.numbers.end(), others)) kinds &= ~unsigned{WEIR_STOP_OTHER};
  }
  return static_cast<std::uint8_t>(kinds);
}

/// The destination ports that it asks for, into `bits`; false if it asks for none, or for many.
bool take_ports(const CompiledRule& rule, PortBits& bits) {
  constexpr std::uint64_t kMany = 4096;
  for (const CompiledCondition& c : rule.match) {
    const Condition& asked = *c.condition;
    if ((asked.field != kPort && asked.field != kServerPort && asked.field != kDstPort) || asked.negated || asked.values.absent || asked.values.present || asked.values.hidden)
      continue;
    std::uint64_t all = 0;
    for (const policy::NumberRange& r : asked.values.numbers) all += r.last - r.first + 1;
    if (all > kMany) return false;
    for (const policy::NumberRange& r : asked.values.numbers)
      for (std::uint64_t n = r.first; n <= r.last && n < 65536; ++n) bits[n / 64] |= std::uint64_t{1} << (n % 64);
    return true;
  }
  return false;
}

/// Whether the rule in front might do anything but drop what the row counts.
bool stands_in_the_way(const CompiledRule& rule, const weir_row& row) {
  if (only_drops(rule)) return false;
  for (const CompiledCondition& c : rule.match) {
    const Condition& asked = *c.condition;
    if (asked.values.absent || asked.negated) continue;
    if (asked.field >= kArpOp && asked.field <= kArpTargetIp) return false;
    if (asked.field == kIpFragment && row.what != WEIR_ROW_FRAGMENTS) return false;
    if (row.what == WEIR_ROW_FRAGMENTS) continue;
    if (asked.field == kIpProtocol && !c.extension_headers) {
      const bool may = row.what == WEIR_ROW_SYN   ? names(asked, ip_protocol::kTcp)
                       : row.what == WEIR_ROW_UDP ? names(asked, ip_protocol::kUdp)
                                                  : names(asked, ip_protocol::kIcmp) || names(asked, ip_protocol::kIcmpv6);
      if (!may) return false;
    }
    if (row.what != WEIR_ROW_ICMP && asked.field >= kIcmpType && asked.field <= kIcmpPayloadBytes) return false;
    if (asked.field == kIcmpType && !names_echo(asked)) return false;
    if (row.what != WEIR_ROW_SYN && (asked.field == kTcpFlags || asked.field == kTcpFlagsAny)) return false;
  }
  return true;
}

void lower_budget(const policy::RuleSet& rules, RuleId id, Lowered& out) {
  const CompiledRule& compiled = rules.rule(id);
  const policy::Rule& rule = *compiled.rule;
  const policy::Limit& limit = rule.limit;
  if (rule.action != Action::Limit || rule.monitor || limit.over != Action::Drop || rule.expires_wall_ns != INT64_MAX) return;
  if (limit.unit < LimitUnit::Packets || limit.rate <= 0 || out.budgets.size() == WEIR_ROWS_MAX) return;
  LoweredBudget budget{.rule = id};
  weir_row& row = budget.row;
  row.what = what_of(rule);
  if (row.what == WEIR_ROWS_MAX || !lower_per(limit, row)) return;
  for (RuleId before = 0; before < id; ++before) {
    const bool lowered = std::any_of(out.budgets.begin(), out.budgets.end(), [before](const LoweredBudget& b) { return b.rule == before; });
    if (!lowered && stands_in_the_way(rules.rule(before), row)) return;
  }
  const double rate = limit.unit == LimitUnit::Bits ? limit.rate / 8 : limit.rate, burst = limit.unit == LimitUnit::Bits ? limit.burst / 8 : limit.burst;
  const double each_ns = 1e9 / (rate * (1 + kBudgetMargin));
  constexpr double kLongest = 3.6e12;
  if (limit.unit == LimitUnit::Packets) row.packet_ns = static_cast<std::uint64_t>(std::min(each_ns, kLongest));
  else row.byte_ns_q16 = static_cast<std::uint64_t>(std::min(each_ns, 1e6) * 65536);
  row.burst_ns = static_cast<std::uint64_t>(std::min(burst * 1e9 / rate, kLongest)) + static_cast<std::uint64_t>(kBudgetSlack);
  row.spare_known = limit.spare_known ? 1 : 0;
  row.asks_source = limit.asks_source ? 1 : 0;
  out.budgets.push_back(budget);
}

void lower_source(const policy::RuleSet& rules, RuleId id, Lowered& out) {
  const CompiledRule& rule = rules.rule(id);
  if (!only_drops(rule) || rule.rule->expires_wall_ns != INT64_MAX || !is_certain_by_source(rule)) return;
  LoweredSource source{.rule = id, .earlier = {}};
  for (RuleId before = 0; before < id; ++before) {
    if (only_drops(rules.rule(before))) continue;
    unsigned what = kinds_of(rules.rule(before));
    // A fragment's ports may not be there yet: what asks for some may still match its datagram.
    if ((what & WEIR_STOP_SYN) != 0 && take_ports(rules.rule(before), out.free_syn)) what &= ~unsigned{WEIR_STOP_SYN};
    if ((what & WEIR_STOP_UDP) != 0 && take_ports(rules.rule(before), out.free_udp)) what &= ~unsigned{WEIR_STOP_UDP};
    if (what == 0) continue;
    if (source.earlier.size() == Lowered::kEarlierMax) return;
    source.earlier.push_back({before, static_cast<std::uint8_t>(what)});
  }
  out.sources.push_back(std::move(source));
}

}  // namespace

const LoweredSource* Lowered::source_of(RuleId rule) const {
  const auto at = std::lower_bound(sources.begin(), sources.end(), rule, [](const LoweredSource& s, RuleId id) { return s.rule < id; });
  return at != sources.end() && at->rule == rule ? &*at : nullptr;
}

Lowered lower(const policy::RuleSet& rules) {
  Lowered out;
  if (rules.policy().monitor || counts_arrivals(rules)) return out;
  const policy::StateWishes& wishes = rules.policy().wishes;
  out.bans = true;
  if (wishes.scan_ports != 0) out.ban_margin_ns = std::max(out.ban_margin_ns, wishes.scan_within_ns);
  if (!wishes.knock_ports.empty()) out.ban_margin_ns = std::max(out.ban_margin_ns, wishes.knock_within_ns);
  out.silent = std::none_of(rules.rules().begin(), rules.rules().end(), reports_or_counts);
  for (RuleId id = 0; id < rules.rules().size(); ++id) {
    lower_budget(rules, id, out);
    lower_source(rules, id, out);
  }
  return out;
}

bool asks_for_sound_options(const policy::RuleSet& rules) {
  const auto asks = [](const CompiledCondition& c) { return c.condition->field == kFlaw && !c.apart; };
  return std::any_of(rules.rules().begin(), rules.rules().end(), [&](const CompiledRule& rule) {
    return std::any_of(rule.match.begin(), rule.match.end(), asks) ||
           std::any_of(rule.unless.begin(), rule.unless.end(), [&](const auto& map) { return std::any_of(map.begin(), map.end(), asks); });
  });
}

std::uint8_t decided_by_source(const policy::RuleSet& rules, const LoweredSource& source, const View& view) {
  if (view.flow == nullptr || view.layer == nullptr) return 0;
  // Were it to speak to itself: what is certain then is so whoever it speaks to.
  FlowFacts both = *view.flow;
  both.ends.server = both.ends.client;
  both.to = both.from;
  IpLayer layer = *view.layer;
  layer.dst = layer.src;
  View alone = view;
  alone.flow = &both;
  alone.layer = &layer;
  if (policy::judge(rules.rule(source.rule), alone, rules.zones(), false).truth != policy::Truth::True) return 0;
  unsigned kinds = WEIR_STOP_SYN | WEIR_STOP_UDP | WEIR_STOP_ECHO | WEIR_STOP_FRAGMENT | WEIR_STOP_OTHER;
  const auto never_its = [&](const CompiledCondition& c) { return is_of_source(c.condition->field) && policy::judge(c, view, rules.zones()).truth == policy::Truth::False; };
  for (const LoweredSource::Earlier& earlier : source.earlier) {
    const auto& match = rules.rule(earlier.rule).match;
    if (std::none_of(match.begin(), match.end(), never_its)) kinds &= ~unsigned{earlier.what};
  }
  return static_cast<std::uint8_t>(kinds);
}

}  // namespace weir::datapath
