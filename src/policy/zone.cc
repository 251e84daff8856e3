// SPDX-License-Identifier: Apache-2.0
#include "policy/zone.h"

#include <algorithm>

namespace weir::policy {

namespace {

using Key = std::pair<std::uint64_t, std::uint64_t>;
constexpr Key kMappedFirst{0, 0x0000ffff00000000ULL}, kMappedLast{0, 0x0000ffffffffffffULL}, kLast{UINT64_MAX, UINT64_MAX};

Key key_of(const Ip& ip) { return {ip.high(), ip.low()}; }
Key after(const Key& key) { return {key.first + (key.second == UINT64_MAX ? 1 : 0), key.second + 1}; }

struct Network {
  Key first, last;
  std::uint8_t length;
  ZoneId zone;
};

Network network_of(const Prefix& prefix, ZoneId zone) {
  const unsigned length = std::min<unsigned>(prefix.length, 128);
  const std::uint64_t high = length == 0 ? 0 : length >= 64 ? UINT64_MAX : ~std::uint64_t{0} << (64 - length);
  const std::uint64_t low = length <= 64 ? 0 : ~std::uint64_t{0} << (128 - length);
  const Key first{prefix.network.high() & high, prefix.network.low() & low};
  return {first, {first.first | ~high, first.second | ~low}, static_cast<std::uint8_t>(length), zone};
}

/// Takes the port's zone; a network's own broadcast address is in the network anyway.
bool is_special(const Ip& ip) {
  return ip.is_unspecified() || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast();
}

}  // namespace

ZoneId ZoneMap::zone_of(const Ip& ip, PortIndex port, const Ip& peer) const {
  if (!is_special(ip)) return by_network_or_rest(ip, port);
  const ZoneId zone = by_port(port);
  if (zone != kNoZone || is_special(peer)) return zone;
  return by_network_or_rest(peer, port);
}

ZoneId ZoneMap::by_network_or_rest(const Ip& ip, PortIndex port) const {
  const ZoneId zone = by_network(ip);
  if (zone != kNoZone || without_networks_.size() < 2) return zone != kNoZone ? zone : rest_;
  const ZoneId of_port = by_port(port);
  const bool without = std::find(without_networks_.begin(), without_networks_.end(), of_port) != without_networks_.end();
  return without ? of_port : rest_;
}

ZoneId ZoneMap::by_network(const Ip& ip) const {
  const Key key = key_of(ip);
  const auto next = std::partition_point(stretches_.begin(), stretches_.end(), [&](const Stretch& s) { return s.first <= key; });
  return next == stretches_.begin() ? kNoZone : std::prev(next)->zone;
}

ZoneId ZoneMap::by_port(PortIndex port) const { return port < port_zones_.size() ? port_zones_[port] : kNoZone; }

ZoneMap::ZoneMap(const std::vector<ZoneDefinition>& zones) {
  std::vector<Network> networks;
  // Below every IPv4 network, so that an IPv6 network around ::ffff:0:0/96 does not reach into it.
  networks.push_back({kMappedFirst, kMappedLast, 96, kNoZone});
  std::size_t portless = 0;
  for (std::size_t i = 0; i < zones.size() && i < kNoZone; ++i) {
    const auto zone = static_cast<ZoneId>(i);
    for (const Prefix& prefix : zones[i].networks) networks.push_back(network_of(prefix, zone));
    for (const PortIndex port : zones[i].ports) {
      if (port == kNoPort) continue;
      if (port >= port_zones_.size()) port_zones_.resize(port + std::size_t{1}, kNoZone);
      if (port_zones_[port] == kNoZone) port_zones_[port] = zone;
    }
    if (!zones[i].networks.empty()) continue;
    without_networks_.push_back(zone);
    if (zones[i].ports.empty()) rest_ = ++portless == 1 ? zone : kNoZone;
  }
  if (without_networks_.size() == 1) rest_ = without_networks_.front();

  // Outer before inner, and of equal ones the later zone first, so that the first zone lies on top. `0.0.0.0/0` is equal to the
  // floor pushed above and must lie on it.
  std::stable_sort(networks.begin(), networks.end(), [](const Network& a, const Network& b) {
    if (a.first != b.first) return a.first < b.first;
    if (a.length != b.length) return a.length < b.length;
    return a.zone > b.zone;
  });
  // Prefixes nest or are disjoint: a stack of the open ones gives the zone at each border.
  std::vector<Network> open;
  const auto begin_at = [&](const Key& first, ZoneId zone) {
    if (!stretches_.empty() && stretches_.back().first == first) stretches_.back().zone = zone;
    else stretches_.push_back({first, zone});
  };
  const auto close_until = [&](const Key& next, bool all) {
    while (!open.empty() && (all || open.back().last < next)) {
      const Key last = open.back().last;
      open.pop_back();
      if (last != kLast) begin_at(after(last), open.empty() ? kNoZone : open.back().zone);
    }
  };
  begin_at({0, 0}, kNoZone);
  for (const Network& network : networks) {
    close_until(network.first, false);
    begin_at(network.first, network.zone);
    open.push_back(network);
  }
  close_until(kLast, true);
}

}  // namespace weir::policy
