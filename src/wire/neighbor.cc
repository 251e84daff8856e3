// SPDX-License-Identifier: Apache-2.0
#include "wire/neighbor.h"

namespace weir::wire {
namespace {

constexpr std::uint8_t kRouterSolicitation = 133, kRouterAdvertisement = 134, kNeighborSolicitation = 135, kNeighborAdvertisement = 136;
constexpr std::uint8_t kSourceLinkLayer = 1, kTargetLinkLayer = 2;

}  // namespace

std::optional<NeighborClaim> parse_neighbor_claim(const Packet& packet, const IpLayer& layer) {
  if (layer.protocol != ip_protocol::kIcmpv6 || !layer.has_transport) return std::nullopt;
  // The payload begins after type, code, checksum and the four bytes that follow (reserved, or the flags).
  Reader reader(packet.payload(layer));
  NeighborClaim claim;
  claim.ip = layer.src;
  std::uint8_t wanted = kSourceLinkLayer;
  switch (layer.icmp_type) {
    case kRouterSolicitation: break;
    case kRouterAdvertisement: reader.skip(8); break;
    case kNeighborSolicitation: reader.skip(16); break;
    case kNeighborAdvertisement: {
      const Bytes target = reader.bytes(16);
      if (!reader.ok()) return std::nullopt;
      claim.ip = Ip::v6_bytes(target.data());
      wanted = kTargetLinkLayer;
      break;
    }
    default: return std::nullopt;
  }
  if (!reader.ok() || claim.ip.is_unspecified()) return std::nullopt;
  bool found = packet.has_eth;
  claim.mac = packet.eth_src;
  for (int options = 0; options < 16 && reader.left() >= 8; ++options) {
    const std::uint8_t type = reader.u8();
    const std::size_t size = std::size_t{reader.u8()} * 8;
    if (size == 0 || size - 2 > reader.left()) break;  // RFC 4861, 4.6: a length of zero makes the packet invalid.
    const Bytes body = reader.bytes(size - 2);
    if (type != wanted || body.size() < 6) continue;
    claim.mac = Mac::from_bytes(body.data());
    found = true;
    break;
  }
  if (!found) return std::nullopt;
  return claim;
}

}  // namespace weir::wire
