// SPDX-License-Identifier: Apache-2.0
#pragma once

// MySQL's client/server protocol (its manual, "Connection Phase" and COM_CHANGE_USER): who logs on and with what result. A login, and
// each later change of the user on the same connection, is one transaction. A client that takes the server's offer of TLS is
// handed over after its request.
//
//   packet     length 3 (little-endian), sequence 1, payload
//   greeting   10, version NUL, …             login    capabilities 4, packet size 4, character set 1, 23 zeros, user NUL, …
//   answers    0 good, 255 error; else another step
//
// Queries are passed over by their lengths. Compressed connections (CLIENT_COMPRESS) are not followed beyond the login.

#include "facts/field_ids.h"
#include "proto/identify/rows.h"
#include "proto/protocol.h"

namespace weir::proto::mysql {

inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthScheme, field::kAuthResult};
inline constexpr std::size_t kUserBytesMax = 256;

struct State {
  bool greeted, logged_on;  ///< The login packet came by.
  bool awaits;              ///< A transaction is open whose result has not come.
  bool compressed;
  bool continued[2];        ///< The packet before was as long as packets can be: the next goes on with it.
};

Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr Protocol kMysql = {.name = "mysql", .tcp_ports = identify::ports::kMysqlTcp, .tcp = true, .identify = identify::mysql, .shared = kShared,
                                    .state_bytes = sizeof(State), .parse = parse_as<State, parse>, .may_extend = true};

}  // namespace weir::proto::mysql
