// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the files of this room share, and nobody else: the window through which a header sees the frame, and the walk along
// the chain. Each header function asks need() for its fixed part, reads it by plain loads, narrows the window and hands
// it on. Recursion is bounded: each IP header takes a place in Packet::layers, each link header a place of kLinksMax.

#include <algorithm>
#include <type_traits>

#include "wire/wire.h"

namespace weir::wire {

inline constexpr std::uint8_t kLinksMax = 8;             ///< Ethernet, MPLS and PPP headers in one frame, tunnels included.
inline constexpr std::uint32_t kFrameBytesMax = 1U << 24;  ///< More than any frame; keeps the sums below in 32 bits.

/// What a header may look at. Two words, so that it travels in registers: written as three numbers and copied as two it would
/// stall at every call. Invariant: at() <= end() <= wire_end(), and end() lies inside the frame.
class Window {
 public:
  Window(std::uint32_t at, std::uint32_t end, std::uint32_t wire_end) : place_(std::uint64_t{end} << 32 | at), wire_end_(wire_end) {}

  /// The next byte to read.
  std::uint32_t at() const { return static_cast<std::uint32_t>(place_); }
  /// Behind the last byte that is here and belongs to this header and what it carries.
  std::uint32_t end() const { return static_cast<std::uint32_t>(place_ >> 32); }
  /// Behind the last byte that was sent; beyond end() if the capture was cut.
  std::uint32_t wire_end() const { return static_cast<std::uint32_t>(wire_end_); }
  std::uint32_t here() const { return end() - at(); }
  std::uint32_t sent() const { return wire_end() - at(); }
  /// `size` bytes are here (need() or here() was asked).
  Window after(std::uint32_t size) const {
    Window window = *this;
    window.place_ += size;
    return window;
  }

 private:
  std::uint64_t place_;  ///< end() in the upper half, at() in the lower.
  std::uint64_t wire_end_;
};

struct Walk {
  Packet& packet;
  const std::uint8_t* data;  ///< The frame's first byte.
  const ParseOptions& options;
  std::uint8_t links = 0;
  bool inside = false;  ///< In a tunnel: the Ethernet members of Packet belong to the frame's own header.

  const std::uint8_t* at(const Window& window) const { return data + window.at(); }
  void flaw(Flaw flaw) { packet.flaws.add(flaw); }

