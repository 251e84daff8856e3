// SPDX-License-Identifier: Apache-2.0
// Directories, file services, accounting, version control, chat.

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/rows.h"

namespace weir::proto::identify {
namespace {

/// RFC 4511, 4.1.1: a sequence, a message id, and an operation of that side. The operation must begin as its kind does.
Match ldap_message(Bytes b, bool client) {
  Reader in(b);
  if (b.empty()) return Match::Maybe;
  if (in.u8() != 0x30) return Match::No;
  std::size_t length = 0, id = 0;
  const auto open = [&] { return in.at_end() || !in.ok() ? Match::Maybe : Match::No; };
  if (b.size() < 2) return Match::Maybe;
  if (b[1] > 0x84 || b[1] == 0x80) return Match::No;
  if (!ber_length(in, length)) return open();
  if (in.at_end()) return Match::Maybe;
  if (length < 5 || in.u8() != 2) return Match::No;
  if (in.at_end()) return Match::Maybe;
  if (in.peek() < 1 || in.peek() > 4) return Match::No;
  id = in.u8();
  if (in.left() <= id) return Match::Maybe;
  in.skip(id);
  const std::uint8_t op = in.u8();
  constexpr std::string_view kRequests = "\x60\x42\x63\x66\x68\x4a\x6c\x6e\x50\x77", kAnswers = "\x61\x64\x65\x73\x67\x69\x6b\x6d\x6f\x78\x79";
  if ((client ? kRequests : kAnswers).find(static_cast<char>(op)) == std::string_view::npos) return Match::No;
  if (op == 0x42) return in.at_end() ? Match::Maybe : in.u8() == 0 ? Match::Yes : Match::No;
  if (in.at_end()) return Match::Maybe;
  if (in.peek() > 0x84 || in.peek() == 0x80) return Match::No;
  std::size_t body = 0;
  if (!ber_length(in, body)) return open();
  if (body > length) return Match::No;
  if (op == 0x4a || op == 0x50) return Match::Maybe;  // A bare name or number.
  if (in.at_end()) return Match::Maybe;
  const std::uint8_t first = in.u8();
  switch (op) {
    case 0x60: return first != 2 ? Match::No : in.left() < 2 ? Match::Maybe : in.u8() == 1 && in.peek() >= 2 && in.peek() <= 3 ? Match::Yes : Match::No;  // version
    case 0x77: return first == 0x80 ? Match::Yes : Match::No;                 // name of the extension
    case 0x64: case 0x63: case 0x66: case 0x68: case 0x6c: case 0x6e: case 0x73: return first == 4 ? Match::Yes : Match::No;
    default: return first == 0x0a ? Match::Yes : Match::No;                   // result code
  }
}
Match ldap_request(Bytes b) { return ldap_message(b, true); }
Match ldap_answer(Bytes b) { return ldap_message(b, false); }

/// RFC 4120, 5: application tag, sequence, version 5, then the message type, which the tag repeats.
bool krb5_message(Bytes b) {
  Reader in(b);
  const std::uint8_t tag = in.u8();
  std::size_t length = 0;
  if (!ber_length(in, length) || in.u8() != 0x30 || !ber_length(in, length)) return false;
  const std::uint8_t type = tag & 0x1f;
  const bool request = tag == 0x6a || tag == 0x6c;
  if (!request && tag != 0x6b && tag != 0x6d && tag != 0x7e && tag != 0x6e && tag != 0x6f) return false;
  for (const std::uint8_t number : {std::uint8_t{5}, type}) {
    const std::uint8_t context = static_cast<std::uint8_t>((request ? 0xa1 : 0xa0) + (number == type ? 1 : 0));
    if (in.u8() != context || in.u8() != 3 || in.u8() != 2 || in.u8() != 1 || in.u8() != number) return false;
  }
  return in.ok();
}
Match krb5_stream(Bytes b) {
  Probe probe(b);
  probe.be32(0, 20, 1 << 20).byte(4, 0x6a, 0x7e).least(32);
  if (b.size() > 4) probe.that(b[4] <= 0x6f || b[4] == 0x7e);
  if (probe.match() != Match::Yes) return probe.match();
  return krb5_message(b.subspan(4)) ? Match::Yes : Match::No;
}

/// RFC 2865, 3: a code, the length of the datagram (padding is ignored, but we want none), attributes that fill it.
bool radius_datagram(Bytes b) {
  if (b.size() < 20 || b.size() > 4096 || load_be16(&b[2]) != b.size()) return false;
  const std::uint8_t code = b[0];
  if (code == 0 || (code > 5 && code < 11) || (code > 13 && code < 40) || code > 45) return false;
  std::size_t at = 20, attributes = 0;
  for (; at + 2 <= b.size(); ++attributes) {
    if (b[at] == 0 || b[at + 1] < 2) return false;
    at += b[at + 1];
  }
  return at == b.size() && (attributes != 0 || code == 2 || code == 3 || code == 5);
}

/// RFC 5531, 9: xid, CALL, version 2, program, version, procedure.
struct Call {
  Match match = Match::No;
  std::uint32_t program = 0;
};
Call rpc_call(Bytes b) {
  Probe probe(b);
  probe.be32(4, 0).be32(8, 2).be32(12, 100000, 400122).be32(16, 0, 6).be32(20, 0, 64).be32(24, 0, 6).be32(28, 0, 400);
  return {probe.match(), probe.be32_at(12)};
}
bool is_nfs(std::uint32_t program) { return program == 100003 || program == 100005 || program == 100021 || program == 100227; }
Match rpc(const Evidence& evidence, bool nfs) {
  const bool udp = evidence.is_udp();
  Bytes client = evidence.client;
  Match framed = Match::Yes;
  if (!udp) {  // Record marking: last fragment and its length (RFC 5531, 11).
    framed = Probe(client).byte(0, 0x80).be24(1, 40, 1 << 20).match();
    client = client.subspan(std::min<std::size_t>(4, client.size()));
  }
  if (client.empty()) return framed == Match::No ? Match::No : Match::Maybe;
  const Call call = rpc_call(client);
  if (framed == Match::No || call.match == Match::No) return Match::No;
  if (call.match == Match::Maybe) {
    if (udp) return Match::No;
    return client.size() >= 16 && is_nfs(call.program) != nfs ? Match::No : Match::Maybe;
  }
  return is_nfs(call.program) == nfs ? Match::Yes : Match::No;
}

bool nbdgm_datagram(Bytes b) {
  // RFC 1002, 4.4: type, flags, id, address, port, then length and offset and two encoded names.
  return Probe(b).byte(0, 0x10, 0x12).byte(1, 0, 0x0f).be16(8, 138).be16(12, 0).byte(14, 32).byte(15, 'A', 'P').byte(16, 'A', 'P').byte(46, 'A', 'P').least(82).holds();
}

/// RFC 5424, 6 and RFC 3164, 4.1: a priority up to 191, then a version or a time stamp.
bool syslog_datagram(Bytes b) {
  const std::string_view text = as_text(b);
  if (!text.starts_with('<')) return false;
  const std::size_t end = text.substr(0, 5).find('>');
  const auto priority = end == std::string_view::npos || end < 2 ? std::nullopt : parse_number(text.substr(1, end - 1));
  if (!priority || *priority > 191) return false;
  const std::string_view rest = text.substr(end + 1);
  if (rest.size() < 16) return false;
  if (rest.starts_with("1 ") && (rest[2] == '-' || is_digit(rest[2]))) return true;
  for (std::string_view month : {"Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "})
    if (rest.starts_with(month)) return (rest[4] == ' ' || is_digit(rest[4])) && is_digit(rest[5]) && rest[9] == ':';
  return false;
}

}  // namespace

Match ldap(const Evidence& evidence) {
  if (!evidence.is_udp()) return sides(evidence, ldap_request, ldap_answer);
  return datagrams(evidence, [](Bytes b) { return ldap_request(b) == Match::Yes || ldap_answer(b) == Match::Yes; });
}
bool ldap_is_answer(Bytes b) { return ldap_answer(b) == Match::Yes; }

Match krb5(const Evidence& evidence) { return evidence.is_udp() ? datagrams(evidence, krb5_message) : sides(evidence, krb5_stream, krb5_stream); }
bool krb5_is_answer(Bytes b) { return !b.empty() && (b[0] == 0x6b || b[0] == 0x6d || b[0] == 0x7e) && krb5_message(b); }

Match radius(const Evidence& evidence) { return datagrams(evidence, radius_datagram); }
bool radius_is_answer(Bytes b) { return radius_datagram(b) && (b[0] == 2 || b[0] == 3 || b[0] == 5 || b[0] == 11); }

Match nfs(const Evidence& evidence) { return rpc(evidence, true); }
Match sunrpc(const Evidence& evidence) { return rpc(evidence, false); }

Match nbdgm(const Evidence& evidence) { return datagrams(evidence, nbdgm_datagram); }
Match syslog(const Evidence& evidence) { return datagrams(evidence, syslog_datagram); }

// NetWare Core Protocol over TCP: signatures of request and reply.
Match ncp(const Evidence& evidence) {
  return sides(evidence, [](Bytes b) { return Probe(b).text(0, "DmdT").be32(4, 16, 65536).match(); }, [](Bytes b) { return Probe(b).text(0, "tNcP").match(); });
}

// rsync's daemon greets first, the client alike.
Match rsync(const Evidence& evidence) {
  constexpr auto greeting = [](Bytes b) { return Probe(b).text(0, "@RSYNCD: ").byte(9, '0', '9').match(); };
  return sides(evidence, greeting, greeting);
}

// gitprotocol-pack: a packet line of four hexadecimal digits with the service.
Match git(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        for (std::size_t i = 0; i < std::min<std::size_t>(4, b.size()); ++i)
          if (hex_value(static_cast<char>(b[i])) < 0) return Match::No;
        return begins(b.subspan(std::min<std::size_t>(4, b.size())), {"git-upload-pack /", "git-receive-pack /", "git-upload-archive /"});
      },
      any_side);
}

