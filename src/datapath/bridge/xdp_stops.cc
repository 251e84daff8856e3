// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/xdp_stops.h"

#include <bpf/bpf.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "datapath/bridge/xdp_program.h"

namespace weir::datapath {
namespace {

constexpr Nanoseconds kSweepEvery = kSecond;
constexpr Nanoseconds kIdle = 60 * kSecond;
constexpr Nanoseconds kLongest = kHour;  ///< The kernel's clock has 32 bits; what lasts longer is put there again.
constexpr Nanoseconds kShortest = 100 * kMillisecond;
constexpr std::size_t kSlices = 256;

Nanoseconds monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<Nanoseconds>(t.tv_sec) * kSecond + t.tv_nsec;
}

/// Its zone depends on whom it speaks to.
bool is_special(const Ip& ip) { return ip.is_unspecified() || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast(); }

weir_u64 half_be(const Ip& ip, std::size_t half) {
  weir_u64 out;
  std::memcpy(&out, ip.bytes.data() + half * 8, sizeof out);
  return out;
}

}  // namespace

XdpStops::XdpStops(XdpProgram& program, std::size_t sources_max, std::size_t budgets_max)
    : program_(program), sources_(sources_max), budgets_(budgets_max) {}

std::uint64_t XdpStops::hash(const weir_budget_key& key) {
  return mix64(mix64(mix64(key.from_be[0], key.from_be[1]), mix64(key.to_be[0], key.to_be[1])),
               std::uint64_t{key.port} << 32 | std::uint64_t{key.protocol} << 16 | std::uint64_t{key.row} << 8 | key.version);
}

void XdpStops::on_rules(std::shared_ptr<const policy::RuleSet> rules, std::uint32_t generation) {
  rules_ = std::move(rules);
  generation_ = generation;
  program_.config().generation = generation;  // From now on what is there is a miss.
  lowered_ = lower(*rules_);
  program_.config().sound_options = asks_for_sound_options(*rules_) ? 1 : 0;
  volatile weir_front& front = program_.front();
  front.rows_count = 0;
  front.datagrams = 0;
  bool datagrams = false;
  asks_senders_ = false;
  for (std::size_t i = 0; i < lowered_.budgets.size(); ++i) {
    const weir_row& row = lowered_.budgets[i].row;
    std::memcpy(const_cast<weir_row*>(&front.rows[i]), &row, sizeof row);
    datagrams = datagrams || row.what == WEIR_ROW_UDP;
    asks_senders_ = asks_senders_ || row.asks_source != 0;
  }
  if (datagrams) {
    for (unsigned port = 0; port < 65536; ++port)
      if (rules_->vocabulary().is_registered_port(ip_protocol::kUdp, static_cast<std::uint16_t>(port)))
        front.udp_ports[port / 64] = front.udp_ports[port / 64] | std::uint64_t{1} << (port % 64);
  }
  for (std::size_t i = 0; i < lowered_.free_syn.size(); ++i) {
    front.free_ports[0][i] = lowered_.free_syn[i];
    front.free_ports[1][i] = lowered_.free_udp[i];
  }
  // Only once a budget is over is there anything to look for; but what was asked for must be known by then.
  front.rows_count = datagrams || budgets_now_ != 0 ? static_cast<weir_u32>(lowered_.budgets.size()) : 0;
  front.datagrams = datagrams ? 1 : 0;
  front.asks_source = asks_senders_ ? 1 : 0;
}

void XdpStops::on_cookie_key(const SipKey& key) {
  program_.front().cookie_key[0] = key.k0;
  program_.front().cookie_key[1] = key.k1;
}

engine::StoppedCount XdpStops::first_of(const engine::Stopped& stopped) const {
  const View& view = *stopped.view;
  engine::StoppedCount out{.rule = stopped.rule, .generation = stopped.generation, .reason = stopped.reason};
  out.frame = view.packet->frame->number;
  out.src = view.layer->src;
  out.dst = view.layer->dst;
  out.src_port = view.layer->src_port;
  out.dst_port = view.layer->dst_port;
  out.protocol = view.layer->protocol;
  out.port = view.packet->frame->port;
  return out;
}

void XdpStops::on_stopped(const engine::Stopped& stopped) {
  if (rules_ == nullptr || stopped.generation != generation_ || stopped.view->packet->vlans_count > 1) return;
  const Ip& source = stopped.view->layer->src;
  if (stopped.reason == Reason::Banned) {
    if (!lowered_.bans || stopped.serves || stopped.until_ns == 0) return;
    return stop_source(stopped, WEIR_STOP_ALL, stopped.until_ns - lowered_.ban_margin_ns);
  }
  // Its sender must be the flow's client, as the kernel takes it to be.
  const FlowFacts* const flow = stopped.view->flow;
  if (flow == nullptr || flow->ends.client != source) return;
  for (std::size_t row = 0; row < lowered_.budgets.size(); ++row)
    if (lowered_.budgets[row].rule == stopped.rule) return stop_budget(stopped, row);
  if (stopped.serves || is_special(source)) return;
  const LoweredSource* const by_source = lowered_.source_of(stopped.rule);
  if (by_source == nullptr) return;
  unsigned what = decided_by_source(*rules_, *by_source, *stopped.view);
  if (!lowered_.silent) what &= ~unsigned{WEIR_STOP_UDP};  // Taken for an answer, it might count for whom it is sent to.
  if (what != 0) stop_source(stopped, static_cast<std::uint8_t>(what), monotonic_ns() + kLongest);
}

