// SPDX-License-Identifier: Apache-2.0
// Payload while a deny is still possible: what is held, until when, and how it is let go.

#include "engine/lane.h"

namespace weir::engine {

using policy::Reach;
using state::FlowVerdict;

/// Payload while a deny is still possible: held or passed, until the bound.
void Lane::resolve_undecided(Work& work) {
  Live& live = *work.live;
  const policy::UndecidedBounds& bounds = rules_->policy().undecided;
  const IpLayer& layer = *work.layer;
  if (!work.uncertain) {
    if (live.held_count != 0) release_held(live, work);
    return;
  }
  const bool fin = layer.is_tcp() && (layer.tcp_flags & tcp_flag::kFin) != 0;
  if (layer.payload_bytes == 0 && !(fin && work.side == Side::Client)) return;
  bool at_bound = fin && work.side == Side::Client;
  if (work.side == Side::Server) {
    live.undecided_server_bytes += layer.payload_bytes;
    at_bound = live.undecided_server_bytes > bounds.server_bytes_max;
  } else if (layer.payload_bytes != 0) {
    ++live.undecided_frames;
    live.undecided_bytes += layer.payload_bytes;
    if (live.hold_since_ns == 0) live.hold_since_ns = now_.mono_ns;
    at_bound = at_bound || live.undecided_frames > bounds.frames_max || live.undecided_bytes > bounds.bytes_max ||
               now_.mono_ns - live.hold_since_ns >= bounds.time_max_ns;
  }
  if (at_bound) {
    if (!judge_now(work, true)) return;
    if (bounds.hold && work.side == Side::Client && !within_undecided_budget(work)) return;
    live.bound_decided = true;
    live.undecided_frames = live.undecided_bytes = live.undecided_server_bytes = 0;
    live.hold_since_ns = 0;
    if (live.held_count != 0) release_held(live, work);
    return;
  }
  if (!bounds.hold || work.side == Side::Server) return;
  if (live.held == nullptr) live.held = static_cast<HeldFrame*>(pool_.take(sizeof(HeldFrame) * Live::kHeldMax));
  if (live.held == nullptr || live.held_count == Live::kHeldMax) {
    ++counters_.holds_overflowed;
    judge_now(work, true);
    return;
  }
  if (live.held_count == 0) holds_.push_back({work.index, flows_.at(work.index).first_frame, now_.mono_ns + bounds.time_max_ns});
  live.held[live.held_count++] = {work.packet->frame->number, work.packet->frame->port, now_.wall_ns};
  live.held_bytes += layer.payload_bytes;
  ++counters_.held;
  work.verdict = Verdict::Hold;
}

/// Bytes that are let go undecided are charged to the client; past its budget they are dropped, as `guard.undecided`.
bool Lane::within_undecided_budget(Work& work) {
  constexpr double kBytesAMinute = 64 * 1024;
  constexpr RuleId kBudget = 0x3fffffff;  // A key of its own among the buckets.
  const double bytes = work.live->held_bytes + work.layer->payload_bytes;
  const std::uint64_t client = hash_ip(work.facts->ends.client, 17);
  if (buckets_.take(kBudget, client, 0, kBytesAMinute / 60, kBytesAMinute, bytes, now_.mono_ns)) return true;
  work.denied = true;
  work.verdict = Verdict::Drop;
  work.reason = Reason::UndecidedBudget;
  work.reach = Reach::Packet;
  work.rule = undecided_rule_;
  work.learns = false;
  Live& live = *work.live;
  live.undecided_frames = live.undecided_bytes = 0;
  live.hold_since_ns = 0;
  if (live.held_count != 0) release_held(live, work);
  return false;
}

/// Held frames go the way of the frame at hand, in order.
void Lane::release_held(Live& live, const Work& work) {
  for (std::size_t i = 0; i < live.held_count; ++i) {
    Decision decision;
    decision.frame = live.held[i].frame;
    decision.verdict = work.verdict == Verdict::Drop ? Verdict::Drop : Verdict::Pass;
    decision.rule = work.rule;
    decision.reason = work.reason;
    if (decision.verdict == Verdict::Drop) {
      ++counters_.dropped;
      ++counters_.stopped_by_reason[static_cast<std::size_t>(work.reason)];
      if (work.rule == kDefaultRule) ++counters_.rules.back().packets;
      else if (work.rule < rules_->rules().size()) ++counters_.rules[work.rule].packets;
    } else {
      ++counters_.passed;
    }
    sink_.on_released(decision);
  }
  live.held_count = 0;
  live.held_bytes = 0;
  if (live.held != nullptr) pool_.release(live.held, sizeof(HeldFrame) * Live::kHeldMax);
  live.held = nullptr;
}

/// Holds whose time is over (`all`: every one) are decided as at the bound, without a packet.
void Lane::end_holds(bool all) {
  while (holds_first_ < holds_.size() && (all || holds_[holds_first_].deadline_ns <= now_.mono_ns)) {
    const Hold hold = holds_[holds_first_++];
    Flow& flow = flows_.at(hold.flow);
    if (!flow.in_use || flow.first_frame != hold.first_frame || flow.live == nullptr) continue;
    if (flow.generation != generation_) renew(hold.flow);
    Live& live = *static_cast<Live*>(flow.live);
    if (live.held_count == 0) continue;
    Work work;
    Frame frame;
    frame.number = live.held[0].frame;
    frame.port = live.held[0].port;
    frame.time = now_;
    Packet packet;
    packet.frame = &frame;
    packet.layers_count = 1;
    IpLayer& layer = packet.layers[0];
    layer.version = flow.ends.client.is_v4() ? 4 : 6;
    layer.protocol = flow.ends.protocol;
    layer.protocols[0] = flow.ends.protocol;
    layer.protocols_count = 1;
    layer.src = flow.ends.client;
    layer.dst = flow.ends.server;
    layer.src_port = flow.ends.client_port;
    layer.dst_port = flow.ends.server_port;
    layer.has_transport = true;
    work.packet = &packet;
    work.layer = &layer;
    work.key = {layer.src, layer.dst, layer.src_port, layer.dst_port, layer.protocol, flow.domain};
    work.hash = flows_.hash(work.key);
    work.index = hold.flow;
    work.live = &live;
    work.facts = &live.flow;
    packet_memo_count_ = 0;
    set_view(work, true);
    readings_.make(view_, false);
    const bool pass = judge_now(work, true) && (!rules_->policy().undecided.hold || within_undecided_budget(work));
    current_ = nullptr;
    if (work.reason == Reason::UndecidedBudget) continue;  // Those frames are gone; the flow goes on.
    live.bound_decided = true;
    live.undecided_frames = live.undecided_bytes = 0;
    live.hold_since_ns = 0;
    release_held(live, work);
    if (!pass) commit_denial(work);
    view_.packet = nullptr;
  }
  if (holds_first_ == holds_.size()) {
    holds_.clear();
    holds_first_ = 0;
  } else if (holds_first_ > 4096) {
    holds_.erase(holds_.begin(), holds_.begin() + static_cast<std::ptrdiff_t>(holds_first_));
    holds_first_ = 0;
  }
}

}  // namespace weir::engine
