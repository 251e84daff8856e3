// SPDX-License-Identifier: Apache-2.0
#pragma once

// DTLS 1.0 to 1.3 (RFC 4347, 6347, 9147): recognised by its records, and the hellos of both sides read with the parser of TLS.
// Fragments of the client's hello are joined in order; one that leaves a hole waits for nothing and is passed over, since it is sent
// again. Certificates are not read: their facts are hidden.

#include "proto/protocol.h"
#include "proto/tls/fields.h"

namespace weir::proto::tls::dtls {

struct State {
  bool client_hello, server_hello;
  std::uint8_t offered;  ///< The client's highest version plus one.
  std::uint16_t sequence;  ///< Of the message whose fragments are kept.
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& out);

inline constexpr std::uint16_t kPorts[] = {853, 2083, 5061, 5349, 5684, 6514};

inline constexpr Protocol kDtls = {
    .name = "dtls",
    .udp_ports = kPorts,
    .udp = true,
    .identify = identify,
    .fields = kFields,
    .shared = kShared,
    .state_bytes = sizeof(State),
    .parse = parse_as<State, parse>,
};

}  // namespace weir::proto::tls::dtls
