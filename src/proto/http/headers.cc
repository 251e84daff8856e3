// SPDX-License-Identifier: Apache-2.0
// One header line: what frames the message, and the facts in it. Whatever a server behind us might read otherwise than we do is a flaw
// (RFC 9112, 5.1, 6.3 and 11.2).

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proto/file_type.h"
#include "proto/http/http.h"

namespace weir::proto::http {
namespace {

bool contains_nocase(std::string_view text, std::string_view part) {
  for (std::size_t i = 0; i + part.size() <= text.size(); ++i)
    if (equals_nocase(text.substr(i, part.size()), part)) return true;
  return false;
}

/// Whether a byte that no value may hold is in it (RFC 9110, 5.5): NUL, or the CR and LF of a folded or broken line. Most values hold no
/// control character at all, which eight bytes at a time show: a byte below 0x20 borrows.
bool has_bad_byte(std::string_view value) {
  std::size_t at = 0;
  bool clean = true;
  for (; at + 8 <= value.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, value.data() + at, 8);
    clean &= ((word - 0x2020202020202020ULL) & ~word & 0x8080808080808080ULL) == 0;
  }
  for (; at < value.size(); ++at) clean &= static_cast<std::uint8_t>(value[at]) >= 0x20;
  return !clean && value.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos;
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

/// The last address of a list of hops: what the nearest proxy saw.
void describe_forwarded(Describer& d, std::string_view value, bool is_list_of_pairs) {
  std::string_view last = trim(value.substr(value.rfind(',') + 1));
  if (is_list_of_pairs) {  // RFC 7239, 4: for=…;proto=…
    std::size_t at = 0;
    while (at < last.size() && !starts_nocase(last.substr(at), "for=")) {
      at = last.find(';', at);
      if (at == std::string_view::npos) return;
      ++at;
      while (at < last.size() && last[at] == ' ') ++at;
    }
    if (at >= last.size()) return;
    last = last.substr(at + 4);
    last = last.substr(0, last.find(';'));
  }
  if (last.size() >= 2 && last.front() == '"' && last.back() == '"') last = last.substr(1, last.size() - 2);
  if (last.starts_with('[')) {
    last = last.substr(1, last.find(']') == std::string_view::npos ? 0 : last.find(']') - 1);
  } else if (std::count(last.begin(), last.end(), ':') == 1) {
    last = last.substr(0, last.find(':'));
  }
  if (const auto ip = parse_ip(last)) d.ip(kClientIp, *ip);
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
  if (m.header_hidden) return;
  const std::size_t size = name.size() + 2 + value.size();
  if (value.data() == name.data() + name.size() + 2 && name.data()[name.size() + 1] == ' ') {
    if (size <= kTextBytesMax) return d.add_text(kHeader, {name.data(), size});
  } else if (!d.wanted(kHeader)) {
    return d.add_text(kHeader, name);
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
      if (equals_nocase(name, "forwarded") && !s.forwarded) describe_forwarded(d, value, true);
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
      s.forwarded = true;
      describe_forwarded(d, value, false);
      break;
    case 19:
      if (equals_nocase(name, "proxy-authorization")) describe_credentials(s, d, value);
      break;
    default: break;
  }
}

}  // namespace

void read_header(State& s, Message& m, Describer& d, Side side, bool described, std::string_view line) {
  const auto* colon = static_cast<const char*>(std::memchr(line.data(), ':', line.size()));
  if (colon == nullptr) return d.flaw(Flaw::BadMessage);
  std::string_view name = line.substr(0, static_cast<std::size_t>(colon - line.data()));
  const std::string_view value = trim(line.substr(name.size() + 1));
  bool odd = name.empty();
  for (const char c : name) odd |= !is_token_char(c);
  // RFC 9112, 5.1: no blank before the colon. Bare CR and NUL in a value (2.2; RFC 9110, 5.5), and folded lines (5.2).
  odd |= has_bad_byte(value);
  if (odd) d.flaw(Flaw::BadMessage);
  name = trim(name);

  if (name.size() == 14 && equals_nocase(name, "content-length")) read_length(m, d, value);
  if (name.size() == 17 && equals_nocase(name, "transfer-encoding")) read_coding(m, d, value);
  if (side == Side::Server && name.size() == 7 && equals_nocase(name, "upgrade")) {
    m.upgrade_websocket |= contains_nocase(value, "websocket");
    m.upgrade_h2c |= contains_nocase(value, "h2c");
  }
  if (!described) return;
  if (name.size() == 12 && equals_nocase(name, "content-type")) {
    put(d, kContentType, trim(value.substr(0, value.find(';'))));
    m.multipart = starts_nocase(value, "multipart/");
    if (side == Side::Client && starts_nocase(value, "application/dns-message")) s.doh_type = true;
  }
  if (name.size() == 19 && equals_nocase(name, "content-disposition"))
    if (const std::string_view file = filename_of(value); !file.empty()) put(d, field::kFileName, file);
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
