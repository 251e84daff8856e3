// SPDX-License-Identifier: Apache-2.0
// Old services of the Internet.

#include "proto/identify/classics.h"

#include <algorithm>

#include "base/text.h"
#include "proto/identify/probe.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

/// A line of printable text that ends, of at most so many bytes; nothing behind it.
Match one_line(Bytes b, std::size_t longest) {
  const Bytes head = b.first(std::min(b.size(), longest + 2));
  const auto end = std::find(head.begin(), head.end(), '\n');
  std::size_t size = static_cast<std::size_t>(end - head.begin());
  if (end != head.end() && size + 1 != b.size()) return Match::No;  // The cheapest question first: most is longer.
  const bool whole = end != head.end();
  if (size != 0 && head[size - 1] == '\r') --size;
  if (size > longest || Probe(b).printable(0, size).failed()) return Match::No;
  return whole ? Match::Yes : Match::Maybe;
}

/// RFC 864: 72 characters that follow each other, and round again after the last one, then an end of line.
Match chargen_line(Bytes b) {
  constexpr std::size_t kLine = 72;
  const std::size_t shown = std::min(b.size(), kLine);
  for (std::size_t i = 0; i < shown; ++i) {
    if (b[i] < 0x20 || b[i] > 0x7e) return Match::No;
    const bool around = i != 0 && b[i - 1] >= 0x7d && b[i] <= 0x21;
    if (i != 0 && b[i] != b[i - 1] + 1 && !around) return Match::No;
  }
  return Probe(b).byte(kLine, '\r').byte(kLine + 1, '\n').match();
}

/// Finger (RFC 1288, 2.5 and what BSD's server says): an answer that names who is asked for, or that nobody is there.
Match finger_answer(Bytes b) {
  return begins(b, {"Login: "sv, "Login name: "sv, "Login    "sv, "No one logged on"sv, "finger: "sv, "\r\nLogin: "sv});
}

/// Gopher (RFC 1436, 3.4): an item has a type and a name, a selector, a host, a port, with tabs between them.
Match gopher_menu(Bytes b) {
  if (b.empty()) return Match::Maybe;
  if ("0123456789+ITghis"sv.find(static_cast<char>(b[0])) == std::string_view::npos) return Match::No;
  const std::string_view line = first_line(b);
  if (!has_line(b)) return b.size() < 512 ? Match::Maybe : Match::No;
  const std::size_t selector = line.find('\t'), host = selector == std::string_view::npos ? selector : line.find('\t', selector + 1);
  const std::size_t port = host == std::string_view::npos ? host : line.find('\t', host + 1);
  if (port == std::string_view::npos || port + 1 >= line.size()) return Match::No;
  const std::string_view digits = line.substr(port + 1, line.find('\t', port + 1) - port - 1);
  return !digits.empty() && digits.size() <= 5 && std::all_of(digits.begin(), digits.end(), is_digit) ? Match::Yes : Match::No;
}

/// GTP' (3GPP TS 32.295, 6.1): not GTP, spare bits of one, a known message, the length of what follows; the head has six bytes, or twenty in version 0.
bool gtp_prime_datagram(Bytes b) {
  if (b.size() < 6 || (b[0] & 0x1e) != 0x0e || b[0] >> 5 > 2) return false;
  const std::uint8_t type = b[1];
  const bool known = (type >= 1 && type <= 7) || type == 240 || type == 241;
  const std::size_t head = b[0] >> 5 == 0 && (b[0] & 1) == 0 ? 20 : 6;
  return known && load_be16(&b[2]) + head == b.size();
}

/// Two numbers of ports with a comma between, spaces around them; what is behind, and whether all of it was there.
struct PortPair {
  std::string_view rest;
  bool bad = false, whole = false;
};
PortPair port_pair(std::string_view text) {
  for (int part = 0; part < 2; ++part) {
    while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    if (digits > 5 || (digits == 0 && !text.empty())) return {.bad = true};
    text.remove_prefix(digits);
    while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
    if (text.empty()) return {};
    if (part == 0 && text[0] != ',') return {.bad = true};
    if (part == 0) text.remove_prefix(1);
  }
  return {.rest = text, .whole = true};
}
/// RFC 1413, 3 and 4.
Match ident_query(Bytes b) {
  const PortPair ports = port_pair(as_text(b).substr(0, 64));
  if (ports.bad) return Match::No;
  if (!ports.whole) return b.size() < 40 ? Match::Maybe : Match::No;
  return ports.rest == "\r\n" || ports.rest == "\n" ? Match::Yes : ports.rest == "\r" ? Match::Maybe : Match::No;
}
Match ident_answer(Bytes b) {
  const PortPair ports = port_pair(as_text(b).substr(0, 64));
  if (ports.bad) return Match::No;
  if (!ports.whole) return b.size() < 40 ? Match::Maybe : Match::No;
  std::string_view text = ports.rest;
  if (text[0] != ':') return Match::No;
  for (text.remove_prefix(1); !text.empty() && text[0] == ' ';) text.remove_prefix(1);
  return begins(as_bytes(text), {"USERID"sv, "ERROR"sv});
}

