// SPDX-License-Identifier: Apache-2.0
// Ethernet II and IEEE 802.3 with LLC and SNAP (RFC 1042), VLAN tags (IEEE 802.1Q, 802.1ad), PPPoE sessions (RFC 2516) with
// PPP (RFC 1661), MPLS (RFC 3032) with the pseudowires of RFC 4448.

#include "wire/walk.h"

namespace weir::wire {

namespace {

constexpr std::uint16_t kLengthMax = 1500, kTypeMin = 0x0600;  // IEEE 802.3, 3.2.6: between the two lies nothing.
constexpr std::uint32_t kLabelsMax = 16;
constexpr std::uint16_t kPppIpv4 = 0x0021, kPppIpv6 = 0x0057;

// Steps over the tags. Beyond kVlansMax nothing is read: DeepTunnel. In a tunnel a tag is part of the inner domain.
bool vlans(Walk& walk, Window& window, std::uint16_t& type) {
  for (std::size_t count = 0; is_vlan_type(type); ++count) {
    if (count == kVlansMax) {
      walk.flaw(Flaw::DeepTunnel);
      return false;
    }
    if (!walk.need(window, 4)) return false;
    const std::uint16_t vid = load_be16(walk.at(window)) & 0x0fff;
    type = load_be16(walk.at(window) + 2);
    window = window.after(4);
    if (walk.inside) walk.add_tunnel_id(vid);
    else walk.packet.vlans[walk.packet.vlans_count++] = vid;
  }
  if (!walk.inside) walk.packet.eth_type = type;
  return true;
}

}  // namespace

// destination 6 · source 6 · type or length 2
void ethernet(Walk& walk, Window window) {
  if (!walk.enter_link() || !walk.need(window, 14)) return;
  const std::uint8_t* h = walk.at(window);
  const std::uint16_t type = load_be16(h + 12);
  if (!walk.inside) {
    Packet& packet = walk.packet;
    packet.has_eth = true;
    packet.eth_dst = Mac::from_bytes(h);
    packet.eth_src = Mac::from_bytes(h + 6);
    packet.eth_type = type;
  }
  window = window.after(14);
  if (type == ether_type::kIpv4) [[likely]] return ipv4(walk, window);
  ether_payload(walk, window, type, walk.inside ? nullptr : h + 6);
}

void ether_payload(Walk& walk, Window window, std::uint16_t type, const std::uint8_t* source) {
  if (is_vlan_type(type) && !vlans(walk, window, type)) return;
  if (type <= kLengthMax) {
    if (!walk.inside) walk.packet.eth_type = 0;
    walk.limit(window, type);
    return llc(walk, window);
  }
  if (type < kTypeMin) return;
  switch (type) {
    case ether_type::kIpv4: return ipv4(walk, window);
    case ether_type::kIpv6: return ipv6(walk, window);
    case ether_type::kArp:
      if (!walk.inside) arp(walk, window, source);
      return;
    case ether_type::kPppoe: return pppoe(walk, window);
    case ether_type::kMpls:
    case ether_type::kMplsMulticast: return mpls(walk, window);
    default: return;
  }
}

// DSAP 1 · SSAP 1 · control 1 (· SNAP: OUI 3 · type 2). Novell's raw IPX has no LLC; its checksum reads as DSAP ff.
void llc(Walk& walk, Window window) {
  if (!walk.need(window, 2)) return;
  const std::uint8_t* h = walk.at(window);
  if (!walk.inside) {
    walk.packet.has_llc = true;
    walk.packet.llc_dsap = h[0];
  }
  if (h[0] != 0xaa || h[1] != 0xaa || !walk.need(window, 8) || h[2] != 0x03) return;
  const std::uint16_t type = load_be16(h + 6);
  const bool is_ethertype = h[3] == 0 && h[4] == 0 && (h[5] == 0 || h[5] == 0xf8);  // RFC 1042; 00-00-f8 is 802.1H's.
  if (!is_ethertype || type < kTypeMin || !walk.enter_link()) return;
  if (!walk.inside) walk.packet.eth_type = type;
  ether_payload(walk, window.after(8), type, nullptr);
}

// version and type 1 (11h) · code 1 (0: session) · session 2 · length 2 · PPP
void pppoe(Walk& walk, Window window) {
  if (!walk.enter_link() || !walk.need(window, 6)) return;
  const std::uint8_t* h = walk.at(window);
  if (h[0] != 0x11 || h[1] != 0) return walk.flaw(Flaw::BadMessage);
  const std::uint16_t length = load_be16(h + 4);
  window = window.after(6);
  walk.limit(window, length);
  const std::uint16_t type = ppp_ether_type(walk, window);
  if (type == ether_type::kIpv4) ipv4(walk, window);
  else if (type == ether_type::kIpv6) ipv6(walk, window);
}

std::uint16_t ppp_ether_type(const Walk& walk, Window& window) {
  const std::uint8_t* h = walk.at(window);
  if (window.here() >= 2 && h[0] == 0xff && h[1] == 0x03) window = window.after(2);  // May be left out, RFC 1661, 6.6.
  if (window.here() < 2) return 0;
  h = walk.at(window);
  const bool compressed = (h[0] & 1) != 0;  // RFC 1661, 6.5: an odd first byte is the whole field.
  const std::uint16_t protocol = compressed ? h[0] : load_be16(h);
  window = window.after(compressed ? 1 : 2);
  if (protocol == kPppIpv4) return ether_type::kIpv4;
  return protocol == kPppIpv6 ? ether_type::kIpv6 : std::uint16_t{0};
}

namespace {

// The control word's bytes (RFC 4448, 4.6: 16 bits of zero, then a sequence number) if Ethernet comes behind it, 0 if Ethernet
// comes at once, -1 if neither. A VLAN frame without a control word, read four bytes late, looks like one with it, so that is
// asked first; but not for length frames, whose two bytes are right too often.
int pseudowire(const Walk& walk, const Window& window) {
  const bool bare = plausible_ethernet(walk, window);
  if (bare && load_be16(walk.at(window) + 12) > kLengthMax) return 0;
  if (window.here() >= 4 && load_be16(walk.at(window)) == 0 && plausible_ethernet(walk, window.after(4))) return 4;
  return bare ? 0 : -1;
}

}  // namespace

// label 20 bits · class 3 · bottom of stack 1 · TTL 8. What follows the last label is not said: IP by its first four bits and
// its lengths, else an Ethernet pseudowire; what is neither but begins as IP is broken IP.
void mpls(Walk& walk, Window window) {
  if (!walk.enter_link()) return;
  for (std::uint32_t count = 0;; ++count) {
    if (count == kLabelsMax) return walk.flaw(Flaw::DeepTunnel);
    if (!walk.need(window, 4)) return;
    const bool bottom = (walk.at(window)[2] & 1) != 0;
    window = window.after(4);
    if (bottom) break;
  }
  if (window.here() == 0) return;
  if (plausible_ip(walk, window)) return ip(walk, window);
  if (const int control_word = pseudowire(walk, window); control_word >= 0) {
    walk.inside = true;
    return ethernet(walk, window.after(static_cast<std::uint32_t>(control_word)));
  }
  const int nibble = *walk.at(window) >> 4;
  if (nibble == 4) ipv4(walk, window);
  else if (nibble == 6) ipv6(walk, window);
}

}  // namespace weir::wire
