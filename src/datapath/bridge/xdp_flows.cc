// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/xdp_flows.h"

#include <bpf/bpf.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "datapath/bridge/xdp_program.h"

namespace weir::datapath {
namespace {

constexpr Nanoseconds kSweepEvery = kSecond;
constexpr std::size_t kLinkBytes = 14;

Nanoseconds monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<Nanoseconds>(t.tv_sec) * kSecond + t.tv_nsec;
}

/// The program's clock: 32 bits of CLOCK_MONOTONIC >> 20. It wraps in 52 days; a last packet is younger than that.
Nanoseconds since_boot(std::uint32_t seen_ms, Nanoseconds now_ns) {
  const auto now_ms = static_cast<std::uint32_t>(now_ns >> 20);
  const std::uint32_t ago = now_ms - seen_ms;
  return ago > 0x80000000U ? now_ns : now_ns - (static_cast<Nanoseconds>(ago) << 20);
}

/// The end with the smaller (address, port), as bytes on the wire, comes first.
bool client_is_second(const FlowEnds& ends) {
  const int order = std::memcmp(ends.client.bytes.data(), ends.server.bytes.data(), ends.client.bytes.size());
  return order > 0 || (order == 0 && ends.client_port > ends.server_port);
}

}  // namespace

XdpFlows::XdpFlows(XdpProgram& program, std::uint32_t flows_max, std::uint32_t carried_max)
    : program_(program), slots_(flows_max, carried_max + carried_max / 4) {
  settled_.reserve(64);
}

void XdpFlows::on_settled(const engine::SettledFlow& flow) {
  if (settled_.size() < settled_.capacity() && slots_.may_hold(flow.flow)) settled_.push_back(flow);
}

bool XdpFlows::make_key(const engine::SettledFlow& flow, std::uint16_t vlan, Slot& slot) const {
  const FlowEnds& ends = flow.ends;
  slot.ends = ends;
  slot.client_second = client_is_second(ends);
  slot.v6 = !ends.client.is_v4();
  slot.key = Key{};
  const Ip* ips[2] = {&ends.client, &ends.server};
  std::uint16_t ports[2] = {ends.client_port, ends.server_port};
  if (slot.client_second) {
    std::swap(ips[0], ips[1]);
    std::swap(ports[0], ports[1]);
  }
  const auto fill = [&](auto& key, std::size_t skip) {
    for (std::size_t e = 0; e < 2; ++e) {
      std::memcpy(key.address_be[e], ips[e]->bytes.data() + skip, sizeof key.address_be[e]);
      store_be16(key.port_be[e], ports[e]);
    }
    key.protocol = ends.protocol;
    key.vlan = vlan;
  };
  if (slot.v6) fill(slot.key.v6, 0);
  else fill(slot.key.v4, 12);
  return *ips[0] != *ips[1] || ports[0] != ports[1];
}

weir_flow XdpFlows::entry_of(const engine::SettledFlow& flow, const Slot& slot) const {
  weir_flow entry{};
  entry.generation = flow.generation;
  entry.verdict = flow.pass ? WEIR_FLOW_PASS : WEIR_FLOW_DROP;
  entry.tcp_checked = flow.tcp_checked ? 1 : 0;
  for (std::size_t s = 0; s < 2; ++s) {
    const std::size_t way = s ^ (slot.client_second ? 1U : 0U);
    const engine::CarriedTcp& tcp = flow.tcp[s];
    entry.scale[way] = tcp.scale;
    entry.tcp[way] = {tcp.next, tcp.window_end, tcp.acked, tcp.window_max};
  }
  const auto now_us = static_cast<std::uint32_t>(monotonic_ns() >> 10);
  for (std::size_t i = 0; i < 2; ++i) {
    const Slot::Way& seen = slot.way[i];
    weir_way& way = entry.way[i];
    if (!flow.pass || seen.out == kNoPort) continue;
    std::uint32_t macs[3];
    std::memcpy(macs, seen.macs, sizeof macs);
    way.tag = weir_tag(macs, static_cast<std::uint32_t>(seen.in), program_.config().salt);
    way.out = static_cast<std::uint8_t>(seen.out);
    way.flags = WEIR_WAY_VALID | WEIR_WAY_HANDOVER;
    way.u.handover.since_us = way.u.handover.last_us = now_us;
  }
  return entry;
}

