// SPDX-License-Identifier: Apache-2.0
#pragma once

// The header chain of one frame: bytes in, Packet out (facts/packet.h says what each member means).
//
// Promises: never reads past the frame, allocates nothing, ends after a bounded number of headers, and gives the same
// Packet for the same bytes. Whatever the bytes, there is an answer, perhaps with flaws. Three lengths are kept apart:
// what the frame holds, what was on the wire (a capture may be snapped: that is no flaw), and what the headers claim
// (more than the wire: Flaw::Truncated). The link's padding is cut off by the length of the IP header.
//
// Leaves to others: reassembly (only unfragmented packets and first fragments have a transport header; tunnels are opened
// in unfragmented packets alone), and whether a wrong checksum is a flaw (verify_checksums says what is so, the engine
// knows who offloads).

#include "facts/packet.h"

namespace weir::wire {

struct ParseOptions {
  bool tunnels = true;  ///< Look into tunnels; otherwise the carrier's layer is the last.
};

/// Overwrites `packet`; of `layers` only [0, layers_count) is valid, likewise the other arrays with a count.
/// `frame` must outlive `packet`, which points to it.
void parse(const Frame& frame, Packet& packet, const ParseOptions& options = {});

/// UDP on this port may carry a tunnel that is decoded: what a datagram is depends on its content.
bool is_tunnel_port(std::uint16_t port);

enum class Check : std::uint8_t { Unknown, Good, Bad };

struct ChecksumResult {
  Check ip = Check::Unknown;         ///< The IPv4 header's; Unknown in IPv6, which has none.
  Check transport = Check::Unknown;  ///< TCP, UDP, ICMP, ICMPv6; Unknown in fragments, snapped and source-routed packets.
};

/// `layer` is one of `packet.layers`, and the frame's bytes are still there. A UDP checksum of zero in IPv4 is none: Unknown.
ChecksumResult verify_checksums(const Packet& packet, const IpLayer& layer);

}  // namespace weir::wire
