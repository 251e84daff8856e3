// SPDX-License-Identifier: Apache-2.0
#pragma once

// DHCP for IPv4 (RFC 2131, its ancestor BOOTP RFC 951) and for IPv6 (RFC 8415). Both are recognised by content: DHCP by op,
// hardware type and length and the magic cookie; BOOTP, which has none, on its ports only; DHCPv6 by a chain of options that ends
// with the datagram. Reads what tells servers, clients and their claims; leaves leases and configuration alone.
//
//   DHCP    op 1, htype 1, hlen 1, hops 1, xid 4, secs 2, flags 2, ciaddr yiaddr siaddr giaddr 16, chaddr 16, sname 64, file 128,
//           cookie 4, options (code 1, length 1, value; 0 pads, 255 ends), which may go on in file and sname (RFC 2132 9.3)
//   DHCPv6  type 1, xid 3, options (code 2, length 2, value); a relay's: type 1, hops 1, two addresses 32, options, one of them
//           the message that it carries

#include "proto/dhcp/fields.h"
#include "proto/protocol.h"

namespace weir::proto::dhcp {

struct State {};

Match identify_v4(const Evidence&);
bool is_answer_v4(Bytes datagram);
Progress parse_v4(State&, const Input&, Describer&);

Match identify_v6(const Evidence&);
bool is_answer_v6(Bytes datagram);
Progress parse_v6(State&, const Input&, Describer&);

inline constexpr std::uint16_t kV4Ports[] = {67, 68}, kV6Ports[] = {546, 547};

}  // namespace weir::proto::dhcp

namespace weir::proto {

inline constexpr Protocol kDhcp = {.name = "dhcp", .udp_ports = dhcp::kV4Ports, .udp = true,
                                   .identify = dhcp::identify_v4, .is_answer = dhcp::is_answer_v4,
                                   .fields = dhcp::kFields, .state_bytes = sizeof(dhcp::State),
                                   .parse = parse_as<dhcp::State, dhcp::parse_v4>};
inline constexpr Protocol kDhcpv6 = {.name = "dhcpv6", .udp_ports = dhcp::kV6Ports, .udp = true,
                                     .identify = dhcp::identify_v6, .is_answer = dhcp::is_answer_v6,
                                     .fields = dhcp::kFields, .state_bytes = sizeof(dhcp::State),
                                     .parse = parse_as<dhcp::State, dhcp::parse_v6>};

}  // namespace weir::proto
