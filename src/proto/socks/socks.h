// SPDX-License-Identifier: Apache-2.0
#pragma once

// SOCKS 4, 4a and 5 (RFC 1928, 1929) up to the proxy's consent; what follows is another protocol's. One transaction a connection,
// described when the request is there and when the proxy has answered. A method that encrypts (GSSAPI) hides the request.
//
//   4:  4 | command | port (2) | IPv4 (4) | user, 0 | 4a, where the address is 0.0.0.x: name, 0
//   5:  5 | n | n methods        5 | method       [1 | user | password    1 | status]
//       5 | command | 0 | type | address | port (2)       5 | reply | 0 | type | address | port (2)

#include "facts/field_ids.h"
#include "proto/protocol.h"

namespace weir::proto {

namespace socks {

enum : FieldId { kVersion = 296, kCommand, kTarget, kPort };

inline constexpr std::uint8_t kRequest = milestone::kOwn;
inline constexpr Word kCommands[] = {{"connect", 1}, {"bind", 2}, {"associate", 3}};

// clang-format off
inline constexpr FieldRow kFields[] = {
    {kVersion, "socks.version", FieldType::Number, Scope::Transaction, kRequest, false, on::kAll, {}, "4 (4a too) or 5."},
    {kCommand, "socks.command", FieldType::Word, Scope::Transaction, kRequest, false, on::kAll, kCommands, "What the proxy is asked to do (RFC 1928, 4)."},
    {kTarget, "socks.target", FieldType::Domain, Scope::Transaction, kRequest, false, on::kAll, {}, "Where to: a name, or an address as text."},
    {kPort, "socks.port", FieldType::Number, Scope::Transaction, kRequest, false, on::kAll, {}, "Port of the target."},
};
// clang-format on
inline constexpr FieldId kShared[] = {field::kServerName, field::kAuthUser, field::kAuthScheme, field::kAuthResult};

/// What comes next on a side.
enum class Stage : std::uint8_t { Greeting, Next, Request, Answer, Done };

struct State {
  Stage client;
  Stage server;
  std::uint8_t version, command, answers;
  bool open, authenticated;
  char text[48];  ///< The target's address as text.
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kPorts[] = {1080};

}  // namespace socks

inline constexpr Protocol kSocks = {.name = "socks",
                                    .tcp_ports = socks::kPorts,
                                    .tcp = true,
                                    .identify = socks::identify,
                                    .fields = socks::kFields,
                                    .shared = socks::kShared,
                                    .state_bytes = sizeof(socks::State),
                                    .parse = parse_as<socks::State, socks::parse>,
                                    .may_extend = true};

}  // namespace weir::proto
