// SPDX-License-Identifier: Apache-2.0
#include "wire/answer.h"

#include <algorithm>

#include "wire/checksum.h"

namespace weir::wire {

namespace {

constexpr std::uint8_t kTtl = 64;

// True if the bytes before the IP header are Ethernet with VLAN tags, or a family, or nothing.
bool can_turn(const Packet& packet, const IpLayer& layer) {
  if (&layer != packet.layers.data() || packet.layers_count == 0 || layer.version == 0) return false;
  if (layer.fragment == FragmentKind::Later) return false;
  switch (packet.frame->link) {
    case LinkType::Ethernet: return !packet.has_llc && layer.ip_offset == 14U + 4U * packet.vlans_count;
    case LinkType::RawIp: return layer.ip_offset == 0;
    case LinkType::Null: return layer.ip_offset == 4;
    default: return false;
  }
}

bool can_answer(const Packet& packet, const IpLayer& layer) {
  if (!can_turn(packet, layer)) return false;
  if (packet.has_eth && packet.eth_dst.is_group()) return false;
  return !layer.dst.is_multicast() && !layer.dst.is_broadcast() && !layer.src.is_multicast() && !layer.src.is_unspecified() &&
         !layer.src.is_broadcast();
}

std::size_t ip_header_bytes(const IpLayer& layer) { return layer.version == 4 ? 20 : 40; }

// Link and IP header of a packet with `body` bytes behind them; gives where the body begins, 0 if it does not fit.
std::size_t write_headers(const Packet& packet, const IpLayer& layer, Toward toward, std::uint8_t protocol, std::size_t body,
                          std::span<std::uint8_t> out) {
  const std::size_t link = layer.ip_offset, header_bytes = ip_header_bytes(layer);
  if (body > 65535 - header_bytes || link + header_bytes + body > out.size()) return 0;
  const std::uint8_t* frame = packet.frame->bytes.data();
  if (link != 0) std::memcpy(out.data(), frame, link);
  const bool turned = toward == Toward::Sender;
  if (turned && packet.has_eth) {
    std::memcpy(out.data(), frame + 6, 6);
    std::memcpy(out.data() + 6, frame, 6);
  }
  const Ip& src = turned ? layer.dst : layer.src;
  const Ip& dst = turned ? layer.src : layer.dst;
  std::uint8_t* h = out.data() + link;
  std::memset(h, 0, header_bytes);
  if (layer.version == 4) {
    h[0] = 0x45;
    store_be16(h + 2, static_cast<std::uint16_t>(header_bytes + body));
    h[6] = 0x40;  // Don't fragment; then the id may be 0 (RFC 6864).
    h[8] = kTtl;
    h[9] = protocol;
    store_be32(h + 12, src.v4_value());
    store_be32(h + 16, dst.v4_value());
    store_be16(h + 10, Checksum().add({h, header_bytes}).value());
  } else {
    h[0] = 0x60;
    store_be16(h + 4, static_cast<std::uint16_t>(body));
    h[6] = protocol;
    h[7] = kTtl;
    std::memcpy(h + 8, src.bytes.data(), 16);
    std::memcpy(h + 24, dst.bytes.data(), 16);
  }
  return link + header_bytes;
}

std::uint16_t transport_checksum(const IpLayer& layer, std::uint8_t protocol, Bytes body) {
  // The sum does not mind which end comes first.
  return Checksum()
      .add_pseudo_header(layer.version, layer.src, layer.dst, protocol, static_cast<std::uint32_t>(body.size()))
      .add(body)
      .value();
}

bool is_icmp_error(const IpLayer& layer) {
  if (layer.version == 6) return layer.icmp_type < 128;
  return layer.icmp_type != 0 && layer.icmp_type != 8 && !(layer.icmp_type >= 13 && layer.icmp_type <= 18);
}

}  // namespace

std::size_t write_reset(const Packet& packet, const IpLayer& layer, Toward toward, std::span<std::uint8_t> out) {
  using namespace tcp_flag;
  if (!layer.is_tcp() || (layer.tcp_flags & kRst) != 0 || !can_answer(packet, layer)) return 0;
  const std::size_t at = write_headers(packet, layer, toward, ip_protocol::kTcp, 20, out);
  if (at == 0) return 0;
  std::uint8_t* h = out.data() + at;
  std::memset(h, 0, 20);
  const bool turned = toward == Toward::Sender;
  const bool has_ack = (layer.tcp_flags & kAck) != 0;
  store_be16(h, turned ? layer.dst_port : layer.src_port);
  store_be16(h + 2, turned ? layer.src_port : layer.dst_port);
  h[12] = 5 << 4;
  if (!turned) {
    store_be32(h + 4, layer.tcp_seq);
    if (has_ack) store_be32(h + 8, layer.tcp_ack);
    h[13] = has_ack ? kRst | kAck : kRst;
  } else if (has_ack) {
    store_be32(h + 4, layer.tcp_ack);
    h[13] = kRst;
  } else {
    const std::uint32_t controls = ((layer.tcp_flags & kSyn) != 0 ? 1U : 0U) + ((layer.tcp_flags & kFin) != 0 ? 1U : 0U);
    store_be32(h + 8, layer.tcp_seq + layer.payload_wire_bytes + controls);
    h[13] = kRst | kAck;
  }
  store_be16(h + 16, transport_checksum(layer, ip_protocol::kTcp, {h, 20}));
  return at + 20;
}

std::size_t write_syn_answer(const Packet& packet, const IpLayer& layer, std::uint32_t acknowledged, std::span<std::uint8_t> out) {
  using namespace tcp_flag;
  if (!layer.is_tcp() || (layer.tcp_flags & (kSyn | kAck | kRst | kFin)) != kSyn || !can_answer(packet, layer)) return 0;
  const std::size_t at = write_headers(packet, layer, Toward::Sender, ip_protocol::kTcp, 20, out);
  if (at == 0) return 0;
  std::uint8_t* h = out.data() + at;
  std::memset(h, 0, 20);
  store_be16(h, layer.dst_port);
  store_be16(h + 2, layer.src_port);
  store_be32(h + 4, ~acknowledged);
  store_be32(h + 8, acknowledged);
  h[12] = 5 << 4;
  h[13] = kSyn | kAck;
  store_be16(h + 14, 0xffff);
  store_be16(h + 16, transport_checksum(layer, ip_protocol::kTcp, {h, 20}));
  return at + 20;
}

std::size_t write_prohibited(const Packet& packet, const IpLayer& layer, std::span<std::uint8_t> out) {
  if (!can_answer(packet, layer) || (layer.is_icmp() && is_icmp_error(layer))) return 0;
  const bool v4 = layer.version == 4;
  const std::size_t quoted_max = (v4 ? 576U : 1280U) - ip_header_bytes(layer) - 8;
  const Bytes frame = packet.frame->bytes;
  const std::size_t end = std::min<std::size_t>(frame.size(), std::uint64_t{layer.ip_offset} + layer.length);
  const std::size_t quoted = std::min(end - layer.ip_offset, quoted_max);
  const std::uint8_t protocol = v4 ? ip_protocol::kIcmp : ip_protocol::kIcmpv6;
  const std::size_t at = write_headers(packet, layer, Toward::Sender, protocol, 8 + quoted, out);
  if (at == 0) return 0;
  std::uint8_t* h = out.data() + at;
  std::memset(h, 0, 8);
  h[0] = v4 ? 3 : 1;
  h[1] = v4 ? 13 : 1;
  std::memcpy(h + 8, frame.data() + layer.ip_offset, quoted);
  const Bytes body(h, 8 + quoted);
  store_be16(h + 2, v4 ? Checksum().add(body).value() : transport_checksum(layer, protocol, body));
  return at + 8 + quoted;
}

std::size_t write_tcp_answer(const Packet& packet, const IpLayer& layer, Bytes payload, std::span<std::uint8_t> out) {
  using namespace tcp_flag;
  if (!layer.is_tcp() || (layer.tcp_flags & (kSyn | kRst | kAck)) != kAck || payload.size() > 65'000 || !can_answer(packet, layer)) return 0;
  const std::size_t at = write_headers(packet, layer, Toward::Sender, ip_protocol::kTcp, 20 + payload.size(), out);
  if (at == 0) return 0;
  std::uint8_t* h = out.data() + at;
  std::memset(h, 0, 20);
  store_be16(h, layer.dst_port);
  store_be16(h + 2, layer.src_port);
  store_be32(h + 4, layer.tcp_ack);
  store_be32(h + 8, layer.tcp_seq + layer.payload_wire_bytes + ((layer.tcp_flags & kFin) != 0 ? 1U : 0U));
  h[12] = 5 << 4;
  h[13] = kFin | kPsh | kAck;
  store_be16(h + 14, 0xffff);
  if (!payload.empty()) std::memcpy(h + 20, payload.data(), payload.size());
  store_be16(h + 16, transport_checksum(layer, ip_protocol::kTcp, {h, 20 + payload.size()}));
  return at + 20 + payload.size();
}

std::size_t write_udp_answer(const Packet& packet, const IpLayer& layer, Bytes payload, std::span<std::uint8_t> out) {
  if (!layer.is_udp() || payload.size() > 65507 || !can_answer(packet, layer)) return 0;
  const std::size_t at = write_headers(packet, layer, Toward::Sender, ip_protocol::kUdp, 8 + payload.size(), out);
  if (at == 0) return 0;
  std::uint8_t* h = out.data() + at;
  store_be16(h, layer.dst_port);
  store_be16(h + 2, layer.src_port);
  store_be16(h + 4, static_cast<std::uint16_t>(8 + payload.size()));
  store_be16(h + 6, 0);
  if (!payload.empty()) std::memcpy(h + 8, payload.data(), payload.size());
  const std::uint16_t sum = transport_checksum(layer, ip_protocol::kUdp, {h, 8 + payload.size()});
  store_be16(h + 6, sum == 0 ? 0xffff : sum);  // RFC 768: 0 would mean none.
  return at + 8 + payload.size();
}

}  // namespace weir::wire
