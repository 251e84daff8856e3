// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/early_rules.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <set>

#include "facts/field_ids.h"
#include "policy/values.h"
#include "policy/zone.h"

namespace weir::datapath {
namespace {

using namespace field;
using policy::Action;
using policy::Condition;
using policy::Values;

constexpr std::size_t kBits = 64;
constexpr std::size_t kRangesMax = 1024;  ///< Of one condition.
const Ip kFirst4 = Ip::v4(0), kLast4 = Ip::v4(0xffffffff);

struct Range {
  Ip first, last;
};

Ip ip_of(std::uint64_t high, std::uint64_t low) {
  return std::bit_cast<Ip>(std::array<std::uint64_t, 2>{__builtin_bswap64(high), __builtin_bswap64(low)});
}
Ip next_of(const Ip& ip) { return ip_of(ip.high() + (ip.low() == UINT64_MAX ? 1 : 0), ip.low() + 1); }

Range range_of(const Prefix& prefix) {
  const unsigned length = prefix.length;
  const std::uint64_t high = length == 0 ? 0 : length >= 64 ? UINT64_MAX : ~std::uint64_t{0} << (64 - length);
  const std::uint64_t low = length <= 64 ? 0 : length >= 128 ? UINT64_MAX : ~std::uint64_t{0} << (128 - length);
  return {ip_of(prefix.network.high() & high, prefix.network.low() & low), ip_of(prefix.network.high() | ~high, prefix.network.low() | ~low)};
}

Prefix prefix_of(const char* text) { return parse_prefix(text)->prefix; }

bool is_special(const Ip& ip) { return ip.is_unspecified() || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast(); }

/// Gives each condition that can be asked a bit of its kind.
class Lowering {
 public:
  explicit Lowering(const policy::RuleSet& rules) : rules_(rules), policy_(rules.policy()) { out_.ports.resize(65536); }

  EarlyRules lower();

 private:
  /// Adds it to `all`. False: the program cannot ask it.
  bool lower(const policy::CompiledCondition& compiled, weir_early_all& all);
  bool lower(const std::vector<policy::CompiledCondition>& conditions, weir_early_all& all) {
    bool whole = true;
    for (const policy::CompiledCondition& c : conditions) whole = lower(c, all) && whole;
    return whole;
  }
  bool lower_address(const policy::CompiledCondition& compiled, weir_early_kind kind, weir_early_all& all);
  bool lower_port(const policy::CompiledCondition& compiled, weir_early_kind kind, weir_early_all& all);
  bool lower_other(const policy::CompiledCondition& compiled, weir_early_all& all);
  void put(const policy::CompiledRule& compiled, RuleId id);
  void cut_addresses();
  weir_early_bits bits_of(const Ip& ip) const;

