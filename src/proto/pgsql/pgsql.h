// SPDX-License-Identifier: Apache-2.0
#pragma once

// PostgreSQL's frontend/backend protocol 3 (its manual, "Message Formats"): who logs on, how, and with what result. One login is one
// transaction; after it nothing is read. A client that asks for TLS is handed over when the server says S.
//
//   startup   length 4, 0x0003 minor 2, { name NUL value NUL }… NUL      SSLRequest  8, 80877103     GSSENCRequest  8, 80877104
//   server    type 1, length 4 (itself included), body: 'R' authentication (code 4), 'E' error, …
//
// Queries and what they bring are not looked at.

#include "facts/field_ids.h"
#include "proto/identify/rows.h"
#include "proto/protocol.h"

namespace weir::proto::pgsql {

inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthScheme, field::kAuthResult};
inline constexpr std::size_t kStartupBytesMax = 10000;  ///< As the server's own limit (MAX_STARTUP_PACKET_LENGTH).

struct State {
  bool awaits_tls;  ///< The client asked for encryption, and the server has not answered.
  bool started;
};

Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr Protocol kPgsql = {.name = "pgsql", .tcp_ports = identify::ports::kPgsqlTcp, .tcp = true, .identify = identify::pgsql, .shared = kShared,
                                    .state_bytes = sizeof(State), .parse = parse_as<State, parse>, .may_extend = true};

}  // namespace weir::proto::pgsql
