// SPDX-License-Identifier: Apache-2.0
#pragma once

// DNS (RFC 1035) over UDP and TCP, and those that speak its format: multicast DNS (RFC 6762), LLMNR (RFC 4795) and the
// NetBIOS name service (RFC 1002).
//
// dns is recognised on any port by what it says; the other three speak the same format and are told from it by their port
// and by what only they say there (see identify.cc). Each message is one transaction, its key made of the id and the first
// question, so that an answer belongs to a request only if both agree.
//
//   message   header (id, flags, four counts: 12 bytes), questions, answers, authority, additional
//   question  name, type 2, class 2
//   record    name, type 2, class 2, ttl 4, length 2, that many bytes
//   TCP       length 2, message; again and again
//
// Of records it reads A, AAAA and CNAME of the answer section, NB likewise, and EDNS's OPT. Bytes behind the last record are
// allowed (they happen); a message that ends inside a record it promised is Truncated. It does not validate DNSSEC, and
// learns no name from mDNS, LLMNR or NBNS answers, which anybody on the link can give. dns.domain comes from a compact
// table of public suffixes (suffixes.h): where it has no row, the last two labels count.

#include "proto/dns/fields.h"
#include "proto/protocol.h"

namespace weir::proto::dns {

enum class Flavor : std::uint8_t { Dns, Mdns, Llmnr, Nbns };

struct Header {
  std::uint16_t id = 0, flags = 0;
  std::uint16_t questions = 0, answers = 0, authorities = 0, additionals = 0;

  bool is_response() const { return (flags & 0x8000U) != 0; }
  unsigned opcode() const { return flags >> 11 & 15U; }
  bool recursion_desired() const { return (flags & 0x0100U) != 0; }
  unsigned rcode() const { return flags & 15U; }
};
/// `message` has at least 12 bytes.
Header parse_header(Bytes message);

/// What is remembered of a flow: where each side's stream stands. Unused on UDP.
struct State {
  std::uint16_t message_bytes[2];  ///< Of the message that has begun …
  bool has_length[2];              ///< … if its length has been read.
};

Match identify_dns(const Evidence&);
Match identify_mdns(const Evidence&);
Match identify_llmnr(const Evidence&);
Match identify_nbns(const Evidence&);
bool is_answer(Bytes datagram);

Progress parse_dns(State&, const Input&, Describer&);
Progress parse_mdns(State&, const Input&, Describer&);
Progress parse_llmnr(State&, const Input&, Describer&);
Progress parse_nbns(State&, const Input&, Describer&);

/// DNSCrypt's answers, which begin with a magic of eight bytes.
Match identify_dnscrypt(const Evidence&);
/// The layer above DNS that a question for a DNSCrypt certificate is.
std::string_view use_of(const Evidence&);

/// REFUSED, with the question and, if the request had EDNS, the reason "Prohibited" (RFC 8914). `request` is a message
/// without TCP's length. 0 if it is no request or does not fit.
std::size_t refuse(Bytes request, std::span<std::uint8_t> out);
/// `address` as the answer to a question for its family (or ANY), TTL 60; no data to every other. 0 as above.
std::size_t sinkhole(Bytes request, const Ip& address, std::span<std::uint8_t> out);

inline constexpr std::uint16_t kDnsPorts[] = {53}, kMdnsPorts[] = {5353}, kLlmnrPorts[] = {5355}, kNbnsPorts[] = {137};

}  // namespace weir::proto::dns

namespace weir::proto {

inline constexpr Protocol kDns = {.name = "dns", .tcp_ports = dns::kDnsPorts, .udp_ports = dns::kDnsPorts, .tcp = true,
                                  .udp = true, .identify = dns::identify_dns, .is_answer = dns::is_answer, .use = dns::use_of,
                                  .fields = dns::kFields, .state_bytes = sizeof(dns::State),
                                  .parse = parse_as<dns::State, dns::parse_dns>,
                                  .teaches = Teaches::Names, .refuse = dns::refuse, .sinkhole = dns::sinkhole};
// No is_answer: what mDNS says to the group is an announcement, whether or not somebody asked (RFC 6762 8.3).
inline constexpr Protocol kMdns = {.name = "mdns", .udp_ports = dns::kMdnsPorts, .udp = true,
                                   .identify = dns::identify_mdns,
                                   .fields = dns::kFields, .state_bytes = sizeof(dns::State),
                                   .parse = parse_as<dns::State, dns::parse_mdns>};
inline constexpr Protocol kLlmnr = {.name = "llmnr", .tcp_ports = dns::kLlmnrPorts, .udp_ports = dns::kLlmnrPorts, .tcp = true,
                                    .udp = true, .identify = dns::identify_llmnr, .is_answer = dns::is_answer,
                                    .fields = dns::kFields, .state_bytes = sizeof(dns::State),
                                    .parse = parse_as<dns::State, dns::parse_llmnr>};
inline constexpr Protocol kNbns = {.name = "nbns", .udp_ports = dns::kNbnsPorts, .udp = true,
                                   .identify = dns::identify_nbns, .is_answer = dns::is_answer,
                                   .fields = dns::kFields, .state_bytes = sizeof(dns::State),
                                   .parse = parse_as<dns::State, dns::parse_nbns>};

// DNSCrypt (version 2, 3 and 5): certificates are asked for in the clear by TXT questions for a provider's name that begins with the
// version, "2.dnscrypt-cert."; those are `dns` with this above it. What follows is encrypted: only a resolver's magic tells, and of
// a server's bytes that magic is fixed. Avast's client asks in the same way for a name of its own.
inline constexpr Protocol kDnscrypt = {.name = "dnscrypt", .udp = true, .identify = dns::identify_dnscrypt, .datagrams_max = 3};
inline constexpr Protocol kAvastSecureDns = {.name = "avastsecuredns", .udp = true};

}  // namespace weir::proto