void XdpFlows::install(const engine::SettledFlow& flow, Bytes frame, const Crossing& crossing) {
  if (frame.size() < kLinkBytes || (flow.pass && (crossing.out == kNoPort || (frame[0] & 1) != 0))) return;
  const std::uint16_t type = load_be16(frame.data() + 12);
  std::uint16_t vlan = 0;
  if (type == 0x8100 && frame.size() >= kLinkBytes + 4) vlan = load_be16(frame.data() + 14) & 0x0fff;
  else if (type != 0x0800 && type != 0x86dd) return;
  Slot* slot = slots_.find(flow.flow);
  const std::size_t way = index_of(flow.side) ^ (client_is_second(flow.ends) ? 1U : 0U);
  if (slot != nullptr && slot->in_kernel && slot->generation == flow.generation) {
    // It came another way than before (or one of its packets was for the engine alone: then nothing is new).
    const Slot::Way& known = slot->way[way];
    const bool stale = flow.tcp_checked && monotonic_ns() - slot->installed_ns > kSecond;  // The kernel's windows may be behind.
    const bool same = !flow.pass || (known.in == crossing.in_device && known.out == crossing.out &&
                                     std::memcmp(known.macs, frame.data(), sizeof known.macs) == 0);
    if (same && !stale) return;
  }
  if (slot == nullptr) slot = slots_.take(flow.flow);
  if (slot == nullptr) {
    ++full_;
    return;
  }
  if (slot->in_kernel) recall(*slot);
  if (!make_key(flow, vlan, *slot)) return;
  if (flow.pass) {
    Slot::Way& here = slot->way[way];
    std::memcpy(here.macs, frame.data(), sizeof here.macs);
    here.in = crossing.in_device;
    here.out = crossing.out;
    // Each way is carried only as it was seen. Windows are judged from both, so that neither is carried before both were seen.
    if (flow.tcp_checked && slot->way[1 - way].out == kNoPort) return;
  }
  const weir_flow entry = entry_of(flow, *slot);
  const void* key = slot->v6 ? static_cast<const void*>(&slot->key.v6) : &slot->key.v4;
  if (bpf_map_update_elem(program_.flows_fd(slot->v6), key, &entry, BPF_ANY) != 0) {
    ++full_;
    if (!any(slot->owed)) slots_.release(*slot);
    return;
  }
  slot->generation = flow.generation;
  slot->in_kernel = true;
  slot->installed_ns = monotonic_ns();
  slot->packets[0] = slot->packets[1] = 0;
  slot->bytes[0] = slot->bytes[1] = 0;
  ++carried_;
  ++installed_;
}

/// What the entry shows beyond what was told is owed to the engine.
void XdpFlows::note(Slot& slot, const weir_flow& entry) {
  engine::Carried& owed = slot.owed;
  const Nanoseconds now_ns = monotonic_ns();
  for (std::size_t way = 0; way < 2; ++way) {
    const std::size_t side = way ^ (slot.client_second ? 1U : 0U);
    const weir_way& w = entry.way[way];
    owed.packets[side] += w.packets - slot.packets[way];
    slot.packets[way] = w.packets;
    if ((w.flags & WEIR_WAY_HANDOVER) == 0) {
      owed.bytes[side] += w.u.bytes - slot.bytes[way];
      slot.bytes[way] = w.u.bytes;
    }
    if (w.seen_ms != 0) owed.last_ns = std::max(owed.last_ns, since_boot(w.seen_ms, now_ns));
    if ((w.flags & WEIR_WAY_FIN) != 0) owed.fin[side] = true;
    if ((w.flags & WEIR_WAY_RST) != 0) owed.reset = true;
    if (entry.tcp_checked != 0) owed.tcp[side] = {entry.tcp[way].next, entry.tcp[way].window_end, entry.tcp[way].acked, entry.tcp[way].window_max, 0};
  }
  owed.has_tcp = entry.tcp_checked != 0;
}

bool XdpFlows::any(const engine::Carried& c) { return c.packets[0] != 0 || c.packets[1] != 0 || c.fin[0] || c.fin[1] || c.reset; }

