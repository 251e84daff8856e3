// SPDX-License-Identifier: Apache-2.0
#pragma once

// LDAP (RFC 4511) over TCP, and without connections over UDP (CLDAP, MS-ADTS 6.3.3): what each message asks for, and who binds. The
// name of a simple bind is told as it is written, a distinguished name or what the directory takes for one; a SASL bind tells its
// mechanism, and the user where its token is NTLM's (MS-NLMP, also in the tokens that Active Directory numbers 9 to 11, MS-ADTS
// 5.1.1.1.3). The answer to a bind repeats them with the result. StartTLS (4.14) hands over to TLS.
//
//   LDAPMessage  SEQUENCE { messageID INTEGER, protocolOp [APPLICATION n], controls [0] OPTIONAL }
//   BindRequest  [APPLICATION 0] { version INTEGER, name OCTET STRING, simple [0] | sasl [3] { mechanism, credentials OPTIONAL } }
//
// Searches, entries and passwords are not looked into. After a bind that laid a security layer over the stream (4.2.1) nothing more can
// be read, and reading ends at the first message that is none.

#include "proto/identify/rows.h"
#include "proto/ldap/fields.h"
#include "proto/protocol.h"

namespace weir::proto::ldap {

inline constexpr std::size_t kBindBytesMax = 16384;  ///< A bind with a larger token is told without its user.

struct State {
  bool over[2];            ///< That side is not LDAP any more.
  bool bound, starts_tls;  ///< A bind is known whose answer has not come; the client asked for TLS.
  std::uint8_t scheme;
  std::uint16_t user_bytes, realm_bytes;
  char user[256], realm[128];
  char text[512];          ///< Names out of a token.
};

Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr Protocol kLdap = {.name = "ldap",
                                   .tcp_ports = identify::ports::kLdapTcp,
                                   .udp_ports = identify::ports::kLdapUdp,
                                   .tcp = true,
                                   .udp = true,
                                   .identify = identify::ldap,
                                   .is_answer = identify::ldap_is_answer,
                                   .fields = kFields,
                                   .shared = kShared,
                                   .state_bytes = sizeof(State),
                                   .parse = parse_as<State, parse>,
                                   .may_extend = true};

}  // namespace weir::proto::ldap