  const policy::RuleSet& rules_;
  const policy::Policy& policy_;
  EarlyRules out_;
  std::vector<const policy::CompiledCondition*> addresses_;
  std::size_t ports_ = 0, others_ = 0;
};

bool Lowering::lower(const policy::CompiledCondition& compiled, weir_early_all& all) {
  const Condition& c = *compiled.condition;
  if (c.values.absent || c.values.present || c.values.hidden) return false;
  switch (c.field) {
    case kFrom: case kClientIp: return lower_address(compiled, WEIR_EARLY_CLIENT, all);
    case kTo: case kServerIp: return lower_address(compiled, WEIR_EARLY_SERVER, all);
    case kSrcIp: return lower_address(compiled, WEIR_EARLY_SRC, all);
    case kDstIp: return lower_address(compiled, WEIR_EARLY_DST, all);
    case kPeer: return !c.negated && lower_address(compiled, WEIR_EARLY_PEER, all);
    case kClientPort: return lower_port(compiled, WEIR_EARLY_CLIENT_PORT, all);
    case kPort: case kServerPort: return lower_port(compiled, WEIR_EARLY_SERVER_PORT, all);
    case kSrcPort: return lower_port(compiled, WEIR_EARLY_SRC_PORT, all);
    case kDstPort: return lower_port(compiled, WEIR_EARLY_DST_PORT, all);
    case kIpProtocol: return !compiled.extension_headers && lower_other(compiled, all);
    case kIpVersion: case kTcpFlags: case kTcpFlagsAny: case kIcmpType: case kFlowState: return lower_other(compiled, all);
    default: return false;
  }
}

bool Lowering::lower_address(const policy::CompiledCondition& compiled, weir_early_kind kind, weir_early_all& all) {
  const Values& values = compiled.condition->values;
  std::size_t ranges = values.prefixes != nullptr ? values.prefixes->size() : 0;
  for (const auto& set : values.sets) ranges += set->addresses != nullptr ? set->addresses->size() : kRangesMax + 1;
  if (addresses_.size() == kBits || ranges > kRangesMax) return false;
  all.need[kind] |= std::uint64_t{1} << addresses_.size();
  addresses_.push_back(&compiled);
  return true;
}

bool Lowering::lower_port(const policy::CompiledCondition& compiled, weir_early_kind kind, weir_early_all& all) {
  if (ports_ == kBits) return false;
  const std::uint64_t bit = std::uint64_t{1} << ports_++;
  all.need[kind] |= bit;
  for (std::uint32_t port = 0; port < 65536; ++port)
    if (policy::value_matches(*compiled.condition, *compiled.row, Value::of_number(port), kNoZone) != compiled.condition->negated) out_.ports[port] |= bit;
  return true;
}

bool Lowering::lower_other(const policy::CompiledCondition& compiled, weir_early_all& all) {
  if (others_ == kBits) return false;
  const std::uint64_t bit = std::uint64_t{1} << others_++;
  all.need[WEIR_EARLY_OTHER] |= bit;
  const Condition& c = *compiled.condition;
  const auto holds = [&](std::uint64_t value) { return policy::value_matches(c, *compiled.row, Value::of_number(value), kNoZone) != c.negated; };
  weir_early_other& other = out_.other;
  switch (c.field) {
    case kIpVersion:
      if (holds(4)) other.version[0] |= bit;
      if (holds(6)) other.version[1] |= bit;
      break;
    case kFlowState:
      other.state |= bit;
      if (holds(static_cast<std::uint64_t>(FlowState::New))) other.state_new |= bit;
      break;
    default:
      for (std::uint32_t n = 0; n < 256; ++n) {
        if (!holds(n)) continue;
        if (c.field == kIpProtocol) other.protocol[n] |= bit;
        else if (c.field == kIcmpType) other.icmp_type[0][n] |= bit, other.icmp_type[1][n] |= bit;
        else other.tcp_flags[n] |= bit;
      }
  }
  return true;
}

/// What an address is, of the conditions that were given a bit.
weir_early_bits Lowering::bits_of(const Ip& ip) const {
  weir_early_bits out{};
  const policy::ZoneMap& zones = rules_.zones();
  const auto without_networks = std::count_if(policy_.zones.begin(), policy_.zones.end(), [](const auto& zone) { return zone.networks.empty(); });
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const Condition& c = *addresses_[i]->condition;
    const std::uint64_t bit = std::uint64_t{1} << i;
    // The zone of these may be told by the port of the frame, or by the other end.
    const bool by_port = !c.values.zones.empty() && (is_special(ip) || (zones.by_network(ip) == kNoZone && without_networks > 1));
    if (by_port) out.maybe |= bit;
    else if (policy::value_matches(c, *addresses_[i]->row, Value::of_ip(ip), zones.zone_of(ip, kNoPort, ip)) != c.negated) out.yes |= bit;
  }
  return out;
}

/// All of both spaces of addresses, cut where some condition changes, as prefixes.
void Lowering::cut_addresses() {
  std::set<Ip> cuts{kFirst4, next_of(kLast4), Ip{}};
  const auto cut = [&](const Range& range) {
    cuts.insert(range.first);
    cuts.insert(next_of(range.last));
  };
  for (const char* special : {"0.0.0.0/32", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/128", "fe80::/10", "ff00::/8"})
    cut(range_of(prefix_of(special)));
  for (const policy::ZoneDefinition& zone : policy_.zones)
    for (const Prefix& network : zone.networks) cut(range_of(network));
  for (const policy::CompiledCondition* const c : addresses_) {
    const Values& values = c->condition->values;
    const auto take = [&](const Ip& first, const Ip& last) { cut({first, last}); };
    if (values.prefixes != nullptr) values.prefixes->for_each_range(take);
    for (const auto& set : values.sets) set->addresses->for_each_range(take);
  }
  struct Stretch {
    Ip first;
    weir_early_bits bits;
  };
  std::vector<Stretch> stretches;
  for (const Ip& first : cuts) {
    const weir_early_bits bits = bits_of(first);
    const bool boundary = first == kFirst4 || first == next_of(kLast4);
    if (!boundary && !stretches.empty() && stretches.back().bits.yes == bits.yes && stretches.back().bits.maybe == bits.maybe) continue;
    stretches.push_back({first, bits});
  }
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    // The last one reaches to the end, whose successor is the first address again.
    const Ip end = i + 1 < stretches.size() ? stretches[i + 1].first : Ip{};
    Ip at = stretches[i].first;
    for (bool more = true; more;) {
      // The widest prefix that begins here and does not reach beyond.
      std::uint8_t length = 128;
      while (length > 0) {
        const Prefix wider{at, static_cast<std::uint8_t>(length - 1)};
        const Range range = range_of(wider);
        if (range.first != at || (end != Ip{} && !(range.last < end))) break;
        --length;
      }
      out_.addresses.push_back({{at, length}, stretches[i].bits});
      const Ip after = next_of(range_of({at, length}).last);
      more = after != end && after != Ip{};
      at = after;
    }
  }
}

void Lowering::put(const policy::CompiledRule& compiled, RuleId id) {
  const policy::Rule& rule = *compiled.rule;
  // A report, a limit or a ban ends nothing by itself: what it may stop would be stopped the sooner.
  if (rule.monitor || rule.action == Action::Alert || rule.action == Action::Ban) return;
  const bool limit_passes = rule.action == Action::Limit && rule.limit.over == Action::Allow;
  if (rule.action == Action::Limit && !limit_passes) return;
  weir_early_rule out{};
  out.rule = id;
  out.answer = compiled.is_pass() || limit_passes ? WEIR_EARLY_PASS : WEIR_EARLY_DENY;
  out.unsure = lower(compiled.match, out.match) && rule.expires_wall_ns == INT64_MAX ? 0 : 1;
  for (const auto& exception : compiled.unless) {
    if (out.unless_count == WEIR_EARLY_UNLESS_MAX) {
      out.unsure = 1;
      break;
    }
    if (!lower(exception, out.unless[out.unless_count])) out.unless_unsure |= static_cast<weir_u8>(1U << out.unless_count);
    ++out.unless_count;
  }
  if (out.answer == WEIR_EARLY_DENY && out.unsure != 0) {
    ++out_.left_out;
    return;
  }
  out_.any = out_.any || out.answer == WEIR_EARLY_DENY;
  out_.rules.push_back(out);
}

EarlyRules Lowering::lower() {
  if (policy_.monitor) return std::move(out_);
  bool whole = true;
  for (RuleId id = 0; id < rules_.rules().size(); ++id) {
    if (out_.rules.size() + 1 == WEIR_EARLY_RULES_MAX) {
      whole = false;
      break;
    }
    put(rules_.rule(id), id);
  }
  if (whole && policy_.default_action != Action::Allow) {
    weir_early_rule last{};
    last.rule = WEIR_EARLY_DEFAULT;
    last.answer = WEIR_EARLY_DENY;
    out_.rules.push_back(last);
    out_.any = true;
  }
  cut_addresses();
  if (out_.addresses.size() > WEIR_EARLY_PREFIXES_MAX) out_ = EarlyRules{};
  return std::move(out_);
}

}  // namespace

EarlyRules lower_early_rules(const policy::RuleSet& rules) { return Lowering(rules).lower(); }

}  // namespace weir::datapath
