// SPDX-License-Identifier: Apache-2.0
// One layer of a frame against the rules: what is asked when.

#include <algorithm>

#include "engine/lane.h"
#include "facts/field_ids.h"
#include "proto/registry.h"
#include "state/tcp.h"

namespace weir::engine {

using policy::Reach;
using state::FlowVerdict;
using state::TcpPhase;

void Lane::set_view(const Work& work, bool at_bound) {
  view_.vocabulary = &words_;
  view_.packet = work.packet;
  view_.layer = work.layer;
  view_.flow = work.facts;
  view_.facts = work.live != nullptr ? &work.live->facts : nullptr;
  view_.parser = work.live != nullptr ? work.live->parser : kUnknownApp;
  view_.readings = &readings_.facts();
  view_.now_ns = now_.mono_ns;
  view_.flaws = work.flaws;
  view_.at_bound = at_bound;
  if (options_.senders) view_.sender = sender_of(work);
  view_.described_all = work.live != nullptr && work.live->parser_done && !work.live->flow.app.open;
}

/// The flow was announced by one that passes.
bool Lane::inherits(const Work& work) const {
  if (work.expected != nullptr) return true;
  if (work.index == kNoFlow) return false;
  const Flow& flow = flows_.at(work.index);
  return flow.related && flow.parent != 0;
}

/// Runs the rules over what is known; false if they deny.
bool Lane::judge_now(Work& work, bool at_bound) {
  current_ = &work;
  set_view(work, at_bound);
  const policy::Candidates candidates = work.facts == nullptr ? rules_->without_ip() : rules_->candidates(*work.facts);
  policy::Outcome outcome = ask(*rules_, candidates, view_, work.live != nullptr ? work.live->pinned : kNoRule, *this);
  show(outcome);
  if (work.live != nullptr) {
    Live& live = *work.live;
    // What headers deny of a flow that lived before the reload is the flow, not one packet after the other.
    if (live.renewed && !outcome.pass && outcome.certain && work.facts->state != FlowState::Invalid && cuts(*rules_, outcome)) outcome.reach = Reach::Flow;
    live.outcome = outcome;
    live.matched_version = live.facts.version();
    // Keys that differ from packet to packet are asked again with each.
    live.matched = !candidates.packet && !candidates.reading && !at_bound;
  }
  return take(work, outcome);
}

bool Lane::take(Work& work, const policy::Outcome& judged) {
  policy::Outcome outcome = judged;
  if (outcome.reports_count != 0) report(work, outcome);
  if (outcome.rule == kDefaultRule && inherits(work)) {
    // A related flow passes by its parent's rule where no rule of its own speaks.
    outcome.rule = kNoRule;
    outcome.pass = true;
    outcome.certain = !outcome.unknown_deny;
  }
  bool pass = outcome.pass;
  if (!pass && rules_->policy().monitor) {
    // The policy only watches: its default too is told and not carried out.
    if (outcome.certain && outcome.rule == kDefaultRule) alert(work, kDefaultRule, outcome.action, false, true);
    pass = true;
  }
  work.rule = outcome.rule;
  work.action = outcome.action;
  work.uncertain = !outcome.certain;
  work.settles = outcome.certain && outcome.settled && !view_.at_bound;  // At the bound facts stay open.
  if (pass || !outcome.certain) {
    work.verdict = Verdict::Pass;
    return true;
  }
  work.denied = true;
  work.settles = false;
  work.verdict = Verdict::Drop;
  work.reason = outcome.rule == kDefaultRule ? Reason::Default : Reason::Rule;
  work.reach = outcome.reach;
  if (work.live != nullptr && work.live->pinned == outcome.rule) work.uncounted = true;  // Denied before the reload, and told then.
  return false;
}

/// The direction is a guess: rules that are certain from headers see the ends both ways, the strictest answer counts.
void Lane::judge_both_ways(Work& work) {
  FlowFacts swapped = *work.facts;
  std::swap(swapped.ends.client, swapped.ends.server);
  std::swap(swapped.ends.client_port, swapped.ends.server_port);
  std::swap(swapped.from, swapped.to);
  std::swap(swapped.client_mac, swapped.server_mac);
  FlowFacts* const chosen = work.facts;
  work.facts = &swapped;
  set_view(work, false);
  const RuleId rule = policy::match_headers(*rules_, rules_->candidates(swapped), view_);
  work.facts = chosen;
  set_view(work, false);
  if (rule == kNoRule) return;
  const policy::Rule& r = rules_->policy().rules[rule];
  if (r.action == policy::Action::Allow) return;
  if (options_.probe != nullptr) {
    policy::Outcome outcome;
    outcome.rule = rule;
    outcome.action = r.action;
    outcome.pass = false;
    work.facts = &swapped;
    set_view(work, false);
    show(outcome);
    work.facts = chosen;
    set_view(work, false);
  }
  work.denied = true;
  work.settles = false;
  work.verdict = Verdict::Drop;
  work.rule = rule;
  work.action = r.action;
  work.reason = Reason::Rule;
  work.reach = Reach::Packet;
}

bool Lane::banned(Work& work) {
  if (!bans_.any()) return false;
  // The ends of the flow; of no flow yet, the sender is taken as the client.
  const FlowEnds* ends = work.index != kNoFlow ? &flows_.at(work.index).ends : nullptr;
  const Ip& client = ends != nullptr ? ends->client : work.key.src;
  const Ip& server = ends != nullptr ? ends->server : work.key.dst;
  const std::uint16_t port = ends != nullptr ? ends->server_port : work.key.dst_port;
  const std::uint8_t protocol = work.key.protocol;
  using state::BanKey, state::BanKind;
  for (const BanKey& key : {BanKey{BanKind::Source, 0, 0, client}, BanKey{BanKind::Destination, 0, 0, server},
                            BanKey{BanKind::Port, protocol, port, server}, BanKey{BanKind::Protocol, protocol, 0, server}}) {
    const RuleId rule = bans_.find(key, now_.mono_ns);
    if (rule == kNoRule) continue;
    work.denied = true;
    work.verdict = Verdict::Drop;
    work.rule = rule;
    work.reason = Reason::Banned;
    work.reach = Reach::Packet;
    work.action = policy::Action::Drop;
    return true;
  }
  return false;
}

/// A reset that answers for a SYN (state/syn_cookies.h): it ends here, as the question came from here.
bool Lane::answers_for_syn(Work& work) {
  using namespace tcp_flag;
  const IpLayer& layer = *work.layer;
  if (!layer.is_tcp() || (layer.tcp_flags & (kSyn | kAck | kRst | kFin)) != kRst || layer.payload_bytes != 0) return false;
  if (work.index != kNoFlow) {
    const TcpPhase phase = flows_.at(work.index).phase;
    if (phase != TcpPhase::SynSent && phase != TcpPhase::SynReceived && phase != TcpPhase::Closed) return false;
  }
  if (!cookies_.prove(syn_ends(layer), layer.tcp_seq, now_.mono_ns)) return false;
  ++counters_.senders_proven;
  work.denied = work.uncounted = true;
  work.learns = false;
  work.verdict = Verdict::Drop;
  work.rule = cookies_rule_;
  work.reason = Reason::Answer;
  work.reach = Reach::Packet;
  return true;
}

namespace {

/// What a segment of the client says that it can take; UINT32_MAX where the scale is not known (RFC 7323, 2.2).
std::uint32_t client_window(const Flow& flow, const IpLayer& layer) {
  if (!layer.is_tcp() || flow.picked_up) return UINT32_MAX;
  const bool scaled = flow.tcp[0].scale_offered && flow.tcp[1].scale_offered;
  return std::uint32_t{layer.tcp_window} << (scaled ? flow.tcp[0].scale : 0);
}

}  // namespace

/// Readings of what the bytes of this packet brought.
void Lane::read_further(Work& work) {
  set_view(work, false);
  const state::Stream& asked = work.live->streams[0];
  readings_.make_of_content(view_, asked.started() && asked.consumed() > asked.in_order_end());
}

void Lane::judge(Work& work) {
  const IpLayer& layer = *work.layer;
  const policy::StateWishes& wishes = rules_->policy().wishes;
  find_flow(work);
  if (banned(work)) return;
  if (cookies_rule_ != kNoRule && answers_for_syn(work)) return;
  Flow* flow = work.index == kNoFlow ? nullptr : &flows_.at(work.index);
  if (flow != nullptr && flow->generation != generation_) renew(work.index);
  if (options_.senders && flow != nullptr && flow->sender == 0) adopt_sender(*flow, work);
  if (flow == nullptr && layer.is_udp()) {
    const RuleId rule = denials_.answers_datagram(layer.src, layer.src_port, layer.dst, layer.dst_port, now_.mono_ns);
    if (rule != kNoRule) {
      work.denied = work.uncounted = true;
      work.verdict = Verdict::Drop;
      work.rule = rule;
      work.reason = Reason::Answer;
      return;
    }
  }
  if (flow != nullptr && (flow->verdict == FlowVerdict::Denied || parent_denied(*flow))) {
    work.denied = work.uncounted = true;
    work.verdict = Verdict::Drop;
    work.rule = flow->rule;
    work.reason = flow->denied_because == Reason::Rule ? Reason::Tombstone : flow->denied_because;
    flow->last_ns = now_.mono_ns;
    return;
  }
  bool fits = true;
  if (flow != nullptr && layer.is_tcp() && wishes.tcp_state) {
    const std::uint32_t slack = flow->settled && !wishes.tcp_strict ? 2 : 1;
    fits = state::judge_tcp(*flow, work.side, layer, slack) == state::TcpJudgement::Fits;
  }
  const bool content = layer.payload_bytes != 0 && (layer.is_tcp() || layer.is_udp());
  const bool flawed = flow != nullptr && flow->settled &&
                      ((work.packet->flaws.any() && rules_->wants(field::kFlaw)) ||
                       ((layer.tcp_flags & tcp_flag::kSyn) != 0 && rules_->wants(field::kTcpFlags)));
  if (flow != nullptr && flow->settled && fits && !flawed && flow->live == nullptr) {
    work.rule = flow->rule;
    work.reason = flow->rule == kNoRule ? Reason::Default : Reason::Rule;
    if (flow->named || !content || !(options_.identify || may_teach(*flow))) return;  // One table hit.
    make_live(*flow);
    if (flow->live == nullptr) return;
  }

  work.facts = &scratch_facts_[work.depth];
  check_checksums(work);
  if (flow == nullptr) {
    open_flow(work);
  } else {
    work.live = static_cast<Live*>(flow->live);
    if (work.live != nullptr) work.facts = &work.live->flow;
    else load_flow_facts(*flow, *work.facts);
    FlowFacts& facts = *work.facts;
    ++facts.packets[index_of(work.side)];
    facts.bytes[index_of(work.side)] += layer.length;
    if (!fits) {
      // Of no state of this connection: told as such, and nothing is learned from it.
      if (work.live != nullptr) {
        scratch_facts_[work.depth] = facts;
        work.facts = &scratch_facts_[work.depth];
        work.live = nullptr;
      }
      work.facts->state = FlowState::Invalid;
      work.learns = false;
    } else if (facts.state == FlowState::New && work.side == Side::Server) {
      facts.state = FlowState::Established;
      if (work.live != nullptr) work.live->matched = false;
    }
  }
  if (work.facts->state == FlowState::Invalid && flow == nullptr && layer.is_tcp()) work.learns = false;

  set_view(work, false);
  readings_.make(view_, flow == nullptr, flow == nullptr || !readings_.of_content() ? UINT32_MAX : client_window(*flow, layer));
  packet_memo_count_ = 0;
  if (flow != nullptr && flow->settled && fits && flawed) {
    // Rules on what headers alone show do not keep a flow from settling: such a packet is judged by itself.
    if (!judge_now(work, false)) return;
    work.rule = flow->rule;
    work.reason = flow->rule == kNoRule ? Reason::Default : Reason::Rule;
    work.uncertain = work.settles = false;
    return;
  }
  if (flow != nullptr && flow->settled && fits) {
    // The verdict is settled; only the application's name is still sought, or what it says of other flows.
    work.rule = flow->rule;
    if (work.live->reading && !work.unread) {
      current_ = &work;
      if (layer.is_tcp()) read_tcp(work);
      else if (layer.is_udp()) read_datagram(work);
      work.denied = work.no_room = false;
      work.learns = true;
      work.verdict = Verdict::Pass;
      work.rule = flow->rule;
      work.reason = flow->rule == kNoRule ? Reason::Default : Reason::Rule;
    }
    return;
  }
  Live* live = work.live;
  if (live != nullptr && live->matched && live->matched_version == live->facts.version()) {
    if (!take(work, live->outcome)) return;
  } else if (!judge_now(work, false)) {
    return;
  }
  if (work.headers_unsure) {
    judge_both_ways(work);
    if (work.denied) return;
  }
  if (!work.learns && flow != nullptr) return;
  work.learns = true;
  if (flow == nullptr) {
    if (!insert_flow(work)) {
      // Every flow is in use: what is certain stands, what is not is decided as at the bound.
      if (work.uncertain) judge_now(work, true);
      work.learns = false;
      return;
    }
    flow = &flows_.at(work.index);
  }
  const bool settled_at_once = work.settles && !work.uncertain;
  const bool seeks = options_.identify && !flow->named && content && !work.unread;
  // A handshake says nothing that has to be kept: who floods with SYNs gets no more than an entry in the table.
  const bool reads = content || !layer.is_tcp() || (layer.tcp_flags & tcp_flag::kFin) != 0;
  const bool keeps = reads || packet_memo_count_ != 0 || wanted_.test(field::kServerName);
  if (work.live == nullptr && (!settled_at_once || seeks) && keeps) {
    const bool open = work.facts->app.open;
    work.live = make_live(*flow);
    if (work.live != nullptr) {
      work.live->flow = *work.facts;
      work.live->flow.app.open = open;
      work.facts = &work.live->flow;
      for (std::size_t i = 0; i < packet_memo_count_; ++i)  // Alerts that are out are not told again.
        if (const RuleId told = packet_memo_[i].rule; told < kDefaultRule && (told & 0x80000000U) != 0 && work.live->counted_count < Live::kCountedMax)
          work.live->counted[work.live->counted_count++] = {told, true, rules_->rule(told & 0x7fffffffU).transaction};
      if (wanted_.test(field::kServerName))
        tell_names(flow->ends, work.live->facts);
      work.live->facts.persist();
      if (work.live->facts.state(field::kServerName) == FactState::Known && !judge_now(work, false)) return;
    }
  }
  if (work.live == nullptr) {
    if (work.uncertain && content) judge_now(work, true);  // The pool is empty: decided as at the bound, counted.
    return;
  }
  work.app_before = work.live->flow.app;
  work.app_saved = true;
  if ((layer.is_tcp() || layer.is_udp()) && !work.unread) {
    current_ = &work;
    const std::uint32_t version = work.live->facts.version();
    if (layer.is_tcp()) read_tcp(work);
    else read_datagram(work);
    if (!work.denied && readings_.of_content()) read_further(work);
    if (!work.denied && (!work.live->matched || work.live->facts.version() != version)) judge_now(work, false);
    if (!work.denied && work.flaws.has(Flaw::Conflict)) {
      // A rule that names the flaw has spoken above. The bytes say something else than what was judged: they do not go on.
      work.denied = true;
      work.verdict = Verdict::Drop;
      work.reason = Reason::Conflict;
      work.reach = Reach::Packet;
      work.learns = false;
      return;
    }
  }
  if (!work.denied) resolve_undecided(work);
}

}  // namespace weir::engine
