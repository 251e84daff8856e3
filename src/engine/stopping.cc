// SPDX-License-Identifier: Apache-2.0
// What a stopper is told, and what is counted of what it stopped.

#include "engine/stopper.h"

#include "engine/lane.h"

namespace weir::engine {

/// The outermost layer of a frame was stopped by its own headers: more of the same may be stopped before they come here.
void Lane::tell_stopper(const Work& work) {
  const Packet& packet = *work.packet;
  if (work.uncounted || !packet.has_eth || packet.frame->number == 0 || &packet == &whole_packet_) return;
  const bool ruled = work.reason == Reason::Rule && work.reach == policy::Reach::Packet && work.facts != nullptr;
  if (!ruled && work.reason != Reason::Banned) return;
  set_view(work, false);
  Stopped stopped{.rule = work.rule, .reason = work.reason, .generation = generation_, .view = &view_};
  const Ip& source = work.layer->src;
  stopped.serves = serving_[hash_ip(source, options_.seed) % serving_.size()] != 0;
  if (work.reason == Reason::Banned) stopped.until_ns = bans_.until({state::BanKind::Source, 0, 0, source}, now_.mono_ns);
  options_.stopper->on_stopped(stopped);
}

/// A flow begins or ends. Called before a frame to the server goes out. What answers a ping is told by its type alone, and never stopped.
void Lane::serves(const FlowEnds& ends, bool more) {
  if (ends.protocol == ip_protocol::kIcmp || ends.protocol == ip_protocol::kIcmpv6) return;
  std::uint32_t& count = serving_[hash_ip(ends.server, options_.seed) % serving_.size()];
  if (more && count++ == 0) options_.stopper->on_wanted(ends.server);
  if (!more) --count;
}

void Lane::credit_stopped() {
  StoppedCount some[64];
  for (;;) {
    const std::size_t count = options_.stopper->read_stopped(now_.mono_ns, some);
    for (std::size_t i = 0; i < count; ++i) credit(some[i]);
    if (count < std::size(some)) return;
  }
}

/// As if the packets had come through here, each of them one of many alike.
void Lane::credit(const StoppedCount& stopped) {
  counters_.packets += stopped.packets;
  counters_.bytes += stopped.bytes + 14 * stopped.packets;  // Frames are counted with their link header.
  counters_.dropped += stopped.packets;
  counters_.stopped_by_reason[static_cast<std::size_t>(stopped.reason)] += stopped.packets;
  RuleId rule = stopped.rule;
  if (rule < kOperatorRule && stopped.generation != generation_) rule = changes_since(stopped.generation).renamed(rule);
  if (rule < rules_->rules().size()) counters_.rules[rule].packets += stopped.packets;
  else if (rule != kOperatorRule) return;
  const GatherKey key = gather_key(rule, stopped.reason, stopped.src, stopped.dst, stopped.dst_port, stopped.protocol);
  Gathered* gathered = find_gathered(key);
  if (gathered == nullptr) {
    gathered = &gather(key);
    AlertRecord& first = gathered->first;
    first.action = policy::Action::Drop;
    first.frame = stopped.frame;
    first.wall_ns = now_.wall_ns;
    first.port = stopped.port;
    first.has_ip = true;
    first.src = stopped.src;
    first.dst = stopped.dst;
    first.src_port = stopped.src_port;
    first.dst_port = stopped.dst_port;
    first.protocol = stopped.protocol;
    first.from = rules_->zones().zone_of(stopped.src, stopped.port, stopped.dst);
    first.to = rules_->zones().zone_of(stopped.dst, stopped.port, stopped.src);
    if (rule < rules_->rules().size() && stopped.reason == Reason::Rule) first.action = rules_->policy().rules[rule].action;
  }
  gathered->more += static_cast<std::uint32_t>(stopped.packets);
}

bool Lane::unban(const state::BanKey& key) {
  if (options_.stopper != nullptr && key.kind == state::BanKind::Source) options_.stopper->on_wanted(key.ip);
  return bans_.unban(key, now_.mono_ns);
}

}  // namespace weir::engine
