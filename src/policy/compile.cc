// SPDX-License-Identifier: Apache-2.0
#include "policy/compile.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <unordered_map>

#include "facts/field_ids.h"
#include "facts/packet.h"

namespace weir::policy {

bool asks_apart(const Condition& condition) {
  constexpr Flaw kOfHeaders[] = {Flaw::Land, Flaw::TinyFragment, Flaw::PingOfDeath, Flaw::Teardrop, Flaw::BadFlags, Flaw::DeepTunnel};
  if (condition.field == field::kTcpFlags && !condition.negated && !condition.values.flags.empty())
    return std::all_of(condition.values.flags.begin(), condition.values.flags.end(), [](std::uint8_t flags) { return (flags & tcp_flag::kSyn) != 0; });
  if (condition.field == field::kIpFragment && !condition.negated && !condition.values.numbers.empty())
    return condition.values.numbers.front().first > static_cast<std::uint64_t>(FragmentKind::No) && !condition.values.absent;
  if (condition.field != field::kFlaw || condition.values.absent || condition.values.present || condition.values.hidden) return false;
  for (const NumberRange& range : condition.values.numbers)
    for (std::uint64_t value = range.first; value <= range.last; ++value)
      if (std::find(std::begin(kOfHeaders), std::end(kOfHeaders), static_cast<Flaw>(value)) == std::end(kOfHeaders)) return false;
  return true;
}

bool asks_extension_headers(const Condition& condition) {
  namespace ip = ip_protocol;
  for (std::uint8_t n :
       {ip::kHopByHop, ip::kRouting, ip::kFragment, ip::kAh, ip::kDestination, ip::kMobility, ip::kHip, ip::kShim6})
    for (const NumberRange& r : condition.values.numbers)
      if (r.first <= n && n <= r.last) return true;
  return false;
}

namespace {

using namespace field;

constexpr std::size_t kIndexedRulesMin = 8;  ///< Fewer are asked one by one.

constexpr std::size_t kInlinePrefixesMax = 4096;  ///< A larger set is asked, never cut into classes.

bool is_fixed(FieldId id) {
  if (id >= kProcessPath && id <= kContainerImage) return true;  // Who opened the flow.
  switch (id) {
    case kFrom: case kTo: case kPeer: case kPort: case kClientIp: case kServerIp: case kClientPort: case kServerPort:
    case kFromZone: case kToZone: case kIpVersion: case kVlanId: case kUdpSolicited:
      return true;
    default:
      return false;
  }
}

/// The dimension of stage A that answers a condition wholly, or -1.
enum Dimension : int { kProtocolDim, kPortDim, kFromZoneDim, kToZoneDim, kFromIpDim, kToIpDim, kDimensions };

int dimension_of(const Condition& c) {
  const Values& v = c.values;
  if (v.absent || v.present || v.hidden) return -1;
  switch (c.field) {
    case kIpProtocol: return asks_extension_headers(c) ? -1 : kProtocolDim;
    case kPort: case kServerPort: return kPortDim;
    case kFromZone: return kFromZoneDim;
    case kToZone: return kToZoneDim;
    case kFrom: case kClientIp: case kTo: case kServerIp: {
      const bool from = c.field == kFrom || c.field == kClientIp;
      if (!v.sets.empty()) return -1;
      const bool zones = !v.zones.empty(), prefixes = v.prefixes != nullptr && !v.prefixes->empty();
      if (zones == prefixes) return -1;
      if (prefixes && v.prefixes->size() > kInlinePrefixesMax) return -1;
      if (zones) return from ? kFromZoneDim : kToZoneDim;
      return from ? kFromIpDim : kToIpDim;
    }
    default: return -1;
  }
}

/// A frame without IP has no facts of IP, flow or application: a rule with such a key is false there, unless it asks for the
/// absence.
bool may_hold_without_ip(const Rule& rule) {
  for (const Condition& c : rule.match) {
    const bool of_frame = c.field <= kArpTargetIp || c.field == kFlaw || c.field == kArpBinding || c.field == kPortMacsExceeded;
    if (!of_frame && !c.values.absent) return false;
  }
  return true;
}

/// How dear it is to ask: cheap conditions first.
int cost_of(const CompiledCondition& c) {
  if (c.kind == KeyKind::Fixed) return c.condition->values.sets.empty() ? 0 : 1;
  if (c.condition->field == kIpProtocol) return 0;
  return c.kind == KeyKind::Packet ? 2 : c.condition->field == kAppProtocol ? 3 : 4;
}

}  // namespace

KeyKind kind_of(const FieldRow& row) {
  if (is_fixed(row.id)) return KeyKind::Fixed;
  if (row.id == kFlowState) return KeyKind::Packet;  // Header facts; once established they keep their value.
  if (row.scope == Scope::Packet) return KeyKind::Packet;
  return row.scope == Scope::Flow ? KeyKind::Content : KeyKind::Passing;
}

/// Bit vectors and the memory of candidate lists.
struct RuleSet::Stages {
  using Bits = std::vector<std::uint64_t>;

