// SPDX-License-Identifier: Apache-2.0
// ARP for IPv4 over Ethernet (RFC 826). Other hardware and protocols are not read and are no flaw.

#include "wire/walk.h"

namespace weir::wire {

// hardware 2 · protocol 2 · their address lengths 1, 1 · operation 2 · sender MAC 6, IP 4 · target MAC 6, IP 4
void arp(Walk& walk, Window window, const std::uint8_t* source) {
  constexpr std::uint16_t kEthernet = 1, kIeee802 = 6;
  if (window.sent() < 28) walk.flaw(Flaw::BadArp);
  if (!walk.need(window, 8)) return;
  const std::uint8_t* h = walk.at(window);
  const std::uint16_t hardware = load_be16(h);
  if ((hardware != kEthernet && hardware != kIeee802) || load_be16(h + 2) != ether_type::kIpv4) return;
  if (h[4] != 6 || h[5] != 4) return walk.flaw(Flaw::BadArp);
  if (!walk.need(window, 28)) return;
  Arp& arp = walk.packet.arp;
  walk.packet.has_arp = true;
  arp.op = load_be16(h + 6);
  arp.sender_mac = Mac::from_bytes(h + 8);
  arp.sender_ip = Ip::v4_bytes(h + 14);
  arp.target_mac = Mac::from_bytes(h + 18);
  arp.target_ip = Ip::v4_bytes(h + 24);
  if (source != nullptr && std::memcmp(source, h + 8, 6) != 0) walk.flaw(Flaw::BadArp);
}

}  // namespace weir::wire
