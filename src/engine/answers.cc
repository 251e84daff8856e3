// SPDX-License-Identifier: Apache-2.0
// What a refusal sends: resets, ICMP prohibited, the protocol's own refusal, a sinkhole's answer.

#include "engine/lane.h"
#include "proto/registry.h"
#include "wire/answer.h"

namespace weir::engine {

namespace {

/// The refusal of a request that came alone in its segment, over TCP with its length in front (RFC 1035, 4.2.2), into `out`. Gives its size.
std::size_t refuse_over_tcp(const proto::Protocol& p, const policy::Rule& rule, bool sinkhole, Bytes segment, std::span<std::uint8_t> out) {
  if (segment.size() < 3 || segment.size() - 2 != load_be16(segment.data())) return 0;
  const Bytes request = segment.subspan(2);
  const std::size_t size = sinkhole && p.sinkhole != nullptr ? p.sinkhole(request, rule.sinkhole, out.subspan(2))
                           : p.refuse != nullptr             ? p.refuse(request, out.subspan(2))
                                                             : 0;
  if (size == 0) return 0;
  store_be16(out.data(), static_cast<std::uint16_t>(size));
  return size + 2;
}

/// The client has acknowledged all that the server sent, and its segment is the next in order: an answer in the server's name fits.
bool is_in_turn(const Flow& flow, Side side, const IpLayer& layer) {
  const state::TcpSide &client = flow.tcp[0], &server = flow.tcp[1];
  return side == Side::Client && !flow.picked_up && client.seen && server.seen && !server.fin && layer.tcp_seq == client.next && layer.tcp_ack == server.next;
}

}  // namespace

void Lane::emit_answers(const Work& work, Decision& decision) {
  using policy::Action;
  if (work.layer == nullptr || work.uncounted || work.rule >= rules_->rules().size()) return;
  const bool asks = work.rule == cookies_rule_ && work.action == Action::Drop && work.reason == Reason::Rule;
  if (work.action != Action::Reject && work.action != Action::Sinkhole && !asks) return;
  if (work.packet == &whole_packet_) return;  // The frame that completed it is not the packet to turn round.
  if (slot_ >= Engine::kBatchMax) return;
  const IpLayer& layer = *work.layer;
  auto& buffers = emit_buffers_[slot_];
  const auto emit = [&](std::size_t size, std::size_t buffer, wire::Toward toward = wire::Toward::Sender) {
    if (size == 0) return;
    // Toward the receiver goes what the frame itself would have done: by its destination.
    const PortIndex port = toward == wire::Toward::Sender ? work.packet->frame->port : kNoPort;
    decision.emits[decision.emits_count++] = {{buffers[buffer], size}, port};
  };
  if (asks) {
    const std::uint32_t acknowledged = cookies_.acknowledged(syn_ends(layer), layer.tcp_seq, now_.mono_ns);
    return emit(wire::write_syn_answer(*work.packet, layer, acknowledged, buffers[0]), 0);
  }
  if (layer.is_tcp()) {
    // In the protocol's own words where that is sound; else by a reset. What follows on the connection meets its tombstone either way.
    std::array<std::uint8_t, 1232> payload;
    std::size_t size = 0;
    if (work.facts != nullptr && work.index != kNoFlow && is_in_turn(flows_.at(work.index), work.side, layer))
      size = refuse_over_tcp(proto::protocol(work.facts->app.innermost()), rules_->policy().rules[work.rule], work.action == Action::Sinkhole,
                             work.packet->payload(layer), payload);
    const std::size_t answer = size == 0 ? 0 : wire::write_tcp_answer(*work.packet, layer, Bytes(payload).first(size), buffers[0]);
    emit(answer != 0 ? answer : wire::write_reset(*work.packet, layer, wire::Toward::Sender, buffers[0]), 0);
    if (work.index != kNoFlow && flows_.at(work.index).answered)
      emit(wire::write_reset(*work.packet, layer, wire::Toward::Receiver, buffers[1]), 1, wire::Toward::Receiver);
    return;
  }
  if (layer.is_udp()) {
    const AppId app = work.facts != nullptr ? work.facts->app.innermost() : kUnknownApp;
    const proto::Protocol& p = proto::protocol(app);
    std::array<std::uint8_t, 1232> payload;
    std::size_t size = 0;
    const bool request = p.is_answer == nullptr || !p.is_answer(work.packet->payload(layer));
    if (work.action == Action::Sinkhole && p.sinkhole != nullptr && request)
      size = p.sinkhole(work.packet->payload(layer), rules_->policy().rules[work.rule].sinkhole, payload);
    else if (p.refuse != nullptr && request)
      size = p.refuse(work.packet->payload(layer), payload);
    if (size != 0) {
      emit(wire::write_udp_answer(*work.packet, layer, Bytes(payload).first(size), buffers[0]), 0);
      return;
    }
    if (work.action == Action::Sinkhole) return;
  }
  emit(wire::write_prohibited(*work.packet, layer, buffers[0]), 0);
}

}  // namespace weir::engine