  std::size_t words = 0;
  std::vector<std::uint64_t> pool;  ///< Bit vectors of all classes, `words` each.
  std::unordered_map<std::string, std::uint32_t> known;
  std::array<std::uint32_t, 257> protocol_class{};
  std::vector<std::uint32_t> port_class;  ///< By port; 65536 is "no port".
  std::vector<std::uint32_t> zone_class[2];  ///< By zone, last is "no zone".
  struct Interval {
    Ip first;
    std::uint32_t cls;
  };
  std::vector<Interval> intervals[2];

  // Lists by their classes: a direct-mapped memory of bounded size.
  struct Slot {
    std::array<std::uint32_t, kDimensions> key{};
    std::uint32_t first = 0, count = 0;
    std::uint32_t single = 0, single_count = 0, grouped = 0, group_ends = 0;  ///< The split, if rules are indexed.
    bool used = false, packet = false, content = false, transaction = false, reading = false;
  };
  static constexpr std::size_t kSlots = 4096, kArena = 1 << 20;
  std::vector<Slot> slots = std::vector<Slot>(kSlots);
  std::vector<RuleId> arena;
  std::vector<std::uint32_t> ends_arena;

  std::uint32_t intern(const Bits& bits) {
    std::string key(reinterpret_cast<const char*>(bits.data()), bits.size() * 8);
    const auto [at, fresh] = known.emplace(std::move(key), static_cast<std::uint32_t>(known.size()));
    if (fresh) pool.insert(pool.end(), bits.begin(), bits.end());
    return at->second;
  }
  const std::uint64_t* bits(std::uint32_t cls) const { return pool.data() + cls * words; }
  /// The slot's list once more, split into single rules and groups.
  void split(Slot& slot, const std::vector<CompiledRule>& rules, std::size_t groups) {
    slot.group_ends = static_cast<std::uint32_t>(ends_arena.size());
    ends_arena.resize(ends_arena.size() + groups);
    std::uint32_t* ends = ends_arena.data() + slot.group_ends;
    std::uint32_t grouped = 0;
    for (std::uint32_t i = 0; i < slot.count; ++i)
      if (const std::uint16_t group = rules[arena[slot.first + i]].group; group != CompiledRule::kNoGroup)
        ++ends[group], ++grouped;
    std::uint32_t sum = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      const std::uint32_t count = ends[g];
      ends[g] = sum;  // Where the next of the group goes: in the end, its end.
      sum += count;
    }
    slot.single = slot.first + slot.count;
    slot.single_count = slot.count - grouped;
    slot.grouped = slot.single + slot.single_count;
    arena.resize(arena.size() + slot.count);
    std::uint32_t single = slot.single;
    for (std::uint32_t i = 0; i < slot.count; ++i) {
      const RuleId id = arena[slot.first + i];
      const std::uint16_t group = rules[id].group;
      arena[group == CompiledRule::kNoGroup ? single++ : slot.grouped + ends[group]++] = id;
    }
  }
  std::uint32_t ip_class(int side, const Ip& ip) const {
    const auto& all = intervals[side];
    // By halves: as bytes, each comparison would be a call of memcmp.
    const auto below = [high = ip.high(), low = ip.low()](const Interval& i) {
      return i.first.high() != high ? i.first.high() < high : i.first.low() <= low;
    };
    const auto at = std::partition_point(all.begin(), all.end(), below);
    return std::prev(at)->cls;
  }
};

