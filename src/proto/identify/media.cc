// SPDX-License-Identifier: Apache-2.0
// Calls, streams, and how they find their way.

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/rows.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

/// RFC 8489, 5: two bits of nought, a length in words of four, the magic cookie.
/// RFC 3489, 11.1: what came before the cookie has sixteen free bytes there, but only bindings (and shared secrets), and attributes
/// of its own that fill the message.
bool classic_stun(Bytes b) {
  if (b.size() < 20 || b[0] > 1 || (b[1] != 1 && b[1] != 2 && b[1] != 0x11 && b[1] != 0x12) || (b[0] == 0 && b[1] > 2) || load_be16(&b[2]) + 20U != b.size()) return false;
  std::size_t at = 20;
  while (at + 4 <= b.size()) {
    const std::uint16_t type = load_be16(&b[at]), size = load_be16(&b[at + 2]);
    if (type == 0 || (type > 0x000b && type < 0x8000 && type != 0x0020 && type != 0x0024 && type != 0x0025)) return false;
    at += 4U + (size + 3U) / 4 * 4;
  }
  return at == b.size();
}
bool stun_datagram(Bytes b) {
  if (b.size() < 20 || b[0] > 0x3f) return false;
  if (load_be32(&b[4]) != 0x2112A442) return classic_stun(b);
  return Probe(b).byte(0, 0, 0x3f).be16(2, static_cast<std::uint32_t>(b.size()) - 20).holds();
}
Match stun_stream(Bytes b) {
  Probe probe(b);
  probe.byte(0, 0, 0x3f).be16(2, 0, 2048).be32(4, 0x2112A442).least(20);
  if (b.size() > 3) probe.that(b[3] % 4 == 0);
  return probe.match();
}

constexpr std::string_view kSipMethods[] = {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO", "REFER", "MESSAGE", "UPDATE"};
/// RFC 3261, 7: a method and a sip, sips or tel URI, or a status line.
Match sip_start(Bytes b) {
  Match best = Probe(b).text(0, "SIP/2.0 ").byte(8, '1', '6').match();
  for (std::string_view method : kSipMethods) {
    if (!b.empty() && b[0] != static_cast<std::uint8_t>(method[0])) continue;
    const Probe word = Probe(b).text(0, method).byte(method.size(), ' ');
    if (word.failed()) continue;
    if (word.match() == Match::Maybe) {
      best = std::max(best, Match::Maybe);
      continue;
    }
    best = std::max(best, begins(b.subspan(method.size() + 1), {"sip:", "sips:", "tel:"}));
  }
  return best;
}

/// RFC 3550, 6.1: a compound that begins with a report and whose lengths cover the datagram.
bool rtcp_datagram(Bytes b) {
  if (b.size() < 8 || (b[1] != 200 && b[1] != 201)) return false;
  std::size_t at = 0;
  while (at + 4 <= b.size()) {
    if (b[at] >> 6 != 2 || b[at + 1] < 192 || b[at + 1] > 213) return false;
    at += 4 * (std::size_t{load_be16(&b[at + 2])} + 1);
  }
  return at == b.size();
}

bool ssdp_datagram(Bytes b) {
  const std::string_view text = as_text(b);
  if (text.starts_with("M-SEARCH * HTTP/1.1\r\n") || text.starts_with("NOTIFY * HTTP/1.1\r\n")) return true;
  if (!text.starts_with("HTTP/1.1 200 OK\r\n")) return false;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
    if (starts_nocase(text.substr(at + 1), "st:") || starts_nocase(text.substr(at + 1), "usn:")) return true;
  return false;
}

bool natpmp_request(Bytes b) {
  if (b.size() == 2) return b[0] == 0 && b[1] == 0;
  return b.size() == 12 && Probe(b).byte(0, 0).byte(1, 1, 2).zero(2, 2).holds();
}
bool natpmp_response(Bytes b) {
  if (b.size() != 12 && b.size() != 16 && b.size() != 8) return false;
  return Probe(b).byte(0, 0).byte(1, 128, 130).be16(2, 0, 5).holds() && (b[1] == 128 ? b.size() != 16 : b.size() != 12);
}
bool pcp_datagram(Bytes b) {
  if (b.size() < 24 || b.size() > 1100 || b.size() % 4 != 0 || b[0] != 2 || b[2] != 0) return false;
  const std::uint8_t opcode = b[1] & 0x7f;
  const std::size_t least = opcode == 0 ? 24 : opcode == 1 ? 60 : opcode == 2 ? 80 : 0;
  if (least == 0 || b.size() < least) return false;
  if ((b[1] & 0x80) != 0) return b[3] <= 13 && Probe(b).zero(12, 12).holds();
  return b[3] == 0 && (Probe(b).zero(8, 10).be16(18, 0xffff).holds() || b[8] >> 5 == 1 || b[8] >> 1 == 0x7e || b[8] == 0xfe);
}

constexpr std::string_view kMgcpVerbs[] = {"EPCF ", "CRCX ", "MDCX ", "DLCX ", "RQNT ", "NTFY ", "AUEP ", "AUCX ", "RSIP "};
bool mgcp_datagram(Bytes b) {
  if (b.size() < 8 || b[4] != ' ' || b[0] < 'A' || b[0] > 'R') return false;
  const std::string_view line = first_line(b);
  for (std::string_view verb : kMgcpVerbs)
    if (line.starts_with(verb)) {
      const std::size_t version = line.find(" MGCP ");
      return line.size() > 5 && is_digit(line[5]) && version != std::string_view::npos && version + 6 < line.size() && (line[version + 6] == '0' || line[version + 6] == '1');
    }
  return false;
}

}  // namespace

