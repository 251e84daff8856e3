// SPDX-License-Identifier: Apache-2.0
#pragma once

// The facts of DHCP (RFC 2131, 2132) and DHCPv6 (RFC 8415), shared by both rows. One message is one transaction.

#include "facts/field.h"

namespace weir::proto::dhcp {

namespace field {
enum : FieldId { kType = 286, kClientMac, kServerId, kHostname, kV6Type };
}  // namespace field

inline constexpr Word kTypes[] = {{"discover", 1}, {"offer", 2}, {"request", 3}, {"decline", 4}, {"ack", 5}, {"nak", 6}, {"release", 7},
                                  {"inform", 8}, {"forcerenew", 9}, {"leasequery", 10}, {"leaseunassigned", 11}, {"leaseunknown", 12},
                                  {"leaseactive", 13}, {"bulkleasequery", 14}, {"leasequerydone", 15}, {"activeleasequery", 16},
                                  {"leasequerystatus", 17}, {"tls", 18}};
inline constexpr Word kV6Types[] = {{"solicit", 1}, {"advertise", 2}, {"request", 3}, {"confirm", 4}, {"renew", 5}, {"rebind", 6}, {"reply", 7},
                                    {"release", 8}, {"decline", 9}, {"reconfigure", 10}, {"information-request", 11}, {"relay-forward", 12},
                                    {"relay-reply", 13}, {"leasequery", 14}, {"leasequery-reply", 15}, {"leasequery-done", 16},
                                    {"leasequery-data", 17}};

// clang-format off
inline constexpr FieldRow kFields[] = {
    {field::kType, "dhcp.type", FieldType::Word, Scope::Transaction, milestone::kTransaction, false, on::kAll, kTypes, "DHCP message type (RFC 2132 9.6); absent in plain BOOTP."},
    {field::kClientMac, "dhcp.client_mac", FieldType::Mac, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Client hardware address (chaddr) where it is Ethernet's."},
    {field::kServerId, "dhcp.server_id", FieldType::Address, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Server identifier (RFC 2132 9.7)."},
    {field::kHostname, "dhcp.hostname", FieldType::TextFold, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Host name option (RFC 2132 3.14)."},
    {field::kV6Type, "dhcpv6.type", FieldType::Word, Scope::Transaction, milestone::kTransaction, true, on::kAll, kV6Types, "DHCPv6 message types, relays' first and then what they carry (RFC 8415 7.3)."},
};
// clang-format on

}  // namespace weir::proto::dhcp