namespace {

using Bits = std::vector<std::uint64_t>;
void put(Bits& bits, std::size_t rule, bool value) {
  const std::uint64_t mask = std::uint64_t{1} << (rule % 64);
  if (value) bits[rule / 64] |= mask;
  else bits[rule / 64] &= ~mask;
}

bool in_ranges(const std::vector<NumberRange>& ranges, std::uint64_t n) {
  return std::any_of(ranges.begin(), ranges.end(), [n](const NumberRange& r) { return r.first <= n && n <= r.last; });
}

using DimensionConditions = std::vector<std::pair<std::size_t, const Condition*>>;  ///< (rule, its condition there)

Ip successor(Ip ip) {
  for (std::size_t i = 16; i-- > 0;)
    if (++ip.bytes[i] != 0) break;
  return ip;
}

}  // namespace

RuleSet::RuleSet(std::shared_ptr<const Policy> policy, const Vocabulary& vocabulary)
    : policy_(std::move(policy)), vocabulary_(&vocabulary), zones_(policy_->zones), stages_(std::make_unique<Stages>()) {
  const std::size_t count = policy_->rules.size();
  Stages& s = *stages_;
  s.words = (count + 63) / 64;
  std::array<DimensionConditions, kDimensions> dims;

  const auto compiled = [&](const Condition& c, CompiledRule& rule) {
    CompiledCondition out{.condition = &c, .row = vocabulary.field(c.field), .apart = asks_apart(c)};
    out.kind = kind_of(*out.row);
    out.extension_headers = c.field == kIpProtocol && asks_extension_headers(c);
    wanted_.set(c.field);
    rule.packet |= out.kind == KeyKind::Packet && (c.field != kIpProtocol || out.extension_headers);
    // Who is slow is so for good: the connection is what holds a place.
    rule.content |= out.kind == KeyKind::Content || out.row->id == field::kFlowSlow;
    // What is read from a transaction's content (`http.ssrf`, `auth.binding`) is judged as that content: a retransmission is not read again.
    rule.transaction |= out.row->scope == Scope::Transaction || (out.row->scope == Scope::Reading && out.row->closes == milestone::kTransaction);
    rule.reading |= out.row->scope == Scope::Reading;
    return out;
  };
  rules_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    CompiledRule& rule = rules_[i];
    rule.rule = &policy_->rules[i];
    std::array<bool, kDimensions> taken{};
    for (const Condition& c : rule.rule->match) {
      const CompiledCondition cc = compiled(c, rule);
      rule.match.push_back(cc);
      const int d = dimension_of(c);
      if (d >= 0 && !taken[static_cast<std::size_t>(d)]) {
        taken[static_cast<std::size_t>(d)] = true;
        dims[static_cast<std::size_t>(d)].emplace_back(i, &c);
      } else {
        rule.residual.push_back(cc);
      }
    }
    for (const AllOf& map : rule.rule->unless) {
      auto& out = rule.unless.emplace_back();
      for (const Condition& c : map) out.push_back(compiled(c, rule));
    }
    const auto cheap_first = [](const CompiledCondition& a, const CompiledCondition& b) { return cost_of(a) < cost_of(b); };
    std::stable_sort(rule.match.begin(), rule.match.end(), cheap_first);
    std::stable_sort(rule.residual.begin(), rule.residual.end(), cheap_first);
    rule.header_only = !rule.content && !rule.transaction && !rule.reading;
    const bool ends =
        rule.rule->action != Action::Alert && rule.rule->action != Action::Limit && rule.rule->action != Action::Ban;
    rule.unconditional = rule.residual.empty() && rule.unless.empty() && ends && !rule.rule->monitor &&
                         rule.rule->expires_wall_ns == INT64_MAX && !rule.rule->match.empty();
    // A limit in packets or bytes is asked with each packet.
    const Action action = rule.rule->action;
    if (action == Action::Limit && rule.rule->limit.unit >= LimitUnit::Packets) rule.packet = true;
    counts_requests_ = counts_requests_ || (action == Action::Limit && rule.rule->limit.unit == LimitUnit::Requests);
    if (may_hold_without_ip(*rule.rule)) without_ip_.push_back(static_cast<RuleId>(i));
  }

  Bits base(s.words, 0);
  for (std::size_t i = 0; i < count; ++i) put(base, i, true);

  for (unsigned protocol = 0; protocol < 256; ++protocol) {
    Bits bits = base;
    for (const auto& [rule, c] : dims[kProtocolDim]) put(bits, rule, in_ranges(c->values.numbers, protocol) != c->negated);
    s.protocol_class[protocol] = s.intern(bits);
  }

  {  // Ports: cut at every boundary.
    std::vector<std::uint32_t> cuts{0, 65536};
    Bits none = base;
    for (const auto& [rule, c] : dims[kPortDim]) {
      put(none, rule, false);  // An absent key is false, also under `not.`.
      for (const NumberRange& r : c->values.numbers) {
        cuts.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(r.first, 65536)));
        cuts.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(r.last, 65535) + 1));
      }
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    s.port_class.resize(65537);
    for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
      Bits bits = base;
      for (const auto& [rule, c] : dims[kPortDim]) put(bits, rule, in_ranges(c->values.numbers, cuts[k]) != c->negated);
      const std::uint32_t cls = s.intern(bits);
      for (std::uint32_t p = cuts[k]; p < cuts[k + 1]; ++p) s.port_class[p] = cls;
    }
    s.port_class[65536] = s.intern(none);
  }
  for (int side = 0; side < 2; ++side) {
    const auto& zone_conditions = dims[static_cast<std::size_t>(side == 0 ? kFromZoneDim : kToZoneDim)];
    auto& classes = s.zone_class[side];
    for (std::size_t zone = 0; zone <= policy_->zones.size(); ++zone) {
      const bool none = zone == policy_->zones.size();
      Bits bits = base;
      for (const auto& [rule, c] : zone_conditions) {
        const bool in = !none && (std::find(c->values.zones.begin(), c->values.zones.end(), zone) != c->values.zones.end() ||
                                  in_ranges(c->values.numbers, zone));
        // An address always has a value, so `not.from: inside` holds for one in no zone; the zone's name itself may be absent.
        const bool absent = none && (c->field == kFromZone || c->field == kToZone);
        put(bits, rule, !absent && in != c->negated);
      }
      classes.push_back(s.intern(bits));
    }
    // Addresses: a sweep over all boundaries; at each, the bits of the rules that begin or end there turn.
    struct Turn {
      Ip at;
      std::size_t rule;
    };
    std::vector<Turn> turns;
    Bits bits = base;
    for (const auto& [rule, c] : dims[static_cast<std::size_t>(side == 0 ? kFromIpDim : kToIpDim)]) {
      put(bits, rule, c->negated);
      c->values.prefixes->for_each_range([&, r = rule](const Ip& first, const Ip& last) {
        turns.push_back({first, r});
        const Ip after = successor(last);
        if (after != Ip{}) turns.push_back({after, r});
      });
    }
    std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.at < b.at; });
    auto& intervals = s.intervals[side];
    std::size_t t = 0;
    Ip at{};
    for (;;) {
      for (; t < turns.size() && turns[t].at == at; ++t) bits[turns[t].rule / 64] ^= std::uint64_t{1} << (turns[t].rule % 64);
      intervals.push_back({at, s.intern(bits)});
      if (t == turns.size()) break;
      at = turns[t].at;
    }
  }
  s.known.clear();
  index_texts();
  s.arena.reserve(Stages::kArena);
  if (!groups_.empty()) s.ends_arena.reserve(Stages::kSlots * groups_.size());
}