bool XdpFlows::refresh(Slot& slot) {
  if (!slot.in_kernel) return false;
  weir_flow entry;
  const void* key = slot.v6 ? static_cast<const void*>(&slot.key.v6) : &slot.key.v4;
  if (bpf_map_lookup_elem(program_.flows_fd(slot.v6), key, &entry) != 0) return false;
  note(slot, entry);
  return true;
}

/// Out of the kernel, with what it carried last; the slot stays for what is owed.
bool XdpFlows::recall(Slot& slot) {
  if (!slot.in_kernel) return false;
  weir_flow entry;
  const void* key = slot.v6 ? static_cast<const void*>(&slot.key.v6) : &slot.key.v4;
  if (bpf_map_lookup_and_delete_elem(program_.flows_fd(slot.v6), key, &entry) == 0) note(slot, entry);
  slot.in_kernel = false;
  --carried_;
  return true;
}

bool XdpFlows::read(std::uint32_t flow, engine::Carried& out) {
  Slot* const slot = slots_.find(flow);
  if (slot == nullptr) return false;
  refresh(*slot);
  if (!any(slot->owed)) return false;
  out = std::exchange(slot->owed, engine::Carried{});
  out.flow = flow;
  return true;
}

std::size_t XdpFlows::read_due(Nanoseconds now_ns, std::span<engine::Carried> out) {
  const std::span<Slot> used = slots_.used();
  if (used.empty() || now_ns < slice_ns_) return 0;
  // A slice a millisecond, so that the lane never stalls: the whole table in about a second.
  if (cursor_ == 0) sweep_ns_ = now_ns + kSweepEvery;
  slice_ns_ = now_ns + kMillisecond;
  std::size_t count = 0;
  const std::size_t end = std::min(used.size(), cursor_ + std::max<std::size_t>(64, used.size() / 1000));
  for (; cursor_ < end && count + 1 < out.size(); ++cursor_) {
    Slot& slot = used[cursor_];
    if (slot.flow == kFlowFree) continue;
    const std::uint32_t flow = slot.flow;
    if (read(flow, out[count])) ++count;
  }
  if (cursor_ >= used.size()) {
    cursor_ = 0;
    slice_ns_ = std::max(slice_ns_, sweep_ns_);
  }
  return count;
}

bool XdpFlows::on_ended(std::uint32_t flow, engine::Carried& out) {
  std::erase_if(settled_, [flow](const engine::SettledFlow& s) { return s.flow == flow; });
  Slot* const slot = slots_.find(flow);
  if (slot == nullptr) return false;
  recall(*slot);
  const bool owed = any(slot->owed);
  if (owed) out = slot->owed;
  out.flow = flow;
  slots_.release(*slot);
  return owed;
}

void XdpFlows::on_banned(const state::BanKey& key) {
  if (bans_count_ < kBansMax) bans_[bans_count_] = key;
  ++bans_count_;
}

bool XdpFlows::banned(const Slot& slot) const {
  if (bans_count_ > kBansMax) return true;  // More than are remembered: each flow is asked again.
  for (std::size_t i = 0; i < bans_count_; ++i) {
    const state::BanKey& ban = bans_[i];
    const FlowEnds& e = slot.ends;
    switch (ban.kind) {
      case state::BanKind::Source: if (ban.ip == e.client) return true; break;
      case state::BanKind::Destination: if (ban.ip == e.server) return true; break;
      case state::BanKind::Port: if (ban.ip == e.server && ban.port == e.server_port && ban.protocol == e.protocol) return true; break;
      case state::BanKind::Protocol: if (ban.ip == e.server && ban.protocol == e.protocol) return true; break;
    }
  }
  return false;
}

void XdpFlows::end_batch() {
  settled_.clear();
  if (bans_count_ == 0) return;
  for (Slot& slot : slots_.used())
    if (slot.in_kernel && banned(slot)) recall(slot);
  bans_count_ = 0;
}

void XdpFlows::recall_all() {
  for (Slot& slot : slots_.used()) {
    recall(slot);
    slot.way[0] = slot.way[1] = {};
  }
}

void XdpFlows::on_generation(std::uint32_t generation) { program_.config().generation = generation; }

}  // namespace weir::datapath
