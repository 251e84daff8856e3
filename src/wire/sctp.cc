// SPDX-License-Identifier: Apache-2.0
// The common header of SCTP (RFC 9260, 3.1); the chunks behind it are payload.

#include "wire/walk.h"

namespace weir::wire {

// ports 2, 2 · verification tag 4 · checksum 4
void sctp(Walk& walk, IpLayer& layer, Window window) {
  const std::uint8_t* h = walk.at(window);
  if (window.here() >= 4) {
    layer.src_port = load_be16(h);
    layer.dst_port = load_be16(h + 2);
  }
  if (!need_transport(walk, layer, window, 12)) return;
  layer.has_transport = true;
  set_payload(layer, window.after(12));
}

}  // namespace weir::wire
