// SPDX-License-Identifier: Apache-2.0
#pragma once

// Payloads that a conversation names in a word or two: DNS messages, HTTP, a TLS hello, SMB's first message, SNMP, DHCP, TFTP.
// Each is what a plain client or server would send; what is not said takes a usual value. No packet is remembered here.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/address.h"

namespace weir::cli {

/// A DNS name in labels (RFC 1035 3.1), `first level` encoded for NBNS (RFC 1001 14.1) by nbns_name().
std::string dns_name(std::string_view name);
/// "A", "TXT", "TYPE65280"; nothing if it is no type.
std::optional<std::uint16_t> dns_type(std::string_view text);
std::string dns_query(std::uint16_t id, std::uint16_t type, std::string_view name);
/// Answers are addresses for A and AAAA, names for CNAME, NS, PTR and MX, text for TXT; a word such as NXDOMAIN is the result.
/// Nothing if one of them cannot be an answer of that type.
std::optional<std::string> dns_answer(std::uint16_t id, std::uint16_t type, std::string_view name,
                                      std::span<const std::string> answers);
std::string nbns_query(std::uint16_t id, std::string_view name);

std::string http_request(std::string_view method, std::string_view target, std::string_view host);
std::string http_answer(unsigned status, std::string_view body);
/// A TLS 1.3 client hello in one record (RFC 8446 4.1.2); an empty name leaves the extension out.
std::string tls_client_hello(std::string_view server_name, std::string_view alpn);
/// The SMB negotiate request of a client of today, with its NetBIOS session header (MS-SMB2 2.2.3).
std::string smb2_negotiate();
/// The one of old, which SMB 1 begins with (MS-CIFS 2.2.4.52).
std::string smb1_negotiate();
/// SNMP v2c get of one object (RFC 1901, RFC 3416); nothing if the object identifier is none.
std::optional<std::string> snmp_get(std::string_view community, std::string_view object);
/// "discover", "offer", "request", "ack" (RFC 2131); nothing if it is another word. `given` is the address, server the one that
/// gives it.
std::optional<std::string> dhcp_message(std::string_view kind, const Mac& client, const Ip& given, const Ip& server);
std::string tftp_request(bool write, std::string_view file);

}  // namespace weir::cli
