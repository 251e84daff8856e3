// SPDX-License-Identifier: Apache-2.0
// One frame. The first byte says the link type (mod 5) and how many bytes more than these were on the wire (the rest, by 64).
// Holds: everything that Packet says lies inside the frame; counts are in bounds; what was in Packet before does not show;
// the walk along the chain says what the short way for plain frames says; an answer to it is a sound packet with right checksums.

#include <cstring>
#include <vector>

#include "base/check.h"
#include "wire/answer.h"
#include "wire/walk.h"

namespace {

using namespace weir;

void check_layer(const Frame& frame, const IpLayer& layer) {
  const std::uint64_t size = frame.bytes.size();
  CHECK(layer.version == 4 || layer.version == 6);
  CHECK(layer.protocols_count >= 1 && layer.protocols_count <= kIpProtocolsMax);
  CHECK(layer.protocols[layer.protocols_count - 1U] == layer.protocol || layer.version == 6);
  CHECK(layer.ip_offset <= size && layer.transport_offset <= size);
  CHECK(std::uint64_t{layer.ip_payload_offset} + layer.ip_payload_bytes <= size);
  CHECK(std::uint64_t{layer.payload_offset} + layer.payload_bytes <= size);
  CHECK(layer.payload_bytes <= layer.payload_wire_bytes);
  CHECK(layer.ip_offset <= layer.ip_payload_offset && layer.ip_payload_offset <= layer.transport_offset + layer.ip_payload_bytes);
  CHECK(layer.tcp_window_scale <= 14);
  CHECK(!layer.has_transport || layer.fragment != FragmentKind::Later);
  CHECK(!layer.has_transport || layer.payload_offset > layer.transport_offset);
  CHECK((layer.fragment == FragmentKind::Later) == (layer.fragment_offset != 0));
}

void check_packet(const Frame& frame, const Packet& packet) {
  CHECK(packet.frame == &frame);
  CHECK(packet.vlans_count <= kVlansMax && packet.layers_count <= kLayersMax);
  CHECK(packet.tunnels_count <= packet.tunnels.size() && packet.tunnel_ids_count <= packet.tunnel_ids.size());
  for (std::size_t i = 0; i < packet.vlans_count; ++i) CHECK(packet.vlans[i] < 4096);
  for (std::size_t i = 0; i < packet.layers_count; ++i) {
    check_layer(frame, packet.layers[i]);
    CHECK(i == 0 || packet.layers[i].ip_offset > packet.layers[i - 1].ip_offset);
    wire::verify_checksums(packet, packet.layers[i]);
  }
}

void check_same(const Packet& a, const Packet& b) {
  CHECK(a.has_eth == b.has_eth && a.eth_src == b.eth_src && a.eth_dst == b.eth_dst && a.eth_type == b.eth_type);
  CHECK(a.has_llc == b.has_llc && a.llc_dsap == b.llc_dsap && a.has_gre == b.has_gre && a.gre_protocol == b.gre_protocol);
  CHECK(a.flaws.bits() == b.flaws.bits() && a.has_arp == b.has_arp);
  CHECK(a.vlans_count == b.vlans_count && a.layers_count == b.layers_count);
  CHECK(a.tunnels_count == b.tunnels_count && a.tunnel_ids_count == b.tunnel_ids_count);
  for (std::size_t i = 0; i < a.tunnels_count; ++i) CHECK(a.tunnels[i] == b.tunnels[i]);
  for (std::size_t i = 0; i < a.tunnel_ids_count; ++i) CHECK(a.tunnel_ids[i] == b.tunnel_ids[i]);
  CHECK(std::memcmp(static_cast<const void*>(&a.layers), static_cast<const void*>(&b.layers), a.layers_count * sizeof(IpLayer)) == 0);
}

void check_answer(const Frame& asked, const std::vector<std::uint8_t>& buffer, std::size_t size) {
  if (size == 0) return;
  CHECK(size <= buffer.size());
  const std::vector<std::uint8_t> exact(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  const Frame frame{.bytes = exact, .wire_bytes = static_cast<std::uint32_t>(size), .link = asked.link};
  Packet packet;
  wire::parse(frame, packet, {.tunnels = false});
  CHECK(packet.layers_count == 1);
  CHECK((packet.flaws.bits() & ~(1U << static_cast<unsigned>(Flaw::Land))) == 0);
  CHECK(packet.layers[0].has_transport);
  const wire::ChecksumResult sums = wire::verify_checksums(packet, packet.layers[0]);
  CHECK(sums.transport == wire::Check::Good);
  CHECK(packet.layers[0].version == 6 || sums.ip == wire::Check::Good);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool later_link = data[0] >= 250;  // Those that were added when the seeds stood: 250 and on, the bytes beyond them from 252 on.
  const Frame frame{.bytes = {data + 1, size - 1},
                    .wire_bytes = static_cast<std::uint32_t>(size - 1 + (later_link ? data[0] / 252U : data[0] / 5U) * 64U),
                    .link = static_cast<LinkType>(later_link ? 5 + data[0] % 2 : data[0] % 5)};
  static Packet packet;  // Keeps what earlier inputs left.
  Packet fresh;
  wire::parse(frame, packet);
  wire::parse(frame, fresh);
  check_packet(frame, packet);
  check_same(packet, fresh);
  Packet chain;
  wire::walk_chain(frame, chain, {});
  check_same(packet, chain);

  std::vector<std::uint8_t> buffer(data[0] % 2 == 0 ? wire::kAnswerBytesMax : 100);
  for (std::size_t i = 0; i < packet.layers_count; ++i) {
    const IpLayer& layer = packet.layers[i];
    check_answer(frame, buffer, wire::write_reset(packet, layer, wire::Toward::Sender, buffer));
    check_answer(frame, buffer, wire::write_reset(packet, layer, wire::Toward::Receiver, buffer));
    check_answer(frame, buffer, wire::write_prohibited(packet, layer, buffer));
    check_answer(frame, buffer, wire::write_udp_answer(packet, layer, frame.bytes.first(std::min<std::size_t>(frame.bytes.size(), 40)), buffer));
  }
  return 0;
}
