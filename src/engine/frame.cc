// SPDX-License-Identifier: Apache-2.0
// A frame, layer by layer: the strictest verdict wins, and only a frame that passes teaches.

#include <algorithm>
#include <cstring>

#include "engine/lane.h"
#include "facts/field_ids.h"
#include "wire/checksum.h"
#include "wire/wire.h"

namespace weir::engine {

using policy::Reach;

/// What keeps two overlays' 10.0.0.5 apart: VLAN tags (a priority tag is none).
std::uint32_t Lane::domain_of(const Packet& packet) const {
  std::uint32_t domain = 0;
  for (std::size_t i = 0; i < packet.vlans_count; ++i)
    if (packet.vlans[i] != 0) domain = static_cast<std::uint32_t>(mix64(domain, packet.vlans[i]));
  return domain;
}

/// In place: a key that is made elsewhere and copied is read in other pieces than it was written, which stalls.
void Lane::set_key(FlowKey& key, const IpLayer& layer, std::uint32_t domain) {
  const Ports ports = ports_of(layer);
  key.src = layer.src;
  key.dst = layer.dst;
  key.src_port = ports.src;
  key.dst_port = ports.dst;
  key.protocol = layer.protocol;
  key.domain = domain;
}

void Lane::check_checksums(Work& work) {
  if (options_.checksums == Checksums::Ignore || work.packet->frame->checksum_partial) return;
  // Where nothing is read and no rule asks, nothing depends on it.
  if (work.layer->payload_bytes == 0 && !rules_->policy().wishes.tcp_state && !rules_->wants(field::kFlaw)) return;
  const wire::ChecksumResult result = wire::verify_checksums(*work.packet, *work.layer);
  const Ip& src = work.layer->src;
  const std::uint64_t hash = hash_ip(src, options_.seed);
  if (result.transport == wire::Check::Good) {
    work.right_checksum = true;
    Flow* const flow = work.index == kNoFlow ? nullptr : &flows_.at(work.index);
    if (flow != nullptr && flow->right_checksum[index_of(work.side)]) return;
    if (flow != nullptr) flow->right_checksum[index_of(work.side)] = true;
    if (options_.checksums == Checksums::Auto && right_checksums_.find(src, hash, now_.mono_ns, kHour) == nullptr)
      right_checksums_.insert(src, hash, now_.mono_ns, kHour)->seen_right = true;
  }
  const bool bad = result.ip == wire::Check::Bad || result.transport == wire::Check::Bad;
  if (!bad) return;
  // Longer than a link carries: a receiver put it together from segments, whose checksums it had seen, and kept the first one's.
  constexpr std::uint32_t kLinkBytesMax = 1500;
  const bool coalesced = work.layer->is_tcp() && work.layer->length > kLinkBytesMax && result.ip != wire::Check::Bad;
  if (options_.checksums == Checksums::Auto && coalesced) return;
  // An address counts as offloading until its first right checksum.
  if (options_.checksums == Checksums::Auto && right_checksums_.find(src, hash, now_.mono_ns, kHour) == nullptr) return;
  work.flaws.add(Flaw::BadChecksum);
  ++counters_.flaws[static_cast<std::size_t>(Flaw::BadChecksum)];
  work.unread = true;
}

void Lane::judge_without_ip(const Packet& packet, Work& work) {
  work.begin(packet, nullptr, 0);
  set_view(work, false);
  readings_.make(view_, false);
  packet_memo_count_ = 0;
  set_view(work, false);
  const policy::Outcome outcome = policy::match(*rules_, rules_->without_ip(), view_, *this);
  show(outcome);
  // `default` governs IP; other frames pass unless a rule or guard names them.
  if (outcome.rule == kDefaultRule || outcome.rule == kNoRule) {
    if (outcome.reports_count != 0) report(work, outcome);
    return;
  }
  take(work, outcome);
}

namespace {

bool is_icmp_error(const IpLayer& layer) {
  if (layer.protocol == ip_protocol::kIcmp)
    return layer.icmp_type == 3 || layer.icmp_type == 4 || layer.icmp_type == 5 || layer.icmp_type == 11 || layer.icmp_type == 12;
  return layer.protocol == ip_protocol::kIcmpv6 && layer.icmp_type >= 1 && layer.icmp_type <= 4;
}

}  // namespace

/// ICMP errors share the verdict of the flow whose packet they quote; of no flow, they are judged by that packet, its ends both ways.
void Lane::judge_icmp_error(Work& work) {
  const IpLayer& layer = *work.layer;
  work.learns = false;
  work.facts = &scratch_facts_[work.depth];
  FlowFacts& facts = *work.facts;
  facts = FlowFacts{};
  FlowKey quoted{layer.quoted_src, layer.quoted_dst, layer.quoted_src_port, layer.quoted_dst_port, layer.quoted_protocol, work.key.domain};
  if (quoted.protocol == ip_protocol::kIcmp || quoted.protocol == ip_protocol::kIcmpv6) quoted.src_port = quoted.dst_port = layer.quoted_icmp_id;
  state::FlowHit hit{kNoFlow, Side::Client};
  if (layer.has_quoted) hit = flows_.find(quoted, flows_.hash(quoted));
  if (hit.index != kNoFlow && flows_.at(hit.index).carried) catch_up(hit.index);
  if (banned(work)) return;
  if (hit.index != kNoFlow && !is_over(flows_.at(hit.index))) {
    Flow& flow = flows_.at(hit.index);
    if (flow.generation != generation_) renew(hit.index);
    if (flow.verdict == state::FlowVerdict::Denied) {
      work.denied = work.uncounted = true;
      work.verdict = Verdict::Drop;
      work.rule = flow.rule;
      work.reason = Reason::Tombstone;
      return;
    }
    load_flow_facts(flow, facts);
    facts.state = FlowState::Related;
    // The error goes back to whoever sent the quoted packet.
    work.side = other(hit.side);
  } else {
    facts.ends.client = layer.has_quoted ? layer.quoted_src : layer.dst;
    facts.ends.server = layer.has_quoted ? layer.quoted_dst : layer.src;
    facts.state = FlowState::Invalid;
    work.side = Side::Server;
  }
  check_checksums(work);
  if (facts.state == FlowState::Invalid) {
    facts.ends.client_port = layer.quoted_src_port;
    facts.ends.server_port = layer.quoted_dst_port;
    facts.ends.protocol = layer.has_quoted ? layer.quoted_protocol : layer.protocol;
    describe_ends(work);
    if (layer.has_quoted) {
      // The quoted packet, with the ends both ways.
      IpLayer as_quoted = layer;
      as_quoted.protocol = layer.quoted_protocol;
      as_quoted.protocols_count = 1;
      as_quoted.protocols[0] = layer.quoted_protocol;
      as_quoted.src = layer.quoted_src;
      as_quoted.dst = layer.quoted_dst;
      as_quoted.src_port = layer.quoted_src_port;
      as_quoted.dst_port = layer.quoted_dst_port;
      const IpLayer* const real = work.layer;
      work.layer = &as_quoted;
      facts.state = FlowState::New;
      set_view(work, false);
      const RuleId rule = policy::match_headers(*rules_, rules_->candidates(facts), view_);
      if (rule != kNoRule && rules_->policy().rules[rule].action != policy::Action::Allow) {
        work.denied = true;
        work.verdict = Verdict::Drop;
        work.rule = rule;
        work.action = rules_->policy().rules[rule].action;
        work.reason = Reason::Rule;
      } else {
        judge_both_ways(work);
      }
      work.layer = real;
      facts.state = FlowState::Invalid;
      if (work.denied) return;
    }
  }
  facts.ends.protocol = layer.protocol;
  facts.ends.client_port = facts.ends.server_port = 0;
  set_view(work, false);
  readings_.make(view_, false);
  packet_memo_count_ = 0;
  if (!judge_now(work, false)) return;
  if (work.uncertain) judge_now(work, true);
}

/// Fragments wait until the datagram is whole. True: this one was dealt with.
bool Lane::judge_fragment(Work& work) {
  const IpLayer& layer = *work.layer;
  const Packet& packet = *work.packet;
  // What headers alone deny is not collected.
  work.facts = &scratch_facts_[work.depth];
  FlowFacts& facts = *work.facts;
  facts = FlowFacts{};
  facts.ends = {layer.src, layer.dst, layer.src_port, layer.dst_port, layer.protocol};
  facts.app.candidates = tcp_apps_;
  work.side = Side::Client;
  work.learns = false;
  if (banned(work)) return true;
  describe_ends(work);
  set_view(work, false);
  readings_.make(view_, false);
  packet_memo_count_ = 0;
  const policy::Outcome outcome = policy::match(*rules_, rules_->candidates(facts), view_, *this);
  show(outcome);
  const bool by_rule = outcome.rule != kDefaultRule && outcome.rule != kNoRule;
  // A rule about the packet stops it, whatever rules before it still wait for: they could only stop it too. One about the flow needs
  // the first fragment's ports.
  const bool now = outcome.reach == Reach::Packet || (outcome.headers_only && layer.fragment == FragmentKind::First);
  if (!outcome.pass && outcome.certain && by_rule && now) {
    take(work, outcome);
    return true;
  }
  const state::FragmentKey key{layer.src, layer.dst, layer.fragment_id, work.key.domain, layer.version == 4 ? layer.protocol : std::uint8_t{0}};
  const Bytes bytes = packet.frame->bytes.subspan(layer.ip_payload_offset, layer.ip_payload_bytes);
  const Bytes header = packet.frame->bytes.subspan(layer.ip_offset, layer.ip_payload_offset - layer.ip_offset);
  const state::FragmentFrame frame{packet.frame->number, packet.frame->port, now_.wall_ns};
  const state::Fragments::Result result = fragments_.add(key, layer.fragment_offset, layer.more_fragments, bytes, header, frame, now_.mono_ns,
                                                         [this](state::Fragments::Datagram& old) { give_up(old); });
  using Added = state::Fragments::Added;
  switch (result.added) {
    case Added::Waiting:
      work.verdict = Verdict::Hold;
      ++counters_.held;
      return true;
    case Added::Whole: {
      Decision current;
      current.frame = frame.number;
      const Work fragment = work;  // The whole datagram is worked on in the same places.
      decide_datagram(*result.datagram, packet, current);
      work = fragment;
      work.verdict = current.verdict;
      work.rule = current.rule;
      work.reason = current.reason;
      work.denied = current.verdict == Verdict::Drop;
      work.uncounted = true;
      return true;
    }
    case Added::Overlap:
    case Added::Poisoned:
    case Added::NoRoom: break;
  }
  work.denied = true;
  work.verdict = Verdict::Drop;
  work.reason = result.added == Added::NoRoom ? Reason::TableFull : Reason::Overlap;
  if (result.added != Added::NoRoom) {
    work.flaws.add(Flaw::Overlap);
    ++counters_.flaws[static_cast<std::size_t>(Flaw::Overlap)];
    set_view(work, false);
    const policy::Outcome named = policy::match(*rules_, rules_->candidates(facts), view_, *this);
    show(named);
    if (!named.pass && named.rule != kDefaultRule) {
      work.rule = named.rule;
      work.reason = Reason::Rule;
      work.action = named.action;
    }
  }
  if (result.added == Added::Overlap) {
    // The whole datagram goes; its entry stays until its time is over, so that the rest goes too.
    state::Fragments::Datagram& d = *result.datagram;
    for (std::size_t i = 0; i < d.frames_count; ++i) {
      Decision decision;
      decision.frame = d.frames[i].number;
      decision.verdict = Verdict::Drop;
      decision.rule = work.rule;
      decision.reason = work.reason;
      ++counters_.dropped;
      ++counters_.stopped_by_reason[static_cast<std::size_t>(work.reason)];
      sink_.on_released(decision);
    }
    d.frames_count = 0;
  }
  return true;
}

/// All fragments are there: the datagram is judged as if it had come whole, and they share its verdict.
void Lane::decide_datagram(state::Fragments::Datagram& d, const Packet& like, Decision& current) {
  whole_.clear();
  const bool v4 = (d.header[0] >> 4) == 4;
  whole_.insert(whole_.end(), d.header, d.header + d.header_bytes);
  whole_.insert(whole_.end(), d.bytes, d.bytes + d.total);
  if (v4) {
    store_be16(&whole_[2], static_cast<std::uint16_t>(std::min<std::size_t>(whole_.size(), 65535)));
    whole_[6] &= 0x40;  // Offset and "more fragments" go, "don't fragment" stays.
    whole_[7] = 0;
    whole_[10] = whole_[11] = 0;
    store_be16(&whole_[10], wire::Checksum().add({whole_.data(), d.header_bytes}).value());
  } else {
    // The fragment header (8 bytes, the last before the fragment's bytes) goes out of the chain: RFC 8200, 4.5.
    const std::size_t at = d.header_bytes - 8U;
    const std::uint8_t next = whole_[at];
    std::size_t where = 6, header = 40;
    std::uint8_t type = whole_[6];
    while (type != ip_protocol::kFragment && header + 1 < at) {
      where = header;
      type = whole_[header];
      header += (std::size_t{whole_[header + 1]} + 1) * 8;
    }
    whole_[where] = next;
    whole_.erase(whole_.begin() + static_cast<std::ptrdiff_t>(at), whole_.begin() + static_cast<std::ptrdiff_t>(at + 8));
    store_be16(&whole_[4], static_cast<std::uint16_t>(whole_.size() - 40));
  }
  Frame frame = *like.frame;
  frame.bytes = {whole_.data(), whole_.size()};
  frame.wire_bytes = static_cast<std::uint32_t>(whole_.size());
  frame.link = LinkType::RawIp;
  wire::parse(frame, whole_packet_);
  whole_packet_.has_eth = like.has_eth;
  whole_packet_.eth_src = like.eth_src;
  whole_packet_.eth_dst = like.eth_dst;
  whole_packet_.eth_type = like.eth_type;
  whole_packet_.vlans_count = like.vlans_count;
  whole_packet_.vlans = like.vlans;
  Decision decision = decide_packet(whole_packet_);
  for (std::size_t i = 0; i < d.frames_count; ++i) {
    if (d.frames[i].number == current.frame) continue;
    Decision each;
    each.frame = d.frames[i].number;
    each.verdict = decision.verdict == Verdict::Hold ? Verdict::Pass : decision.verdict;
    each.rule = decision.rule;
    each.reason = decision.reason;
    if (each.verdict == Verdict::Drop) {
      ++counters_.dropped;
      ++counters_.stopped_by_reason[static_cast<std::size_t>(each.reason)];
      if (each.rule < rules_->rules().size()) ++counters_.rules[each.rule].packets;
    } else {
      ++counters_.passed;
    }
    sink_.on_released(each);
  }
  current.verdict = decision.verdict;
  current.rule = decision.rule;
  current.reason = decision.reason;
  fragments_.release(d);
}

/// A datagram that did not become whole: its fragments go under a name.
void Lane::give_up(state::Fragments::Datagram& d) {
  for (std::size_t i = 0; i < d.frames_count; ++i) {
    Decision decision;
    decision.frame = d.frames[i].number;
    decision.verdict = Verdict::Drop;
    decision.reason = Reason::FragmentLost;
    ++counters_.dropped;
    ++counters_.stopped_by_reason[static_cast<std::size_t>(Reason::FragmentLost)];
    sink_.on_released(decision);
  }
  d.frames_count = 0;
}

namespace {

/// The inner flow belongs to its carrier's, and to its overlay where the id is the same in both directions (a VNI, not a TEID).
std::uint32_t inner_domain(const Packet& packet, std::uint64_t carrier_hash, std::size_t depth) {
  std::uint32_t id = 0;
  if (depth < packet.tunnels_count && depth < packet.tunnel_ids_count &&
      (packet.tunnels[depth] == TunnelKind::Vxlan || packet.tunnels[depth] == TunnelKind::Geneve))
    id = packet.tunnel_ids[depth];
  return static_cast<std::uint32_t>(mix64(carrier_hash, id));
}

}  // namespace

void Lane::judge_layer(Work& work) {
  const IpLayer& layer = *work.layer;
  if (layer.fragment != FragmentKind::No && judge_fragment(work)) return;
  if (is_icmp_error(layer) && layer.has_transport) return judge_icmp_error(work);
  judge(work);
}

Decision Lane::decide_packet(const Packet& packet) {
  Decision decision;
  decision.frame = packet.frame->number;
  if (passes_as_settled(packet, decision)) return decision;
  Work* last = nullptr;
  bool held = false;
  std::size_t judged = 0;
  if (packet.layers_count == 0) {
    judge_without_ip(packet, works_[0]);
    last = &works_[0];
  }
  // What the first pass made of the outermost layer; a datagram put together goes through here without it.
  const bool from_batch = slot_ != Engine::kBatchMax && &packet == &packets_[slot_ % kPass];
  std::uint32_t domain = from_batch ? domains_[slot_ % kPass] : domain_of(packet);
  for (std::size_t depth = 0; depth < packet.layers_count; ++depth) {
    Work& work = works_[depth];
    work.begin(packet, &packet.layers[depth], depth);
    set_key(work.key, packet.layers[depth], domain);
    work.hash = depth == 0 && from_batch ? hashes_[slot_ % kPass] : flows_.hash(work.key);
    if (depth == 0) {
      view_.outer_from = work.key.src;
      view_.outer_to = work.key.dst;
    }
    last = &work;
    judge_layer(work);
    ++judged;
    if (depth == 0 && work.facts != nullptr) {
      view_.outer_from = work.facts->ends.client;
      view_.outer_to = work.facts->ends.server;
    }
    if (work.verdict == Verdict::Drop) break;
    held = held || work.verdict == Verdict::Hold;
    // A rule that lets a carrier through unopened (`tunnel: opaque`): what is inside is not asked about.
    const bool named = work.verdict == Verdict::Pass && !work.uncertain && work.rule < rules_->rules().size();
    if (named && rules_->policy().rules[work.rule].tunnel_opaque) break;
    domain = inner_domain(packet, work.hash, depth);
  }
  if (last != nullptr && last->verdict == Verdict::Drop) {
    forget_lessons();
    for (std::size_t depth = 0; depth + 1 < judged; ++depth) roll_back(works_[depth]);
    alert_denial(*last);
    emit_answers(*last, decision);
    if (options_.stopper != nullptr && last == &works_[0] && packet.layers_count != 0) tell_stopper(*last);
    if (packet.layers_count != 0) commit_denial(*last);
    if (options_.carrier != nullptr && last->reason == Reason::Tombstone && last->index != kNoFlow) offer(*last);
    decision.verdict = Verdict::Drop;
    decision.rule = last->rule;
    decision.reason = last->reason;
    return decision;
  }
  if (!lessons_.empty() || !announcements_.empty()) learn_lessons();
  for (std::size_t depth = 0; depth < judged; ++depth) commit(works_[depth]);
  if (packet.layers_count == 0) readings_.commit(view_);
  else if (options_.carrier != nullptr && works_[0].index != kNoFlow && works_[0].learns && !held) offer(works_[0]);
  if (readings_.learns_from_all()) readings_.passed(packet, now_.mono_ns);
  if (last != nullptr) {
    decision.rule = last->rule;
    decision.reason = last->reason;
    // A frame whose tunnel was opened does not settle: each of its like must be opened.
    decision.settled = judged == 1 && last->index != kNoFlow && flows_.at(last->index).settled && !may_teach(flows_.at(last->index));
  }
  decision.verdict = held ? Verdict::Hold : Verdict::Pass;
  return decision;
}

Decision Lane::decide(const Frame& frame, Packet& packet) {
  for (std::size_t f = 0; packet.flaws.bits() >> f != 0; ++f)
    if (packet.flaws.has(static_cast<Flaw>(f))) ++counters_.flaws[f];
  ++counters_.packets;
  counters_.bytes += frame.wire_bytes;
  readings_.arrive(packet, now_.mono_ns);
  Decision decision = decide_packet(packet);
  switch (decision.verdict) {
    case Verdict::Pass: ++counters_.passed; break;
    case Verdict::Hold: break;
    case Verdict::Drop:
      ++counters_.dropped;
      ++counters_.stopped_by_reason[static_cast<std::size_t>(decision.reason)];
      if (decision.rule == kDefaultRule) ++counters_.rules.back().packets;
      else if (decision.rule < rules_->rules().size()) ++counters_.rules[decision.rule].packets;
      break;
  }
  if (!decision.rewrite.empty()) ++counters_.rewritten;
  if (tap_ != nullptr) show_to_tap(packet, decision);
  return decision;
}

}  // namespace weir::engine
