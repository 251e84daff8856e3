// SPDX-License-Identifier: Apache-2.0
#pragma once

// Frames that answer a packet: a TCP reset, an ICMP refusal, a UDP answer. Each is written whole, with right lengths and
// checksums, into the caller's buffer: the link header of the packet with its MAC addresses swapped and its VLAN tags kept,
// then IP, then the rest. Nothing is allocated.
//
// Each function gives the frame's length, or 0 where there is no answer: the buffer is too small; the packet came in a
// tunnel, in PPPoE, MPLS, SNAP or by a link whose header cannot be turned round (SLL); it is a later fragment; its
// destination is a group or its source is no single host (RFC 1122, 3.2.2; RFC 4443, 2.4); or it is of another protocol.

#include <span>

#include "facts/packet.h"

namespace weir::wire {

/// Enough for every reset and refusal.
inline constexpr std::size_t kAnswerBytesMax = 1536;

enum class Toward : std::uint8_t { Sender, Receiver };

/// TCP RST. To the sender as its receiver would send it (RFC 9293, 3.10.7.1); to the receiver as if the sender reset, with
/// the packet's own sequence number. Never an answer to a RST.
std::size_t write_reset(const Packet& packet, const IpLayer& layer, Toward toward, std::span<std::uint8_t> out);

/// ICMP destination unreachable, administratively prohibited (3/13, in IPv6 1/1), from the packet's destination, quoting as
/// much as RFC 1812 (576 bytes) and RFC 4443 (1,280 bytes) allow. Never an answer to an ICMP error.
std::size_t write_prohibited(const Packet& packet, const IpLayer& layer, std::span<std::uint8_t> out);

/// The segment that the packet's receiver would answer with: `payload`, everything of the packet acknowledged, and FIN, as the
/// connection is over. Only where the packet acknowledges all that its receiver sent: the caller knows. At most what fits into `out`.
std::size_t write_tcp_answer(const Packet& packet, const IpLayer& layer, Bytes payload, std::span<std::uint8_t> out);

/// A SYN-ACK from the packet's destination that acknowledges `acknowledged`, whatever the SYN's own number is, with a whole window and no
/// options. Only to a SYN without ACK, RST and FIN.
std::size_t write_syn_answer(const Packet& packet, const IpLayer& layer, std::uint32_t acknowledged, std::span<std::uint8_t> out);

/// A UDP datagram with `payload` from the packet's destination back to its source. At most 65,507 bytes of payload; in one
/// frame, whatever the link's MTU: the caller keeps the payload small.
std::size_t write_udp_answer(const Packet& packet, const IpLayer& layer, Bytes payload, std::span<std::uint8_t> out);

}  // namespace weir::wire
