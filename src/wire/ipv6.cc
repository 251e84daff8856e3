// SPDX-License-Identifier: Apache-2.0
// IPv6 (RFC 8200) with its extension headers in any order, jumbograms (RFC 2675), AH (RFC 4302). ESP ends the chain.
// In a fragment, the bytes after the Fragment header are the fragment's (ip_payload_offset); the eight bytes before them
// are that header, whose first byte is the protocol that the reassembled bytes begin with.

#include "wire/walk.h"

namespace weir::wire {

namespace {

constexpr int kExtensionsMax = 16;

void set_header(IpLayer& layer, Ip6Header header) {
  layer.ip6_headers = static_cast<std::uint16_t>(layer.ip6_headers | 1U << static_cast<unsigned>(header));
}

// The options of Hop-by-Hop and Destination headers, for their form; the jumbo length if there is one, else 0.
std::uint32_t options(Walk& walk, const std::uint8_t* at, std::uint32_t size) {
  std::uint32_t jumbo = 0;
  for (std::uint32_t i = 0; i < size;) {
    if (at[i] == 0) {  // Pad1 alone has no length.
      ++i;
      continue;
    }
    if (size - i < 2 || at[i + 1] + 2U > size - i) {
      walk.flaw(Flaw::BadOption);
      return jumbo;
    }
    if (at[i] == 0xc2) {
      if (at[i + 1] == 4) jumbo = load_be32(at + i + 2);
      else walk.flaw(Flaw::BadOption);
    }
    i += at[i + 1] + 2U;
  }
  return jumbo;
}

bool is_extension(std::uint8_t protocol) {
  switch (protocol) {
    case ip_protocol::kHopByHop:
    case ip_protocol::kRouting:
    case ip_protocol::kFragment:
    case ip_protocol::kDestination:
    case ip_protocol::kAh:
    case ip_protocol::kMobility:
    case ip_protocol::kHip:
    case ip_protocol::kShim6: return true;
    default: return false;
  }
}

// next 1 · reserved 1 · offset and M 2 · id 4. Offset 0 and no M is a whole packet (RFC 6946).
bool fragment(Walk& walk, IpLayer& layer, Window& window, std::uint8_t& next) {
  set_header(layer, Ip6Header::Fragment);
  if (!walk.need(window, 8)) return false;
  const std::uint8_t* h = walk.at(window);
  const std::uint16_t field = load_be16(h + 2);
  next = h[0];
  window = window.after(8);
  if (layer.fragment != FragmentKind::No) return true;  // A second one: the first holds for reassembly.
  layer.fragment_id = load_be32(h + 4);
  layer.more_fragments = (field & 1) != 0;
  layer.fragment_offset = field & 0xfff8U;
  if (layer.fragment_offset == 0 && !layer.more_fragments) return true;
  layer.fragment = layer.fragment_offset == 0 ? FragmentKind::First : FragmentKind::Later;
  layer.ip_payload_offset = window.at();
  layer.ip_payload_bytes = window.here();
  check_fragment(walk, layer, window, 0);
  return true;
}

// next 1 · length in eight bytes, less one, 1 · …
bool extension(Walk& walk, IpLayer& layer, Window& window, std::uint8_t& next) {
  if (next == ip_protocol::kFragment) return fragment(walk, layer, window, next);
  if (next == ip_protocol::kAh) {
    set_header(layer, Ip6Header::Ah);
    return authentication_header(walk, window, next);
  }
  const std::uint8_t self = next;
  switch (self) {
    case ip_protocol::kHopByHop: set_header(layer, Ip6Header::HopByHop); break;
    case ip_protocol::kRouting: set_header(layer, Ip6Header::Routing); break;
    case ip_protocol::kDestination: set_header(layer, Ip6Header::Destination); break;
    case ip_protocol::kMobility: set_header(layer, Ip6Header::Mobility); break;
    case ip_protocol::kHip: set_header(layer, Ip6Header::Hip); break;
    default: set_header(layer, Ip6Header::Shim6); break;
  }
  // RFC 7112: a first fragment that does not hold the whole chain.
  if (!need_transport(walk, layer, window, 8)) return false;
  const std::uint8_t* h = walk.at(window);
  const std::uint32_t size = (h[1] + 1U) * 8;
  if (self == ip_protocol::kRouting) {
    layer.has_ip6_routing = true;
    layer.ip6_routing_type = h[2];
  }
  if (!need_transport(walk, layer, window, size)) return false;
  next = h[0];
  if (self == ip_protocol::kHopByHop || self == ip_protocol::kDestination) options(walk, h + 2, size - 2);
  window = window.after(size);
  return true;
}

// What the header says follows it. Zero stands for a jumbogram's length, which the Hop-by-Hop header behind it tells
// (RFC 2675, 2); a frame too long for the field is one whose cutting was left to hardware.
std::uint32_t payload_length(Walk& walk, const Window& window, std::uint8_t next, std::uint32_t length) {
  if (length != 0) return length;
  if (next == ip_protocol::kHopByHop && window.here() >= 8) {
    const std::uint8_t* h = walk.at(window);
    const std::uint32_t size = (h[1] + 1U) * 8;
    const std::uint32_t jumbo = size <= window.here() ? options(walk, h + 2, size - 2) : 0;
    if (jumbo > 65535) return jumbo;
    if (jumbo != 0) walk.flaw(Flaw::BadLength);
  }
  return window.sent() > 65535 ? window.sent() : 0;
}

}  // namespace

// version 4 bits, traffic class 8, flow label 20 · payload length 2 · next header 1 · hop limit 1 · source 16 · destination 16
void ipv6(Walk& walk, Window window) {
  if (!walk.need(window, 40)) return;
  const std::uint8_t* h = walk.at(window);
  if (h[0] >> 4 != 6) return walk.flaw(Flaw::BadMessage);
  IpLayer* layer = begin_layer(walk, window, 6);
  if (layer == nullptr) return;
  layer->dscp = static_cast<std::uint8_t>(load_be16(h) >> 6 & 0x3f);
  layer->ttl = h[7];
  layer->src = Ip::v6_bytes(h + 8);
  layer->dst = Ip::v6_bytes(h + 24);
  std::uint8_t next = h[6];
  window = window.after(40);
  const std::uint32_t length = payload_length(walk, window, next, load_be16(h + 4));
  layer->length = length > 0xffffffffU - 40 ? 0xffffffffU : length + 40;
  walk.limit(window, length);
  layer->ip_payload_offset = window.at();
  layer->ip_payload_bytes = window.here();

  bool whole = true;
  for (int count = 0; whole && is_extension(next) && layer->fragment != FragmentKind::Later; ++count) {
    add_protocol(*layer, next);
    if (count == kExtensionsMax) {
      walk.flaw(Flaw::DeepTunnel);
      whole = false;
      break;
    }
    whole = extension(walk, *layer, window, next);
  }
  add_protocol(*layer, next);
  layer->protocol = next;
  if (next == ip_protocol::kEsp) set_header(*layer, Ip6Header::Esp);
  if (layer->fragment == FragmentKind::No) {
    layer->ip_payload_offset = window.at();
    layer->ip_payload_bytes = window.here();
  }
  if (whole) return transport(walk, *layer, window);
  layer->transport_offset = window.at();
  set_payload(*layer, window);
}

}  // namespace weir::wire
