// SPDX-License-Identifier: Apache-2.0
// One header line: what frames the message, and the facts in it. Whatever a server behind us might read otherwise than we do is a flaw
// (RFC 9112, 5.1, 6.3 and 11.2).

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "proto/file_type.h"
#include "proto/http/http.h"

namespace weir::proto::http {
namespace {

/// Whether a byte that no value may hold is in it (RFC 9110, 5.5): NUL, or the CR and LF of a folded or broken line.
bool has_bad_byte(std::string_view value) { return value.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos; }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// A header line taken apart.
struct HeaderLine {
  std::string_view name, value;
  bool odd = false;  ///< It breaks the grammar.
};

/// Any line with a colon.
HeaderLine split_slowly(std::string_view line, std::size_t colon) {
  HeaderLine field{.name = line.substr(0, colon), .value = trim(line.substr(colon + 1))};
  field.odd = field.name.empty();
  for (const char c : field.name) field.odd |= !is_token_char(c);
  // RFC 9112, 5.1: no blank before the colon. Bare CR and NUL in a value (2.2; RFC 9110, 5.5), and folded lines (5.2).
  field.odd |= has_bad_byte(field.value);
  field.name = trim(field.name);
  return field;
}

/// The ordinary line, sixteen bytes at a time: a name of letters, digits and hyphens, a colon among its first bytes, no control
/// character anywhere, one blank or none before the value and none behind it. False: somebody has to look closer.
bool split_fast(std::string_view line, HeaderLine& field) {
  if (line.size() < 16) return false;
  const auto load = [&](std::size_t at) {
    __m128i bytes;
    std::memcpy(&bytes, line.data() + at, sizeof bytes);
    return bytes;
  };
  const __m128i first = load(0);
  const auto colons = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(first, _mm_set1_epi8(':'))));
  std::size_t colon = static_cast<std::size_t>(std::countr_zero(colons | 0x10000U));
  // Signed comparisons: bytes above 127 are less than everything here.
  const auto within = [](__m128i v, char low, char high) {
    return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8(static_cast<char>(low - 1))), _mm_cmplt_epi8(v, _mm_set1_epi8(static_cast<char>(high + 1))));
  };
  const __m128i sound = _mm_or_si128(_mm_or_si128(within(_mm_or_si128(first, _mm_set1_epi8(0x20)), 'a', 'z'), within(first, '0', '9')),
                                     _mm_cmpeq_epi8(first, _mm_set1_epi8('-')));
  const unsigned wanted = (1U << colon) - 1U;
  if (colon == 0 || (static_cast<unsigned>(_mm_movemask_epi8(sound)) & wanted) != wanted) return false;
  for (; colon >= 16 && colon < line.size() && line[colon] != ':'; ++colon)
    if (!is_token_char(line[colon])) return false;
  if (colon == line.size()) return false;
  const __m128i highest = _mm_set1_epi8(0x1f);
  __m128i control = _mm_setzero_si128();
  for (std::size_t at = 0; at + 16 <= line.size(); at += 16) control = _mm_or_si128(control, _mm_cmpeq_epi8(_mm_min_epu8(load(at), highest), load(at)));
  const __m128i last = load(line.size() - 16);
  control = _mm_or_si128(control, _mm_cmpeq_epi8(_mm_min_epu8(last, highest), last));
  if (_mm_movemask_epi8(control) != 0) return false;
  std::size_t begin = colon + 1;
  if (begin < line.size() && line[begin] == ' ') ++begin;
  field = {.name = line.substr(0, colon), .value = line.substr(begin)};
  return field.value.empty() || (!is_blank(field.value.front()) && !is_blank(field.value.back()));
}

/// Content-Length: digits and nothing else, once. A list of equal numbers is allowed to be read as one (RFC 9112, 6.3), but who does so differs.
void read_length(Message& m, Describer& d, std::string_view value) {
  if (m.has_length) d.flaw(Flaw::BadLength), m.bad_framing = true;
  const std::string_view first = trim(value.substr(0, value.find(',')));
  if (first.size() != value.size()) d.flaw(Flaw::BadLength), m.bad_framing = true;
  const auto number = parse_number(first);
  if (!number || *number > (std::uint64_t{1} << 62)) {
    d.flaw(Flaw::BadLength);
    m.bad_framing = true;
    return;
  }
  m.remaining = *number;
  m.has_length = true;
}

