// SPDX-License-Identifier: Apache-2.0
// What a carrier is told, and what is learned back from it.

#include <algorithm>

#include "engine/carrier.h"
#include "engine/lane.h"
#include "facts/field_ids.h"
#include "state/tcp.h"
#include "wire/wire.h"

namespace weir::engine {

using state::FlowVerdict;
using state::TcpPhase;

/// Nothing but the flow's entry decides its packets: not its content, its parent, or a count of packets; and no other flow needs what it says.
bool Lane::may_be_carried(const Flow& flow, const Work& work) const {
  const Packet& packet = *work.packet;
  const IpLayer& layer = *work.layer;
  if (packet.layers_count != 1 || packet.tunnels_count != 0 || !(packet.has_eth || packet.frame->link == LinkType::RawIp) || layer.fragment != FragmentKind::No) return false;
  if (flow.live != nullptr || flow.parent != 0 || packet.frame->number == 0 || &packet == &whole_packet_) return false;
  if (rules_->wants(field::kRatePackets) || rules_->wants(field::kRatePacketsTo)) return false;
  if (readings_.learns_from_all()) return false;
  const policy::StateWishes& wishes = rules_->policy().wishes;
  if (layer.is_tcp()) {
    if (wishes.tcp_strict) return false;
    if (flow.verdict == FlowVerdict::Denied) return flow.denied_because == Reason::Rule;
    if (flow.phase != TcpPhase::Established || (wishes.tcp_state && (!flow.tcp[0].seen || !flow.tcp[1].seen))) return false;
  } else if (!layer.is_udp() || wire::is_tunnel_port(flow.ends.client_port) || wire::is_tunnel_port(flow.ends.server_port)) {
    return false;
  }
  if (flow.verdict == FlowVerdict::Denied) return flow.denied_because == Reason::Rule;
  return flow.settled && flow.verdict == FlowVerdict::Passed && (flow.named || !options_.identify) && !may_teach(flow);
}

/// The frame at hand has the flow's verdict: from the next one on, the carrier may see to it.
void Lane::offer(Work& work) {
  Flow& flow = flows_.at(work.index);
  if (!may_be_carried(flow, work)) return;
  SettledFlow settled{.flow = work.index, .frame = work.packet->frame->number, .ends = flow.ends, .side = work.side,
                      .pass = flow.verdict == FlowVerdict::Passed, .rule = flow.rule, .generation = generation_};
  settled.tcp_checked = settled.pass && work.layer->is_tcp() && rules_->policy().wishes.tcp_state;
  if (settled.tcp_checked) {
    for (std::size_t s = 0; s < 2; ++s) {
      const state::TcpSide& side = flow.tcp[s];
      const bool both = side.scale_offered && flow.tcp[1 - s].scale_offered;
      const std::uint8_t unseen = flow.picked_up && !side.scale_offered ? 14 : side.scale;  // As commit_tcp() takes it.
      settled.tcp[s] = {side.next, side.window_end, side.acked, side.window_max, flow.picked_up || both ? unseen : std::uint8_t{0}};
    }
  }
  flow.carried = true;
  options_.carrier->on_settled(settled);
}

/// The flow is looked at: first, what was carried of it.
void Lane::catch_up(std::uint32_t index) {
  Carried carried;
  if (options_.carrier->read(index, carried)) credit(carried);
}

/// Takes the flow back for good.
void Lane::take_back(std::uint32_t index) {
  Carried carried;
  const bool any = options_.carrier->on_ended(index, carried);
  flows_.at(index).carried = false;
  if (!any) return;
  carried.flow = index;
  credit(carried);
}

void Lane::credit_due() {
  Carried due[64];
  for (;;) {
    const std::size_t count = options_.carrier->read_due(now_.mono_ns, due);
    for (std::size_t i = 0; i < count; ++i) credit(due[i]);
    if (count < std::size(due)) return;
  }
}

/// As if the packets had come through here.
void Lane::credit(const Carried& carried) {
  Flow& flow = flows_.at(carried.flow);
  CHECK(flow.in_use);
  const std::uint64_t packets = carried.packets[0] + carried.packets[1], bytes = carried.bytes[0] + carried.bytes[1];
  counters_.packets += packets;
  counters_.bytes += bytes + options_.carrier->link_bytes() * packets;
  if (carried.last_ns > flow.last_ns) {
    flow.last_wall_ns += carried.last_ns - flow.last_ns;
    flow.last_ns = std::min(carried.last_ns, now_.mono_ns);
  }
  if (flow.verdict == FlowVerdict::Denied) {
    counters_.dropped += packets;
    counters_.stopped_by_reason[static_cast<std::size_t>(Reason::Tombstone)] += packets;
    if (flow.rule == kDefaultRule) counters_.rules.back().packets += packets;
    else if (flow.rule < rules_->rules().size()) counters_.rules[flow.rule].packets += packets;
    flow.dropped_packets += packets;
    return;
  }
  counters_.passed += packets;
  for (std::size_t s = 0; s < 2; ++s) {
    flow.packets[s] += carried.packets[s];
    flow.bytes[s] += carried.bytes[s];
    if (carried.packets[s] != 0 && s == index_of(Side::Server)) flow.answered = true;
    if (!carried.has_tcp) continue;
    state::TcpSide& side = flow.tcp[s];
    // Packets that were on their way here when the flow was handed over are known here alone: nothing goes back.
    const CarriedTcp& seen = carried.tcp[s];
    if (state::seq_before(side.next, seen.next)) side.next = seen.next;
    if (state::seq_before(side.window_end, seen.window_end)) side.window_end = seen.window_end;
    if (state::seq_before(side.acked, seen.acked)) side.acked = seen.acked;
    side.window_max = std::max(side.window_max, seen.window_max);
  }
  if (flow.ends.protocol != ip_protocol::kTcp) return;
  if (carried.unseen) {
    // Whatever windows may have been offered meanwhile: the largest that their scale allows.
    const bool both = flow.tcp[0].scale_offered && flow.tcp[1].scale_offered;
    for (state::TcpSide& side : flow.tcp) {
      const std::uint32_t window = 65535U << (both ? side.scale : flow.picked_up && !side.scale_offered ? 14 : 0);
      side = {.window_max = window, .scale = side.scale, .fin = side.fin, .scale_offered = side.scale_offered};
    }
    flow.picked_up = true;
  }
  const TcpPhase before = flow.phase;
  for (std::size_t s = 0; s < 2; ++s) {
    if (!carried.fin[s]) continue;
    flow.tcp[s].fin = true;
    flow.phase = flow.tcp[1 - s].fin ? TcpPhase::Closed : std::max(flow.phase, TcpPhase::Closing);
  }
  if (carried.reset) {
    flow.reset = true;
    flow.phase = TcpPhase::Closed;
  }
  if (before < TcpPhase::Closing && flow.phase >= TcpPhase::Closing) flows_.schedule(carried.flow, flow.last_ns + rules_->policy().idle.tcp_closing_ns);
}

}  // namespace weir::engine