  /// True if `size` bytes are here. If they were not even sent, that is the flaw Truncated.
  bool need(const Window& window, std::uint32_t size) {
    if (size <= window.here()) [[likely]] return true;
    if (size > window.sent()) flaw(Flaw::Truncated);
    return false;
  }
  /// Narrows the window to the `size` bytes that a header says follow; the rest is padding. More than were sent: Truncated,
  /// and the claim is kept as what was sent, so that the missing bytes show.
  void limit(Window& window, std::uint32_t size) {
    if (size > window.sent()) [[unlikely]] flaw(Flaw::Truncated);
    const std::uint32_t wire_end = window.at() + std::min(size, 0xffffffffU - kFrameBytesMax);
    window = Window(window.at(), std::min(window.end(), wire_end), wire_end);
  }
  /// One more link header; false (and DeepTunnel) if there were too many.
  bool enter_link() {
    if (links++ < kLinksMax) return true;
    links = kLinksMax;
    flaw(Flaw::DeepTunnel);
    return false;
  }
  void enter_tunnel(TunnelKind kind) {
    inside = true;
    if (packet.tunnels_count < packet.tunnels.size()) packet.tunnels[packet.tunnels_count++] = kind;
    else flaw(Flaw::DeepTunnel);
  }
  void add_tunnel_id(std::uint32_t id) {
    if (packet.tunnel_ids_count < packet.tunnel_ids.size()) packet.tunnel_ids[packet.tunnel_ids_count++] = id;
  }
};

/// Reads a frame of Ethernet that is what most are (plain.cc), into a packet that was reset; false, and nothing written, if it is not.
bool plain(const Frame& frame, Packet& packet);
/// What parse() does where plain() does not hold; reads those frames as plain() does.
void walk_chain(const Frame& frame, Packet& packet, const ParseOptions& options);

// Link headers. The window begins at the header.
void ethernet(Walk& walk, Window window);
/// What an EtherType says follows, VLAN tags included; `source` is the Ethernet source for ARP, or null.
void ether_payload(Walk& walk, Window window, std::uint16_t type, const std::uint8_t* source);
void llc(Walk& walk, Window window);
void arp(Walk& walk, Window window, const std::uint8_t* source);
void pppoe(Walk& walk, Window window);
void mpls(Walk& walk, Window window);
/// A PPP frame (RFC 1661) with or without address and control: gives the EtherType of the IP that it carries and moves the
/// window there; 0 if it carries none.
std::uint16_t ppp_ether_type(const Walk& walk, Window& window);

// IP. ip() goes by the version in the first four bits.
void ip(Walk& walk, Window window);
void ipv4(Walk& walk, Window window);
void ipv6(Walk& walk, Window window);
// As `layer = IpLayer{}`, whose members are all zero; but compilers write that as `rep stos`, which takes longer to start than
// the whole of these stores.
inline void clear(IpLayer& layer) {
  static_assert(std::is_trivially_copyable_v<IpLayer> && sizeof(IpLayer) > 128 && sizeof(IpLayer) <= 192);
  auto* at = reinterpret_cast<std::uint8_t*>(&layer);
  std::memset(at, 0, 64);
  std::memset(at + 64, 0, 64);
  std::memset(at + 128, 0, sizeof(IpLayer) - 128);
}

/// A new layer at the window, all zero but its place; null (and DeepTunnel) if there is no room.
inline IpLayer* begin_layer(Walk& walk, const Window& window, std::uint8_t version) {
  Packet& packet = walk.packet;
  if (packet.layers_count == kLayersMax) {
    walk.flaw(Flaw::DeepTunnel);
    return nullptr;
  }
  IpLayer& layer = packet.layers[packet.layers_count++];
  clear(layer);
  layer.version = version;
  layer.ip_offset = window.at();
  layer.ip_payload_offset = layer.transport_offset = layer.payload_offset = window.at();
  return &layer;
}

void add_protocol(IpLayer& layer, std::uint8_t protocol);
/// Sets the payload to all that the window holds.
inline void set_payload(IpLayer& layer, const Window& window) {
  layer.payload_offset = window.at();
  layer.payload_bytes = window.here();
  layer.payload_wire_bytes = window.sent();
}

/// PingOfDeath and the rule that only the last fragment may have any length. `header_bytes` is what precedes the data.
void check_fragment(Walk& walk, const IpLayer& layer, const Window& window, std::uint32_t header_bytes);
/// What follows the IP headers, by layer.protocol; then what needs both: Land.
void transport(Walk& walk, IpLayer& layer, Window window);
/// As Walk::need, for a transport header: what a first fragment cuts is TinyFragment.
inline bool need_transport(Walk& walk, const IpLayer& layer, const Window& window, std::uint32_t size) {
  if (size <= window.here()) [[likely]] return true;
  if (size > window.sent()) walk.flaw(layer.fragment == FragmentKind::First ? Flaw::TinyFragment : Flaw::Truncated);
  return false;
}

/// Steps over an AH header (RFC 4302) and gives the protocol behind it; false if it is not whole.
bool authentication_header(Walk& walk, Window& window, std::uint8_t& next);

/// Whether a sound stack sends these flags (tcp.cc says which do not).
bool are_sound_flags(std::uint8_t flags);
inline constexpr std::uint32_t kTimestampHead = 0x0101080a;  ///< RFC 7323, appendix A: two no-ops, kind 8, length 10.
void tcp(Walk& walk, IpLayer& layer, Window window);
void udp(Walk& walk, IpLayer& layer, Window window);
void sctp(Walk& walk, IpLayer& layer, Window window);
void icmp(Walk& walk, IpLayer& layer, Window window);

// Tunnels. The window begins at the tunnel's header.
void gre(Walk& walk, Window window);
/// A UDP payload that may be a tunnel: opened only if the port fits, the header is valid and what is inside looks right.
void udp_tunnel(Walk& walk, const IpLayer& layer, Window window);
/// The window begins with a whole IP header whose lengths fit what was sent.
bool plausible_ip(const Walk& walk, const Window& window);
/// The same for an Ethernet header: its type is one that we know, and IP behind it is plausible.
bool plausible_ethernet(const Walk& walk, Window window);

inline bool is_vlan_type(std::uint16_t type) {
  return type == ether_type::kVlan || type == ether_type::kQinq || type == ether_type::kQinqOld;
}

}  // namespace weir::wire
