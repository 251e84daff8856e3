// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "proto/dns/name.h"

namespace weir::proto::dns {
namespace {

constexpr std::uint16_t kMdnsPort = 5353, kLlmnrPort = 5355, kNbnsPort = 137;
constexpr std::size_t kQuestionBytesMin = 5, kRecordBytesMin = 11;

// What the beginning of a message shows. Match::Yes: a sane header and first question (or record), which random bytes have
// less than once in 2^40; Maybe: more bytes are needed.
struct Look {
  Match match = Match::No;
  bool response = false, recursion_desired = false;
  bool top_class_bit = false;   // mDNS: "answer me directly", or "these records replace the old"
  bool local_name = false;      // under .local, or a reverse name
  bool netbios = false;         // a NetBIOS name of 32 half-bytes, and a record type that goes with it
};

bool is_known_type(std::uint32_t type) {
  if (type >= 1 && type <= 260) return type <= 68 || type >= 249 || (type >= 99 && type <= 109) || type == 128;
  for (const Word& word : kTypes)
    if (word.value == type) return true;
  return type >= 65280 && type <= 65534;  // Private use (RFC 6895 3.1).
}

bool is_class(std::uint16_t value, bool update) {
  return value == 1 || value == 3 || value == 4 || value == 255 || (update && value == 254);
}

/// RFC 1001 14.1: each half of the sixteen bytes as a letter from A to P.
bool is_netbios_name(Bytes message, std::size_t offset) {
  if (message.size() < offset + 34 || message[offset] != 32) return false;
  for (std::size_t i = 1; i <= 32; ++i)
    if (message[offset + i] < 'A' || message[offset + i] > 'P') return false;
  return true;
}

bool is_local(std::string_view name) { return name.ends_with(".local") || name.ends_with(".arpa") || name == "local"; }

// QR, opcode, Z and rcode as far as they can be seen. `netbios`: on its port, where there are more opcodes.
bool is_flags_plausible(std::uint16_t flags, bool netbios) {
  const unsigned opcode = flags >> 11 & 15U, rcode = flags & 15U;
  const bool response = (flags & 0x8000U) != 0;
  if ((flags & 0x0040U) != 0) return false;  // Z must be zero (RFC 1035 4.1.1, RFC 6895 2.1).
  if (!response && rcode != 0) return false;
  if (rcode > 11) return false;
  if (netbios) return opcode == 0 || (opcode >= 5 && opcode <= 9) || opcode == 15;
  return opcode <= 2 || opcode == 4 || opcode == 5;
}

void look_at_body(Bytes message, const Header& h, bool cut, bool multicast_port, bool netbios_port, Look& look) {
  const Match unfinished = cut ? Match::Maybe : Match::No;
  char text[kNameTextMax];
  Name name;
  const NameStatus status = read_name(message, kHeaderBytes, text, name);
  if (status == NameStatus::Cut) {
    look.match = unfinished;
    return;
  }
  std::size_t offset = name.next;
  const bool bad = status == NameStatus::Bad;
  // A name that loops is an attack on whoever reads it: still DNS if all around it is.
  if (bad && skip_name(message, offset = kHeaderBytes) != NameStatus::Good) return;
  Reader in(message);
  in.seek(offset);
  const std::uint16_t type = in.be16();
  std::uint16_t klass = in.be16();
  std::uint16_t record_bytes = 0;
  if (h.questions == 0) {
    in.be32();
    record_bytes = in.be16();
  }
  if (!in.ok()) {
    look.match = unfinished;
    return;
  }
  if (record_bytes > in.left() && !cut) return;
  if (multicast_port && (klass & 0x8000U) != 0) look.top_class_bit = true, klass &= 0x7fff;
  look.local_name = !bad && is_local(name.text);
  // RFC 1002 4.2.1.3; a redirect brings A and NS, a refusal NULL.
  const bool netbios_type = type == 32 || type == 33 || (h.is_response() && (type == 1 || type == 2 || type == 10));
  look.netbios = netbios_type && klass == 1 && is_netbios_name(message, kHeaderBytes);
  if (netbios_port && look.netbios) {
    look.match = Match::Yes;
    return;
  }
  if (!is_class(klass, h.opcode() == 5)) return;
  if (type == 0 || type == 41) return;
  // A type that IANA does not list is taken on the word of a name that reads like a host's, so that nobody leaves the
  // rules for DNS with it.
  if (!is_known_type(type) && (bad || name.labels < 2 || !name.is_host || klass != 1)) return;
  if (bad && (!is_known_type(type) || klass != 1)) return;
  // Requests promise only what fits. (Answers may be cut by whoever sent them.)
  const std::size_t promised = kQuestionBytesMin * (h.questions > 0 ? h.questions - 1U : 0U) +
                               kRecordBytesMin * (std::size_t{h.answers} + h.authorities + h.additionals);
  if (!h.is_response() && !cut && h.questions != 0 && promised > in.left()) return;
  look.match = Match::Yes;
}

// `cut`: the message goes on behind these bytes.
Look look_at(Bytes message, bool cut, bool multicast_port, bool netbios_port) {
  Look look;
  if (message.size() >= 4 && !is_flags_plausible(load_be16(&message[2]), netbios_port)) return look;
  if (message.size() < kHeaderBytes) {
    look.match = cut ? Match::Maybe : Match::No;
    return look;
  }
  const Header h = parse_header(message);
  look.response = h.is_response();
  look.recursion_desired = h.recursion_desired();
  if (h.questions > (multicast_port ? 255 : 16)) return look;
  if (h.questions == 0) {
    // An answer without its question: multicast DNS, NetBIOS, later messages of a transfer; and a refusal of bare 12 bytes.
    // Inverse queries (RFC 1035 6.4, obsolete by RFC 3425) bring one answer and ask for its question.
    if (!h.is_response() && (h.opcode() != 1 || h.answers != 1)) return look;
    if (h.answers == 0) {
      const bool bare = !cut && message.size() == kHeaderBytes && h.authorities == 0 && h.additionals == 0 && h.rcode() != 0 &&
                        (h.flags & 0x0630U) == 0;
      look.match = bare ? Match::Yes : Match::No;
      return look;
    }
  }
  look_at_body(message, h, cut, multicast_port, netbios_port, look);
  return look;
}

bool on_port(const Evidence& e, std::uint16_t port) { return e.client_port == port || e.server_port == port; }

Flavor flavor_of(const Look& look, const Evidence& e) {
  if (e.is_udp() && on_port(e, kNbnsPort) && (look.netbios || e.client_port == e.server_port)) return Flavor::Nbns;
  // Unicast to port 5353 from another port is multicast DNS only if it asks for what multicast DNS knows (RFC 6762 5.5, 6.7).
  if (e.is_udp() && on_port(e, kMdnsPort) &&
      (e.group_destination || (e.client_port == kMdnsPort && e.server_port == kMdnsPort) || look.local_name || look.top_class_bit))
    return Flavor::Mdns;
  // What is "recursion desired" in DNS is a bit that LLMNR requests leave zero (RFC 4795 2.1.1).
  if (on_port(e, kLlmnrPort) && (e.group_destination || look.response || !look.recursion_desired)) return Flavor::Llmnr;
  return Flavor::Dns;
}

Match identify_datagram(const Evidence& e, Flavor flavor) {
  const Bytes bytes = e.client.empty() ? e.server : e.client;
  const Look look = look_at(bytes, bytes.size() >= kEvidenceMax, on_port(e, kMdnsPort), on_port(e, kNbnsPort));
  return look.match == Match::Yes && flavor_of(look, e) == flavor ? Match::Yes : Match::No;
}

/// One side of a stream: its first message.
Match judge_stream(Bytes bytes, bool answers, const Evidence& e, Flavor flavor) {
  if (bytes.size() < 2) return Match::Maybe;
  const std::size_t length = load_be16(bytes.data());
  if (length < kHeaderBytes) return Match::No;
  const Bytes message = bytes.subspan(2, std::min(length, bytes.size() - 2));
  const Look look = look_at(message, message.size() < length, false, false);
  if (look.match == Match::No) return Match::No;
  if (message.size() >= 4 && !e.roles_unsure && answers != ((message[2] & 0x80) != 0)) return Match::No;
  if (look.match == Match::Maybe) return Match::Maybe;
  return flavor_of(look, e) == flavor ? Match::Yes : Match::No;
}

/// The question decides. Bytes of a server that come too early rule out nothing: it would only have to send one to be taken for something else. Where it
/// spoke first all the same, and its answer is whole, that counts: the question went by elsewhere.
Match identify_stream(const Evidence& e, Flavor flavor) {
  const Match question = judge_stream(e.client, false, e, flavor), answer = judge_stream(e.server, true, e, flavor);
  if (e.roles_unsure) {
    if (question == Match::Yes || answer == Match::Yes) return Match::Yes;
    return question == Match::No && answer == Match::No ? Match::No : Match::Maybe;
  }
  const bool server_first = e.server_first || e.client.empty();
  if (!server_first || e.server.empty() || question == Match::Yes) return question;
  return answer != Match::No ? answer : question;
}

}  // namespace

Header parse_header(Bytes message) {
  return {.id = load_be16(&message[0]), .flags = load_be16(&message[2]), .questions = load_be16(&message[4]),
          .answers = load_be16(&message[6]), .authorities = load_be16(&message[8]), .additionals = load_be16(&message[10])};
}

Match identify_dns(const Evidence& e) { return e.is_udp() ? identify_datagram(e, Flavor::Dns) : identify_stream(e, Flavor::Dns); }
Match identify_mdns(const Evidence& e) { return e.is_udp() ? identify_datagram(e, Flavor::Mdns) : Match::No; }
Match identify_llmnr(const Evidence& e) {
  if (!on_port(e, kLlmnrPort)) return Match::No;
  return e.is_udp() ? identify_datagram(e, Flavor::Llmnr) : identify_stream(e, Flavor::Llmnr);
}
Match identify_nbns(const Evidence& e) {
  return e.is_udp() && on_port(e, kNbnsPort) ? identify_datagram(e, Flavor::Nbns) : Match::No;
}

std::string_view use_of(const Evidence& e) {
  const Bytes bytes = e.client.empty() ? e.server : e.client;
  // The first label is the version, "2" (DNSCrypt 5); resolvers of Avast are asked with another second label.
  if (bytes.size() < kHeaderBytes + 17 || bytes[kHeaderBytes] != 1 || bytes[kHeaderBytes + 1] != '2') return {};
  const std::string_view rest = as_text(bytes.subspan(kHeaderBytes + 2));
  if (starts_nocase(rest, "\x0d" "dnscrypt-cert")) return "dnscrypt";
  return starts_nocase(rest, "\x09" "securedns\x05" "avast\x03" "com") ? "avastsecuredns" : std::string_view{};
}

// DNSCrypt 2: a query has the client's magic (of the certificate), a key and half a nonce, and is padded to 256 bytes at least; the answer
// has the resolver's magic and repeats that half (bytes 40 to 51 of the query, 8 to 19 of the answer).
Match identify_dnscrypt(const Evidence& e) {
  constexpr std::string_view kResolverMagic = "r6fnvWj8";
  // Encrypted bytes are as often above 127 as not; padding makes the whole a multiple of 64.
  const auto may_ask = [](Bytes b) {
    return b.size() >= 256 && b.size() % 64 == 0 && std::abs(std::count_if(b.begin(), b.begin() + 64, [](std::uint8_t c) { return c > 127; }) - 32) <= 16;
  };
  if (!e.server.empty() && as_text(e.server).starts_with(kResolverMagic)) {
    if (e.server.size() < 48) return Match::No;
    if (e.client.size() < 52) return e.client.empty() ? Match::Yes : Match::No;
    return std::equal(e.server.begin() + 8, e.server.begin() + 20, e.client.begin() + 40) ? Match::Yes : Match::No;
  }
  if (e.client.empty()) return Match::No;
  if (as_text(e.client).starts_with(kResolverMagic)) return e.server.empty() && e.client.size() >= 48 ? Match::Yes : Match::No;
  return e.server.empty() && may_ask(e.client) ? Match::Maybe : Match::No;
}

bool is_answer(Bytes datagram) { return datagram.size() >= kHeaderBytes && (datagram[2] & 0x80) != 0; }

}  // namespace weir::proto::dns