void XdpStops::stop_source(const engine::Stopped& stopped, std::uint8_t what, Nanoseconds until_ns) {
  const Nanoseconds now_ns = monotonic_ns();
  until_ns = std::min(until_ns, now_ns + kLongest);
  const PortIndex port = stopped.view->packet->frame->port;
  if (until_ns < now_ns + kShortest || port >= devices.size() || devices[port] == 0) return;
  const Ip& ip = stopped.view->layer->src;
  Source* source = sources_.find(ip, hash(ip), now_ns, INT64_MAX);
  if (source == nullptr) {
    if (sources_.set_full(hash(ip), now_ns, INT64_MAX)) return void(++full_);
    source = sources_.insert(ip, hash(ip), now_ns, INT64_MAX);
    ++noted_;
    source->ip = ip;
    source->told = first_of(stopped);
  } else if (source->told.rule != stopped.rule || source->told.reason != stopped.reason || source->told.generation != stopped.generation) {
    if (source->owed_packets != 0 || source->in_kernel) return;  // First, what is owed to another rule.
    source->told = first_of(stopped);
  }
  weir_source entry{};
  entry.generation = generation_;
  entry.until_ms = static_cast<weir_u32>(until_ns >> 20);
  entry.ifindex = static_cast<weir_u32>(devices[port]);
  entry.vlan = stopped.view->packet->vlans_count != 0 ? stopped.view->packet->vlans[0] : weir_u16{0};
  entry.what = what;
  if (source->in_kernel) {
    // Here again: it was over, or it came another way. What it had stopped is not to be lost.
    weir_source last{};
    if (bpf_map_lookup_elem(program_.sources_fd(), &ip, &last) == 0) entry.packets = last.packets, entry.bytes = last.bytes;
    if (last.ifindex == entry.ifindex && last.vlan == entry.vlan && last.what == entry.what && last.until_ms == entry.until_ms) return;
  }
  if (bpf_map_update_elem(program_.sources_fd(), &ip, &entry, BPF_ANY) != 0) return void(++full_);
  if (!source->in_kernel) {
    source->told.packets = source->told.bytes = 0;
    source->in_kernel = true;
    if (sources_now_++ == 0) program_.front().sources = 1;
  }
  source->seen_ns = now_ns;
}

void XdpStops::stop_budget(const engine::Stopped& stopped, std::size_t place) {
  const Nanoseconds now_ns = monotonic_ns();
  const weir_row& row = lowered_.budgets[place].row;
  const IpLayer& layer = *stopped.view->layer;
  Budget fresh{};
  weir_budget_key& key = fresh.key;
  const bool v4 = layer.version == 4;
  const auto masked = [&](const Ip& ip, weir_u32 v4_be, const weir_u64 v6_be[2], weir_u64 out[2]) {
    out[0] = v4 ? 0 : half_be(ip, 0) & v6_be[0];
    out[1] = half_be(ip, 1) & (v4 ? weir_u64{v4_be} << 32 : v6_be[1]);
  };
  masked(layer.src, row.from4_be, row.from6_be, key.from_be);
  masked(layer.dst, row.to4_be, row.to6_be, key.to_be);
  key.version = (row.from4_be | row.to4_be) == 0 ? weir_u8{0} : layer.version;
  if ((row.per & WEIR_PER_PORT) != 0) key.port = layer.dst_port;
  if ((row.per & WEIR_PER_PROTOCOL) != 0) key.protocol = layer.protocol;
  key.row = static_cast<weir_u8>(place);
  Budget* budget = budgets_.find({key}, hash(key), now_ns, INT64_MAX);
  if (budget != nullptr) return;  // Of other rules it goes with the next sweep, and comes back then.
  if (budgets_.set_full(hash(key), now_ns, INT64_MAX)) return void(++full_);
  weir_budget entry{};
  entry.generation = generation_;
  // The engine's bucket has less than this packet costs; this one lies above it by its slack.
  const weir_u64 above = static_cast<weir_u64>(kBudgetSlack) + row.packet_ns + ((layer.length * row.byte_ns_q16) >> 16);
  entry.full_ns = static_cast<weir_u64>(now_ns) + (row.burst_ns > above ? row.burst_ns - above : 0);
  if (bpf_map_update_elem(program_.budgets_fd(), &key, &entry, BPF_ANY) != 0) return void(++full_);
  budget = budgets_.insert({key}, hash(key), now_ns, INT64_MAX);
  *budget = fresh;
  budget->told = first_of(stopped);
  budget->seen_ns = now_ns;
  if (budgets_now_++ == 0) program_.front().rows_count = static_cast<weir_u32>(lowered_.budgets.size());
}

