// SPDX-License-Identifier: Apache-2.0
// Limits and bans: what a certain match costs, once a packet, transaction or flow.

#include "engine/carrier.h"
#include "engine/lane.h"
#include "facts/field_ids.h"

namespace weir::engine {

using policy::LimitUnit;
using policy::Rule;

namespace {

constexpr std::uint64_t kNoKey = 0x6e6f6e65;

/// A rule may both limit and ban (`over: {ban: …}`): each is remembered for itself.
constexpr RuleId kBanCounted = 0x40000000;

Ip enclosing(const Ip& ip, std::uint8_t v4, std::uint8_t v6) {
  Ip out = ip;
  const unsigned length = ip.is_v4() ? 96U + v4 : v6;
  for (unsigned bit = length; bit < 128; ++bit) out.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  return out;
}

bool is_text(FieldType type) { return type == FieldType::Text || type == FieldType::TextFold || type == FieldType::Domain; }

}  // namespace

/// The key of a bucket: the values of what `per` names, addresses as their prefix. `enclosing`: the wider prefix that a full
/// table folds into.
std::uint64_t Lane::limit_key(const policy::Limit& limit, const View& view, bool fold) const {
  std::uint64_t key = options_.seed;
  for (const policy::PerKey& per : limit.per) {
    const FieldRow* row = words_.field(per.field);
    const Fact fact = look_up(view, per.field);
    std::uint64_t part = kNoKey;
    fact.any([&](const Value& value) {
      if (row->type == FieldType::Address) {
        const std::uint8_t v4 = fold ? static_cast<std::uint8_t>(per.prefix_v4 / 2) : per.prefix_v4;
        const std::uint8_t v6 = fold ? static_cast<std::uint8_t>(per.prefix_v6 / 2) : per.prefix_v6;
        part = hash_ip(enclosing(value.ip(), v4, v6), 7);
      } else {
        part = is_text(row->type) ? hash_text(value.text()) : value.number();
      }
      return true;
    });
    key = mix64(key, part);
  }
  return key;
}

/// A token taken by this packet before the flow had a live part: it is not taken again, and the flow remembers it.
std::optional<bool> Lane::counted_before(Live& live, RuleId id, bool of_transaction) {
  if (of_transaction) return std::nullopt;
  for (std::size_t i = 0; i < packet_memo_count_; ++i) {
    if (packet_memo_[i].rule != id) continue;
    if (live.counted_count < Live::kCountedMax) live.counted[live.counted_count++] = {id, packet_memo_[i].result, false};
    return packet_memo_[i].result;
  }
  return std::nullopt;
}

bool Lane::over_limit(RuleId id, const Rule& rule, const View& view) {
  const policy::Limit& limit = rule.limit;
  const bool by_packet = limit.unit == LimitUnit::Packets || limit.unit == LimitUnit::Bits || limit.unit == LimitUnit::Bytes;
  Live* live = view.facts == nullptr || current_ == nullptr ? nullptr : current_->live;
  if (live != nullptr && &live->facts != view.facts) live = nullptr;
  if (limit.unit == LimitUnit::Requests) {
    // A transaction is counted when it is described; its answer is part of it.
    if (live == nullptr || live->transactions == 0 || live->transaction_answer) return false;
    if (live->flow.ends.protocol == ip_protocol::kUdp && current_->side == Side::Server) return false;
  }
  if (by_packet || live == nullptr) {
    for (std::size_t i = 0; i < packet_memo_count_; ++i)
      if (packet_memo_[i].rule == id) return packet_memo_[i].result;
  } else {
    for (std::size_t i = 0; i < live->counted_count; ++i)
      if (live->counted[i].rule == id) return live->counted[i].result;
    if (const auto before = counted_before(*live, id, limit.unit == LimitUnit::Requests)) return *before;
  }
  // A flow that was there before the reload was counted when it began.
  if (!by_packet && live != nullptr && live->renewed && limit.unit == LimitUnit::Flows) return false;
  if (limit.spare_known && view.flow != nullptr) {
    const Ip& client = view.flow->ends.client;
    if (known_clients_.find(client, hash_ip(client, 1), now_.mono_ns, kHour) != nullptr) return false;
  }
  if (limit.asks_source && view.layer != nullptr) {
    // One that was let in sends its SYN again; another has answered that it is its own.
    const bool begun = current_ != nullptr && current_->layer == view.layer && current_->index != kNoFlow &&
                       flows_.at(current_->index).phase <= state::TcpPhase::SynReceived;
    if (begun || cookies_.proven(syn_ends(*view.layer), view.layer->tcp_seq, now_.mono_ns)) return false;
  }
  double cost = 1;
  if (limit.unit == LimitUnit::Bits || limit.unit == LimitUnit::Bytes) {
    const double bytes = view.layer != nullptr ? view.layer->length : static_cast<double>(view.packet->frame->wire_bytes);
    cost = limit.unit == LimitUnit::Bits ? bytes * 8 : bytes;
  }
  const std::uint64_t key = limit_key(limit, view, false);
  const bool over = !buckets_.take(meters_[id], key, limit_key(limit, view, true), limit.rate, limit.burst, cost, now_.mono_ns);
  if (by_packet || live == nullptr) {
    if (packet_memo_count_ < std::size(packet_memo_)) packet_memo_[packet_memo_count_++] = {id, over};
  } else if (live->counted_count < Live::kCountedMax) {
    live->counted[live->counted_count++] = {id, over, limit.unit == LimitUnit::Requests};
  }
  return over;
}

bool Lane::ban_begins(RuleId id, const Rule& rule, const View& view) {
  if (view.flow == nullptr) return false;
  const RuleId told = id | kBanCounted;
  Live* live = view.facts == nullptr || current_ == nullptr ? nullptr : current_->live;
  if (live != nullptr && &live->facts != view.facts) live = nullptr;
  const bool of_transaction = rules_->rule(id).transaction;
  if (live != nullptr) {
    for (std::size_t i = 0; i < live->counted_count; ++i)
      if (live->counted[i].rule == told) return live->counted[i].result;
    if (const auto before = counted_before(*live, told, of_transaction)) return *before;
  } else {
    for (std::size_t i = 0; i < packet_memo_count_; ++i)
      if (packet_memo_[i].rule == told) return packet_memo_[i].result;
  }
  if (live != nullptr && of_transaction && live->transaction_answer && live->ban_rule == id && live->ban_key == live->transaction_key) return false;
  if (live != nullptr && live->renewed && !of_transaction) return false;
  const FlowEnds& ends = view.flow->ends;
  using state::BanKey, state::BanKind;
  BanKey key;
  switch (rule.ban.what) {
    case policy::BanWhat::Source: key = {BanKind::Source, 0, 0, ends.client}; break;
    case policy::BanWhat::Destination: key = {BanKind::Destination, 0, 0, ends.server}; break;
    case policy::BanWhat::Port: key = {BanKind::Port, ends.protocol, ends.server_port, ends.server}; break;
    case policy::BanWhat::Protocol: key = {BanKind::Protocol, ends.protocol, 0, ends.server}; break;
  }
  const std::uint64_t counter = hash_ip(key.ip, std::uint64_t{key.port} << 16 | std::uint64_t{key.protocol} << 8 | static_cast<std::uint64_t>(key.kind));
  const Nanoseconds within = rule.ban.within_ns != 0 ? rule.ban.within_ns : rule.ban.for_ns;
  const bool begins = buckets_.count(meters_[id], counter, within, now_.mono_ns) >= rule.ban.after;
  if (live != nullptr) live->ban_rule = id, live->ban_key = live->transaction_key;
  if (begins && !rule.monitor) {
    bans_.ban(key, id, now_.mono_ns + rule.ban.for_ns, now_.mono_ns);
    if (options_.carrier != nullptr) options_.carrier->on_banned(key);
  }
  if (live != nullptr && live->counted_count < Live::kCountedMax) live->counted[live->counted_count++] = {told, begins, of_transaction};
  else if (live == nullptr && packet_memo_count_ < std::size(packet_memo_)) packet_memo_[packet_memo_count_++] = {told, begins};
  return begins;
}

}  // namespace weir::engine
