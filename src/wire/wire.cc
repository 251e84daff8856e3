// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include "wire/walk.h"

namespace weir::wire {

namespace {

// Everything but the arrays, whose counts say what is valid.
void reset(Packet& packet) {
  packet.has_eth = false;
  packet.eth_src = packet.eth_dst = Mac{};
  packet.eth_type = 0;
  packet.llc_dsap = 0;
  packet.has_llc = false;
  packet.vlans_count = 0;
  packet.has_arp = false;
  packet.layers_count = 0;
  packet.tunnels_count = 0;
  packet.tunnel_ids_count = 0;
  packet.has_gre = false;
  packet.gre_protocol = 0;
  packet.flaws = FlawSet{};
}

// LINKTYPE_NULL and LINKTYPE_LOOP: an address family in the byte order of the machine that captured, or in the network's.
// AF_INET is 2 everywhere; AF_INET6 is 24, 28 or 30 on the BSDs and 10 on Linux.
void null_link(Walk& walk, Window window) {
  if (!walk.need(window, 4)) return;
  std::uint32_t family = load_be32(walk.at(window));
  if (family > 0xffff) family = __builtin_bswap32(family);
  window = window.after(4);
  if (family == 2) ipv4(walk, window);
  else if (family == 10 || family == 24 || family == 28 || family == 30) ipv6(walk, window);
}

// The protocol of LINKTYPE_LINUX_SLL: an EtherType, or 1 and 4 for IEEE 802.3 without its header.
void sll_payload(Walk& walk, Window window, std::uint16_t protocol, std::uint16_t hardware, const std::uint8_t* source) {
  constexpr std::uint16_t kNetlink = 824, kRadioFirst = 801, kRadioLast = 803;  // ARPHRD_*: the protocol is none of Ethernet's.
  if (hardware == kNetlink || (hardware >= kRadioFirst && hardware <= kRadioLast)) return;
  if (protocol == 0x0004) return llc(walk, window);
  if (protocol < 0x0600) return;
  walk.packet.eth_type = protocol;
  ether_payload(walk, window, protocol, source);
}

// packet type 2 · ARPHRD 2 · address length 2 · address 8 · protocol 2
void sll(Walk& walk, Window window) {
  if (!walk.need(window, 16)) return;
  const std::uint8_t* h = walk.at(window);
  const bool has_mac = load_be16(h + 4) == 6;
  sll_payload(walk, window.after(16), load_be16(h + 14), load_be16(h + 2), has_mac ? h + 6 : nullptr);
}

// protocol 2 · reserved 2 · interface 4 · ARPHRD 2 · packet type 1 · address length 1 · address 8
void sll2(Walk& walk, Window window) {
  if (!walk.need(window, 20)) return;
  const std::uint8_t* h = walk.at(window);
  sll_payload(walk, window.after(20), load_be16(h), load_be16(h + 8), h[11] == 6 ? h + 12 : nullptr);
}

// LINKTYPE_C_HDLC: address 1 (0fh one station, 8fh all) · control 1 · EtherType 2 (RFC 1547, 4.3.1)
void cisco_hdlc(Walk& walk, Window window) {
  if (!walk.need(window, 4)) return;
  const std::uint8_t* h = walk.at(window);
  if (h[0] != 0x0f && h[0] != 0x8f) return;
  const std::uint16_t type = load_be16(h + 2);
  walk.packet.eth_type = type;
  ether_payload(walk, window.after(4), type, nullptr);
}

// LINKTYPE_PPI: version 1 (0) · flags 1 · length 2 of header and fields · data link type 4, both little-endian; then a frame of that
// type. Of those, what we read elsewhere is read, and no second PPI.
void ppi(Walk& walk, Window window) {
  if (!walk.need(window, 8)) return;
  const std::uint8_t* h = walk.at(window);
  const std::uint32_t length = h[2] | std::uint32_t{h[3]} << 8;
  const std::uint32_t link = h[4] | std::uint32_t{h[5]} << 8 | std::uint32_t{h[6]} << 16 | std::uint32_t{h[7]} << 24;
  if (h[0] != 0 || length < 8 || !walk.need(window, length)) return;
  window = window.after(length);
  switch (link) {
    case 0: return null_link(walk, window);
    case 1: return ethernet(walk, window);
    case 12: return ip(walk, window);  // DLT_RAW
    case 104: return cisco_hdlc(walk, window);
    default: return;
  }
}

}  // namespace

void parse(const Frame& frame, Packet& packet, const ParseOptions& options) {
  reset(packet);
  if (frame.link == LinkType::Ethernet && plain(frame, packet)) [[likely]] return;
  walk_chain(frame, packet, options);
}

void walk_chain(const Frame& frame, Packet& packet, const ParseOptions& options) {
  packet.frame = &frame;
  const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(frame.bytes.size(), kFrameBytesMax));
  const std::uint32_t sent = std::clamp(frame.wire_bytes, size, std::max(size, kFrameBytesMax));
  Walk walk{.packet = packet, .data = frame.bytes.data(), .options = options};
  const Window window(0, size, sent);
  switch (frame.link) {
    case LinkType::Ethernet: return ethernet(walk, window);
    case LinkType::RawIp: return ip(walk, window);
    case LinkType::Null: return null_link(walk, window);
    case LinkType::Sll: return sll(walk, window);
    case LinkType::Sll2: return sll2(walk, window);
    case LinkType::CiscoHdlc: return cisco_hdlc(walk, window);
    case LinkType::Ppi: return ppi(walk, window);
  }
}

