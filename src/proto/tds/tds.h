// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tabular Data Stream, as Microsoft SQL Server speaks it (MS-TDS): who logs on, how, and with what result, where the login is in the
// clear. Mostly it is not: unless both sides say that they cannot (2.2.6.5, ENCRYPT_NOT_SUP), the login travels in TLS inside
// TDS packets, and auth.user is hidden. One login is one transaction; after it nothing is read.
//
//   packet    type 1, status 1 (1: the message's last), length 2 (all of it), SPID 2, number 1, window 1
//   types     4 answer, 16 LOGIN7, 17 SSPI, 18 pre-login
//   LOGIN7    length 4, …, flags at 24–27, then { offset 2, characters 2 } of host 36, user 40, password 44, …, SSPI 78
//   answer    tokens: type 1, length 2, …: 0xAD login acknowledged, 0xAA error, 0xAB and 0xE3 others
//
// A LOGIN7 over several packets is put together up to 8 KiB. Queries and rows are not looked at.

#include "facts/field_ids.h"
#include "proto/identify/rows.h"
#include "proto/protocol.h"

namespace weir::proto::tds {

inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthRealm, field::kAuthScheme, field::kAuthResult};
inline constexpr std::size_t kLoginBytesMax = 8192;

struct State {
  bool open, asks_encryption, encrypted;
  char text[512];
};

Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr Protocol kTds = {.name = "tds", .tcp_ports = identify::ports::kTdsTcp, .tcp = true, .identify = identify::tds, .shared = kShared,
                                  .state_bytes = sizeof(State), .parse = parse_as<State, parse>};

}  // namespace weir::proto::tds