/// Rules whose condition an index can answer, by field and class. A rule is in one group: that of its first such condition.
void RuleSet::index_texts() {
  hits_ = std::make_unique<IndexedHits>();
  std::map<FieldId, std::vector<std::pair<RuleId, const CompiledCondition*>>> by_field;
  for (RuleId id = 0; id < rules_.size(); ++id)
    for (const CompiledCondition& cc : rules_[id].residual)
      if (TextIndex::takes(*cc.condition, *cc.row)) {
        by_field[cc.row->id].emplace_back(id, &cc);
        break;
      }
  std::size_t indexed = 0;
  for (const auto& [field, asked] : by_field) {
    if (asked.size() < kIndexedRulesMin || groups_.size() + 3 > kIndexedGroupsMax) continue;
    std::vector<std::pair<RuleId, const Condition*>> conditions;
    std::array<std::uint16_t, 3> group_of_class;
    group_of_class.fill(CompiledRule::kNoGroup);
    for (const auto& [id, cc] : asked) {
      conditions.emplace_back(id, cc->condition);
      std::uint16_t& group = group_of_class[static_cast<std::size_t>(rules_[id].answer_class())];
      if (group == CompiledRule::kNoGroup) {
        group = static_cast<std::uint16_t>(groups_.size());
        groups_.push_back({static_cast<std::uint16_t>(indexed_fields_.size()), rules_[id].answer_class()});
      }
      rules_[id].group = group;
    }
    indexed += asked.size();
    IndexedField& made = indexed_fields_.emplace_back(IndexedField{*asked.front().second, {}});
    made.index.build(*made.sample.row, conditions);
  }
  if (indexed == 0) return;
  hits_->rules.reserve(indexed);
  hits_->marks.assign(rules_.size(), 0);
}

