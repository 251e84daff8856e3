// SPDX-License-Identifier: Apache-2.0
// IPv4 (RFC 791) with its options, and AH (RFC 4302) behind it.

#include "wire/walk.h"

namespace weir::wire {

namespace {

IpOption option_of(std::uint8_t type) {
  switch (type) {
    case 7: return IpOption::RecordRoute;
    case 68: return IpOption::Timestamp;
    case 130: return IpOption::Security;
    case 133: return IpOption::Security;  // RFC 1108's extended one.
    case 131: return IpOption::SourceRoute;
    case 137: return IpOption::SourceRoute;
    case 136: return IpOption::StreamId;
    case 148: return IpOption::RouterAlert;
    default: return IpOption::Other;
  }
}

void options(Walk& walk, IpLayer& layer, const std::uint8_t* at, std::uint32_t size) {
  for (std::uint32_t i = 0; i < size;) {
    const std::uint8_t type = at[i];
    if (type == 0) return;
    if (type == 1) {
      ++i;
      continue;
    }
    layer.ip_options = static_cast<std::uint16_t>(layer.ip_options | 1U << static_cast<unsigned>(option_of(type)));
    if (i + 1 >= size || at[i + 1] < 2 || at[i + 1] > size - i) return walk.flaw(Flaw::BadOption);
    i += at[i + 1];
  }
}

void fragment(Walk& walk, IpLayer& layer, const Window& window, std::uint16_t field, std::uint32_t header_bytes) {
  layer.more_fragments = (field & 0x2000) != 0;
  layer.fragment_offset = (field & 0x1fffU) * 8;
  layer.fragment = layer.fragment_offset == 0 ? FragmentKind::First : FragmentKind::Later;
  check_fragment(walk, layer, window, header_bytes);
}

}  // namespace

void check_fragment(Walk& walk, const IpLayer& layer, const Window& window, std::uint32_t header_bytes) {
  if (header_bytes + layer.fragment_offset + std::uint64_t{window.sent()} > 65535) walk.flaw(Flaw::PingOfDeath);
  if (layer.more_fragments && window.sent() % 8 != 0) walk.flaw(Flaw::BadLength);
}

bool authentication_header(Walk& walk, Window& window, std::uint8_t& next) {
  if (!walk.need(window, 12)) return false;
  const std::uint8_t* h = walk.at(window);
  const std::uint32_t size = (h[1] + 2U) * 4;  // RFC 4302, 2.2: in words, less two.
  if (size < 12) {
    walk.flaw(Flaw::BadLength);
    return false;
  }
  if (!walk.need(window, size)) return false;
  next = h[0];
  window = window.after(size);
  return true;
}

// version and header length 1 · DSCP and ECN 1 · total length 2 · id 2 · flags and offset 2 · TTL 1 · protocol 1 ·
// checksum 2 · source 4 · destination 4 · options
void ipv4(Walk& walk, Window window) {
  if (!walk.need(window, 20)) return;
  const std::uint8_t* h = walk.at(window);
  if (h[0] >> 4 != 4) return walk.flaw(Flaw::BadMessage);
  IpLayer* layer = begin_layer(walk, window, 4);
  if (layer == nullptr) return;
  const std::uint32_t header_bytes = (h[0] & 0x0fU) * 4;
  std::uint32_t length = load_be16(h + 2);
  if (length == 0) length = window.sent();  // The sender's stack left the cutting to hardware (TSO, BIG TCP).
  layer->length = length;
  layer->dscp = static_cast<std::uint8_t>(h[1] >> 2);
  layer->fragment_id = load_be16(h + 4);
  layer->ttl = h[8];
  layer->protocol = layer->protocols[0] = h[9];
  layer->protocols_count = 1;
  layer->src = Ip::v4_bytes(h + 12);
  layer->dst = Ip::v4_bytes(h + 16);
  if (header_bytes < 20 || length < header_bytes) [[unlikely]] return walk.flaw(Flaw::BadLength);
  walk.limit(window, length);
  if (!walk.need(window, header_bytes)) return;
  if (header_bytes > 20) options(walk, *layer, h + 20, header_bytes - 20);
  window = window.after(header_bytes);
  layer->ip_payload_offset = window.at();
  layer->ip_payload_bytes = window.here();
  const std::uint16_t fragment_field = load_be16(h + 6);
  if ((fragment_field & 0x3fff) != 0) [[unlikely]] fragment(walk, *layer, window, fragment_field, header_bytes);
  // A chain of AH headers ends with the window: each takes twelve bytes at least.
  while (layer->protocol == ip_protocol::kAh && layer->fragment != FragmentKind::Later) {
    const Window before = window;
    if (!authentication_header(walk, window, layer->protocol)) {
      layer->transport_offset = before.at();
      return set_payload(*layer, before);
    }
    add_protocol(*layer, layer->protocol);
  }
  transport(walk, *layer, window);
}

}  // namespace weir::wire
