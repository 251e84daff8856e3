// SPDX-License-Identifier: Apache-2.0
// Finding, opening and ending flows: who is the client, what state is the flow in, how long may it be idle.

#include <new>

#include "engine/lane.h"
#include "proto/registry.h"
#include "state/tcp.h"

namespace weir::engine {

using state::FlowVerdict;
using state::TcpPhase;

std::uint64_t Lane::flow_id(const Flow& flow) const {
  const std::uint64_t id = mix64(options_.seed, flow.first_frame) >> 11;  // 53 bits: exact in every JSON reader.
  return id == 0 ? 1 : id;
}

Nanoseconds Lane::idle_of(const Flow& flow) const {
  const policy::IdleTimes& idle = rules_->policy().idle;
  // A tombstone lives as long as an idle established flow.
  switch (flow.ends.protocol) {
    case ip_protocol::kTcp:
      if (flow.verdict == FlowVerdict::Denied) return idle.tcp_ns;
      if (flow.phase == TcpPhase::Closed || flow.phase == TcpPhase::Closing) return idle.tcp_closing_ns;
      return flow.answered || flow.picked_up ? idle.tcp_ns : idle.tcp_unanswered_ns;
    case ip_protocol::kUdp: return flow.answered || flow.verdict == FlowVerdict::Denied ? idle.udp_answered_ns : idle.udp_ns;
    case ip_protocol::kIcmp:
    case ip_protocol::kIcmpv6: return idle.icmp_ns;
    default: return idle.other_ns;
  }
}

bool Lane::is_over(const Flow& flow) const { return now_.mono_ns - flow.last_ns >= idle_of(flow); }

void Lane::expire() {
  flows_.for_each_due(now_.mono_ns, [this](std::uint32_t index) {
    const Flow& flow = flows_.at(index);
    if (flow.carried && is_over(flow)) catch_up(index);
    if (is_over(flow)) end_flow(index, flow.phase == TcpPhase::Closed ? (flow.reset ? FlowRecord::Ended::Reset : FlowRecord::Ended::Closed) : FlowRecord::Ended::Timeout);
    else flows_.schedule(index, flow.last_ns + idle_of(flow));
  });
}

void Lane::load_flow_facts(const Flow& flow, FlowFacts& facts) const {
  facts.ends = flow.ends;
  facts.client_mac = flow.client_mac;
  facts.server_mac = flow.server_mac;
  facts.has_macs = flow.has_macs;
  facts.from = flow.from;
  facts.to = flow.to;
  facts.state = flow.related ? FlowState::Related : flow.answered || flow.picked_up ? FlowState::Established : FlowState::New;
  facts.unsolicited = flow.unsolicited;
  facts.app.count = flow.apps_count;
  for (std::size_t i = 0; i < flow.apps_count; ++i) facts.app.layers[i] = flow.apps[i];
  facts.app.open = flow.apps_count == 0 && !flow.named;
  facts.app.may_extend = facts.app.hidden = false;
  facts.app.midstream = flow.picked_up;
  facts.app.confirmed = flow.confirmed;
  facts.app.candidates = flow.ends.protocol == ip_protocol::kTcp ? tcp_apps_ : flow.ends.protocol == ip_protocol::kUdp ? udp_apps_ : sctp_apps_;
  for (std::size_t s = 0; s < 2; ++s) {
    facts.packets[s] = flow.packets[s];
    facts.bytes[s] = flow.bytes[s];
  }
  facts.start_ns = flow.start_ns;
}

void Lane::find_flow(Work& work) {
  const state::FlowHit hit = flows_.find(work.key, work.hash);
  if (hit.index == kNoFlow) return;
  const Flow& flow = flows_.at(hit.index);
  if (flow.carried) catch_up(hit.index);
  if (is_over(flow)) {
    end_flow(hit.index, FlowRecord::Ended::Timeout);
    return;
  }
  if (work.layer->is_tcp() && state::opens_anew(flow, hit.side, *work.layer)) {
    end_flow(hit.index, flow.phase == TcpPhase::Closed ? FlowRecord::Ended::Closed : FlowRecord::Ended::Replaced);
    return;
  }
  work.index = hit.index;
  work.side = hit.side;
}

/// A port that servers use: registered for a protocol that we know, or below 1024.
bool Lane::likely_server(const FlowKey& key, bool src) const {
  const std::uint16_t port = src ? key.src_port : key.dst_port;
  return port < 1024 || words_.is_registered_port(key.protocol, port);
}

/// CONTRACT section 1: who is the client of a flow that this packet would begin.
void Lane::choose_ends(Work& work) {
  const IpLayer& layer = *work.layer;
  FlowFacts& facts = *work.facts;
  bool src_is_client = true;
  facts.unsolicited = false;
  facts.state = FlowState::New;
  if (layer.is_tcp()) {
    const std::uint8_t handshake = layer.tcp_flags & (tcp_flag::kSyn | tcp_flag::kAck);
    if (handshake == (tcp_flag::kSyn | tcp_flag::kAck)) {
      src_is_client = false;
    } else if (handshake != tcp_flag::kSyn) {
      const bool src_registered = words_.is_registered_port(work.key.protocol, work.key.src_port);
      const bool dst_registered = words_.is_registered_port(work.key.protocol, work.key.dst_port);
      src_is_client = src_registered == dst_registered ? work.key.dst_port <= work.key.src_port : dst_registered;
    }
    work.headers_unsure = handshake != tcp_flag::kSyn;
    facts.app.midstream = work.headers_unsure;
    if (work.headers_unsure) {
      const policy::StateWishes& wishes = rules_->policy().wishes;
      facts.state = wishes.tcp_state && wishes.tcp_midstream_drop ? FlowState::Invalid : FlowState::Established;
    }
  } else if (layer.is_udp()) {
    bool answer = likely_server(work.key, true) && !likely_server(work.key, false);
    work.headers_unsure = answer;
    if (layer.payload_bytes != 0 && !work.unread) {
      identify_datagram(work, work.packet->payload(layer));
      const proto::Protocol& p = proto::protocol(work.first_app);
      if (work.first_app != kUnknownApp && p.is_answer != nullptr) {
        answer = p.is_answer(work.packet->payload(layer));
        work.headers_unsure = work.headers_unsure || answer;
      }
    }
    if (answer && !work.packet->eth_dst.is_group() && !layer.dst.is_multicast()) {
      src_is_client = false;
      facts.unsolicited = true;
      facts.state = FlowState::Invalid;
    }
  } else if (layer.is_icmp()) {
    const bool reply = layer.protocol == ip_protocol::kIcmp
                           ? layer.icmp_type == 0 || layer.icmp_type == 14 || layer.icmp_type == 18
                           : layer.icmp_type == 129;
    if (reply) {
      src_is_client = false;
      facts.state = FlowState::Invalid;
    }
  }
  work.side = src_is_client ? Side::Client : Side::Server;
  facts.ends.client = src_is_client ? work.key.src : work.key.dst;
  facts.ends.server = src_is_client ? work.key.dst : work.key.src;
  facts.ends.client_port = src_is_client ? work.key.src_port : work.key.dst_port;
  facts.ends.server_port = src_is_client ? work.key.dst_port : work.key.src_port;
  facts.ends.protocol = work.key.protocol;
}

/// Zones, MAC addresses and the rest that is known from the ends alone.
void Lane::describe_ends(Work& work) {
  FlowFacts& facts = *work.facts;
  const Packet& packet = *work.packet;
  const PortIndex port = packet.frame->port;
  const policy::ZoneMap& zones = rules_->zones();
  facts.from = zones.zone_of(facts.ends.client, port, facts.ends.server);
  facts.to = zones.zone_of(facts.ends.server, port, facts.ends.client);
  facts.has_macs = packet.has_eth;
  if (packet.has_eth) {
    facts.client_mac = work.side == Side::Client ? packet.eth_src : packet.eth_dst;
    facts.server_mac = work.side == Side::Client ? packet.eth_dst : packet.eth_src;
  }
  facts.packets[0] = facts.packets[1] = facts.bytes[0] = facts.bytes[1] = 0;
  facts.packets[index_of(work.side)] = 1;
  facts.bytes[index_of(work.side)] = work.layer->length;
  facts.start_ns = now_.mono_ns;
}

void Lane::open_flow(Work& work) {
  FlowFacts& facts = *work.facts;
  facts.app = AppChain{};
  facts.app.candidates = work.key.protocol == ip_protocol::kTcp ? tcp_apps_ : work.key.protocol == ip_protocol::kUdp ? udp_apps_ : sctp_apps_;
  work.first_app = kUnknownApp;
  choose_ends(work);
  describe_ends(work);
  work.expected = expectations_.find(facts.ends.client, facts.ends.server, facts.ends.server_port, facts.ends.protocol, now_.mono_ns);
  if (work.expected != nullptr && facts.state == FlowState::New) facts.state = FlowState::Related;
}

bool Lane::insert_flow(Work& work) {
  FlowKey key = work.key;
  if (work.side == Side::Server) {
    std::swap(key.src, key.dst);
    std::swap(key.src_port, key.dst_port);
  }
  std::uint32_t index = flows_.insert(key, work.hash, now_.mono_ns);
  if (index == kNoFlow) {
    const std::uint32_t gone = flows_.evict_candidate();
    if (gone == kNoFlow) return false;
    ++counters_.flows_evicted;
    end_flow(gone, FlowRecord::Ended::Evicted);
    index = flows_.insert(key, work.hash, now_.mono_ns);
    if (index == kNoFlow) return false;
  }
  Flow& flow = flows_.at(index);
  const FlowFacts& facts = *work.facts;
  flow.first_frame = work.packet->frame->number;
  flow.start_wall_ns = flow.last_wall_ns = now_.wall_ns;
  flow.from = facts.from;
  flow.to = facts.to;
  flow.port = work.packet->frame->port;
  flow.has_macs = facts.has_macs;
  flow.client_mac = facts.client_mac;
  flow.server_mac = facts.server_mac;
  flow.unsolicited = facts.unsolicited;
  flow.right_checksum[index_of(work.side)] = work.right_checksum;
  if (work.layer->is_icmp()) {
    flow.icmp_type = work.layer->icmp_type;
    flow.icmp_code = work.layer->icmp_code;
    flow.icmp_by_server = work.side == Side::Server;
  }
  flow.related = facts.state == FlowState::Related;
  flow.generation = generation_;
  flow.picked_up = work.layer->is_tcp() && (work.layer->tcp_flags & (tcp_flag::kSyn | tcp_flag::kAck)) != tcp_flag::kSyn;
  flow.answered = work.side == Side::Server;
  if (work.expected != nullptr) {
    flow.parent = work.expected->parent + 1;
    flow.parent_first_frame = static_cast<std::uint32_t>(work.expected->parent_first_frame);
    if (work.expected->app != kUnknownApp) {
      // The announcing protocol names what comes: the chain is certain from the first packet.
      const Flow& parent = flows_.at(work.expected->parent);
      if (parent.in_use && static_cast<std::uint32_t>(parent.first_frame) == flow.parent_first_frame && parent.apps_count != 0 &&
          parent.apps[0] != work.expected->app)
        flow.apps[flow.apps_count++] = parent.apps[0];
      flow.apps[flow.apps_count++] = work.expected->app;
      work.facts->app.count = flow.apps_count;
      for (std::size_t i = 0; i < flow.apps_count; ++i) work.facts->app.layers[i] = flow.apps[i];
      work.facts->app.open = false;
    }
  }
  if (const Sender* const sender = work.packet->frame->sender; options_.senders && sender != nullptr) flow.sender = senders_.keep(*sender);
  ++counters_.flows;
  if (options_.stopper != nullptr) serves(flow.ends, true);
  flows_.schedule(index, now_.mono_ns + idle_of(flow));
  work.index = index;
  work.created = true;
  return true;
}

/// A flow is its opener's, whoever else comes to have the socket.
const Sender* Lane::sender_of(const Work& work) const {
  const Sender* const kept = work.index == kNoFlow ? nullptr : senders_.at(flows_.at(work.index).sender);
  return kept != nullptr ? kept : work.packet->frame->sender;
}

/// Nobody was known when the flow began, or there was no room for it. An answer's sender may be another process of this host.
void Lane::adopt_sender(Flow& flow, const Work& work) {
  const Sender* const sender = work.packet->frame->sender;
  if (sender == nullptr || work.side != Side::Client) return;
  flow.sender = senders_.keep(*sender);
  if (flow.live != nullptr) static_cast<Live*>(flow.live)->matched = false;
  if (flow.verdict != FlowVerdict::Passed) return;
  if (flow.carried) take_back(work.index);
  reopen(flow, kNoRule);  // It passed as nobody's.
}

/// A related flow follows its parent: denied with it, also later.
bool Lane::parent_denied(Flow& flow) {
  if (flow.parent == 0) return false;
  const Flow& parent = flows_.at(flow.parent - 1);
  if (!parent.in_use || static_cast<std::uint32_t>(parent.first_frame) != flow.parent_first_frame) {
    flow.parent = 0;
    return false;
  }
  if (parent.generation != generation_) renew(flow.parent - 1);
  if (parent.verdict != FlowVerdict::Denied) return false;
  flow.verdict = FlowVerdict::Denied;
  flow.rule = parent.rule;
  flow.denied_because = Reason::Related;
  flow.logged = true;
  return true;
}

Live* Lane::make_live(Flow& flow) {
  void* block = pool_.take(sizeof(Live));
  if (block == nullptr) {
    ++counters_.pool_empty;
    return nullptr;
  }
  Live* live = new (block) Live(pool_, *wanted_set_);
  load_flow_facts(flow, live->flow);
  flow.live = live;
  return live;
}

void Lane::free_live(Flow& flow) {
  if (flow.live == nullptr) return;
  Live& live = *static_cast<Live*>(flow.live);
  stop_reading(live);
  flow.apps_count = live.flow.app.count;
  for (std::size_t i = 0; i < flow.apps_count; ++i) flow.apps[i] = live.flow.app.layers[i];
  flow.confirmed = live.flow.app.confirmed;
  if (options_.reloads && flow.verdict != FlowVerdict::Open) keep_facts(flow, live.facts);
  live.~Live();
  pool_.release(&live, sizeof(Live));
  flow.live = nullptr;
}

void Lane::end_flow(std::uint32_t index, FlowRecord::Ended ended) {
  close_flow(index, ended);
  if (options_.stopper != nullptr) serves(flows_.at(index).ends, false);
  flows_.remove(index);
}

/// What a flow's end needs, save leaving the table.
void Lane::close_flow(std::uint32_t index, FlowRecord::Ended ended) {
  Flow& flow = flows_.at(index);
  if (flow.live != nullptr) {
    Live& live = *static_cast<Live*>(flow.live);
    if (live.held_count != 0) {
      // A hold that outlives its flow cannot be: it is decided as at its bound.
      Work work;
      work.rule = kDefaultRule;
      work.verdict = rules_->policy().undecided.hold ? Verdict::Drop : Verdict::Pass;
      work.reason = Reason::Default;
      release_held(live, work);
    }
    tell_of_rest(flow, live, nullptr);
    free_live(flow);
  }
  if (flow.carried) take_back(index);
  report_flow(flow, ended);
  release_kept(flow);
  senders_.release(flow.sender);
}

}  // namespace weir::engine