/// Two bytes of which the second must not be RTCP's (RFC 5761, 4).
bool is_rtp(Bytes b) {
  if (b.size() < 13 || b[0] >> 6 != 2) return false;
  const std::uint8_t type = b[1] & 0x7f;
  return (type <= 34 || type >= 96) && load_be32(&b[8]) != 0 && b.size() >= 12U + 4 * (b[0] & 15);
}

bool rtp_follows(Bytes before, Bytes b) {
  if (before.size() < 12 || before[0] >> 6 != 2 || !is_rtp(b) || load_be32(&before[8]) != load_be32(&b[8])) return false;
  const auto step = static_cast<std::uint16_t>(load_be16(&b[2]) - load_be16(&before[2]));
  return step >= 1 && step <= 8 && ((before[1] ^ b[1]) & 0x7f) == 0 && load_be32(&b[4]) - load_be32(&before[4]) < 1'000'000;
}

Match stun(const Evidence& evidence) { return evidence.is_udp() ? datagrams(evidence, stun_datagram) : sides(evidence, stun_stream, stun_stream); }
bool stun_is_answer(Bytes b) { return stun_datagram(b) && (b[0] & 1) != 0; }

Match sip(const Evidence& evidence) {
  if (evidence.is_udp()) return datagrams(evidence, [](Bytes b) { return sip_start(b) == Match::Yes; });
  return sides(evidence, sip_start, sip_start);
}
bool sip_is_answer(Bytes b) { return as_text(b).starts_with("SIP/2.0 "); }

// One datagram is too little: a source's packets must follow each other, or both sides must send the same payload type under sources of
// their own.
Match rtp(const Evidence& evidence) {
  const Bytes a = evidence.client, b = evidence.server;
  if (is_rtp(evidence.before) && (rtp_follows(evidence.before, a) || rtp_follows(evidence.before, b))) return Match::Yes;
  if ((!a.empty() && !is_rtp(a)) || (!b.empty() && !is_rtp(b))) return Match::No;
  if (a.empty() || b.empty()) return Match::Maybe;
  return (a[1] & 0x7f) == (b[1] & 0x7f) && load_be32(&a[8]) != load_be32(&b[8]) ? Match::Yes : Match::No;
}
Match rtcp(const Evidence& evidence) { return datagrams(evidence, rtcp_datagram); }

// RFC 7826 and RFC 2326: requests name an rtsp URI.
Match rtsp(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        return begins(b, {"OPTIONS rtsp://", "DESCRIBE rtsp://", "SETUP rtsp://", "PLAY rtsp://", "ANNOUNCE rtsp://", "OPTIONS * RTSP/", "GET_PARAMETER rtsp://", "TEARDOWN rtsp://"});
      },
      [](Bytes b) { return begins(b, {"RTSP/1.0 ", "RTSP/2.0 "}); });
}

// Adobe's RTMP 1.0, 5.2: version 3, a time, four of nought, 1528 random bytes; the server answers with the same version.
Match rtmp(const Evidence& evidence) {
  return both_sides(evidence, [](Bytes b) { return Probe(b).byte(0, 3).zero(5, 4).least(1000).match(); }, [](Bytes b) { return Probe(b).byte(0, 3).least(9).match(); });
}

Match ssdp(const Evidence& evidence) { return datagrams(evidence, ssdp_datagram); }
bool ssdp_is_answer(Bytes b) { return as_text(b).starts_with("HTTP/1.1 200 OK\r\n"); }

// RFC 6886, 3: a request is short, so off the registered port the answer must confirm it.
Match natpmp(const Evidence& evidence) {
  const Bytes a = evidence.client, b = evidence.server;
  if ((!a.empty() && !natpmp_request(a)) || (!b.empty() && !natpmp_response(b))) return Match::No;
  if (a.empty() && b.empty()) return Match::Maybe;
  if (evidence.server_port == 5351 || (!a.empty() && !b.empty() && (a[1] | 0x80) == b[1])) return Match::Yes;
  return a.empty() || b.empty() ? Match::Maybe : Match::No;
}
bool natpmp_is_answer(Bytes b) { return natpmp_response(b); }

// RFC 6887, 7.
Match pcp(const Evidence& evidence) { return datagrams(evidence, pcp_datagram); }
bool pcp_is_answer(Bytes b) { return pcp_datagram(b) && (b[1] & 0x80) != 0; }

// RFC 3435, 3.2.
Match mgcp(const Evidence& evidence) {
  const Bytes first = evidence.client.empty() ? evidence.server : evidence.client;
  return first.empty() ? Match::Maybe : mgcp_datagram(first) ? Match::Yes : Match::No;
}

// ITU-T H.225.0 call signalling: TPKT, then Q.931 with a call reference of two bytes; the message is SETUP or one of its answers.
// Over UDP its registration and admission (H.225.0, RAS): behind the message's kind and number its own object identifier, 0.0.8.2250.0.
Match h323(const Evidence& evidence) {
  if (evidence.is_udp())
    return datagrams(evidence, [](Bytes b) { return b.size() >= 12 && (b[0] & 0x80) == 0 && Probe(b).text(4, "\x06\0\x08\x91\x4a\0"sv).byte(10, 1, 7).holds(); });
  constexpr auto signalling = [](Bytes b) {
    Probe probe(b);
    probe.byte(0, 3).byte(1, 0).be16(2, 20, 4096).byte(4, 8).byte(5, 2).least(9);
    if (b.size() > 8) probe.that(b[8] == 1 || b[8] == 2 || b[8] == 3 || b[8] == 5 || b[8] == 7 || b[8] == 0x5a);
    return probe.match();
  };
  return sides(evidence, signalling, signalling);
}

}  // namespace weir::proto::identify
