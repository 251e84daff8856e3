// SPDX-License-Identifier: Apache-2.0
// What a person asks about a running engine: its flows, bans and tables, and which flows a policy would cut. All in slices, so that
// no question stalls the lane.

#include "engine/lane.h"
#include "wire/wire.h"

namespace weir::engine {

using state::FlowVerdict;

FlowNow Lane::flow_now(const Flow& flow) const {
  FlowNow now;
  describe_flow(flow, now.record);
  const Live* const live = static_cast<const Live*>(flow.live);
  if (live != nullptr) {  // What is known of its application so far.
    now.record.chain_count = live->flow.app.count;
    for (std::size_t i = 0; i < live->flow.app.count; ++i) now.record.chain[i] = live->flow.app.layers[i];
    now.record.app = live->flow.app.innermost();
    now.record.app_hidden = live->flow.app.hidden;
  }
  now.denied = flow.verdict == FlowVerdict::Denied;
  now.settled = flow.settled;
  now.held = live != nullptr && live->held_count != 0;
  now.idle_ns = now_.mono_ns - flow.last_ns;
  now.idle_ns_max = idle_of(flow);
  return now;
}

std::uint32_t Lane::walk_flows(std::uint32_t first, std::uint32_t slots, const std::function<void(const FlowNow&)>& call) const {
  return flows_.walk(first, slots, [&](std::uint32_t index) {
    if (const Flow& flow = flows_.at(index); !is_over(flow)) call(flow_now(flow));
  });
}

std::uint32_t Lane::walk_bans(std::uint32_t first, std::uint32_t slots, const std::function<void(const BanNow&)>& call) {
  bans_.walk(first, slots, now_.mono_ns, [&](const state::BanKey& key, const state::BanEntry& entry) {
    call({key, entry.rule, entry.until_ns - now_.mono_ns});
  });
  const std::size_t next = std::size_t{first} + slots;
  return next >= bans_.places() ? Engine::kNoMore : static_cast<std::uint32_t>(next);
}

namespace {

/// Counts nothing: a flow that lives was counted when it began.
class NoMeters final : public policy::Meters {
 public:
  bool over_limit(RuleId, const policy::Rule&, const View&) override { return false; }
  bool ban_begins(RuleId, const policy::Rule&, const View&) override { return false; }
};

/// A packet of the flow of which nothing is known but its ends.
void make_bare(const Flow& flow, const Frame& frame, Packet& packet) {
  packet.frame = &frame;
  packet.layers_count = 1;
  IpLayer& layer = packet.layers[0];
  layer.version = flow.ends.client.is_v4() ? 4 : 6;
  layer.protocol = layer.protocols[0] = flow.ends.protocol;
  layer.protocols_count = 1;
  layer.src = flow.ends.client;
  layer.dst = flow.ends.server;
  layer.src_port = flow.ends.client_port;
  layer.dst_port = flow.ends.server_port;
  layer.has_transport = true;
}

}  // namespace

/// The rule of the preview's that would cut the flow, or kNoRule.
RuleId Lane::foresee(const Preview& preview, const Flow& flow) {
  if (flow.verdict == FlowVerdict::Denied) return kNoRule;
  RuleId pinned = kNoRule;
  const RuleId decided = flow.generation == generation_ ? flow.rule : changes_since(flow.generation).renamed(flow.rule);
  if (flow.settled) {
    if (preview.changes.stands(decided)) return kNoRule;
    if (preview.changes.is_same(decided)) pinned = preview.changes.renamed(decided);
  }
  const policy::RuleSet& rules = *preview.rules;
  const Live* const live = static_cast<const Live*>(flow.live);
  FlowFacts ends;
  if (live != nullptr) ends = live->flow;
  else load_flow_facts(flow, ends);
  ends.from = rules.zones().zone_of(flow.ends.client, flow.port, flow.ends.server);
  ends.to = rules.zones().zone_of(flow.ends.server, flow.port, flow.ends.client);
  Facts recalled(pool_, rules.wanted()), no_readings(pool_, rules.wanted());
  if (live == nullptr) recall_facts(flow, ends, recalled);
  Frame frame;
  frame.port = flow.port;
  frame.time = now_;
  Packet packet;
  make_bare(flow, frame, packet);
  View view;
  view.vocabulary = &words_;
  view.packet = &packet;
  view.layer = &packet.layers[0];
  view.flow = &ends;
  view.facts = live != nullptr ? &live->facts : &recalled;
  view.parser = live != nullptr ? live->parser : ends.app.innermost();
  view.readings = &no_readings;
  view.now_ns = now_.mono_ns;
  view.described_all = live == nullptr || live->parser_done;
  view.has_senders = options_.senders;
  view.sender = senders_.at(flow.sender);
  NoMeters meters;
  const policy::Outcome outcome = ask(rules, rules.candidates(ends), view, pinned, meters);
  if (outcome.pass || !outcome.certain || rules.policy().monitor || !policy::cuts(rules, outcome)) return kNoRule;
  if (outcome.rule == kDefaultRule && flow.related && flow.parent != 0) return kNoRule;  // It passes with its parent.
  return outcome.rule;
}

void Lane::go_on(Preview& preview, std::uint32_t slots, const std::function<void(const FlowNow&, RuleId)>& cut) {
  if (preview.generation != generation_) preview.done = true;
  if (preview.done) return;
  if (preview.changes.identical) {
    preview.done = true;
    return;
  }
  preview.next = flows_.walk(preview.next, slots, [&](std::uint32_t index) {
    const Flow& flow = flows_.at(index);
    if (is_over(flow)) return;
    ++preview.looked_at;
    const RuleId rule = foresee(preview, flow);
    if (rule == kNoRule) return;
    ++preview.cut;
    if (cut) cut(flow_now(flow), rule);
  });
  preview.done = preview.next == Engine::kNoMore;
}

/// What is known once the frame is decided: its flow may have been denied or settled meanwhile.
void Lane::show_to_tap(const Packet& packet, const Decision& decision) {
  View view;
  view.vocabulary = &words_;
  view.packet = &packet;
  view.readings = &readings_.facts();
  view.now_ns = now_.mono_ns;
  view.flaws = packet.flaws;
  view.has_senders = options_.senders;
  view.sender = packet.frame->sender;
  if (packet.layers_count == 0) return tap_->on_frame(view, decision);
  view.layer = &packet.layers[packet.layers_count - 1];
  FlowFacts ends;
  Facts recalled(pool_, *wanted_set_);
  view.facts = &recalled;
  view.flow = &ends;
  const Work& work = works_[packet.layers_count - 1];
  // Of a tunnel that was denied, the inner layers were not looked at.
  const bool looked_at = packet.layers_count == 1 || decision.verdict != Verdict::Drop;
  const std::uint32_t index = looked_at && work.packet == &packet ? work.index : kNoFlow;
  if (index != kNoFlow && flows_.at(index).in_use) {
    const Flow& flow = flows_.at(index);
    const Live* const live = static_cast<const Live*>(flow.live);
    if (flow.sender != 0) view.sender = senders_.at(flow.sender);
    if (live != nullptr) ends = live->flow;
    else load_flow_facts(flow, ends);
    if (live != nullptr) view.facts = &live->facts;
    else recall_facts(flow, ends, recalled);
    view.parser = live != nullptr ? live->parser : ends.app.innermost();
    view.described_all = live == nullptr || live->parser_done;
  } else {
    const IpLayer& layer = *view.layer;
    ends.ends = {layer.src, layer.dst, layer.src_port, layer.dst_port, layer.protocol};
    ends.has_macs = packet.has_eth;
    ends.client_mac = packet.eth_src;
    ends.server_mac = packet.eth_dst;
    ends.from = rules_->zones().zone_of(layer.src, packet.frame->port, layer.dst);
    ends.to = rules_->zones().zone_of(layer.dst, packet.frame->port, layer.src);
  }
  tap_->on_frame(view, decision);
}

std::vector<TableFill> Lane::tables() const {
  constexpr std::uint64_t kUncounted = UINT64_MAX;
  std::vector<TableFill> all = {
      {"flows", flows_.size(), flows_.capacity(), counters_.flows_evicted, "the youngest unanswered flow goes, settled ones last"},
      {"memory", pool_.used(), pool_.capacity(), counters_.pool_empty, "content is judged as at the bound of undecided payload; facts are hidden"},
      {"bans", kUncounted, bans_.places(), bans_.evicted(), "the one used longest ago goes"},
      {"limits", kUncounted, options_.table_entries, buckets_.evicted() + buckets_.folded(), "a new key shares the bucket of its enclosing prefix"},
      {"denials", kUncounted, options_.table_entries, denials_.evicted(), "the oldest goes"},
      {"names", kUncounted, options_.table_entries, names_.evicted() + names_.lost(), "the one used longest ago goes"},
  };
  if (options_.senders) all.push_back({"senders", senders_.size(), SenderTable::kPlacesMax, senders_.refused(), "a flow goes by what its next packets say of their sender"});
  return all;
}

}  // namespace weir::engine
