// SPDX-License-Identifier: Apache-2.0
#pragma once

// A vocabulary for tests of the policy: the core facts, and facts and protocols as the protocol folders declare them, but without those
// folders (policy does not know proto). Names and types are FACTS'; the numbers are of this table alone.

#include "facts/vocabulary.h"

namespace weir::kit {

inline constexpr Word kDhcpTypes[] = {{"discover", 1}, {"offer", 2}, {"request", 3}, {"decline", 4}, {"ack", 5}, {"nak", 6}, {"release", 7}, {"inform", 8}};
inline constexpr Word kDhcp6Types[] = {{"solicit", 1}, {"advertise", 2}, {"request", 3}, {"reply", 7}, {"reconfigure", 10}, {"relay-forward", 12}, {"relay-reply", 13}};
inline constexpr Word kQtypes[] = {{"A", 1}, {"NULL", 10}, {"TXT", 16}, {"AAAA", 28}, {"ANY", 255}};
inline constexpr Word kTlsVersions[] = {{"ssl2", 0x200}, {"ssl3", 0x300}, {"1.0", 0x301}, {"1.1", 0x302}, {"1.2", 0x303}, {"1.3", 0x304}};
inline constexpr Word kDialects[] = {{"1", 1}, {"2.0.2", 2}, {"2.1", 3}, {"3.0", 4}, {"3.0.2", 5}, {"3.1.1", 6}};
inline constexpr Word kSigning[] = {{"none", 0}, {"enabled", 1}, {"required", 2}};
inline constexpr Word kSnmpVersions[] = {{"1", 0}, {"2c", 1}, {"3", 3}};
inline constexpr Word kPdus[] = {{"get", 0}, {"getnext", 1}, {"response", 2}, {"set", 3}, {"getbulk", 5}};
inline constexpr Word kNtpModes[] = {{"client", 3}, {"server", 4}, {"control", 6}, {"private", 7}};

constexpr FieldRow protocol_row(FieldId id, std::string_view name, FieldType type, std::span<const Word> words = {}, bool list = false) {
  return {id, name, type, Scope::Transaction, milestone::kTransaction, list, on::kAll, words, "A fact of a protocol."};
}

inline constexpr FieldRow kProtocolRows[] = {
    protocol_row(180, "dns.qname", FieldType::Domain), protocol_row(181, "dns.qtype", FieldType::Number, kQtypes),
    protocol_row(182, "dns.label_bytes_max", FieldType::Number), protocol_row(183, "dns.domain", FieldType::Domain),
    protocol_row(184, "dns.response", FieldType::Boolean),
    protocol_row(200, "http.method", FieldType::Text), protocol_row(201, "http.uri", FieldType::Text), protocol_row(202, "http.path", FieldType::Text),
    protocol_row(203, "http.host", FieldType::Domain), protocol_row(204, "http.user_agent", FieldType::Text),
    protocol_row(205, "http.header", FieldType::TextFold, {}, true), protocol_row(206, "http.body_bytes", FieldType::Number),
    protocol_row(220, "tls.sni", FieldType::Domain), protocol_row(221, "tls.version", FieldType::Word, kTlsVersions),
    protocol_row(222, "tls.cert.subject", FieldType::TextFold),
    protocol_row(240, "smb.share", FieldType::TextFold), protocol_row(241, "smb.pipe", FieldType::TextFold),
    protocol_row(242, "smb.dialect", FieldType::Word, kDialects), protocol_row(243, "smb.signing", FieldType::Word, kSigning),
    protocol_row(264, "ftp.command", FieldType::TextFold), protocol_row(280, "snmp.version", FieldType::Word, kSnmpVersions),
    protocol_row(281, "snmp.pdu", FieldType::Word, kPdus), protocol_row(304, "ntp.mode", FieldType::Word, kNtpModes),
    protocol_row(286, "dhcp.type", FieldType::Word, kDhcpTypes), protocol_row(287, "dhcp.client_mac", FieldType::Mac),
    protocol_row(288, "dhcp.server_id", FieldType::Address), protocol_row(290, "dhcpv6.type", FieldType::Word, kDhcp6Types)};

inline constexpr AppRow kApps[] = {{"unknown"}, {"dns"}, {"http"}, {"tls"}, {"quic"}, {"ssh"}, {"smb"}, {"nbss"}, {"nbns"}, {"mdns"}, {"llmnr"}, {"ftp"},
                                   {"smtp"}, {"imap"}, {"snmp"}, {"ntp"}, {"ssdp"}, {"memcached"}, {"rdp"}, {"rfb"}, {"dhcp"}, {"dhcpv6"}, {"ldap"},
                                   {"krb5"}, {"tftp"}, {"teredo"}, {"openvpn"}, {"wireguard"}, {"stun"}, {"irc"}, {"telnet"}, {"pgsql"}, {"mysql"},
                                   {"socks"}, {"sip"}};

/// Built once; the policies that are loaded with it refer to its rows.
inline const Vocabulary& vocabulary() {
  static const Vocabulary* const words = [] {
    auto* made = new Vocabulary;
    made->add_apps(kApps);
    made->add_fields(core_fields());
    made->add_fields(kProtocolRows);
    for (const FieldRow& row : kProtocolRows)
      if (const auto app = made->app(row.name.substr(0, row.name.find('.')))) made->add_owner(row.id, *app);
    return made;
  }();
  return *words;
}

}  // namespace weir::kit
