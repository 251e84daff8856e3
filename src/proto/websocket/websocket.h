// SPDX-License-Identifier: Apache-2.0
#pragma once

// WebSocket (RFC 6455) behind an HTTP upgrade: the opcode of each frame, and what is spoken inside. The first bytes of each side's
// binary messages are unmasked and shown to the protocols that tunnels carry; one that knows them as its own is named as a layer of its
// own (http, websocket, ssh). Messages of an extension (a reserved bit is set: they are compressed, RFC 7692) are not looked into.
//
//   0 FIN 1, reserved 3, opcode 4 | 1 MASK 1, length 7 | 16 or 64 bits of length for 126, 127 | masking key 4, if MASK | payload
//
// A client's frame without a mask, a server's with one, a control frame of more than 125 bytes or in fragments, an unknown opcode:
// each is the flaw bad-message (5.1, 5.2, 5.5).

#include "facts/field_ids.h"
#include "proto/protocol.h"

namespace weir::proto::websocket {

enum : FieldId { kOpcode = 308 };

inline constexpr Word kOpcodes[] = {{"continuation", 0}, {"text", 1}, {"binary", 2}, {"close", 8}, {"ping", 9}, {"pong", 10}};
inline constexpr FieldRow kFields[] = {{.id = kOpcode, .name = "websocket.opcode", .type = FieldType::Number, .scope = Scope::Transaction,
                                        .closes = milestone::kTransaction, .words = kOpcodes, .help = "Opcode of a WebSocket frame (RFC 6455, 5.2)."}};

inline constexpr std::size_t kInnerBytes = 128;  ///< Of each side that are shown.

struct Sender {
  std::uint64_t left;          ///< Payload of the frame at hand still to come.
  std::uint8_t mask[4], turn;  ///< turn: which byte of the mask comes next.
  bool shown;                  ///< The frame's payload belongs to what is shown.
  bool binary;                 ///< The message at hand is binary, for its continuations.
  bool told;                   ///< It sent a message that is not looked into, or enough of those that are.
  std::uint8_t inner_bytes;
  std::uint8_t inner[kInnerBytes];
};
struct State {
  Sender senders[2];
  bool named, server_first;
  bool closed;  ///< Nothing more will be named.
};

Progress parse(State& state, const Input& input, Describer& describer);

/// Recognised by nothing but the upgrade before it.
inline constexpr Protocol kWebsocket = {.name = "websocket", .tcp = true, .fields = kFields, .state_bytes = sizeof(State), .parse = parse_as<State, parse>,
                                       .may_extend = true};

}  // namespace weir::proto::websocket