/// Lotus Notes (NRPC, observed in nDPI's reader and nmap's probes): eight bytes that each session's first message has at the same place.
Match lotus_notes_hello(Bytes b) { return Probe(b).le32(0, 16, 4096).text(6, "\0\0\x02\0\0\x40\x02\x0f"sv).least(17).match(); }

/// NMEA 0183 (its sentences, and IEC 61162-1): a talker of satellites or of AIS, a known sentence.
Match nmea_sentence(Bytes b) {
  if (b.empty()) return Match::Maybe;
  if (b[0] == '!') return begins(b, {"!AIVDM,"sv, "!AIVDO,"sv, "!BSVDM,"sv});
  const Match talker = Probe(b).byte(0, '$').byte(1, 'G').byte(2, 'A', 'Q').match();
  return talker != Match::Yes ? talker : begins(b.subspan(3), {"GGA,"sv, "RMC,"sv, "GSA,"sv, "GSV,"sv, "GLL,"sv, "VTG,"sv, "ZDA,"sv});
}

/// rwho (BSD's protocols/rwhod.h): version 1, type 1, when it was sent, never received, a host's name in 32 bytes, and entries of 24 bytes.
bool rwho_datagram(Bytes b) {
  if (b.size() < 60 || (b.size() - 60) % 24 != 0 || !Probe(b).byte(0, 1).byte(1, 1).zero(2, 2).be32(8, 0).byte(12, 0x21, 0x7e).holds()) return false;
  std::size_t at = 12;
  while (at < 44 && b[at] > 0x20 && b[at] < 0x7f) ++at;
  return Probe(b).zero(at, 44 - at).holds();
}

}  // namespace

/// RFC 1282: nought, the user here, the user there, terminal and speed, each ended by nought.
Match rlogin_opening(Bytes b) {
  if (Probe(b).byte(0, 0).byte(1, 0x21, 0x7e).failed()) return Match::No;
  std::size_t at = 1;
  for (int words = 0; words < 2; ++words) {
    const std::size_t start = at;
    while (at < b.size() && b[at] > 0x20 && b[at] < 0x7f) ++at;
    if (at - start > 32) return Match::No;
    if (at >= b.size()) return Match::Maybe;
    if (b[at] != 0 || at == start) return Match::No;
    ++at;
  }
  std::size_t slash = 0;
  for (; at < b.size() && b[at] != 0; ++at) {
    const char c = static_cast<char>(b[at]);
    if (c == '/' && slash == 0) slash = at;
    else if (slash != 0 ? !is_digit(c) : !(is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '+')) return Match::No;
    if (at > 160) return Match::No;
  }
  if (at >= b.size()) return Match::Maybe;
  return slash != 0 && slash + 1 < at ? Match::Yes : Match::No;
}

Match chargen(const Evidence& e) {
  if (e.is_udp()) return e.server.empty() ? (e.client.size() <= 1 ? Match::Maybe : Match::No) : chargen_line(e.server) == Match::Yes ? Match::Yes : Match::No;
  return sides(e, any_side, chargen_line);
}
Match finger(const Evidence& e) { return both_sides(e, [](Bytes b) { return one_line(b, 64); }, finger_answer); }
Match gopher(const Evidence& e) { return both_sides(e, [](Bytes b) { return one_line(b, 255); }, gopher_menu); }
Match gtp_prime(const Evidence& e) { return datagrams(e, gtp_prime_datagram); }
Match ident(const Evidence& e) { return both_sides(e, ident_query, ident_answer); }
Match lotus_notes(const Evidence& e) { return sides(e, lotus_notes_hello, any_side); }
Match nmea(const Evidence& e) {
  if (e.is_udp()) return datagrams(e, [](Bytes b) { return nmea_sentence(b) == Match::Yes; });
  return nmea_sentence(e.server_first || e.client.empty() ? e.server : e.client);  // Who speaks first.
}
Match rlogin(const Evidence& e) { return sides(e, rlogin_opening, [](Bytes b) { return Probe(b).byte(0, 0, 1).failed() ? Match::No : Match::Maybe; }); }
Match rwho(const Evidence& e) { return datagrams(e, rwho_datagram); }
// UUCP (Taylor UUCP's manual, "UUCP Initial Handshake"): the called system says that it is there.
Match uucp(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return begins(b, {"\x10Shere\0"sv, "\x10Shere="sv}); }); }

}  // namespace weir::proto::identify