/// Transfer-Encoding: only a final `chunked` frames a request (RFC 9112, 6.1).
void read_coding(Message& m, Describer& d, std::string_view value) {
  if (m.coded) d.flaw(Flaw::BadMessage);
  const std::size_t comma = value.rfind(',');
  const std::string_view last = trim(comma == std::string_view::npos ? value : value.substr(comma + 1));
  const bool chunked = equals_nocase(last, "chunked");
  if (!chunked || m.minor == 0) d.flaw(Flaw::BadMessage);
  if (comma != std::string_view::npos && contains_nocase(value.substr(0, comma), "chunked")) d.flaw(Flaw::BadMessage);
  m.coded = true;
  m.chunked |= chunked;
}

/// The address of one end, with or without port, quotes and brackets (RFC 7239, 6); none for `unknown` and `_names`.
std::optional<Ip> read_node(std::string_view node) {
  if (node.size() >= 2 && node.front() == '"' && node.back() == '"') node = node.substr(1, node.size() - 2);
  if (node.starts_with('[')) {
    node = node.substr(1, node.find(']') == std::string_view::npos ? 0 : node.find(']') - 1);
  } else if (std::count(node.begin(), node.end(), ':') == 1) {
    node = node.substr(0, node.find(':'));
  }
  return parse_ip(node);
}

/// The `for` of a forwarded-element (RFC 7239, 4: for=…;proto=…), or nothing.
std::string_view for_of(std::string_view element) {
  while (!element.empty() && !starts_nocase(element, "for=")) {
    const std::size_t next = element.find(';');
    if (next == std::string_view::npos) return {};
    element = trim(element.substr(next + 1));
  }
  element.remove_prefix(std::min<std::size_t>(element.size(), 4));
  return trim(element.substr(0, element.find(';')));
}

/// Each proxy adds whom it served at the end: of these ends the last counts that is no trusted proxy; if all are, the first.
void read_forwarded(State& s, const Describer& d, std::string_view value, bool is_list_of_pairs) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view element = trim(value.substr(0, comma));
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    const std::string_view node = is_list_of_pairs ? for_of(element) : element;
    if (node.empty()) continue;
    const auto ip = read_node(node);
    if (!ip) {
      s.client = Hop::Unreadable;
    } else if (s.client == Hop::None || !d.trusts_proxy(*ip)) {
      s.client = Hop::Address;
      s.client_ip = *ip;
    }
  }
}

/// Content-Disposition (RFC 6266): the name that the sender gives the file.
std::string_view filename_of(std::string_view value) {
  for (std::size_t at = 0; (at = value.find(';', at)) != std::string_view::npos;) {
    ++at;
    while (at < value.size() && (value[at] == ' ' || value[at] == '\t')) ++at;
    std::string_view parameter = value.substr(at);
    const bool extended = starts_nocase(parameter, "filename*=");
    if (!extended && !starts_nocase(parameter, "filename=")) continue;
    parameter.remove_prefix(extended ? 10 : 9);
    if (parameter.starts_with('"')) return parameter.substr(1, std::min(parameter.find('"', 1), parameter.size()) - 1);
    parameter = parameter.substr(0, parameter.find_first_of("; \t\r\n"));
    if (extended && parameter.find("''") != std::string_view::npos) parameter.remove_prefix(parameter.find("''") + 2);
    return parameter;
  }
  return {};
}

/// http.header wants `Name: value`: the line itself where it is written so, else a copy, so that blanks do not hide a header from a rule.
void add_header(State& s, Message& m, Describer& d, std::string_view name, std::string_view value) {
  if (m.header_hidden || !d.wanted(kHeader)) return;
  const std::size_t size = name.size() + 2 + value.size();
  if (value.data() == name.data() + name.size() + 2 && name.data()[name.size() + 1] == ' ') {
    if (size <= kTextBytesMax) return d.add_text(kHeader, {name.data(), size});
  } else if (const std::span<char> room = s.arena.rest(); size <= room.size()) {
    std::memcpy(room.data(), name.data(), name.size());
    std::memcpy(room.data() + name.size(), ": ", 2);
    if (!value.empty()) std::memcpy(room.data() + name.size() + 2, value.data(), value.size());
    return d.add_text(kHeader, s.arena.commit(size));
  }
  m.header_hidden = true;
  d.hide(kHeader);
}

