// SPDX-License-Identifier: Apache-2.0
#include "cli/convo/frame_writer.h"

#include "facts/packet.h"
#include "wire/checksum.h"

namespace weir::cli {
namespace {

std::string bytes_of(const Mac& mac) { return {reinterpret_cast<const char*>(mac.bytes.data()), 6}; }
std::string bytes_of(const Ip& ip) {
  const std::size_t skip = ip.is_v4() ? 12 : 0;
  return {reinterpret_cast<const char*>(ip.bytes.data()) + skip, 16 - skip};
}

void put16(std::string& bytes, std::size_t at, std::uint16_t value) { bytes.replace(at, 2, be(value, 2)); }

/// The transport checksum over the pseudo header (RFC 9293 3.1, RFC 768, RFC 4443 2.3).
std::uint16_t transport_checksum(const Path& path, std::uint8_t protocol, std::string_view segment) {
  wire::Checksum sum;
  sum.add_pseudo_header(path.v6() ? 6 : 4, path.src, path.dst, protocol, static_cast<std::uint32_t>(segment.size()));
  return sum.add(as_bytes(segment)).value();
}

}  // namespace

std::string be(std::uint64_t value, std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
  return out;
}

std::string sized(std::string_view text, std::size_t length_bytes) { return be(text.size(), length_bytes) + std::string(text); }

std::string ethernet_frame(const Path& path, std::uint16_t type, std::string_view body) {
  std::string out = bytes_of(path.dst_mac) + bytes_of(path.src_mac);
  if (path.vlan) out += be(ether_type::kVlan, 2) + be(*path.vlan, 2);
  return out + be(type, 2) + std::string(body);
}

std::string ip_frame(const Path& path, std::uint8_t protocol, std::string_view body) {
  if (path.v6()) {
    return ethernet_frame(path, ether_type::kIpv6,
                          be(0x60000000, 4) + be(body.size(), 2) + be(protocol, 1) + be(path.ttl, 1) + bytes_of(path.src) +
                              bytes_of(path.dst) + std::string(body));
  }
  const std::size_t header_bytes = 20 + path.options.size();
  const unsigned fragment = (path.more_fragments ? 0x2000U : 0U) | path.fragment_bytes / 8U;
  std::string header = be(0x40 | header_bytes / 4, 1) + be(0, 1) + be((header_bytes + body.size()) & 0xffff, 2) + be(path.id, 2) +
                       be(fragment, 2) + be(path.ttl, 1) + be(protocol, 1) + be(0, 2) + bytes_of(path.src) + bytes_of(path.dst) +
                       path.options;
  put16(header, 10, wire::Checksum().add(as_bytes(header)).value());
  return ethernet_frame(path, ether_type::kIpv4, header + std::string(body));
}

std::string tcp_frame(const Path& path, const TcpHeader& h, std::string_view payload) {
  // A SYN says its maximum segment size, as all stacks do (RFC 9293 3.7.1).
  const bool syn = (h.flags & tcp_flag::kSyn) != 0;
  const std::string options = syn ? be(0x020405b4, 4) : "";
  std::string segment = be(h.src_port, 2) + be(h.dst_port, 2) + be(h.seq, 4) + be(h.ack, 4) +
                        be((20 + options.size()) / 4 << 4, 1) + be(h.flags, 1) + be(h.window, 2) + be(0, 4) + options +
                        std::string(payload);
  put16(segment, 16, transport_checksum(path, ip_protocol::kTcp, segment));
  return ip_frame(path, ip_protocol::kTcp, segment);
}

std::string udp_frame(const Path& path, std::uint16_t src_port, std::uint16_t dst_port, std::string_view payload) {
  std::string datagram = be(src_port, 2) + be(dst_port, 2) + be(8 + payload.size(), 2) + be(0, 2) + std::string(payload);
  const std::uint16_t sum = transport_checksum(path, ip_protocol::kUdp, datagram);
  put16(datagram, 6, sum == 0 ? 0xffff : sum);  // RFC 768: zero would mean none.
  return ip_frame(path, ip_protocol::kUdp, datagram);
}

std::string icmp_frame(const Path& path, std::uint8_t type, std::uint8_t code, std::string_view rest) {
  std::string message = be(type, 1) + be(code, 1) + be(0, 2) + std::string(rest);
  const std::uint16_t sum =
      path.v6() ? transport_checksum(path, ip_protocol::kIcmpv6, message) : wire::Checksum().add(as_bytes(message)).value();
  put16(message, 2, sum);
  return ip_frame(path, path.v6() ? ip_protocol::kIcmpv6 : ip_protocol::kIcmp, message);
}

std::string arp_frame(const Path& path, std::uint16_t op, const Ip& sender, const Ip& target) {
  const bool asks = op == 1;
  const std::string target_mac = asks ? std::string(6, '\0') : bytes_of(path.dst_mac);
  return ethernet_frame(path, ether_type::kArp,
                        be(1, 2) + be(ether_type::kIpv4, 2) + be(6, 1) + be(4, 1) + be(op, 2) + bytes_of(path.src_mac) +
                            bytes_of(sender) + target_mac + bytes_of(target));
}

std::optional<std::uint8_t> tcp_flags_of(std::string_view letters) {
  constexpr std::string_view kLetters = "FSRPAUEC";
  unsigned flags = 0;
  for (const char c : letters) {
    const std::size_t bit = kLetters.find(c);
    if (bit == std::string_view::npos) return std::nullopt;
    flags |= 1U << bit;
  }
  return static_cast<std::uint8_t>(flags);
}

}  // namespace weir::cli