RuleSet::~RuleSet() = default;

Candidates RuleSet::without_ip() const {
  return {without_ip_.data(), static_cast<std::uint32_t>(without_ip_.size()), true, true, true, true};
}

Candidates RuleSet::candidates(const FlowFacts& flow) const {
  Stages& s = *stages_;
  const FlowEnds& e = flow.ends;
  const bool ports = e.protocol == ip_protocol::kTcp || e.protocol == ip_protocol::kUdp || e.protocol == ip_protocol::kSctp;
  const std::size_t none = policy_->zones.size();
  const std::array<std::uint32_t, kDimensions> key = {
      s.protocol_class[e.protocol],
      s.port_class[ports ? e.server_port : 65536U],
      s.zone_class[0][flow.from == kNoZone ? none : flow.from],
      s.zone_class[1][flow.to == kNoZone ? none : flow.to],
      s.ip_class(0, e.client),
      s.ip_class(1, e.server),
  };
  std::uint64_t h = 0;
  for (std::uint32_t k : key) h = mix64(h, k);
  Stages::Slot& slot = s.slots[h % Stages::kSlots];
  if (!slot.used || slot.key != key) {
    const std::size_t most = groups_.empty() ? rules_.size() : rules_.size() * 2;
    if (s.arena.size() + most > Stages::kArena) {
      for (Stages::Slot& old : s.slots) old.used = false;
      s.arena.clear();
      s.ends_arena.clear();
      if (s.arena.capacity() < most) s.arena.reserve(most);
    }
    slot = {};
    slot.key = key;
    slot.used = true;
    slot.first = static_cast<std::uint32_t>(s.arena.size());
    const std::uint64_t* v[kDimensions];
    for (std::size_t d = 0; d < kDimensions; ++d) v[d] = s.bits(key[d]);
    bool cut = false;
    for (std::size_t w = 0; w < s.words && !cut; ++w) {
      std::uint64_t word = v[0][w] & v[1][w] & v[2][w] & v[3][w] & v[4][w] & v[5][w];
      for (; word != 0 && !cut; word &= word - 1) {
        const auto id = static_cast<RuleId>(w * 64 + static_cast<std::size_t>(__builtin_ctzll(word)));
        const CompiledRule& rule = rules_[id];
        s.arena.push_back(id);
        slot.packet |= rule.packet;
        slot.content |= rule.content;
        slot.transaction |= rule.transaction;
        slot.reading |= rule.reading;
        cut = rule.unconditional;
      }
    }
    slot.count = static_cast<std::uint32_t>(s.arena.size()) - slot.first;
    if (!groups_.empty()) s.split(slot, rules_, groups_.size());
  }
  Candidates out{s.arena.data() + slot.first, slot.count, slot.packet, slot.content, slot.transaction, slot.reading};
  if (groups_.empty()) return out;
  out.single = s.arena.data() + slot.single;
  out.single_count = slot.single_count;
  out.grouped = s.arena.data() + slot.grouped;
  out.group_ends = s.ends_arena.data() + slot.group_ends;
  return out;
}

}  // namespace weir::policy