void read_request_header(State& s, Message& m, Describer& d, std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      if (!equals_nocase(name, "host")) break;
      if (m.has_host) d.flaw(Flaw::BadMessage);  // RFC 9112, 3.2: more than one must be refused.
      else if (!s.absolute) describe_host(s, d, value);
      m.has_host = true;
      break;
    case 6:
      if (equals_nocase(name, "accept") && value.find("application/dns-message") != std::string_view::npos) s.doh_type = true;
      break;
    case 7:
      if (equals_nocase(name, "upgrade")) {
        m.upgrade_websocket |= contains_nocase(value, "websocket");
        m.upgrade_h2c |= contains_nocase(value, "h2c");
      }
      break;
    case 9:
      if (equals_nocase(name, "forwarded") && !s.forwarded) read_forwarded(s, d, value, true);
      break;
    case 10:
      if (!equals_nocase(name, "user-agent")) break;
      put(d, kUserAgent, value);
      s.bits_agent = value.starts_with("Microsoft BITS/");
      s.dav_agent = value.starts_with("Microsoft-WebDAV-MiniRedir") || value.starts_with("DavClnt");
      break;
    case 13:
      if (equals_nocase(name, "authorization")) describe_credentials(s, d, value);
      break;
    case 15:
      if (!equals_nocase(name, "x-forwarded-for")) break;
      if (!s.forwarded) s.client = Hop::None;  // Where both are there, the one that proxies of every kind write counts.
      s.forwarded = true;
      read_forwarded(s, d, value, false);
      break;
    case 19:
      if (equals_nocase(name, "proxy-authorization")) describe_credentials(s, d, value);
      break;
    default: break;
  }
}

}  // namespace

/// What an end says that is no proxy of ours is not believed: then the client is that end itself.
void describe_client(const State& s, Describer& d) {
  if (!d.trusts_proxy(d.ends().client)) return d.ip(kClientIp, d.ends().client);
  if (s.client == Hop::Address) d.ip(kClientIp, s.client_ip);
  else if (s.client == Hop::Unreadable) d.hide(kClientIp);
}

void read_header(State& s, Message& m, Describer& d, Side side, bool described, std::string_view line) {
  HeaderLine split;
  if (!split_fast(line, split)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return d.flaw(Flaw::BadMessage);
    split = split_slowly(line, colon);
    if (split.odd) d.flaw(Flaw::BadMessage);
  }
  const std::string_view name = split.name, value = split.value;

  // Most names are told apart by their length.
  switch (name.size()) {
    case 7:
      if (side == Side::Server && equals_nocase(name, "upgrade")) {
        m.upgrade_websocket |= contains_nocase(value, "websocket");
        m.upgrade_h2c |= contains_nocase(value, "h2c");
      }
      break;
    case 12:
      if (described && equals_nocase(name, "content-type")) {
        put(d, kContentType, trim(value.substr(0, value.find(';'))));
        m.multipart = starts_nocase(value, "multipart/");
        if (side == Side::Client && starts_nocase(value, "application/dns-message")) s.doh_type = true;
      }
      break;
    case 14:
      if (equals_nocase(name, "content-length")) read_length(m, d, value);
      break;
    case 17:
      if (equals_nocase(name, "transfer-encoding")) read_coding(m, d, value);
      break;
    case 19:
      if (described && equals_nocase(name, "content-disposition"))
        if (const std::string_view file = filename_of(value); !file.empty()) put(d, field::kFileName, file);
      break;
    default: break;
  }
  if (!described) return;
  if (side == Side::Client) read_request_header(s, m, d, name, value);
  add_header(s, m, d, name, value);
}

void describe_body_file(Message& m, Describer& d, Side side, Bytes first) {
  if (side == Side::Client && m.multipart) {  // RFC 7578: a part's head, an empty line, the file.
    const std::string_view text = as_text(first);
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return;
    bool has_file = false;
    for_each_line(text.substr(0, end), [&](std::string_view line) {
      if (!starts_nocase(line, "content-disposition:")) return;
      if (const std::string_view file = filename_of(line); !file.empty()) put(d, field::kFileName, file), has_file = true;
    });
    if (!has_file) return;
    first = first.subspan(end + 4);
  }
  if (const auto type = file_type(first)) d.word(field::kFileType, *type);
}

}  // namespace weir::proto::http
