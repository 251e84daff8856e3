// SPDX-License-Identifier: Apache-2.0
#pragma once

// ZoneMap: which zone an address is in (CONTRACT section 1). In this order:
//
// 1. Unspecified, link-local, multicast and broadcast addresses take the zone of the frame's port, else the zone of the
//    peer. If the peer is such an address too there is none.
// 2. Else the zone with the longest network that holds the address. Of two zones with the same network the first one has it.
// 3. Else the zone without networks. If there are several, the one of them that the port belongs to, else the one that
//    has no ports either; none if that is not exactly one.
//
// As in PrefixSet, no IPv6 network holds an IPv4 address. Asking is a search in one sorted list; it allocates nothing.

#include <cstdint>
#include <utility>
#include <vector>

#include "policy/rule.h"

namespace weir::policy {

class ZoneMap {
 public:
  explicit ZoneMap(const std::vector<ZoneDefinition>& zones);
  /// The zone of `ip`, seen in a packet that came in by `port`, whose other end is `peer`. kNoZone if there is none.
  ZoneId zone_of(const Ip& ip, PortIndex port, const Ip& peer) const;
  /// The zone by networks alone, or kNoZone.
  ZoneId by_network(const Ip& ip) const;
  /// The first zone that names the port, or kNoZone.
  ZoneId by_port(PortIndex port) const;

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  /// From here to the next stretch the zone is this one.
  struct Stretch {
    Key first;
    ZoneId zone;
  };
  ZoneId by_network_or_rest(const Ip& ip, PortIndex port) const;

  std::vector<Stretch> stretches_;  ///< Sorted; the first begins at ::.
  std::vector<ZoneId> port_zones_;
  std::vector<ZoneId> without_networks_;
  ZoneId rest_ = kNoZone;  ///< The one without networks that serves where the port does not tell.
};

}  // namespace weir::policy