void XdpStops::on_wanted(const Ip& ip) {
  if (sources_now_ == 0) return;
  Source* const source = sources_.find(ip, hash(ip), monotonic_ns(), INT64_MAX);
  if (source == nullptr || !source->in_kernel) return;
  weir_source last{};
  if (bpf_map_lookup_and_delete_elem(program_.sources_fd(), &ip, &last) == 0) {
    source->owed_packets += last.packets - source->told.packets;
    source->owed_bytes += last.bytes - source->told.bytes;
  }
  source->in_kernel = false;
  if (--sources_now_ == 0) program_.front().sources = 0;
}

void XdpStops::on_known(const Ip& client) {
  const weir_u32 once = 1;
  bpf_map_update_elem(program_.known_fd(), &client, &once, BPF_ANY);
}

/// What the source owes; it goes where it has nothing more to do.
bool XdpStops::settle_source(Source& source, Nanoseconds now_ns, engine::StoppedCount& out) {
  if (source.in_kernel) {
    weir_source entry{};
    const bool there = bpf_map_lookup_elem(program_.sources_fd(), &source.ip, &entry) == 0;
    if (there && entry.packets != source.told.packets) {
      source.owed_packets += entry.packets - source.told.packets;
      source.owed_bytes += entry.bytes - source.told.bytes;
      source.told.packets = entry.packets;
      source.told.bytes = entry.bytes;
      source.seen_ns = now_ns;
    }
    const auto left_ms = static_cast<std::int32_t>(entry.until_ms - static_cast<weir_u32>(now_ns >> 20));
    if (!there || left_ms < 0 || source.told.generation != generation_ || now_ns - source.seen_ns > kIdle) on_wanted(source.ip);
  }
  out = source.told;
  out.packets = std::exchange(source.owed_packets, 0);
  out.bytes = std::exchange(source.owed_bytes, 0);
  if (!source.in_kernel) {
    sources_.erase(&source);
    --noted_;
  }
  return out.packets != 0;
}

bool XdpStops::settle_budget(Budget& budget, Nanoseconds now_ns, engine::StoppedCount& out) {
  weir_budget entry{};
  out = budget.told;
  out.packets = out.bytes = 0;
  if (bpf_map_lookup_elem(program_.budgets_fd(), &budget.key, &entry) == 0) {
    out.packets = entry.packets - budget.told.packets;
    out.bytes = entry.bytes - budget.told.bytes;
    budget.told.packets = entry.packets;
    budget.told.bytes = entry.bytes;
    if (out.packets != 0) budget.seen_ns = now_ns;
  }
  return out.packets != 0;
}

std::size_t XdpStops::read_stopped(Nanoseconds now_ns, std::span<engine::StoppedCount> out) {
  if ((noted_ | budgets_now_ | cursor_) == 0 || now_ns < slice_ns_) return 0;
  if (cursor_ == 0) sweep_ns_ = now_ns + kSweepEvery;
  // A slice at a time, so that the lane never stalls: both tables in about a second.
  slice_ns_ = now_ns + kSweepEvery / static_cast<Nanoseconds>(kSlices);
  const std::size_t all = sources_.places() + budgets_.places();
  const std::size_t end = std::min(all, cursor_ + std::max<std::size_t>(64, all / kSlices));
  std::size_t count = 0;
  for (; cursor_ < end && count + 1 < out.size(); ++cursor_) {
    if (cursor_ < sources_.places()) {
      sources_.walk(cursor_, 1, [&](const Ip&, Source& source) {
        if (settle_source(source, now_ns, out[count])) stopped_ += out[count++].packets;
      });
      continue;
    }
    budgets_.walk(cursor_ - sources_.places(), 1, [&](const BudgetKey&, Budget& budget) {
      if (settle_budget(budget, now_ns, out[count])) stopped_ += out[count++].packets;
      if (budget.told.generation == generation_ && now_ns - budget.seen_ns <= kIdle) return;
      bpf_map_delete_elem(program_.budgets_fd(), &budget.key);
      budgets_.erase(&budget);
      if (--budgets_now_ == 0 && program_.front().datagrams == 0) program_.front().rows_count = 0;
    });
  }
  if (cursor_ >= all) {
    cursor_ = 0;
    slice_ns_ = std::max(slice_ns_, sweep_ns_);
  }
  return count;
}

}  // namespace weir::datapath
