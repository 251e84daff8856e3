// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes whole frames: Ethernet, an optional VLAN tag, ARP or IP, TCP, UDP or ICMP, with right lengths and checksums. For
// conversations and packets given by hand, so it is written for clearness and not for speed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace weir::cli {

/// Big-endian numbers as bytes: be(0x0800, 2).
std::string be(std::uint64_t value, std::size_t size);
/// A length of that many bytes, then the text.
std::string sized(std::string_view text, std::size_t length_bytes);

/// What all packets of a conversation share: who sends to whom, on the link and on the network.
struct Path {
  Mac src_mac, dst_mac;
  std::optional<std::uint16_t> vlan;
  Ip src, dst;  ///< Both of one version.
  std::uint8_t ttl = 64;
  std::uint16_t id = 0;  ///< IPv4 identification.
  std::uint16_t fragment_bytes = 0;  ///< IPv4: where in its datagram the packet stands; a multiple of 8.
  bool more_fragments = false;
  std::string options;               ///< IPv4: a multiple of four bytes.

  bool v6() const { return !src.is_v4(); }
};

struct TcpHeader {
  std::uint16_t src_port = 0, dst_port = 0;
  std::uint32_t seq = 0, ack = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 64240;
};

/// An Ethernet frame of any type.
std::string ethernet_frame(const Path& path, std::uint16_t type, std::string_view body);
std::string ip_frame(const Path& path, std::uint8_t protocol, std::string_view body);
std::string tcp_frame(const Path& path, const TcpHeader& header, std::string_view payload);
std::string udp_frame(const Path& path, std::uint16_t src_port, std::uint16_t dst_port, std::string_view payload);
/// ICMP, or ICMPv6 if the ends are of IPv6. `rest` is what follows the checksum: four bytes of header, then the payload.
std::string icmp_frame(const Path& path, std::uint8_t type, std::uint8_t code, std::string_view rest);
/// `op` 1 asks for target, 2 says that `sender` has the path's src_mac.
std::string arp_frame(const Path& path, std::uint16_t op, const Ip& sender, const Ip& target);

/// "SA" as bits, letters F S R P A U E C; nothing if another letter is among them.
std::optional<std::uint8_t> tcp_flags_of(std::string_view letters);

}  // namespace weir::cli
