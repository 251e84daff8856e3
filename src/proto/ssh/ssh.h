// SPDX-License-Identifier: Apache-2.0
#pragma once

// SSH as far as it is in the clear: both version lines (RFC 4253, 4.2) and the client's algorithm lists (7.1), from which comes
// HASSH, the MD5 of "kex;encryption;mac;compression" of the client's direction. After both KEXINITs nothing more is read.
//
//   packet:  length (4) | padding length (1) | 20 | cookie (16) | ten name-lists (length (4), text) | …

#include "facts/field_ids.h"
#include "proto/lines.h"
#include "proto/protocol.h"

namespace weir::proto {

namespace ssh {

enum : FieldId { kSoftware = 260, kClientSoftware, kHassh };

inline constexpr std::uint8_t kServerLine = milestone::kOwn;
inline constexpr std::uint8_t kClientLine = milestone::kOwn + 1;
inline constexpr std::uint8_t kClientLists = milestone::kOwn + 2;

// clang-format off
inline constexpr FieldRow kFields[] = {
    {kSoftware, "ssh.software", FieldType::TextFold, Scope::Flow, kServerLine, false, on::kAll, {}, "Software of the server's version line, without comment (RFC 4253, 4.2)."},
    {kClientSoftware, "ssh.client_software", FieldType::TextFold, Scope::Flow, kClientLine, false, on::kAll, {}, "Software of the client's version line."},
    {kHassh, "ssh.hassh", FieldType::TextFold, Scope::Flow, kClientLists, false, on::kAll, {}, "HASSH of the client: MD5 of its algorithm lists, 32 hex digits."},
};
// clang-format on

enum class Stage : std::uint8_t { Line, Lists, Done };

struct State {
  LineState lines[2];
  Stage stage[2];
  std::uint8_t lines_before;  ///< That the server sent before its version line.
  char hassh[32];
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kPorts[] = {22};

}  // namespace ssh

inline constexpr Protocol kSsh = {.name = "ssh",
                                  .tcp_ports = ssh::kPorts,
                                  .tcp = true,
                                  .identify = ssh::identify,
                                  .fields = ssh::kFields,
                                  .state_bytes = sizeof(ssh::State),
                                  .parse = parse_as<ssh::State, ssh::parse>};

}  // namespace weir::proto
