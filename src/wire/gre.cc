// SPDX-License-Identifier: Apache-2.0
// GRE (RFC 2784, 2890), NVGRE (RFC 7637: Ethernet with a key), ERSPAN types I to III, and PPTP's version 1 (RFC 2637).
// The source-routed GRE of RFC 1701 is not opened: RFC 2784, 2.3 has receivers discard it.

#include "wire/walk.h"

namespace weir::wire {

namespace {

constexpr std::uint16_t kChecksum = 0x8000, kRouting = 0x4000, kKey = 0x2000, kSequence = 0x1000, kAck = 0x0080;
constexpr std::uint16_t kErspan2 = 0x88be, kErspan3 = 0x22eb, kPpp = 0x880b;

// flags and version 2 · protocol 2 · payload length 2 · call 2 (· sequence 4) (· acknowledgement 4) · PPP
void pptp(Walk& walk, Window window, std::uint16_t flags) {
  const std::uint32_t size = 8U + ((flags & kSequence) != 0 ? 4 : 0) + ((flags & kAck) != 0 ? 4 : 0);
  if (!walk.need(window, size)) return;
  const std::uint16_t length = load_be16(walk.at(window) + 4);
  walk.enter_tunnel(TunnelKind::Pptp);
  window = window.after(size);
  walk.limit(window, length);
  if ((flags & kSequence) == 0) return;  // An acknowledgement alone.
  const std::uint16_t type = ppp_ether_type(walk, window);
  if (type != 0 && plausible_ip(walk, window)) ip(walk, window);  // Compressed or encrypted PPP may look like anything.
}

// Type I has no header of its own, and then GRE has no sequence number; II has 8 bytes, III 12 and a sub-header of 8 if its
// last bit says so. version 4 bits, VLAN 12 · class and so on 6, session 10 · II: index 4; III: time 4, group 2, P 1 bit, frame type 5,
// hardware 6, direction and granularity 3, sub-header 1
void erspan(Walk& walk, Window window, std::uint16_t flags, std::uint16_t protocol) {
  walk.enter_tunnel(TunnelKind::Erspan);
  if (protocol == kErspan2 && (flags & kSequence) == 0) return ethernet(walk, window);
  std::uint32_t size = protocol == kErspan2 ? 8 : 12;
  if (!walk.need(window, size)) return;
  const std::uint8_t* h = walk.at(window);
  walk.add_tunnel_id(load_be16(h + 2) & 0x03ff);
  // Type III also carries IP (2) and things that are no frames, such as 802.11 captures.
  const int frame_type = protocol == kErspan3 ? h[10] >> 2 & 0x1f : 0;
  if (protocol == kErspan3 && (h[11] & 1) != 0) size += 8;
  if (!walk.need(window, size)) return;
  if (frame_type == 0) ethernet(walk, window.after(size));
  else if (frame_type == 2) ip(walk, window.after(size));
}

}  // namespace

// flags and version 2 · protocol 2 (· checksum 2, reserved 2) (· key 4) (· sequence 4)
void gre(Walk& walk, Window window) {
  walk.enter_tunnel(TunnelKind::Gre);
  if (!walk.need(window, 4)) return;
  const std::uint8_t* h = walk.at(window);
  const std::uint16_t flags = load_be16(h), protocol = load_be16(h + 2);
  if (!walk.packet.has_gre) {
    walk.packet.has_gre = true;
    walk.packet.gre_protocol = protocol;
  }
  const int version = flags & 7;
  if (version == 1 && protocol == kPpp && (flags & kKey) != 0) return pptp(walk, window, flags);
  if (version != 0 || (flags & kRouting) != 0) return;
  std::uint32_t size = 4U + ((flags & kChecksum) != 0 ? 4 : 0);
  if ((flags & kKey) != 0) {
    if (!walk.need(window, size + 4)) return;
    walk.add_tunnel_id(load_be32(h + size));
    size += 4;
  }
  if ((flags & kSequence) != 0) size += 4;
  if (!walk.need(window, size)) return;
  window = window.after(size);
  if (protocol == kErspan2 || protocol == kErspan3) return erspan(walk, window, flags, protocol);
  if (protocol == ether_type::kTransparentBridging) return ethernet(walk, window);
  if (protocol == kPpp) {
    if (ppp_ether_type(walk, window) != 0) ip(walk, window);
    return;
  }
  if (protocol >= 0x0600) ether_payload(walk, window, protocol, nullptr);
}

}  // namespace weir::wire
