// SPDX-License-Identifier: Apache-2.0
#include "cli/convo/payloads.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "cli/convo/frame_writer.h"

namespace weir::cli {
namespace {

struct NamedNumber {
  std::string_view name;
  std::uint16_t number;
};

// IANA, "Domain Name System (DNS) Parameters".
constexpr NamedNumber kDnsTypes[] = {{"A", 1},      {"NS", 2},    {"CNAME", 5},  {"SOA", 6},    {"NULL", 10},
                                     {"PTR", 12},   {"MX", 15},   {"TXT", 16},   {"AAAA", 28},  {"SRV", 33},
                                     {"NAPTR", 35}, {"SVCB", 64}, {"HTTPS", 65}, {"AXFR", 252}, {"ANY", 255}};
constexpr NamedNumber kDnsResults[] = {{"NOERROR", 0},  {"FORMERR", 1}, {"SERVFAIL", 2},
                                       {"NXDOMAIN", 3}, {"NOTIMP", 4},  {"REFUSED", 5}};

std::optional<std::uint16_t> number_of(std::span<const NamedNumber> names, std::string_view name) {
  for (const NamedNumber& n : names)
    if (n.name == name) return n.number;
  return std::nullopt;
}

std::string bytes_of(const Ip& ip) {
  const std::size_t skip = ip.is_v4() ? 12 : 0;
  return {reinterpret_cast<const char*>(ip.bytes.data()) + skip, 16 - skip};
}

std::string dns_header(std::uint16_t id, std::uint16_t flags, std::size_t answers) {
  return be(id, 2) + be(flags, 2) + be(1, 2) + be(answers, 2) + be(0, 4);
}

std::optional<std::string> record_of(std::uint16_t type, std::string_view text) {
  if (type == 1 || type == 28) {
    const auto ip = parse_ip(text);
    if (!ip || ip->is_v4() != (type == 1)) return std::nullopt;
    return bytes_of(*ip);
  }
  if (type == 16) {
    std::string out;
    for (std::size_t at = 0; at == 0 || at < text.size(); at += 255) out += sized(text.substr(at, 255), 1);
    return out;
  }
  if (type == 15) return be(10, 2) + dns_name(text);
  if (type == 2 || type == 5 || type == 12) return dns_name(text);
  return std::string(text);
}

std::string extension(std::uint16_t type, std::string_view body) { return be(type, 2) + sized(body, 2); }

/// BER: identifier, length, contents (X.690 8.1). Nothing here needs more than two bytes of length.
std::string ber(std::uint8_t tag, std::string_view contents) {
  const std::string length = contents.size() < 128 ? be(contents.size(), 1) : be(0x82, 1) + be(contents.size(), 2);
  return be(tag, 1) + length + std::string(contents);
}

std::optional<std::string> object_identifier(std::string_view text) {
  std::vector<std::uint64_t> arcs;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const auto arc = parse_number(text.substr(0, dot));
    if (!arc || *arc > 0xffffffff) return std::nullopt;
    arcs.push_back(*arc);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  if (arcs.size() < 2 || arcs[0] > 2 || arcs[1] > 39) return std::nullopt;
  std::string out = be(arcs[0] * 40 + arcs[1], 1);
  for (std::size_t i = 2; i < arcs.size(); ++i) {
    std::string digits(1, static_cast<char>(arcs[i] & 0x7f));
    for (std::uint64_t rest = arcs[i] >> 7; rest != 0; rest >>= 7)
      digits.insert(digits.begin(), static_cast<char>(0x80 | (rest & 0x7f)));
    out += digits;
  }
  return out;
}

}  // namespace

std::string dns_name(std::string_view name) {
  std::string out;
  while (!name.empty() && name != ".") {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out += sized(name.substr(0, std::min<std::size_t>(dot, 63)), 1);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + '\0';
}

std::optional<std::uint16_t> dns_type(std::string_view text) {
  if (const auto known = number_of(kDnsTypes, text)) return known;
  if (!text.starts_with("TYPE")) return std::nullopt;  // RFC 3597 5
  const auto number = parse_number(text.substr(4));
  if (!number || *number > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::string dns_query(std::uint16_t id, std::uint16_t type, std::string_view name) {
  return dns_header(id, 0x0100, 0) + dns_name(name) + be(type, 2) + be(1, 2);
}

std::optional<std::string> dns_answer(std::uint16_t id, std::uint16_t type, std::string_view name,
                                      std::span<const std::string> answers) {
  std::string records;
  std::uint16_t result = 0;
  std::size_t count = 0;
  for (const std::string& text : answers) {
    if (const auto word = number_of(kDnsResults, text)) {
      result = *word;
      continue;
    }
    // An address in the answer to another question comes with its own type, as behind a CNAME.
    const auto ip = parse_ip(text);
    const std::uint16_t own = ip && type != 16 && type != 1 && type != 28 ? (ip->is_v4() ? 1 : 28) : type;
    const auto record = record_of(own, text);
    if (!record) return std::nullopt;
    records += be(0xc00c, 2) + be(own, 2) + be(1, 2) + be(300, 4) + sized(*record, 2);
    ++count;
  }
  return dns_header(id, static_cast<std::uint16_t>(0x8180 | result), count) + dns_name(name) + be(type, 2) + be(1, 2) + records;
}

std::string nbns_query(std::uint16_t id, std::string_view name) {
  std::string padded(name.substr(0, 15));
  for (char& c : padded)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  padded.resize(15, ' ');
  padded += '\0';  // The workstation service.
  std::string encoded;
  for (const char c : padded) {
    encoded += static_cast<char>('A' + (static_cast<std::uint8_t>(c) >> 4));
    encoded += static_cast<char>('A' + (static_cast<std::uint8_t>(c) & 15));
  }
  return dns_header(id, 0x0110, 0) + sized(encoded, 1) + '\0' + be(32, 2) + be(1, 2);
}

std::string http_request(std::string_view method, std::string_view target, std::string_view host) {
  std::string out = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  if (!host.empty()) out += "Host: " + std::string(host) + "\r\n";
  return out + "User-Agent: weir-convo\r\nAccept: */*\r\n\r\n";
}

std::string http_answer(unsigned status, std::string_view body) {
  const std::string_view reason = status == 200   ? "OK"
                                  : status == 404 ? "Not Found"
                                  : status == 302 ? "Found"
                                  : status == 101 ? "Switching Protocols"
                                                  : "Status";
  std::string out = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason) + "\r\n";
  if (status >= 200) out += "Content-Length: " + std::to_string(body.size()) + "\r\nContent-Type: text/plain\r\n";
  return out + "\r\n" + std::string(body);
}

std::string tls_client_hello(std::string_view server_name, std::string_view alpn) {
  std::string extensions;
  if (!server_name.empty()) extensions += extension(0, sized(be(0, 1) + sized(server_name, 2), 2));
  extensions += extension(10, sized(be(0x001d0017, 4), 2));                  // supported groups: x25519, secp256r1
  extensions += extension(13, sized(be(0x040308040401, 6), 2));              // signature algorithms
  if (!alpn.empty()) extensions += extension(16, sized(sized(alpn, 1), 2));
  extensions += extension(43, sized(be(0x03040303, 4), 1));                  // supported versions: 1.3, 1.2
  extensions += extension(51, sized(be(0x001d, 2) + sized(std::string(32, '\x42'), 2), 2));
  const std::string random(32, '\x17'), session(32, '\x2a');
  const std::string ciphers = be(0x13011302, 4) + be(0xc02bc02f, 4);
  const std::string hello =
      be(0x0303, 2) + random + sized(session, 1) + sized(ciphers, 2) + sized(be(0, 1), 1) + sized(extensions, 2);
  return be(22, 1) + be(0x0301, 2) + sized(be(1, 1) + sized(hello, 3), 2);
}

std::string tls_server_hello(std::uint16_t version) {
  const std::string random(32, '\x29');
  const std::string hello = be(version, 2) + random + sized("", 1) + be(0x002f, 2) + be(0, 1);
  return be(22, 1) + be(version, 2) + sized(be(2, 1) + sized(hello, 3), 2);
}

std::optional<std::string> snmp_message(std::string_view kind, std::string_view version, std::string_view community,
                                        std::string_view object) {
  constexpr NamedNumber kKinds[] = {{"get", 0xa0}, {"getnext", 0xa1}, {"set", 0xa3}, {"getbulk", 0xa5}, {"response", 0xa2}};
  const auto tag = number_of(kKinds, kind);
  const auto oid = object_identifier(object);
  if (!tag || !oid) return std::nullopt;
  const std::string zero(1, '\0'), three(1, '\x03');
  const std::string second = *tag == 0xa5 ? std::string(1, '\x32') : zero;  // max-repetitions 50, else error-index
  const std::string value = *tag == 0xa3 ? ber(0x04, "weir") : ber(0x05, "");
  const std::string binding = ber(0x30, ber(0x06, *oid) + value);
  const std::string pdu =
      ber(static_cast<std::uint8_t>(*tag), ber(0x02, "\x11\x22") + ber(0x02, zero) + ber(0x02, second) + ber(0x30, binding));
  if (version != "3")
    return ber(0x30, ber(0x02, std::string(1, version == "1" ? '\0' : '\x01')) + ber(0x04, community) + pdu);
  // RFC 3412 6, RFC 3414 2.4: authenticated and encrypted, so that the community's place holds the user's name.
  const std::string head = ber(0x30, ber(0x02, "\x11\x22") + ber(0x02, std::string("\x05\xdc", 2)) + ber(0x04, std::string(1, '\x07')) + ber(0x02, three));
  const std::string usm = ber(0x30, ber(0x04, std::string("\x80\x00\x1f\x88\x04weir", 9)) + ber(0x02, zero) + ber(0x02, zero) +
                                        ber(0x04, community) + ber(0x04, std::string(12, '\x3c')) + ber(0x04, std::string(8, '\x5d')));
  return ber(0x30, ber(0x02, three) + head + ber(0x04, usm) + ber(0x04, std::string(40, '\x9e')));
}

std::optional<std::string> dhcpv6_message(std::string_view kind) {
  constexpr NamedNumber kKinds[] = {{"solicit", 1}, {"advertise", 2}, {"request", 3},      {"confirm", 4},     {"renew", 5},
                                    {"rebind", 6},  {"reply", 7},     {"release", 8},      {"decline", 9},     {"reconfigure", 10},
                                    {"information-request", 11}};
  const auto type = number_of(kKinds, kind);
  if (!type) return std::nullopt;
  const std::string client = be(1, 2) + sized(be(0x00030001, 4) + std::string("\x02\x00\x00\x00\x00\x05", 6), 2);
  const std::string server = be(2, 2) + sized(be(0x00030001, 4) + std::string("\x02\x00\x00\x00\x00\x01", 6), 2);
  const bool answers = *type == 2 || *type == 7 || *type == 10;
  return be(*type, 1) + be(0x776569, 3) + client + (answers ? server : "") + be(8, 2) + sized(be(0, 2), 2);
}

std::optional<std::string> dhcp_message(std::string_view kind, const Mac& client, const Ip& given, const Ip& server) {
  constexpr NamedNumber kKinds[] = {{"discover", 1}, {"offer", 2}, {"request", 3}, {"decline", 4},
                                    {"ack", 5},      {"nak", 6},   {"release", 7}, {"inform", 8}};
  const auto type = number_of(kKinds, kind);
  if (!type) return std::nullopt;
  const bool answers = *type == 2 || *type == 5 || *type == 6;
  std::string out = be(answers ? 2 : 1, 1) + be(1, 1) + be(6, 1) + be(0, 1) + be(0x57656972, 4) + be(0, 4) + be(0, 4);
  out += (answers ? bytes_of(given) : be(0, 4)) + (answers ? bytes_of(server) : be(0, 4)) + be(0, 4);
  out += std::string(reinterpret_cast<const char*>(client.bytes.data()), 6) + std::string(10 + 64 + 128, '\0');
  out += be(0x63825363, 4) + be(53, 1) + sized(be(*type, 1), 1);
  if (answers)
    out += be(54, 1) + sized(bytes_of(server), 1) + be(51, 1) + sized(be(3600, 4), 1) + be(1, 1) + sized(be(0xffffff00, 4), 1);
  else if (*type == 3) out += be(50, 1) + sized(bytes_of(given), 1);
  return out + be(255, 1);
}

std::string tftp_request(bool write, std::string_view file) {
  return be(write ? 2 : 1, 2) + std::string(file) + '\0' + "octet" + '\0';
}

}  // namespace weir::cli
