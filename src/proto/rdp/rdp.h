// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Remote Desktop Protocol's first exchange (MS-RDPBCGR 2.2.1.1 and 2.2.1.2): an X.224 connection request in a TPKT unit, perhaps with
// a routing cookie that names the user. What follows is TLS or RDP's own encryption, and is not read.
//
//   0 version 3 | 1 reserved | 2 length | 4 X.224 length | 5 0xE0 | 6 destination 0 | 8 source | 10 class 0 | 11 cookie, then negotiation
//
// Least evidence: a whole connection request that holds nothing but a cookie or a negotiation request; TSAP parameters (S7, MMS) are
// another's. Of a server: the confirm with a negotiation answer. Over UDP (MS-RDPEUDP 2.2.2) the client's first datagram.

#include "facts/field_ids.h"
#include "proto/protocol.h"

namespace weir::proto::rdp {

inline constexpr FieldId kCookie = 303;
inline constexpr FieldRow kFields[] = {{.id = kCookie, .name = "rdp.cookie", .type = FieldType::Text, .scope = Scope::Flow, .closes = milestone::kOwn,
                                        .help = "What the connection request's cookie mstshash names: the user, cut to nine bytes by some clients."}};
inline constexpr FieldId kShared[] = {field::kAuthUser};
inline constexpr std::uint16_t kPorts[] = {3389};

struct State {
  bool read;
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr Protocol kRdp = {.name = "rdp", .tcp_ports = kPorts, .udp_ports = kPorts, .tcp = true, .udp = true, .identify = identify, .fields = kFields, .shared = kShared,
                                  .state_bytes = sizeof(State), .parse = parse_as<State, parse>};

}  // namespace weir::proto::rdp