// Subversion's ra_svn: the server greets.
Match svn(const Evidence& evidence) {
  return sides(evidence, [](Bytes b) { return Probe(b).text(0, "( ").failed() ? Match::No : Match::Maybe; }, [](Bytes b) { return Probe(b).text(0, "( success ( ").match(); });
}

// RFC 6120, 4.2: a stream header, perhaps behind an XML declaration.
Match xmpp(const Evidence& evidence) {
  constexpr auto header = [](Bytes b) {
    if (begins(b, {"<?xml ", "<stream:stream"}) == Match::No) return Match::No;
    if (as_text(b).substr(0, 256).find("<stream:stream") != std::string_view::npos) return Match::Yes;
    return b.size() < 256 ? Match::Maybe : Match::No;
  };
  return sides(evidence, header, header);
}

// RFC 6733, 3: version 1, a length in words of four, the request bit, capabilities exchange (257) or watchdog (280).
Match diameter(const Evidence& evidence) {
  constexpr auto message = [](Bytes b) {
    Probe probe(b);
    probe.byte(0, 1).be24(1, 20, 65536).byte(5, 0).byte(6, 1).be32(8, 0).least(20);
    if (b.size() > 3) probe.that(b[3] % 4 == 0);
    if (b.size() > 4) probe.that((b[4] & 0x0f) == 0);
    if (b.size() > 7) probe.that(b[7] == 1 || b[7] == 24);
    return probe.match();
  };
  return sides(evidence, message, message);
}

// RFC 4271, 4.1: a marker of sixteen ones, a length, a type.
Match bgp(const Evidence& evidence) {
  constexpr auto message = [](Bytes b) {
    Probe probe(b);
    for (std::size_t i = 0; i < 16 && !probe.failed(); ++i) probe.byte(i, 0xff);
    return probe.be16(16, 19, 4096).byte(18, 1, 5).match();
  };
  return sides(evidence, message, message);
}

}  // namespace weir::proto::identify
