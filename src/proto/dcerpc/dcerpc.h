// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connection-oriented DCE/RPC (C706 chapter 12, MS-RPCE), over TCP and over SMB's pipes: which interfaces a client binds to and
// which of their operations it calls. Stub data is never read, nor is sealed data missed: the opnum stands in the clear.
// Fragments after the first repeat opnum and context, so only the first is described. The datagram form is not read.
//
// Least evidence on TCP: the 16-byte common header of a sound protocol data unit: version 5.0 or 5.1, a type of that side, a
// sound data representation and lengths that agree.

#include "facts/field_ids.h"
#include "proto/dcerpc/fields.h"
#include "proto/protocol.h"

namespace weir::proto::dcerpc {

inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kUuidText = 36;
inline constexpr std::size_t kUnknownInterfacesMax = 6;
inline constexpr std::size_t kContextsMax = 6;
inline constexpr std::size_t kBindBytesMax = 4096;  ///< Of a bind (with its token) that are looked at.

/// Text of interfaces without a known name, of one flow; the oldest makes room.
struct Interfaces {
  char text[kUnknownInterfacesMax][kUuidText];
  std::uint8_t next, count;
};

/// What one association (one TCP connection, one open pipe) has bound: presentation context → interface.
struct Association {
  std::uint16_t context[kContextsMax];
  std::uint8_t interface[kContextsMax];  ///< Place in the table of known ones, or kUnknownFrom + place in Interfaces.
  std::uint8_t count, next;
  std::uint16_t left;  ///< Pipes: bytes of the last unit that later writes will bring.
};
inline constexpr std::uint8_t kUnknownFrom = 128;

/// The common header, checked.
struct Header {
  std::uint8_t type = 0, flags = 0;
  bool little_endian = true;
  std::uint16_t fragment_bytes = 0, auth_bytes = 0;
};
inline constexpr std::uint8_t kRequest = 0, kResponse = 2, kFault = 3, kBind = 11, kBindAck = 12, kBindNak = 13, kAlter = 14,
                              kAlterResponse = 15, kAuth3 = 16, kShutdown = 17, kCancel = 18, kOrphaned = 19;

/// False if 16 bytes are not a sound header.
bool parse_header(Bytes bytes, Header& out);

/// Writes the facts of one unit that a client sent; `unit` may be cut behind what is looked at. No transaction is begun or ended.
/// True if there was something to say. `text` is for names in a token and outlives the parser's call.
bool describe_unit(const Header& header, Bytes unit, Association& association, Interfaces& interfaces, std::span<char> text, Describer& describer);

/// Writes the facts of what a client wrote to a pipe; `payload_bytes` counts also what is not at hand.
bool describe_pipe(Bytes payload, std::size_t payload_bytes, Association& association, Interfaces& interfaces, std::span<char> text,
                   Describer& describer);

struct State {
  Association association;
  Interfaces interfaces;
  char text[512];
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kPorts[] = {135};
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthRealm, field::kAuthScheme};

inline constexpr Protocol kDcerpc = {
    .name = "dcerpc",
    .tcp_ports = kPorts,
    .tcp = true,
    .identify = identify,
    .fields = kFields,
    .shared = kShared,
    .state_bytes = sizeof(State),
    .parse = parse_as<State, parse>,
};

}  // namespace weir::proto::dcerpc
