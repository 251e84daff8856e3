// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a neighbour message claims (RFC 4861): that an IPv6 address is at a link-layer address. For the bindings.

#include <optional>

#include "facts/packet.h"

namespace weir::wire {

struct NeighborClaim {
  Ip ip;
  Mac mac;
};

/// The claim of a neighbour solicitation (its source), advertisement (its target), router solicitation or advertisement (its
/// source). None if it claims nothing: another message, an unspecified source (duplicate address detection), cut short.
/// The address is that of the link-layer option, or the frame's where there is no option.
std::optional<NeighborClaim> parse_neighbor_claim(const Packet& packet, const IpLayer& layer);

}  // namespace weir::wire
