// SPDX-License-Identifier: Apache-2.0
// UDP (RFC 768). What follows the UDP length inside the IP length is RFC 9868's options or padding, not payload.

#include "wire/walk.h"

namespace weir::wire {

// ports 2, 2 · length 2 · checksum 2
void udp(Walk& walk, IpLayer& layer, Window window) {
  const std::uint8_t* h = walk.at(window);
  if (window.here() >= 4) {
    layer.src_port = load_be16(h);
    layer.dst_port = load_be16(h + 2);
  }
  if (!need_transport(walk, layer, window, 8)) return;
  layer.has_transport = true;
  const std::uint32_t length = load_be16(h + 4);
  const bool jumbo = length == 0 && window.sent() > 65535;  // RFC 2675, 4.
  if (layer.fragment == FragmentKind::No && !jumbo) {
    if (length < 8) walk.flaw(Flaw::BadLength);
    else walk.limit(window, length);
  }
  set_payload(layer, window.after(8));
}

}  // namespace weir::wire
