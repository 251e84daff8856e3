// SPDX-License-Identifier: Apache-2.0
#pragma once

// The facts of DNS and its kin, shared by the rows dns, mdns, llmnr and nbns. One message is one transaction, and all facts of it are
// complete when rules first run over it. Values and their names are those of IANA's "Domain Name System (DNS)
// Parameters"; NetBIOS record types share numbers with others of DNS and therefore count from kNetbiosType.

#include "facts/field.h"

namespace weir::proto::dns {

namespace field {
enum : FieldId {
  kQname = 180, kQtype, kRcode, kOpcode, kAnswer, kCname, kResponse, kBytes, kEdnsBytes, kLabelBytesMax, kDomain, kNbnsName, kNbnsSuffix,
};
}  // namespace field

inline constexpr std::uint32_t kNetbiosType = 0x10000;

// clang-format off
inline constexpr Word kTypes[] = {
    {"A", 1}, {"NS", 2}, {"MD", 3}, {"MF", 4}, {"CNAME", 5}, {"SOA", 6}, {"MB", 7}, {"MG", 8}, {"MR", 9}, {"NULL", 10}, {"WKS", 11},
    {"PTR", 12}, {"HINFO", 13}, {"MINFO", 14}, {"MX", 15}, {"TXT", 16}, {"RP", 17}, {"AFSDB", 18}, {"X25", 19}, {"ISDN", 20}, {"RT", 21},
    {"NSAP", 22}, {"NSAP-PTR", 23}, {"SIG", 24}, {"KEY", 25}, {"PX", 26}, {"GPOS", 27}, {"AAAA", 28}, {"LOC", 29}, {"NXT", 30}, {"EID", 31},
    {"NIMLOC", 32}, {"SRV", 33}, {"ATMA", 34}, {"NAPTR", 35}, {"KX", 36}, {"CERT", 37}, {"A6", 38}, {"DNAME", 39}, {"SINK", 40}, {"OPT", 41},
    {"APL", 42}, {"DS", 43}, {"SSHFP", 44}, {"IPSECKEY", 45}, {"RRSIG", 46}, {"NSEC", 47}, {"DNSKEY", 48}, {"DHCID", 49}, {"NSEC3", 50},
    {"NSEC3PARAM", 51}, {"TLSA", 52}, {"SMIMEA", 53}, {"HIP", 55}, {"NINFO", 56}, {"RKEY", 57}, {"TALINK", 58}, {"CDS", 59}, {"CDNSKEY", 60},
    {"OPENPGPKEY", 61}, {"CSYNC", 62}, {"ZONEMD", 63}, {"SVCB", 64}, {"HTTPS", 65}, {"DSYNC", 66}, {"HHIT", 67}, {"BRID", 68}, {"SPF", 99},
    {"UINFO", 100}, {"UID", 101}, {"GID", 102}, {"UNSPEC", 103}, {"NID", 104}, {"L32", 105}, {"L64", 106}, {"LP", 107}, {"EUI48", 108},
    {"EUI64", 109}, {"NXNAME", 128}, {"TKEY", 249}, {"TSIG", 250}, {"IXFR", 251}, {"AXFR", 252}, {"MAILB", 253}, {"MAILA", 254}, {"ANY", 255},
    {"URI", 256}, {"CAA", 257}, {"AVC", 258}, {"DOA", 259}, {"AMTRELAY", 260}, {"RESINFO", 261}, {"WALLET", 262}, {"CLA", 263}, {"IPN", 264},
    {"TA", 32768}, {"DLV", 32769},
    {"NB", kNetbiosType + 32}, {"NBSTAT", kNetbiosType + 33}};

inline constexpr Word kRcodes[] = {
    {"NOERROR", 0}, {"FORMERR", 1}, {"SERVFAIL", 2}, {"NXDOMAIN", 3}, {"NOTIMP", 4}, {"REFUSED", 5}, {"YXDOMAIN", 6}, {"YXRRSET", 7},
    {"NXRRSET", 8}, {"NOTAUTH", 9}, {"NOTZONE", 10}, {"DSOTYPENI", 11}, {"BADVERS", 16}, {"BADSIG", 16}, {"BADKEY", 17}, {"BADTIME", 18},
    {"BADMODE", 19}, {"BADNAME", 20}, {"BADALG", 21}, {"BADTRUNC", 22}, {"BADCOOKIE", 23}};

// From "registration" on they are NetBIOS's (RFC 1002 4.2.1.1), whose 5 is another than DNS's.
inline constexpr Word kOpcodes[] = {{"query", 0}, {"iquery", 1}, {"status", 2}, {"notify", 4}, {"update", 5}, {"dso", 6},
                                    {"registration", kNetbiosType + 5}, {"release", kNetbiosType + 6}, {"wack", kNetbiosType + 7},
                                    {"refresh", kNetbiosType + 8}, {"refresh", kNetbiosType + 9}, {"multi-homed-registration", kNetbiosType + 15}};

inline constexpr FieldRow kFields[] = {
    {field::kQname, "dns.qname", FieldType::Domain, Scope::Transaction, milestone::kTransaction, true, on::kAll, {}, "Names asked for, lower case; for NBNS the NetBIOS name without its padding and suffix."},
    {field::kQtype, "dns.qtype", FieldType::Number, Scope::Transaction, milestone::kTransaction, true, on::kAll, kTypes, "Types of record asked for: a name (A, TXT, ANY …) or a number."},
    {field::kRcode, "dns.rcode", FieldType::Number, Scope::Transaction, milestone::kTransaction, false, on::kAll, kRcodes, "Result of an answer, with the upper bits that EDNS brings (RFC 6891); absent in requests."},
    {field::kOpcode, "dns.opcode", FieldType::Number, Scope::Transaction, milestone::kTransaction, false, on::kAll, kOpcodes, "Kind of message (RFC 1035 4.1.1, RFC 1002 4.2.1.1)."},
    {field::kAnswer, "dns.answer", FieldType::Address, Scope::Transaction, milestone::kTransaction, true, on::kAll, {}, "Addresses of the A, AAAA and NB records in the answer section."},
    {field::kCname, "dns.cname", FieldType::Domain, Scope::Transaction, milestone::kTransaction, true, on::kAll, {}, "Targets of the CNAME records in the answer section, the whole chain."},
    {field::kResponse, "dns.response", FieldType::Boolean, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "true for an answer, false for a request."},
    {field::kBytes, "dns.bytes", FieldType::Number, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Bytes of the message, without the length in front of it on TCP."},
    {field::kEdnsBytes, "dns.edns_bytes", FieldType::Number, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Bytes of a UDP answer that the sender says it can take (RFC 6891 6.2.3)."},
    {field::kLabelBytesMax, "dns.label_bytes_max", FieldType::Number, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Bytes of the longest label among the names asked for, at most 63."},
    {field::kDomain, "dns.domain", FieldType::Domain, Scope::Transaction, milestone::kTransaction, true, on::kAll, {}, "Registered domains of the names asked for: public suffix and one label."},
    {field::kNbnsName, "nbns.name", FieldType::TextFold, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "NetBIOS name, decoded, without padding (RFC 1001 14.1)."},
    {field::kNbnsSuffix, "nbns.suffix", FieldType::Number, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Sixteenth byte of the NetBIOS name: 0 workstation, 0x1c domain controllers, 0x20 file server."},
};
// clang-format on

}  // namespace weir::proto::dns
