// SPDX-License-Identifier: Apache-2.0
// Alerts and flow records: once a flow or transaction, denials of packets without a flow gathered.

#include "engine/lane.h"
#include "facts/field_ids.h"

namespace weir::engine {
namespace {

constexpr Nanoseconds kGatherFor = 60 * kSecond;
constexpr std::size_t kGatheredMax = 4096;

}  // namespace

void Lane::fill(AlertRecord& record, const Work& work) const {
  const Packet& packet = *work.packet;
  record.frame = packet.frame->number;
  record.wall_ns = packet.frame->time.wall_ns;
  record.port = packet.frame->port;
  record.vlan = packet.vlans_count != 0 ? packet.vlans[0] : std::uint16_t{0};
  record.has_mac = packet.has_eth;
  record.src_mac = packet.eth_src;
  record.dst_mac = packet.eth_dst;
  if (work.layer != nullptr) {
    record.has_ip = true;
    record.src = work.layer->src;
    record.dst = work.layer->dst;
    record.src_port = work.layer->src_port;
    record.dst_port = work.layer->dst_port;
    record.protocol = work.layer->protocol;
    record.icmp_type = work.layer->icmp_type;
    record.icmp_code = work.layer->icmp_code;
  } else if (packet.has_arp) {
    record.has_ip = record.is_arp = true;
    record.src = packet.arp.sender_ip;
    record.dst = packet.arp.target_ip;
  }
  if (work.facts != nullptr) {
    record.from = work.facts->from;
    record.to = work.facts->to;
    record.app = work.facts->app.innermost();
  }
  if (work.index != kNoFlow) record.flow_id = flow_id(flows_.at(work.index));
  if (options_.senders) record.sender = sender_of(work);
}

void Lane::alert(const Work& work, RuleId rule, policy::Action action, bool blocked, bool monitored) {
  const policy::Log log = rule < rules_->rules().size() ? rules_->policy().rules[rule].log : policy::Log::All;
  if (log == policy::Log::None) return;
  AlertRecord record;
  record.rule = rule;
  record.action = action;
  record.blocked = blocked;
  record.monitored = monitored;
  // Where nothing was stopped, `work` has no reason of its own.
  record.reason = blocked ? work.reason : rule == kDefaultRule ? Reason::Default : Reason::Rule;
  fill(record, work);
  if (record.flow_id == 0 && !blocked && work.learns && work.layer != nullptr) {
    Flow begins;  // It is not in the table yet; its identity is that of this frame.
    begins.first_frame = record.frame;
    record.flow_id = flow_id(begins);
  }
  sink_.on_alert(record);
}

/// Alerts and monitored rules that match: once a flow, or a transaction where the rule asks for one.
void Lane::report(const Work& work, const policy::Outcome& outcome) {
  for (std::size_t i = 0; i < outcome.reports_count; ++i) {
    const policy::Reported& r = outcome.reports[i];
    const policy::CompiledRule& rule = rules_->rule(r.rule);
    // The same memory as for limits; the rule's id with the top bit set is "told". judge() takes over what was told before there was a flow.
    const RuleId told = r.rule | 0x80000000U;
    if (Live* live = work.live; live != nullptr) {
      bool known = false;
      for (std::size_t k = 0; k < live->counted_count; ++k) known = known || live->counted[k].rule == told;
      if (known) continue;
      if (live->counted_count < Live::kCountedMax) live->counted[live->counted_count++] = {told, true, rule.transaction};
    } else {
      bool known = false;
      for (std::size_t k = 0; k < packet_memo_count_; ++k) known = known || packet_memo_[k].rule == told;
      if (known) continue;
      if (packet_memo_count_ < std::size(packet_memo_)) packet_memo_[packet_memo_count_++] = {told, true};
    }
    auto& counted = counters_.rules[r.rule];
    ++counted.packets;
    ++counted.flows;
    alert(work, r.rule, r.action, false, rule.rule->monitor);
  }
}

void Lane::alert_denial(Work& work) {
  if (work.reason == Reason::Tombstone || work.reason == Reason::Related || work.uncounted) return;
  const bool by_policy = work.rule == kDefaultRule || work.rule < rules_->rules().size();
  if (by_policy && work.reach != policy::Reach::Packet) {
    auto& counted = work.rule == kDefaultRule ? counters_.rules.back() : counters_.rules[work.rule];
    ++counted.flows;
    alert(work, work.rule, work.action, true, false);
    return;
  }
  // A packet: gathered by rule, ends and port, told at the first and summed up later.
  const IpLayer* const layer = work.layer;
  const Arp& arp = work.packet->arp;
  GatherKey key = layer != nullptr ? gather_key(work.rule, work.reason, layer->src, layer->dst, layer->dst_port, layer->protocol)
                                   : gather_key(work.rule, work.reason, arp.sender_ip, arp.target_ip, 0, 0);
  const Sender* const sender = options_.senders ? sender_of(work) : nullptr;
  if (sender != nullptr) key.sender = sender->id;
  if (Gathered* const known = find_gathered(key)) {
    ++known->more;
    return;
  }
  if (by_policy) ++(work.rule == kDefaultRule ? counters_.rules.back() : counters_.rules[work.rule]).flows;
  alert(work, work.rule, work.action, true, false);
  Gathered& gathered = gather(key);
  gathered.first.action = work.action;
  fill(gathered.first, work);
  gathered.sender = sender != nullptr ? senders_.keep(*sender) : SenderTable::Place{0};
  gathered.first.sender = senders_.at(gathered.sender);
}

/// A budget that does not ask for an end is one event, whatever ends its packets have: forged sources would be an event each.
Lane::GatherKey Lane::gather_key(RuleId rule, Reason reason, const Ip& src, const Ip& dst, std::uint16_t port, std::uint8_t protocol) const {
  GatherKey key{src, dst, rule, port, protocol, static_cast<std::uint8_t>(reason), 0};
  if (rule >= rules_->rules().size() || reason != Reason::Rule || rules_->policy().rules[rule].action != policy::Action::Limit) return key;
  bool from = false, to = false, by_port = false;
  for (const policy::PerKey& per : rules_->policy().rules[rule].limit.per) {
    const FieldId f = per.field;
    from = from || f == field::kFrom || f == field::kClientIp || f == field::kSrcIp || f == field::kPeer;
    to = to || f == field::kTo || f == field::kServerIp || f == field::kDstIp || f == field::kPeer;
    by_port = by_port || f == field::kPort || f == field::kServerPort || f == field::kDstPort;
  }
  if (!from && (to || by_port)) key.src = Ip{};
  if (!to && from) key.dst = Ip{};
  if (!by_port) key.port = 0;
  return key;
}

std::uint64_t Lane::hash(const GatherKey& key) {
  return mix64(hash_ip(key.src, hash_ip(key.dst, key.rule ^ key.sender)), std::uint64_t{key.port} << 16 | std::uint64_t{key.protocol} << 8 | key.kind);
}

Lane::Gathered* Lane::find_gathered(const GatherKey& key) {
  const GatherPlace* const place = gather_places_.find(key, hash(key), now_.mono_ns, kGatherFor);
  return place != nullptr && place->index < gathered_.size() && gathered_[place->index].key == key ? &gathered_[place->index] : nullptr;
}

/// A place for what else comes of this kind; the caller fills the record.
Lane::Gathered& Lane::gather(const GatherKey& key) {
  if (gathered_.size() == kGatheredMax) flush_gathered(true);
  Gathered gathered;
  gathered.key = key;
  gathered.first.rule = key.rule;
  gathered.first.reason = static_cast<Reason>(key.kind);
  gathered.first.blocked = true;
  gather_places_.insert(key, hash(key), now_.mono_ns, kGatherFor)->index = static_cast<std::uint32_t>(gathered_.size());
  gathered_.push_back(gathered);
  if (gather_flush_ns_ == 0) gather_flush_ns_ = now_.mono_ns + kGatherFor;
  return gathered_.back();
}

/// Sums of what was gathered: one alert a key with the number of further packets.
void Lane::flush_gathered(bool all) {
  if (gathered_.empty() || (!all && now_.mono_ns < gather_flush_ns_)) return;
  for (Gathered& g : gathered_) {
    const policy::Log log = g.first.rule < rules_->rules().size() ? rules_->policy().rules[g.first.rule].log : policy::Log::All;
    g.first.count = g.more;
    if (g.more != 0 && log == policy::Log::All) sink_.on_alert(g.first);
    senders_.release(g.sender);
  }
  gathered_.clear();
  gather_flush_ns_ = 0;
}

void Lane::describe_flow(const Flow& flow, FlowRecord& r) const {
  r.flow_id = flow_id(flow);
  r.first_frame = flow.first_frame;
  r.ends = flow.ends;
  r.icmp_type = flow.icmp_type;
  r.icmp_code = flow.icmp_code;
  r.icmp_by_server = flow.icmp_by_server;
  r.from = flow.from;
  r.to = flow.to;
  r.rule = flow.rule;
  if (flow.generation != generation_) {  // Zones and rules have other numbers by now.
    r.from = rules_->zones().zone_of(flow.ends.client, flow.port, flow.ends.server);
    r.to = rules_->zones().zone_of(flow.ends.server, flow.port, flow.ends.client);
    r.rule = changes_since(flow.generation).renamed(flow.rule);
  }
  r.port = flow.port;
  r.sender = senders_.at(flow.sender);
  r.app = flow.innermost();
  r.chain_count = flow.apps_count;
  for (std::size_t i = 0; i < flow.apps_count; ++i) r.chain[i] = flow.apps[i];
  for (std::size_t s = 0; s < 2; ++s) {
    r.packets[s] = flow.packets[s];
    r.bytes[s] = flow.bytes[s];
  }
  r.dropped_packets = flow.dropped_packets;
  r.start_wall_ns = flow.start_wall_ns;
  r.end_wall_ns = flow.last_wall_ns;
  r.state = flow.phase >= state::TcpPhase::Closing ? FlowRecord::State::Closed : flow.answered ? FlowRecord::State::Established : FlowRecord::State::New;
  if (flow.verdict == state::FlowVerdict::Denied) {
    const bool limited = r.rule < rules_->rules().size() && rules_->policy().rules[r.rule].action == policy::Action::Limit;
    r.acted = limited ? FlowRecord::Acted::Limited : FlowRecord::Acted::Dropped;
  }
}

void Lane::report_flow(const Flow& flow, FlowRecord::Ended ended) {
  FlowRecord r;
  describe_flow(flow, r);
  r.ended = ended;
  Counters::PerApp& app = counters_.apps[r.app];
  ++app.flows;
  app.packets += r.packets[0] + r.packets[1];
  app.bytes += r.bytes[0] + r.bytes[1];
  sink_.on_flow(r);
}

}  // namespace weir::engine
