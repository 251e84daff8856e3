// SPDX-License-Identifier: Apache-2.0
// The first question about a packet: is it of a settled flow of which nothing more is asked? Then the verdict stands in the flow, and
// it costs one look-up and what is counted. Whatever is not that plain goes the long way and gets the same answer there.

#include "engine/lane.h"
#include "state/tcp.h"

namespace weir::engine {

using state::FlowVerdict;

namespace {

/// Whose packet of this flow it is, if it is one.
std::optional<Side> sender_in(const Flow& flow, const IpLayer& layer, std::uint32_t domain) {
  const FlowEnds& e = flow.ends;
  if (!flow.in_use || flow.domain != domain || e.protocol != layer.protocol) return std::nullopt;
  if (e.client_port == layer.src_port && e.server_port == layer.dst_port && e.client == layer.src && e.server == layer.dst) return Side::Client;
  if (e.client_port == layer.dst_port && e.server_port == layer.src_port && e.client == layer.dst && e.server == layer.src) return Side::Server;
  return std::nullopt;
}

}  // namespace

bool Lane::passes_as_settled(const Packet& packet, Decision& decision) {
  const std::size_t at = slot_ % kPass;
  if (slot_ == Engine::kBatchMax || &packet != &packets_[at] || likely_[at] == kNoFlow) return false;
  const IpLayer& layer = packet.layers[0];
  const bool plain = packet.layers_count == 1 && layer.fragment == FragmentKind::No && !packet.flaws.any() && packet.tunnels_count == 0;
  if (!plain || !(layer.is_udp() || (layer.is_tcp() && (layer.tcp_flags & never_settled_) == 0))) return false;
  Flow& flow = flows_.at(likely_[at]);
  const std::optional<Side> side = sender_in(flow, layer, domains_[at]);
  if (!side || !flow.settled || flow.verdict != FlowVerdict::Passed || flow.live != nullptr || flow.generation != generation_) return false;
  if (flow.carried || options_.carrier != nullptr || flow.parent != 0 || bans_.any() || is_over(flow)) return false;
  if (readings_.learns_from_all()) return false;
  if (options_.senders && flow.sender == 0 && packet.frame->sender != nullptr) return false;  // It passed as nobody's.
  const bool teaches = may_teach(flow);
  if (!flow.named && layer.payload_bytes != 0 && (options_.identify || teaches)) return false;
  const policy::StateWishes& wishes = rules_->policy().wishes;
  if (wishes.tcp_state && layer.is_tcp() && state::judge_tcp(flow, *side, layer, wishes.tcp_strict ? 1 : 2) != state::TcpJudgement::Fits) return false;
  count(flow, *side, layer);
  learn(likely_[at], *side, layer, true);
  decision.verdict = Verdict::Pass;
  decision.rule = flow.rule;
  decision.reason = flow.rule == kNoRule ? Reason::Default : Reason::Rule;
  decision.settled = !teaches;
  return true;
}

}  // namespace weir::engine
