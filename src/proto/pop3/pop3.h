// SPDX-License-Identifier: Apache-2.0
#pragma once

// POP3 (RFC 1939, 2449, 2595, 5034). A transaction is a command and its answer, described at the command and where the
// answer says whether a login succeeded. Mails and listings are passed over up to the line with a dot alone.

#include "facts/field_ids.h"
#include "proto/lines.h"
#include "proto/protocol.h"

namespace weir::proto {

namespace pop3 {

enum : FieldId { kCommand = 277 };
inline constexpr std::uint8_t kCommandRead = milestone::kOwn;

inline constexpr FieldRow kFields[] = {
    {kCommand, "pop3.command", FieldType::Text, Scope::Transaction, kCommandRead, false, on::kAll, {}, "Command, upper case (RFC 1939)."},
};
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthScheme, field::kAuthResult};

inline constexpr std::size_t kAwaitedMax = 64;

/// What the answer to a command may be.
enum class Awaited : std::uint8_t { Line, Lines, Login, Tls };

struct State {
  LineState lines[2];
  Awaited awaited[kAwaitedMax];  ///< A ring.
  std::uint32_t asked, answered;
  bool open, in_lines, greeted, sasl_user, sasl;
  std::uint16_t user_bytes;
  char command[8];
  char user[512];
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kPorts[] = {110, 995};

}  // namespace pop3

inline constexpr Protocol kPop3 = {.name = "pop3",
                                   .tcp_ports = pop3::kPorts,
                                   .tcp = true,
                                   .identify = pop3::identify,
                                   .fields = pop3::kFields,
                                   .shared = pop3::kShared,
                                   .state_bytes = sizeof(pop3::State),
                                   .parse = parse_as<pop3::State, pop3::parse>,
                                   .may_extend = true};

}  // namespace weir::proto
