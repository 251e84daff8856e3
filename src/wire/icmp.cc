// SPDX-License-Identifier: Apache-2.0
// ICMP (RFC 792) and ICMPv6 (RFC 4443), and the packet that an error quotes, which may be cut after eight bytes of its
// transport header or, by a sender who forges it, anywhere: what cannot be read is simply not said, and is no flaw.

#include "wire/walk.h"

namespace weir::wire {

namespace {

constexpr int kQuotedHeadersMax = 8;

bool quotes(const IpLayer& layer) {
  if (layer.version == 6) return layer.icmp_type >= 1 && layer.icmp_type <= 4;
  switch (layer.icmp_type) {
    case 3:   // Destination unreachable
    case 4:   // Source quench
    case 5:   // Redirect
    case 11:  // Time exceeded
    case 12: return true;  // Parameter problem
    default: return false;
  }
}

bool has_id(bool v6, std::uint8_t type) {
  if (v6) return type == 128 || type == 129;
  switch (type) {
    case 0:
    case 8:  // Echo
    case 13:
    case 14:  // Timestamp
    case 15:
    case 16:  // Information
    case 17:
    case 18: return true;  // Address mask
    default: return false;
  }
}

void quoted_ports(IpLayer& layer, Reader reader) {
  const std::uint8_t protocol = layer.quoted_protocol;
  if (protocol == ip_protocol::kIcmp || protocol == ip_protocol::kIcmpv6) {
    if (reader.left() >= 6 && has_id(protocol == ip_protocol::kIcmpv6, static_cast<std::uint8_t>(reader.peek()))) {
      reader.skip(4);
      layer.quoted_icmp_id = reader.be16();
    }
    return;
  }
  if (protocol != ip_protocol::kTcp && protocol != ip_protocol::kUdp && protocol != ip_protocol::kSctp) return;
  if (reader.left() < 4) return;
  layer.quoted_src_port = reader.be16();
  layer.quoted_dst_port = reader.be16();
}

void quoted_ipv4(IpLayer& layer, Bytes bytes) {
  if (bytes.size() < 20) return;
  const std::uint8_t* h = bytes.data();
  const std::size_t header_bytes = (h[0] & 0x0fU) * 4;
  if (header_bytes < 20) return;
  layer.has_quoted = true;
  layer.quoted_protocol = h[9];
  layer.quoted_src = Ip::v4_bytes(h + 12);
  layer.quoted_dst = Ip::v4_bytes(h + 16);
  const bool later = (load_be16(h + 6) & 0x1fff) != 0;
  if (later || bytes.size() < header_bytes) return;
  quoted_ports(layer, Reader(bytes.subspan(header_bytes)));
}

void quoted_ipv6(IpLayer& layer, Bytes bytes) {
  if (bytes.size() < 40) return;
  layer.has_quoted = true;
  layer.quoted_src = Ip::v6_bytes(&bytes[8]);
  layer.quoted_dst = Ip::v6_bytes(&bytes[24]);
  layer.quoted_protocol = bytes[6];
  Reader reader(bytes.subspan(40));
  for (int count = 0; count < kQuotedHeadersMax; ++count) {
    std::size_t size = 8;
    switch (layer.quoted_protocol) {
      case ip_protocol::kHopByHop:
      case ip_protocol::kRouting:
      case ip_protocol::kDestination: size = (static_cast<std::size_t>(std::max(reader.peek(1), 0)) + 1) * 8; break;
      case ip_protocol::kAh: size = (static_cast<std::size_t>(std::max(reader.peek(1), 0)) + 2) * 4; break;
      case ip_protocol::kFragment: break;
      default: return quoted_ports(layer, reader);
    }
    if (reader.left() < size) return;
    const bool later = layer.quoted_protocol == ip_protocol::kFragment && (load_be16(&reader.rest()[2]) & 0xfff8) != 0;
    layer.quoted_protocol = reader.rest()[0];
    reader.skip(size);
    if (later) return;
  }
}

}  // namespace

// type 1 · code 1 · checksum 2 · rest of header 4 (id 2 and sequence 2 in questions and answers)
void icmp(Walk& walk, IpLayer& layer, Window window) {
  if (!need_transport(walk, layer, window, 8)) return;
  const std::uint8_t* h = walk.at(window);
  layer.has_transport = true;
  layer.icmp_type = h[0];
  layer.icmp_code = h[1];
  if (has_id(layer.version == 6, layer.icmp_type)) {
    layer.icmp_id = load_be16(h + 4);
    layer.icmp_sequence = load_be16(h + 6);
  }
  window = window.after(8);
  set_payload(layer, window);
  if (!quotes(layer) || window.here() == 0) return;
  const Bytes quoted(walk.at(window), window.here());
  if (quoted[0] >> 4 == 4) quoted_ipv4(layer, quoted);
  else if (quoted[0] >> 4 == 6) quoted_ipv6(layer, quoted);
}

}  // namespace weir::wire
