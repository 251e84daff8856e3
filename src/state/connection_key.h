// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectionKey: the four ends of a connection as a key of a BoundedMap, for what only some flows have beside them.

#include "base/hash.h"
#include "facts/flow.h"

namespace weir::state {

struct ConnectionKey {
  Ip client, server;
  std::uint16_t client_port, server_port;

  explicit ConnectionKey(const FlowEnds& e) : client(e.client), server(e.server), client_port(e.client_port), server_port(e.server_port) {}
  bool operator==(const ConnectionKey&) const = default;
  std::uint64_t hash() const { return hash_ip(client, hash_ip(server, std::uint64_t{client_port} << 16 | server_port)); }
};

}  // namespace weir::state
