// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packet: the header part of the facts, plain and overwritten for each frame. wire/ writes it, everything above reads
// it. Offsets are into the frame's bytes and have been checked: [payload_offset, payload_offset + payload_bytes) lies
// inside the frame. Absent things are zero or the `has_` flag is false.

#include <array>
#include <cstdint>

#include "base/address.h"
#include "facts/flaw.h"
#include "facts/frame.h"

namespace weir {

inline constexpr std::size_t kTunnelsMax = 4;             ///< Encapsulations that are decoded.
inline constexpr std::size_t kLayersMax = kTunnelsMax + 1;  ///< IP layers: the carrier's and one a tunnel.
inline constexpr std::size_t kVlansMax = 4;
inline constexpr std::size_t kIpProtocolsMax = 6;  ///< Protocol numbers kept along one header chain.

namespace ip_protocol {
inline constexpr std::uint8_t kHopByHop = 0, kIcmp = 1, kIgmp = 2, kIpip = 4, kTcp = 6, kUdp = 17, kIpv6 = 41, kRouting = 43,
                              kFragment = 44, kGre = 47, kEsp = 50, kAh = 51, kIcmpv6 = 58, kNoNext = 59, kDestination = 60,
                              kOspf = 89, kVrrp = 112, kPgm = 113, kL2tp = 115, kSctp = 132, kMobility = 135, kHip = 139,
                              kShim6 = 140;
}  // namespace ip_protocol

namespace tcp_flag {
inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20, kEce = 0x40, kCwr = 0x80;
}

namespace ether_type {
inline constexpr std::uint16_t kIpv4 = 0x0800, kArp = 0x0806, kWakeOnLan = 0x0842, kTransparentBridging = 0x6558, kVlan = 0x8100,
                               kIpx = 0x8137, kIpv6 = 0x86dd, kPppoeDiscovery = 0x8863, kPppoe = 0x8864, kMpls = 0x8847,
                               kMplsMulticast = 0x8848, kEapol = 0x888e, kQinq = 0x88a8, kLldp = 0x88cc, kQinqOld = 0x9100;
}

/// Bits of `ip.options` (RFC 791, 1108, 2113); end-of-list and no-op do not count.
enum class IpOption : std::uint8_t { SourceRoute, RecordRoute, RouterAlert, Timestamp, Security, StreamId, Other };
inline constexpr std::array<std::string_view, 7> kIpOptionNames = {"source-route", "record-route", "router-alert", "timestamp",
                                                                   "security",     "stream-id",    "other"};
/// Bits of `ip6.headers` (RFC 8200).
enum class Ip6Header : std::uint8_t { HopByHop, Routing, Fragment, Destination, Ah, Esp, Mobility, Hip, Shim6 };
inline constexpr std::array<std::string_view, 9> kIp6HeaderNames = {"hop-by-hop", "routing", "fragment", "destination", "ah",
                                                                    "esp",        "mobility", "hip",     "shim6"};

enum class TunnelKind : std::uint8_t { None, Gre, Ipip, SixInFour, FourInSix, SixInSix, Teredo, Vxlan, Geneve, Erspan, Pptp, L2tp, Gtp };
inline constexpr std::array<std::string_view, 13> kTunnelKindNames = {"none",  "gre",    "ipip",   "6in4", "4in6", "6in6", "teredo",
                                                                      "vxlan", "geneve", "erspan", "pptp", "l2tp", "gtp"};

enum class FragmentKind : std::uint8_t { No, First, Later };

/// One IP header chain and the transport header behind it.
struct IpLayer {
  Ip src, dst;
  std::uint16_t src_port = 0, dst_port = 0;  ///< Of TCP, UDP, SCTP; zero elsewhere and in later fragments.
  std::uint8_t version = 0;                  ///< 4 or 6; 0 if this layer is no IP.
  std::uint8_t protocol = 0;                 ///< The last header's protocol number: what the payload is.
  std::uint8_t ttl = 0, dscp = 0;
  std::uint32_t length = 0;  ///< Bytes of the IP packet as its header says, header included.
  std::uint8_t protocols_count = 0;
  std::array<std::uint8_t, kIpProtocolsMax> protocols{};  ///< `ip.protocol`: the chain, AH before TCP and so on.
  std::uint16_t ip_options = 0;                           ///< Bits of IpOption.
  std::uint16_t ip6_headers = 0;                          ///< Bits of Ip6Header.
  std::uint8_t ip6_routing_type = 0;
  bool has_ip6_routing = false;

