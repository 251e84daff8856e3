// SPDX-License-Identifier: Apache-2.0
#pragma once

// IMAP (RFC 9051, 3501, 7888). A transaction is a tagged command, described when its line is complete and, where the answer with its
// tag says whether a login succeeded, again then. Literals are passed over on both sides. A user that is sent as a literal is hidden.

#include "facts/field_ids.h"
#include "proto/lines.h"
#include "proto/protocol.h"

namespace weir::proto {

namespace imap {

enum : FieldId { kCommand = 276 };
inline constexpr std::uint8_t kCommandRead = milestone::kOwn;

inline constexpr FieldRow kFields[] = {
    {kCommand, "imap.command", FieldType::Text, Scope::Transaction, kCommandRead, false, on::kAll, {}, "Command, upper case (RFC 9051, 6); of UID commands, UID."},
};
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthScheme, field::kAuthResult};

enum class Awaited : std::uint8_t { Other, Login, Tls };

struct State {
  LineState lines[2];
  std::uint64_t literal[2];  ///< Bytes of a literal that are still to be passed over.
  bool within[2];            ///< What follows a literal is the rest of its line.
  Awaited awaited;
  bool open, sasl, sasl_plain;
  std::uint8_t tag_bytes;
  char tag[32];              ///< Of the newest command.
  char command[16];
  char user[512];
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kPorts[] = {143, 993};

}  // namespace imap

inline constexpr Protocol kImap = {.name = "imap",
                                   .tcp_ports = imap::kPorts,
                                   .tcp = true,
                                   .identify = imap::identify,
                                   .fields = imap::kFields,
                                   .shared = imap::kShared,
                                   .state_bytes = sizeof(imap::State),
                                   .parse = parse_as<imap::State, imap::parse>,
                                   .may_extend = true};

}  // namespace weir::proto
