// SPDX-License-Identifier: Apache-2.0
#pragma once

// Payloads that a conversation names in a word or two: DNS messages, HTTP, TLS hellos, SNMP, DHCP, TFTP; SMB has a file of its own.
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
/// A server's hello that chooses this version (RFC 5246 7.4.1.3), such as 0x0301 for TLS 1.0.
std::string tls_server_hello(std::uint16_t version);
/// "get", "getnext", "getbulk", "set" or "response" of one object, of version "1", "2c" or "3" (RFC 1157, RFC 3416, RFC 3412; version 3
/// is encrypted, and `community` its user). Nothing if the kind or the object identifier is none.
std::optional<std::string> snmp_message(std::string_view kind, std::string_view version, std::string_view community,
                                        std::string_view object);
/// "solicit", "advertise", "reply" … (RFC 8415 7.3); nothing if it is another word.
std::optional<std::string> dhcpv6_message(std::string_view kind);
/// "discover", "offer", "request", "ack" (RFC 2131); nothing if it is another word. `given` is the address, server the one that
/// gives it.
std::optional<std::string> dhcp_message(std::string_view kind, const Mac& client, const Ip& given, const Ip& server);
std::string tftp_request(bool write, std::string_view file);

}  // namespace weir::cli
