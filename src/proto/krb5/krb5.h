// SPDX-License-Identifier: Apache-2.0
#pragma once

// Kerberos 5 (RFC 4120) over UDP and over TCP, where a length of four bytes stands in front (7.2.2): the type of each message, and
// which principal of which realm asks. A request for a ticket-granting ticket names its client in the clear, its answer and errors
// repeat it; what comes with a ticket already names it only inside, encrypted: auth.user is hidden then. That pre-authentication is
// asked for (error 25) is no failure. Tickets, addresses and encryption types are not looked at.
//
//   KDC-REQ [APPLICATION 10, 12]  { [1] 5, [2] type, [3] padata, [4] { [0] options, [1] cname, [2] realm, [3] sname, … } }
//   KDC-REP [APPLICATION 11, 13]  { [0] 5, [1] type, [2] padata, [3] crealm, [4] cname, … }
//   KRB-ERROR [APPLICATION 30]    { [0] 5, [1] 30, …, [6] error-code, [7] crealm, [8] cname, [9] realm, … }

#include "facts/field_ids.h"
#include "proto/identify/rows.h"
#include "proto/protocol.h"

namespace weir::proto::krb5 {

enum : FieldId { kType = 307 };

inline constexpr Word kTypes[] = {{"as-req", 10}, {"as-rep", 11}, {"tgs-req", 12}, {"tgs-rep", 13}, {"ap-req", 14}, {"ap-rep", 15}, {"error", 30}};
inline constexpr FieldRow kFields[] = {{.id = kType, .name = "krb5.type", .type = FieldType::Word, .scope = Scope::Transaction,
                                        .closes = milestone::kTransaction, .words = kTypes, .help = "Type of a Kerberos message (RFC 4120, 7.5.7)."}};
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthRealm, field::kAuthScheme, field::kAuthResult};

inline constexpr std::size_t kMessageBytesMax = 32768;  ///< Of a larger one only the type is told.

struct State {
  bool over[2];
  std::uint16_t user_bytes, realm_bytes;  ///< Of the last request that named its client: errors may not repeat it.
  char user[256], realm[128];
  char text[256];                         ///< A name of several parts, joined.
};

Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr Protocol kKrb5 = {.name = "krb5",
                                   .tcp_ports = identify::ports::kKrb5Tcp,
                                   .udp_ports = identify::ports::kKrb5Udp,
                                   .tcp = true,
                                   .udp = true,
                                   .identify = identify::krb5,
                                   .is_answer = identify::krb5_is_answer,
                                   .fields = kFields,
                                   .shared = kShared,
                                   .state_bytes = sizeof(State),
                                   .parse = parse_as<State, parse>};

}  // namespace weir::proto::krb5
