// SPDX-License-Identifier: Apache-2.0
#pragma once

// TFTP (RFC 1350, options of RFC 2347). A request names a file and a mode, and the server answers from a port of its own
// choice: the flow that it opens towards the client's port is announced, and carries this name from its first packet on.
// A request is recognised by itself: an opcode, a name that can be printed, one of three modes, and options that end with the datagram.
// Of a transfer that nobody announced (its request was not seen, or was stopped) both sides' blocks must go together.
//
//   request  opcode 2 | file name, 0 | mode, 0 | option, 0, value, 0 …
//   data     3 | block 2 | up to 512 bytes or those of `blksize`     acknowledgement  4 | block 2
//   error    5 | code 2 | text, 0                                    option acknowledgement  6 | option, 0, value, 0 …
//
// Left out: what is transferred. Later transfers by the same client port (of a request that is repeated) are announced again.

#include "facts/field_ids.h"
#include "proto/protocol.h"

namespace weir::proto::tftp {

namespace field {
enum : FieldId { kOp = 268, kFilename };
}  // namespace field

enum class Op : std::uint8_t { Read = 1, Write };

inline constexpr Word kOps[] = {{"read", 1}, {"write", 2}};
// clang-format off
inline constexpr FieldRow kFields[] = {
    {field::kOp, "tftp.op", FieldType::Word, Scope::Transaction, milestone::kTransaction, false, on::kAll, kOps, "What a request does with its file (RFC 1350 5): the client reads or writes it."},
    {field::kFilename, "tftp.filename", FieldType::Text, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Name of the file in a request, as sent (RFC 1350 5)."},
};
// clang-format on
inline constexpr FieldId kShared[] = {weir::field::kFileName, weir::field::kFileType};

struct State {};

Match identify(const Evidence&);
bool is_answer(Bytes datagram);
Progress parse(State&, const Input&, Describer&);

inline constexpr std::uint16_t kPorts[] = {69};

}  // namespace weir::proto::tftp

namespace weir::proto {

inline constexpr Protocol kTftp = {.name = "tftp", .udp_ports = tftp::kPorts, .udp = true,
                                   .identify = tftp::identify, .is_answer = tftp::is_answer, .datagrams_max = 2,
                                   .fields = tftp::kFields, .shared = tftp::kShared, .state_bytes = sizeof(tftp::State),
                                   .parse = parse_as<tftp::State, tftp::parse>, .may_extend = true, .teaches = Teaches::Flows};

}  // namespace weir::proto
