// SPDX-License-Identifier: Apache-2.0
#include "state/tcp.h"

#include <algorithm>

namespace weir::state {
namespace {

using namespace tcp_flag;

std::uint32_t sequence_length(const IpLayer& layer) {
  return layer.payload_wire_bytes + ((layer.tcp_flags & kSyn) != 0 ? 1U : 0U) + ((layer.tcp_flags & kFin) != 0 ? 1U : 0U);
}

/// The SYN may have been sent twice with different numbers; `initial` is the first one's, `acked` the last one's. Data on the SYN may be
/// acknowledged or not (RFC 7413).
bool answers_syn(const TcpSide& client, std::uint32_t ack) {
  return (seq_at_or_before(client.acked, ack) && seq_at_or_before(ack, client.next)) || ack == client.initial;
}

constexpr std::uint32_t kWindowMax = 1U << 30;      ///< RFC 7323, 2.3: none is larger, and beyond it numbers cannot be told apart.
constexpr std::uint32_t kWindowUnknown = 65535;  ///< Before the peer offered one: what can be offered without scaling.

}  // namespace

TcpJudgement judge_tcp(const Flow& flow, Side side, const IpLayer& layer, std::uint32_t slack) {
  const TcpSide& sender = flow.tcp[index_of(side)];
  const TcpSide& receiver = flow.tcp[index_of(other(side))];
  const std::uint8_t flags = layer.tcp_flags;
  const std::uint32_t end = layer.tcp_seq + sequence_length(layer);
  if ((flags & kSyn) != 0) {
    // Only the SYN that opened (resent), and its answer.
    if (flow.phase == TcpPhase::SynSent || flow.phase == TcpPhase::SynReceived) {
      if (side == Side::Client) return (flags & kAck) == 0 || receiver.seen ? TcpJudgement::Fits : TcpJudgement::NotOfThisConnection;
      return (flags & kAck) == 0 || answers_syn(receiver, layer.tcp_ack) ? TcpJudgement::Fits : TcpJudgement::NotOfThisConnection;
    }
    return sender.seen && seq_before(layer.tcp_seq, sender.next) ? TcpJudgement::Fits : TcpJudgement::OutOfWindow;
  }
  if (flow.phase == TcpPhase::SynSent && side == Side::Server) {
    // Before its SYN the server may only refuse: RST that acknowledges our SYN (RFC 9293, 3.5.2).
    if ((flags & kRst) == 0) return TcpJudgement::NotOfThisConnection;
    return (flags & kAck) == 0 || layer.tcp_ack == receiver.next ? TcpJudgement::Fits : TcpJudgement::OutOfWindow;
  }
  // The four bounds of van Rooij's "Real Stateful TCP Packet Filtering", with our slack.
  const std::uint32_t window = std::min(std::max(receiver.window_max, kWindowUnknown) * slack, kWindowMax);
  if (sender.seen) {
    if (receiver.seen && !seq_at_or_before(end, sender.window_end + (slack - 1) * window) &&
        !seq_at_or_before(end, receiver.window_max == 0 ? sender.next + window : sender.acked + window))
      return TcpJudgement::OutOfWindow;
    if (seq_before(layer.tcp_seq + std::max(window, kWindowUnknown), sender.next)) return TcpJudgement::OutOfWindow;
  }
  if ((flags & kRst) != 0) {
    // RFC 5961, section 3: a reset that counts lies in the window; one at an old number is not let through.
    if (sender.seen && seq_before(layer.tcp_seq, sender.acked)) return TcpJudgement::OutOfWindow;
    return TcpJudgement::Fits;
  }
  if ((flags & kAck) != 0 && receiver.seen) {
    if (!seq_at_or_before(layer.tcp_ack, receiver.next)) return TcpJudgement::OutOfWindow;
    const std::uint32_t reach = std::min(std::max(sender.window_max, kWindowUnknown) * slack, kWindowMax);
    if (seq_before(layer.tcp_ack + reach + kWindowUnknown, receiver.next)) return TcpJudgement::OutOfWindow;
  }
  return TcpJudgement::Fits;
}

void commit_tcp(Flow& flow, Side side, const IpLayer& layer) {
  TcpSide& sender = flow.tcp[index_of(side)];
  TcpSide& receiver = flow.tcp[index_of(other(side))];
  const std::uint8_t flags = layer.tcp_flags;
  const std::uint32_t end = layer.tcp_seq + sequence_length(layer);
  if ((flags & kSyn) != 0) {
    sender.scale_offered = layer.has_tcp_window_scale;
    sender.scale = std::min<std::uint8_t>(layer.tcp_window_scale, 14);
    if (!sender.seen || flow.phase == TcpPhase::SynSent || (flow.phase == TcpPhase::SynReceived && side == Side::Server)) {
      if (!sender.seen) sender.initial = layer.tcp_seq + 1;
      sender.next = end;  // A SYN sent again with another number: which of the two counts is what the server answers.
      sender.acked = layer.tcp_seq + 1;
      sender.seen = true;
    }
    if ((flags & kAck) != 0) {
      if (side == Side::Server && receiver.seen && flow.phase <= TcpPhase::SynSent) {
        const bool last = seq_at_or_before(receiver.acked, layer.tcp_ack) && seq_at_or_before(layer.tcp_ack, receiver.next);
        if (last) receiver.initial = receiver.acked;
        else if (layer.tcp_ack == receiver.initial) receiver.next = layer.tcp_ack;
      }
      flow.phase = std::max(flow.phase, TcpPhase::SynReceived);
    } else if (flow.phase == TcpPhase::None) {
      flow.phase = TcpPhase::SynSent;
    }
  } else if (!sender.seen) {
    sender.seen = true;
    // An empty segment may ask whether anybody is there, and is then numbered one short (RFC 9293, 3.8.4 and 3.8.6.1).
    sender.next = sequence_length(layer) == 0 ? end + 1 : end;
    sender.initial = layer.tcp_seq;
    sender.acked = layer.tcp_seq;
    sender.window_end = end + kWindowUnknown;
    if (flow.phase == TcpPhase::None) flow.phase = TcpPhase::Established;
  } else if (seq_before(sender.next, end)) {
    sender.next = end;
  }
  // The window that this segment offers; the scale counts only where both offered it (RFC 7323, 2.2), never on a SYN.
  const bool scaled = (flags & kSyn) == 0 && (flow.picked_up || (sender.scale_offered && receiver.scale_offered));
  const std::uint32_t window = std::uint32_t{layer.tcp_window} << (scaled ? (flow.picked_up && !sender.scale_offered ? 14 : sender.scale) : 0);
  sender.window_max = std::max(sender.window_max, window);
  if ((flags & kAck) != 0) {
    if (!receiver.seen || seq_before(receiver.acked, layer.tcp_ack)) receiver.acked = layer.tcp_ack;
    const std::uint32_t allowed = layer.tcp_ack + std::max<std::uint32_t>(window, 1);
    if (receiver.window_end == 0 || seq_before(receiver.window_end, allowed)) receiver.window_end = allowed;
    if (flow.phase == TcpPhase::SynReceived && side == Side::Client && (flags & kSyn) == 0) flow.phase = TcpPhase::Established;
  }
  if ((flags & kFin) != 0) {
    sender.fin = true;
    flow.phase = receiver.fin ? TcpPhase::Closed : std::max(flow.phase, TcpPhase::Closing);
  }
  if ((flags & kRst) != 0) {
    flow.reset = true;
    flow.phase = TcpPhase::Closed;
  }
}

bool opens_anew(const Flow& flow, Side side, const IpLayer& layer) {
  if ((layer.tcp_flags & (kSyn | kAck | kRst)) != kSyn) return false;
  const TcpSide& sender = flow.tcp[index_of(side)];
  if (flow.phase == TcpPhase::Closed) return !sender.seen || layer.tcp_seq != sender.next - 1;
  // Both ends closed is the rule; a client that comes back on a half-closed connection with a number beyond the old ones too.
  return flow.phase == TcpPhase::Closing && sender.seen && seq_before(sender.next, layer.tcp_seq);
}

}  // namespace weir::state
