// SPDX-License-Identifier: Apache-2.0
#pragma once

// ZoneMap: which zone an address is in (CONTRACT section 1): the zone with the longest network that holds it; else the zone without
// networks (several: by port). Unspecified, link-local, multicast and broadcast addresses take the zone of the frame's
// port, else of the peer.

#include "policy/rule.h"

namespace weir::policy {

class ZoneMap {
 public:
  explicit ZoneMap(const std::vector<ZoneDefinition>& zones);
  /// The zone of `ip`, seen in a packet that came in by `port`, whose other end is `peer`. kNoZone if there is none.
  ZoneId zone_of(const Ip& ip, PortIndex port, const Ip& peer) const;
  /// The zone by networks alone, or kNoZone.
  ZoneId by_network(const Ip& ip) const;
  ZoneId by_port(PortIndex port) const;

 private:
  struct Network {
    Prefix prefix;
    ZoneId zone;
  };
  std::vector<Network> networks_;  ///< Longest first.
  std::vector<ZoneId> port_zones_;
  std::vector<ZoneId> without_networks_;
};

}  // namespace weir::policy
