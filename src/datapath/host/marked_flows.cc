// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/marked_flows.h"

#include <linux/netfilter/nf_conntrack_tcp.h>

#include <algorithm>
#include <utility>

namespace weir::datapath {
namespace {

constexpr Nanoseconds kSweepEvery = 5 * kSecond;
constexpr std::size_t kSliceMax = 32;  ///< Connections asked for in a millisecond, some 4 us each.
constexpr std::size_t kFlowsMax = 262144;
/// A lane that never finds its queue empty settles flows all the same after this long.
constexpr Nanoseconds kWaitMax = 50 * kMillisecond;

}  // namespace

MarkedFlows::MarkedFlows(Conntrack conntrack, MarkField mark, std::uint32_t flows_max)
    : conntrack_(std::move(conntrack)), mark_(mark), slots_(flows_max, std::min<std::size_t>(flows_max, kFlowsMax)) {
  waiting_.reserve(kWaitingMax);
}

void MarkedFlows::on_settled(const engine::SettledFlow& flow) {
  if (!slots_.may_hold(flow.flow)) return;
  if (const Slot* const slot = slots_.find(flow.flow); slot != nullptr && slot->generation == flow.generation && (slot->in_kernel || slot->tries >= kTriesMax)) return;
  const auto known = std::find_if(waiting_.rbegin(), waiting_.rend(), [&](const Waiting& w) { return w.flow.flow == flow.flow; });
  if (known != waiting_.rend()) known->flow = flow;
  else if (waiting_.size() < kWaitingMax) waiting_.push_back({flow, 0});
}

void MarkedFlows::install(const engine::SettledFlow& flow, Nanoseconds now_ns) {
  Slot* slot = slots_.find(flow.flow);
  if (slot == nullptr) slot = slots_.take(flow.flow);
  if (slot == nullptr) {
    ++full_;
    return;
  }
  if (slot->in_kernel) recall(*slot);
  if (slot->generation != flow.generation) slot->tries = 0;
  slot->generation = flow.generation;
  // Either direction names a connection of which only one end is translated; the sender's is the likelier one.
  slot->name = {flow.ends, flow.side == Side::Server};
  auto found = conntrack_.read(slot->name);
  if (!found) {
    slot->name.reversed = !slot->name.reversed;
    found = conntrack_.read(slot->name);
  }
  if (!found) {
    // Not confirmed yet, or translated at both ends.
    if (++slot->tries == kTriesMax) ++unnamed_;
    return;
  }
  conntrack_.set_mark(slot->name, mark_.settled(flow.generation, flow.pass), mark_.mask());
  slot->in_kernel = true;
  slot->connection = found->id;
  slot->counted = found->counted;
  // Which direction began it: translation changes one end at most in what is seen here.
  slot->begun_by_client = found->src == flow.ends.client ? found->src_port == flow.ends.client_port || found->dst_port == flow.ends.server_port
                                                         : found->dst == flow.ends.server && found->dst_port == flow.ends.server_port;
  for (std::size_t s = 0; s < 2; ++s) {
    const std::size_t direction = slot->begun_by_client ? s : 1 - s;
    slot->packets[s] = found->packets[direction];
    slot->bytes[s] = found->bytes[direction];
  }
  slot->forgotten_at_ns = now_ns + static_cast<Nanoseconds>(found->left_s) * kSecond;
  ++carried_;
  ++marked_;
}

/// What the connection shows beyond what was told is owed to the engine.
void MarkedFlows::note(Slot& slot, const Connection& connection, Nanoseconds now_ns) {
  engine::Carried& owed = slot.owed;
  bool came = false;
  for (std::size_t s = 0; s < 2; ++s) {
    const std::size_t direction = slot.begun_by_client ? s : 1 - s;
    if (!connection.counted || connection.packets[direction] <= slot.packets[s]) continue;
    owed.packets[s] += connection.packets[direction] - slot.packets[s];
    owed.bytes[s] += connection.bytes[direction] - slot.bytes[s];
    slot.packets[s] = connection.packets[direction];
    slot.bytes[s] = connection.bytes[direction];
    came = true;
  }
  // Where nothing is counted, a packet shows by putting off the time when the connection is forgotten.
  const Nanoseconds forgotten_at_ns = now_ns + static_cast<Nanoseconds>(connection.left_s) * kSecond;
  came = came || (!connection.counted && forgotten_at_ns > slot.forgotten_at_ns + 2 * kSecond);
  slot.forgotten_at_ns = forgotten_at_ns;
  if (came) {
    owed.last_ns = now_ns;
    slot.moved = true;
  }
  switch (connection.tcp_state) {
    case TCP_CONNTRACK_FIN_WAIT:
    case TCP_CONNTRACK_CLOSE_WAIT: owed.fin[0] = true; break;  // Of which side does not matter: it is closing.
    case TCP_CONNTRACK_LAST_ACK:
    case TCP_CONNTRACK_TIME_WAIT: owed.fin[0] = owed.fin[1] = true; break;
    case TCP_CONNTRACK_CLOSE: owed.reset = true; break;
    default: break;
  }
}

bool MarkedFlows::any(const engine::Carried& c) {
  return c.packets[0] != 0 || c.packets[1] != 0 || c.last_ns != 0 || c.fin[0] || c.fin[1] || c.reset || c.unseen;
}

void MarkedFlows::refresh(Slot& slot) {
  if (!slot.in_kernel) return;
  const auto connection = conntrack_.read(slot.name);
  if (connection && connection->id == slot.connection) return note(slot, *connection, now_ns_);
  // The kernel has forgotten it: what still comes is asked about again.
  leave(slot);
}

/// The kernel carries it no more.
void MarkedFlows::leave(Slot& slot) {
  slot.in_kernel = false;
  slot.owed.unseen = slot.owed.unseen || std::exchange(slot.moved, false);
  --carried_;
}

/// No mark of it any more; the slot stays for what is owed.
void MarkedFlows::recall(Slot& slot) {
  if (!slot.in_kernel) return;
  refresh(slot);
  if (!slot.in_kernel) return;
  conntrack_.set_mark(slot.name, 0, mark_.mask());
  leave(slot);
}

bool MarkedFlows::read(std::uint32_t flow, engine::Carried& out) {
  Slot* const slot = slots_.find(flow);
  if (slot == nullptr) return false;
  if (slot->generation != generation_) recall(*slot);  // Its mark says nothing any more: its packets come to the engine.
  else refresh(*slot);
  if (!any(slot->owed)) return false;
  out = std::exchange(slot->owed, engine::Carried{});
  out.flow = flow;
  return true;
}

std::size_t MarkedFlows::read_due(Nanoseconds now_ns, std::span<engine::Carried> out) {
  now_ns_ = std::max(now_ns_, now_ns);
  const std::span<Slot> used = slots_.used();
  if (used.empty() || now_ns < slice_ns_) return 0;
  if (cursor_ == 0) sweep_ns_ = now_ns + kSweepEvery;
  slice_ns_ = now_ns + kMillisecond;
  std::size_t count = 0, asked = 0;
  for (; cursor_ < used.size() && asked < kSliceMax && count + 1 < out.size(); ++cursor_) {
    Slot& slot = used[cursor_];
    if (slot.flow == kFlowFree || (!slot.in_kernel && !any(slot.owed))) continue;
    ++asked;
    if (read(slot.flow, out[count])) ++count;
  }
  if (cursor_ >= used.size()) {
    cursor_ = 0;
    slice_ns_ = std::max(slice_ns_, sweep_ns_);
  }
  return count;
}

bool MarkedFlows::on_ended(std::uint32_t flow, engine::Carried& out) {
  std::erase_if(waiting_, [flow](const Waiting& w) { return w.flow.flow == flow; });
  Slot* const slot = slots_.find(flow);
  if (slot == nullptr) return false;
  recall(*slot);
  const bool owed = any(slot->owed);
  out = slot->owed;
  out.flow = flow;
  slots_.release(*slot);
  return owed;
}

void MarkedFlows::on_banned(const state::BanKey& key) {
  if (bans_count_ < kBansMax) bans_[bans_count_] = key;
  ++bans_count_;
}

bool MarkedFlows::banned(const FlowEnds& e) const {
  if (bans_count_ > kBansMax) return true;  // More than are remembered: each flow is asked again.
  for (std::size_t i = 0; i < bans_count_; ++i) {
    const state::BanKey& ban = bans_[i];
    switch (ban.kind) {
      case state::BanKind::Source: if (ban.ip == e.client) return true; break;
      case state::BanKind::Destination: if (ban.ip == e.server) return true; break;
      case state::BanKind::Port: if (ban.ip == e.server && ban.port == e.server_port && ban.protocol == e.protocol) return true; break;
      case state::BanKind::Protocol: if (ban.ip == e.server && ban.protocol == e.protocol) return true; break;
    }
  }
  return false;
}

void MarkedFlows::on_generation(std::uint32_t generation) {
  waiting_.clear();
  generation_ = generation;
  // What bears the number that now comes round again must not be taken for settled under these rules.
  for (Slot& slot : slots_.used()) {
    if (slot.in_kernel && slot.generation % MarkField::kGenerations == generation % MarkField::kGenerations) recall(slot);
  }
  conntrack_.send();
  if (rules_ == nullptr) return;
  if (rules_->use_generation(generation)) conntrack_.clear_marks(mark_.mask());  // Refused: then no mark says anything any more.
}

void MarkedFlows::on_expected(const Ip& client, const Ip& server, std::uint16_t port, std::uint8_t protocol) {
  if (early_ != nullptr) early_->expect(client, server, port, protocol);
}

void MarkedFlows::end_batch(bool emptied, Nanoseconds now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  if (!waiting_.empty()) {
    std::erase_if(waiting_, [&](Waiting& w) {
      if (w.since_ns == 0) w.since_ns = now_ns;
      if (!emptied && now_ns - w.since_ns < kWaitMax) return false;
      if (bans_count_ == 0 || !banned(w.flow.ends)) install(w.flow, now_ns);
      return true;
    });
  }
  if (bans_count_ != 0) {
    for (Slot& slot : slots_.used())
      if (slot.in_kernel && banned(slot.name.ends)) recall(slot);
    bans_count_ = 0;
  }
  conntrack_.send();
}

void MarkedFlows::clear_all() { conntrack_.clear_marks(mark_.mask()); }

}  // namespace weir::datapath
