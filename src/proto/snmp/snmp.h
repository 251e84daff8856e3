// SPDX-License-Identifier: Apache-2.0
#pragma once

// SNMP versions 1 (RFC 1157), 2c (RFC 1901) and 3 (RFC 3412, with the user-based security of RFC 3414), over UDP, by content on any
// port. A community counts as an account, as does a user. Values of objects are not read, encrypted PDUs are not decrypted.
//
//   1, 2c   SEQUENCE { version, community OCTET STRING, PDU }
//   3       SEQUENCE { version, SEQUENCE { id, max size, flags, security model }, security parameters OCTET STRING,
//           SEQUENCE { engine, name, PDU } or OCTET STRING (encrypted) }
//   PDU     [0xa0 to 0xa8] { request id, two integers, SEQUENCE of SEQUENCE { OID, value } }
//   trap 1  [0xa4] { enterprise OID, agent address, generic, specific, time, the same SEQUENCE }

#include "proto/protocol.h"
#include "proto/snmp/fields.h"

namespace weir::proto::snmp {

struct State {};

Match identify(const Evidence&);
bool is_answer(Bytes datagram);
Progress parse(State&, const Input&, Describer&);

inline constexpr std::uint16_t kPorts[] = {161, 162};

}  // namespace weir::proto::snmp

namespace weir::proto {

inline constexpr Protocol kSnmp = {.name = "snmp", .tcp_ports = snmp::kPorts, .udp_ports = snmp::kPorts, .udp = true,
                                   .identify = snmp::identify, .is_answer = snmp::is_answer, .fields = snmp::kFields, .shared = snmp::kShared,
                                   .state_bytes = sizeof(snmp::State), .parse = parse_as<snmp::State, snmp::parse>};

}  // namespace weir::proto
