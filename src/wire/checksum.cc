// SPDX-License-Identifier: Apache-2.0
#include "wire/checksum.h"

#include "wire/walk.h"

namespace weir::wire {

namespace {

Check check_of(std::uint16_t value) { return value == 0 ? Check::Good : Check::Bad; }

// A Routing header with segments left, or an IPv4 source route: the checksum was made for an address that is not in the
// header's destination yet (RFC 8200, 8.1). The chain was walked before, so its lengths fit.
bool is_on_the_way(const std::uint8_t* frame, const IpLayer& layer) {
  if (layer.version == 4) return (layer.ip_options >> static_cast<unsigned>(IpOption::SourceRoute) & 1) != 0;
  if (!layer.has_ip6_routing) return false;
  std::uint8_t next = frame[layer.ip_offset + 6];
  for (std::uint32_t at = layer.ip_offset + 40; at + 8 <= layer.transport_offset;) {
    const std::uint8_t* h = frame + at;
    if (next == ip_protocol::kRouting && h[3] != 0) return true;
    if (next == ip_protocol::kFragment) at += 8;
    else if (next == ip_protocol::kAh) at += (h[1] + 2U) * 4;
    else at += (h[1] + 1U) * 8;
    next = h[0];
  }
  return false;
}

Check check_transport(const Packet& packet, const IpLayer& layer) {
  const std::uint8_t* data = packet.frame->bytes.data();
  const std::uint8_t* h = data + layer.transport_offset;
  std::uint32_t length = layer.ip_payload_offset + layer.ip_payload_bytes - layer.transport_offset;
  bool pseudo = true;
  switch (layer.protocol) {
    case ip_protocol::kTcp:
    case ip_protocol::kIcmpv6: break;
    case ip_protocol::kIcmp: pseudo = false; break;
    case ip_protocol::kUdp: {
      const std::uint32_t written = load_be16(h + 4);
      if (load_be16(h + 6) == 0) {
        // RFC 768: none in IPv4. RFC 6935 allows tunnels the same in IPv6.
        const bool carrier = &layer != &packet.inner();
        return layer.version == 4 || carrier ? Check::Unknown : Check::Bad;
      }
      if (written > length || (written != 0 && written < 8)) return Check::Unknown;
      if (written != 0) length = written;
      break;
    }
    default: return Check::Unknown;
  }
  Checksum sum;
  if (pseudo) sum.add_pseudo_header(layer.version, layer.src, layer.dst, layer.protocol, length);
  return check_of(sum.add({h, length}).value());
}

}  // namespace

ChecksumResult verify_checksums(const Packet& packet, const IpLayer& layer) {
  ChecksumResult result;
  const Bytes frame = packet.frame->bytes;
  if (layer.version == 4 && layer.ip_offset + 20 <= frame.size()) {
    const std::uint32_t header_bytes = (frame[layer.ip_offset] & 0x0fU) * 4;
    if (header_bytes >= 20 && header_bytes <= frame.size() - layer.ip_offset && header_bytes <= layer.length)
      result.ip = check_of(Checksum().add(frame.subspan(layer.ip_offset, header_bytes)).value());
  }
  const bool whole = layer.has_transport && layer.fragment == FragmentKind::No && layer.payload_bytes == layer.payload_wire_bytes;
  const bool all_here = std::uint64_t{layer.ip_offset} + layer.length == std::uint64_t{layer.ip_payload_offset} + layer.ip_payload_bytes;
  if (whole && all_here && !packet.frame->checksum_partial && !is_on_the_way(frame.data(), layer))
    result.transport = check_transport(packet, layer);
  return result;
}

}  // namespace weir::wire
