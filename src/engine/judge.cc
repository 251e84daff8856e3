// SPDX-License-Identifier: Apache-2.0
// One layer of a frame against the rules: what is asked when, what is held, what is remembered afterwards.

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
  Flow* flow = work.index == kNoFlow ? nullptr : &flows_.at(work.index);
  if (flow != nullptr && flow->generation != generation_) renew(work.index);
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
  const bool flawed = flow != nullptr && flow->settled && work.packet->flaws.any() && rules_->wants(field::kFlaw);
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
        names_.for_each(flow->ends.client, flow->ends.server, now_.mono_ns, [&](std::string_view name) {
          work.live->facts.add(field::kServerName, Scope::Flow, Value::of_text(name), true);
        });
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

/// The frame passes: the names that it told and the flows that it announced are remembered.
void Lane::learn_lessons() {
  for (const Lesson& lesson : lessons_)
    names_.learn(flows_.at(lesson.index).ends.client, lesson.address, {lesson_text_.data() + lesson.text_at, lesson.text_bytes}, lesson.ttl_s, now_.mono_ns);
  for (const Announcement& a : announcements_) expectations_.expect(a.client, a.server, a.port, a.protocol, a.expected, now_.mono_ns);
  forget_lessons();
}

void Lane::forget_lessons() {
  lessons_.clear();
  lesson_text_.clear();
  announcements_.clear();
}

/// The frame passes: now it teaches.
void Lane::commit(Work& work) {
  if (work.index == kNoFlow) return;
  Flow& flow = flows_.at(work.index);
  const IpLayer& layer = *work.layer;
  const std::size_t s = index_of(work.side);
  ++flow.packets[s];
  flow.bytes[s] += layer.length;
  flow.last_wall_ns = now_.wall_ns;
  if (!work.learns) return;
  flow.last_ns = now_.mono_ns;
  if (work.side == Side::Server) flow.answered = true;
  if (layer.is_tcp() && !work.unread) {
    const state::TcpPhase before = flow.phase;
    state::commit_tcp(flow, work.side, layer);
    if (spares_known_ && before == state::TcpPhase::SynReceived && flow.phase == state::TcpPhase::Established) {
      const Ip& client = flow.ends.client;
      *known_clients_.insert(client, hash_ip(client, 1), now_.mono_ns, kHour) = 1;
    }
    // A connection that closes is looked at sooner than its long idle time.
    if (before < state::TcpPhase::Closing && flow.phase >= state::TcpPhase::Closing)
      flows_.schedule(work.index, now_.mono_ns + rules_->policy().idle.tcp_closing_ns);
  }
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
    work.live = nullptr;
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
