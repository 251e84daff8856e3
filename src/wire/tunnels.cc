// SPDX-License-Identifier: Apache-2.0
// Tunnels that UDP carries: VXLAN (RFC 7348), Geneve (RFC 8926), GTP-U (3GPP TS 29.281), L2TPv2 (RFC 2661), Teredo (RFC 4380).
// A port alone proves nothing: the header must be valid and what is inside plausible, else the datagram stays plain UDP.
// What a receiver would take for the tunnel is taken for it here: reserved bits are ignored where the RFC says so.

#include "wire/walk.h"

namespace weir::wire {

namespace {

constexpr std::uint16_t kVxlanPort = 4789, kVxlanLinuxPort = 8472, kGenevePort = 6081, kGtpPort = 2152, kL2tpPort = 1701,
                        kTeredoPort = 3544;
constexpr int kGtpExtensionsMax = 8;

// flags 1 (08h: the VNI is valid) · reserved 3 · VNI 3 · reserved 1
void vxlan(Walk& walk, Window window) {
  if (window.here() < 8 || (*walk.at(window) & 0x08) == 0) return;
  const Window inside = window.after(8);
  if (!plausible_ethernet(walk, inside)) return;
  walk.enter_tunnel(TunnelKind::Vxlan);
  walk.add_tunnel_id(load_be32(walk.at(window) + 4) >> 8);
  ethernet(walk, inside);
}

// version 2 bits (0), options' length in words 6 · flags 1 · protocol 2 · VNI 3 · reserved 1 · options
void geneve(Walk& walk, Window window) {
  if (window.here() < 8) return;
  const std::uint8_t* h = walk.at(window);
  const std::uint32_t size = 8 + (h[0] & 0x3fU) * 4;
  if (h[0] >> 6 != 0 || window.here() < size) return;
  const std::uint16_t protocol = load_be16(h + 2);
  const bool bridged = protocol == ether_type::kTransparentBridging;
  const Window inside = window.after(size);
  if (bridged ? !plausible_ethernet(walk, inside)
              : (protocol != ether_type::kIpv4 && protocol != ether_type::kIpv6) || !plausible_ip(walk, inside))
    return;
  walk.enter_tunnel(TunnelKind::Geneve);
  walk.add_tunnel_id(load_be32(h + 4) >> 8);
  if (bridged) ethernet(walk, inside);
  else ip(walk, inside);
}

// version 3 bits (1), protocol type 1 (1), spare 1, E 1, S 1, PN 1 · type 1 (255: T-PDU) · length 2 · TEID 4
// (· sequence 2 · N-PDU 1 · next extension 1, if any of E, S, PN; each extension: length in words 1 · … · next 1)
void gtp(Walk& walk, Window window) {
  if (window.here() < 8) return;
  const std::uint8_t* h = walk.at(window);
  const std::uint16_t length = load_be16(h + 2);
  if ((h[0] & 0xf0) != 0x30 || h[1] != 255 || length > window.sent() - 8) return;
  const std::uint32_t teid = load_be32(h + 4);
  window = window.after(8);
  walk.limit(window, length);
  if ((h[0] & 0x07) != 0) {
    if (window.here() < 4) return;
    std::uint8_t next = (h[0] & 0x04) != 0 ? walk.at(window)[3] : std::uint8_t{0};
    window = window.after(4);
    for (int count = 0; next != 0; ++count) {
      if (count == kGtpExtensionsMax || window.here() < 4) return;
      const std::uint32_t size = *walk.at(window) * 4U;
      if (size == 0 || window.here() < size) return;
      next = walk.at(window)[size - 1];
      window = window.after(size);
    }
  }
  if (!plausible_ip(walk, window)) return;
  walk.enter_tunnel(TunnelKind::Gtp);
  walk.add_tunnel_id(teid);
  ip(walk, window);
}

// T 1 bit (0: data), L 1, …, S 1, …, O 1, P 1, …, version 4 (2) (· length 2) · tunnel 2 · session 2 (· Ns 2 · Nr 2)
// (· offset 2 · so many bytes) · PPP
void l2tp(Walk& walk, Window window) {
  if (window.here() < 6) return;
  const std::uint16_t flags = load_be16(walk.at(window));
  constexpr std::uint16_t kControl = 0x8000, kLength = 0x4000, kSequence = 0x0800, kOffset = 0x0200;
  if ((flags & kControl) != 0 || (flags & 0x000f) != 2) return;
  if ((flags & kLength) != 0) {
    const std::uint16_t length = load_be16(walk.at(window) + 2);
    if (length < 8 || length > window.sent()) return;
    walk.limit(window, length);
  }
  std::uint32_t size = 6U + ((flags & kLength) != 0 ? 2 : 0) + ((flags & kSequence) != 0 ? 4 : 0);
  if ((flags & kOffset) != 0) {
    if (window.here() < size + 2) return;
    size += 2U + load_be16(walk.at(window) + size);
  }
  if (window.here() < size) return;
  window = window.after(size);
  if (ppp_ether_type(walk, window) == 0 || !plausible_ip(walk, window)) return;
  walk.enter_tunnel(TunnelKind::L2tp);
  ip(walk, window);
}

// (authentication: 0001h · client id length 1 · value length 1 · those · nonce 8 · confirmation 1) (origin: 0000h · port 2 ·
// address 4) · IPv6
void teredo(Walk& walk, Window window) {
  if (window.here() >= 4 && load_be16(walk.at(window)) == 0x0001) {
    const std::uint32_t size = 13U + walk.at(window)[2] + walk.at(window)[3];
    if (window.here() < size) return;
    window = window.after(size);
  }
  if (window.here() >= 8 && load_be16(walk.at(window)) == 0x0000) window = window.after(8);
  if (window.here() < 40 || *walk.at(window) >> 4 != 6 || !plausible_ip(walk, window)) return;
  walk.enter_tunnel(TunnelKind::Teredo);
  ipv6(walk, window);
}

}  // namespace

bool is_tunnel_port(std::uint16_t port) {
  return port == kVxlanPort || port == kVxlanLinuxPort || port == kGenevePort || port == kGtpPort || port == kL2tpPort || port == kTeredoPort;
}

void udp_tunnel(Walk& walk, const IpLayer& layer, Window window) {
  switch (layer.dst_port) {
    case kVxlanPort:
    case kVxlanLinuxPort: return vxlan(walk, window);
    case kGenevePort: return geneve(walk, window);
    case kGtpPort: return gtp(walk, window);
    case kL2tpPort: return l2tp(walk, window);
    case kTeredoPort: return teredo(walk, window);
    default: break;
  }
  if (layer.src_port == kTeredoPort) return teredo(walk, window);
  if (layer.src_port == kL2tpPort) return l2tp(walk, window);
}

bool plausible_ip(const Walk& walk, const Window& window) {
  if (window.here() < 20) return false;
  const std::uint8_t* h = walk.at(window);
  if (h[0] >> 4 == 4) {
    const std::uint32_t header_bytes = (h[0] & 0x0fU) * 4, length = load_be16(h + 2);
    if (length == 0) return header_bytes >= 20 && window.sent() > 65535;  // BIG TCP: the field is too small.
    return header_bytes >= 20 && length >= header_bytes && length <= window.sent();
  }
  return h[0] >> 4 == 6 && window.here() >= 40 && 40U + load_be16(h + 4) <= window.sent();
}

bool plausible_ethernet(const Walk& walk, Window window) {
  if (window.here() < 14) return false;
  std::uint16_t type = load_be16(walk.at(window) + 12);
  window = window.after(14);
  for (std::size_t count = 0; is_vlan_type(type); ++count) {
    if (count == kVlansMax || window.here() < 4) return false;
    type = load_be16(walk.at(window) + 2);
    window = window.after(4);
  }
  switch (type) {
    case ether_type::kIpv4: return plausible_ip(walk, window) && *walk.at(window) >> 4 == 4;
    case ether_type::kIpv6: return plausible_ip(walk, window) && *walk.at(window) >> 4 == 6;
    case ether_type::kArp:
    case ether_type::kPppoe:
    case ether_type::kPppoeDiscovery:
    case ether_type::kMpls:
    case ether_type::kMplsMulticast:
    case ether_type::kEapol:
    case ether_type::kLldp: return true;
    default: return type >= 3 && type <= 1500 && type <= window.sent();
  }
}

}  // namespace weir::wire