  FragmentKind fragment = FragmentKind::No;
  bool more_fragments = false;
  std::uint32_t fragment_id = 0;
  std::uint32_t fragment_offset = 0;  ///< In bytes.

  bool has_transport = false;  ///< A TCP, UDP, SCTP, ICMP or ICMPv6 header was whole and read.
  std::uint8_t tcp_flags = 0;
  std::uint32_t tcp_seq = 0, tcp_ack = 0;
  std::uint16_t tcp_window = 0;
  std::uint16_t tcp_urgent = 0;
  std::uint8_t tcp_window_scale = 0;  ///< As in the option, at most 14.
  bool has_tcp_window_scale = false, has_tcp_timestamp = false;
  std::uint32_t tcp_timestamp = 0, tcp_timestamp_echo = 0;

  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::uint16_t icmp_id = 0, icmp_sequence = 0;
  /// The packet that an ICMP error quotes, decoded as far as it goes: addresses, protocol, ports as the quoted sender wrote them.
  bool has_quoted = false;
  std::uint8_t quoted_protocol = 0;
  std::uint16_t quoted_src_port = 0, quoted_dst_port = 0;
  std::uint16_t quoted_icmp_id = 0;  ///< Of an echo and its like.
  Ip quoted_src, quoted_dst;

  std::uint32_t ip_offset = 0;         ///< Where this IP header begins.
  std::uint32_t ip_payload_offset = 0;  ///< Where what follows the IP headers begins (the fragment's bytes).
  std::uint32_t ip_payload_bytes = 0;   ///< Those that the frame holds and the IP length covers.
  std::uint32_t transport_offset = 0;
  std::uint32_t payload_offset = 0;  ///< After the transport header (ICMP: after its 8 bytes).
  std::uint32_t payload_bytes = 0;   ///< Bytes that are there; padding of the link is not payload.
  std::uint32_t payload_wire_bytes = 0;  ///< Bytes that the lengths say were sent (more than payload_bytes if snapped).

  bool is_tcp() const { return protocol == ip_protocol::kTcp && has_transport; }
  bool is_udp() const { return protocol == ip_protocol::kUdp && has_transport; }
  bool is_icmp() const { return (protocol == ip_protocol::kIcmp || protocol == ip_protocol::kIcmpv6) && has_transport; }
};

struct Arp {
  std::uint16_t op = 0;  ///< 1 request, 2 reply.
  Ip sender_ip, target_ip;
  Mac sender_mac, target_mac;
};

struct Packet {
  const Frame* frame = nullptr;

  bool has_eth = false;
  Mac eth_src, eth_dst;
  std::uint16_t eth_type = 0;  ///< After VLAN tags; IEEE 802.3 frames with LLC (then llc_dsap): SNAP's type, or 0.
  std::uint8_t llc_dsap = 0;
  bool has_llc = false;
  std::uint8_t vlans_count = 0;
  std::array<std::uint16_t, kVlansMax> vlans{};  ///< Outermost first, 12 bits.
  bool has_arp = false;
  Arp arp;

  std::uint8_t layers_count = 0;  ///< IP layers, outermost first; 0 for frames without IP.
  std::uint8_t tunnels_count = 0;
  std::array<TunnelKind, kTunnelsMax * 2> tunnels{};  ///< `tunnel.kind`, outermost first (GRE may be followed by ERSPAN or PPTP).
  std::array<std::uint32_t, kTunnelsMax> tunnel_ids{};   ///< VNI, GRE key, TEID: part of the inner flow's domain.
  std::uint8_t tunnel_ids_count = 0;
  bool has_gre = false;
  std::uint16_t gre_protocol = 0;
  FlawSet flaws;

  std::array<IpLayer, kLayersMax> layers;

  const IpLayer& outer() const { return layers[0]; }
  const IpLayer& inner() const { return layers[layers_count == 0 ? 0 : layers_count - 1U]; }
  Bytes payload(const IpLayer& layer) const { return frame->bytes.subspan(layer.payload_offset, layer.payload_bytes); }
};

}  // namespace weir
