// SPDX-License-Identifier: Apache-2.0
// After the verdict: what a frame that passes teaches, what of one that does not is remembered.

#include "engine/carrier.h"
#include "engine/lane.h"
#include "engine/stopper.h"
#include "proto/registry.h"
#include "state/tcp.h"

namespace weir::engine {

using policy::Reach;
using state::FlowVerdict;
using state::TcpPhase;

/// What is counted of a packet that passes.
void Lane::count(Flow& flow, Side side, const IpLayer& layer) {
  const std::size_t s = index_of(side);
  ++flow.packets[s];
  flow.bytes[s] += layer.length;
  flow.last_wall_ns = now_.wall_ns;
}

/// What its flow learns of a packet that passes and is of it; `read`: not one whose bytes are worth nothing.
void Lane::learn(std::uint32_t index, Side side, const IpLayer& layer, bool read) {
  Flow& flow = flows_.at(index);
  flow.last_ns = now_.mono_ns;
  if (side == Side::Server) flow.answered = true;
  if (!layer.is_tcp() || !read) return;
  const TcpPhase before = flow.phase;
  state::commit_tcp(flow, side, layer);
  if (spares_known_ && before == TcpPhase::SynReceived && flow.phase == TcpPhase::Established) {
    const Ip& client = flow.ends.client;
    *known_clients_.insert(client, hash_ip(client, 1), now_.mono_ns, kHour) = 1;
    if (options_.stopper != nullptr) options_.stopper->on_known(client);
  }
  // A connection that closes is looked at sooner than its long idle time.
  if (before < TcpPhase::Closing && flow.phase >= TcpPhase::Closing)
    flows_.schedule(index, now_.mono_ns + rules_->policy().idle.tcp_closing_ns);
}

/// The frame passes: now it teaches.
void Lane::commit(Work& work) {
  if (work.index == kNoFlow) return;
  Flow& flow = flows_.at(work.index);
  const IpLayer& layer = *work.layer;
  count(flow, work.side, layer);
  if (!work.learns) return;
  learn(work.index, work.side, layer, !work.unread);
  if (work.created && work.expected != nullptr) {
    expectations_.use_up(work.expected);
    work.expected = nullptr;
  }
  if (work.facts != nullptr) readings_.commit(view_);
  if (work.settles && work.verdict == Verdict::Pass && !flow.settled && (flow.live == nullptr || may_settle(flow, *static_cast<Live*>(flow.live)))) {
    flow.settled = true;
    flow.verdict = FlowVerdict::Passed;
    flow.rule = work.rule;
  }
  if (flow.live == nullptr) return;
  Live& live = *static_cast<Live*>(flow.live);
  if (layer.is_udp() && live.transaction_ended) {
    live.facts.reset(Scope::Transaction);  // A datagram's facts are its own.
    live.transaction_ended = false;
  }
  live.facts.persist();
  if (flow.settled && !seeks_on(flow, live)) {
    if (reports_facts_) tell_of_rest(flow, live, work.packet);  // A connection that closed with a request unanswered.
    flow.named = true;
    free_live(flow);
  }
}

/// Whether the flow may still say what rules need to know of other flows: names of addresses, flows announced.
bool Lane::may_teach(const Flow& flow) const {
  if (!anything_taught_ || (flow.ends.protocol != ip_protocol::kTcp && flow.ends.protocol != ip_protocol::kUdp)) return false;
  if (flow.live == nullptr) return !flow.named;
  const Live& live = *static_cast<const Live*>(flow.live);
  const AppChain& chain = live.flow.app;
  if (chain.open) return chain.candidates.intersects(teachers_);
  return !live.parser_done && teachers_.has(live.parser);
}

/// Whether a settled flow is read on: for what it teaches, for its name, for reports.
bool Lane::seeks_on(const Flow& flow, const Live& live) const {
  // What hands over to another protocol (CONNECT, STARTTLS, an upgrade) does so early.
  constexpr std::uint32_t kTransactionsMax = 16;
  const bool tcp = flow.ends.protocol == ip_protocol::kTcp;
  if (tcp && flow.phase == TcpPhase::Closed) return false;
  if (may_teach(flow)) return true;
  if (!options_.identify) return false;
  if (options_.carrier != nullptr && !reports_facts_) {
    // Whoever could carry it waits: its first name is enough, and not waited for longer than this.
    constexpr std::uint64_t kBytesMax = 65536;
    return live.flow.app.open && flow.bytes[0] + flow.bytes[1] < kBytesMax;
  }
  if (live.flow.app.open) return true;
  const bool announces = live.parser != kUnknownApp && proto::protocol(live.parser).teaches == proto::Teaches::Flows;
  if (!live.parser_done && (reports_facts_ || announces || live.transactions < kTransactionsMax)) return true;
  return tcp && live.flow.app.may_extend && live.transactions < kTransactionsMax;
}

void Lane::commit_denial(Work& work) {
  const IpLayer& layer = *work.layer;
  // Denied for what its first datagram says: the flow is denied, and its tombstone names the rule. What headers alone deny makes no entry.
  const bool by_headers = work.rule < rules_->rules().size() && rules_->rule(work.rule).header_only;
  if (work.index == kNoFlow && work.reach == Reach::Flow && !by_headers && !work.uncounted && work.facts != nullptr) insert_flow(work);
  if (work.index == kNoFlow) {
    // An answer that nobody asked for has no answer itself: who it was sent to may still ask.
    if (layer.is_udp() && work.reason == Reason::Rule && !(work.facts != nullptr && work.facts->unsolicited))
      denials_.remember_datagram(layer.src, layer.src_port, layer.dst, layer.dst_port, work.rule, now_.mono_ns);
    return;
  }
  Flow& flow = flows_.at(work.index);
  if (flow.dropped_packets != UINT32_MAX) ++flow.dropped_packets;
  if (work.reason == Reason::Tombstone || work.reason == Reason::Related) return;
  if (work.reason == Reason::Banned) return;
  Live* live = static_cast<Live*>(flow.live);
  if (work.reach == Reach::Flow) {
    if (flow.carried) take_back(work.index);
    flow.verdict = FlowVerdict::Denied;
    flow.rule = work.rule;
    flow.denied_because = work.reason;
    flow.last_ns = now_.mono_ns;
    flow.logged = true;
    if (live != nullptr) {
      if (live->held_count != 0) release_held(*live, work);
      tell_of_rest(flow, *live, work.packet);
      free_live(flow);
      work.live = nullptr;
    }
    if (flow.ends.protocol == ip_protocol::kTcp) flows_.schedule(work.index, now_.mono_ns + idle_of(flow));
    return;
  }
  if (work.reach == Reach::Datagram && live != nullptr && work.reason != Reason::Answer) {
    denials_.remember_transaction(flow.first_frame, live->transaction_key, work.rule, now_.mono_ns);
    if (live->held_count != 0) release_held(*live, work);
  }
  if (work.created && work.reach == Reach::Datagram && layer.is_udp()) {
    denials_.remember_datagram(layer.src, layer.src_port, layer.dst, layer.dst_port, work.rule, now_.mono_ns);
  }
  roll_back(work);
}

/// What was dropped teaches nothing: a flow that began with it did not begin.
void Lane::roll_back(Work& work) {
  if (work.index == kNoFlow) return;
  Flow& flow = flows_.at(work.index);
  if (work.created) {
    free_live(flow);
    release_kept(flow);
    senders_.release(flow.sender);
    work.live = nullptr;
    if (options_.stopper != nullptr) serves(flow.ends, false);
    flows_.remove(work.index);
    --counters_.flows;
    work.index = kNoFlow;
    return;
  }
  if (flow.live == nullptr || !work.layer->is_udp() || !work.app_saved) return;
  Live& live = *static_cast<Live*>(flow.live);
  live.facts.reset(Scope::Transaction);
  live.transaction_ended = live.transaction_open = false;
  const bool renamed = work.app_before.count != live.flow.app.count || work.app_before.innermost() != live.flow.app.innermost();
  if (renamed) {
    if (live.parser_state != nullptr) pool_.release(live.parser_state, live.parser == kUnknownApp ? 1 : proto::protocol(live.parser).state_bytes);
    live.parser_state = nullptr;
    live.parser = kUnknownApp;
    live.parser_done = false;
  }
  live.flow.app = work.app_before;
  live.matched = false;
  live.facts.persist();
}

}  // namespace weir::engine