void ip(Walk& walk, Window window) {
  if (!walk.need(window, 1)) return;
  const int version = *walk.at(window) >> 4;
  if (version == 4) ipv4(walk, window);
  else if (version == 6) ipv6(walk, window);
  else walk.flaw(Flaw::BadMessage);
}

void add_protocol(IpLayer& layer, std::uint8_t protocol) {
  for (std::uint8_t i = 0; i < layer.protocols_count; ++i)
    if (layer.protocols[i] == protocol) return;
  // When the chain is longer than the list, its last place goes to the newest: what the payload is must be seen.
  if (layer.protocols_count == kIpProtocolsMax) --layer.protocols_count;
  layer.protocols[layer.protocols_count++] = protocol;
}

namespace {

TunnelKind ip_in_ip(std::uint8_t outer, std::uint8_t inner) {
  if (outer == 4) return inner == 4 ? TunnelKind::Ipip : TunnelKind::SixInFour;
  return inner == 4 ? TunnelKind::FourInSix : TunnelKind::SixInSix;
}

// RFC 1122, 3.2.1.3 lets 127/8 be both ends; elsewhere nobody speaks to himself over a wire.
void check_land(Walk& walk, const IpLayer& layer) {
  if (layer.src != layer.dst || layer.src.is_loopback()) return;
  const bool ports = layer.protocol == ip_protocol::kTcp || layer.protocol == ip_protocol::kUdp;
  if (!ports || layer.src_port == layer.dst_port) walk.flaw(Flaw::Land);
}

}  // namespace

void transport(Walk& walk, IpLayer& layer, Window window) {
  layer.transport_offset = window.at();
  set_payload(layer, window);
  const bool whole = layer.fragment == FragmentKind::No;
  const bool open = whole && walk.options.tunnels;
  if (layer.fragment == FragmentKind::Later) {
    // RFC 1858, 4: a fragment at eight bytes could write over the flags of the TCP header in the first.
    if (layer.protocol == ip_protocol::kTcp && layer.fragment_offset == 8) walk.flaw(Flaw::TinyFragment);
    return check_land(walk, layer);
  }
  switch (layer.protocol) {
    case ip_protocol::kTcp: tcp(walk, layer, window); break;
    case ip_protocol::kUdp: udp(walk, layer, window); break;
    case ip_protocol::kSctp: sctp(walk, layer, window); break;
    case ip_protocol::kIcmp:
      if (layer.version == 4) icmp(walk, layer, window);
      break;
    case ip_protocol::kIcmpv6:
      if (layer.version == 6) icmp(walk, layer, window);
      break;
    default: break;
  }
  check_land(walk, layer);
  if (!open) return;
  switch (layer.protocol) {
    case ip_protocol::kUdp:
      if (layer.has_transport) udp_tunnel(walk, layer, {layer.payload_offset, layer.payload_offset + layer.payload_bytes,
                                                        layer.payload_offset + layer.payload_wire_bytes});
      break;
    case ip_protocol::kGre: gre(walk, window); break;
    case ip_protocol::kIpip:
      walk.enter_tunnel(ip_in_ip(layer.version, 4));
      ipv4(walk, window);
      break;
    case ip_protocol::kIpv6:
      walk.enter_tunnel(ip_in_ip(layer.version, 6));
      ipv6(walk, window);
      break;
    default: break;
  }
}

}  // namespace weir::wire
