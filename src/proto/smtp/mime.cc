// SPDX-License-Identifier: Apache-2.0
#include "proto/smtp/mime.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proto/base64.h"

namespace weir::proto::smtp {
namespace {

int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// The value of a header's parameter, unquoted, into `out`; those that are cut into name*0, name*1 … are put together (RFC 2231, 3).
std::size_t parameter(std::string_view value, std::string_view name, std::span<char> out) {
  std::size_t size = 0, at = 0;
  while ((at = value.find(';', at)) != std::string_view::npos) {
    ++at;
    while (at < value.size() && (value[at] == ' ' || value[at] == '\t')) ++at;
    const std::size_t equals = value.find('=', at);
    if (equals == std::string_view::npos) break;
    std::string_view key = trim(value.substr(at, equals - at));
    at = equals + 1;
    while (at < value.size() && (value[at] == ' ' || value[at] == '\t')) ++at;
    const bool quoted = at < value.size() && value[at] == '"';
    const std::size_t begin = at + (quoted ? 1 : 0);
    std::size_t end = begin;
    while (end < value.size() && (quoted ? value[end] != '"' : value[end] != ';')) end += quoted && value[end] == '\\' && end + 1 < value.size() ? 2 : 1;
    at = std::min(end, value.size());
    if (!starts_nocase(key, name) || (key.size() > name.size() && key[name.size()] != '*')) continue;
    std::string_view part = value.substr(begin, at - begin);
    if (!quoted) part = trim(part);
    if (key.ends_with('*'))  // charset'language'text (RFC 2231, 4)
      if (const std::size_t tick = part.find('\''), second = part.find('\'', tick + 1); tick != std::string_view::npos && second != std::string_view::npos)
        part.remove_prefix(second + 1);
    const bool goes_on = key.size() > name.size() + 1 && is_digit(key[name.size() + 1]);
    if (!goes_on && size != 0) continue;
    for (std::size_t i = 0; i < part.size() && size < out.size(); ++i) {
      const bool coded = key.ends_with('*') && part[i] == '%' && i + 2 < part.size() && hex_value(part[i + 1]) >= 0 && hex_value(part[i + 2]) >= 0;
      if (quoted && part[i] == '\\' && i + 1 < part.size()) ++i;
      out[size++] = coded ? static_cast<char>(hex_value(part[i + 1]) * 16 + hex_value(part[i + 2])) : part[i];
      if (coded) i += 2;
    }
  }
  return size;
}

/// One encoded word, as many programs write a name in spite of RFC 2047, 5: =?charset?B?…?= or =?charset?Q?…?=, in its place.
std::size_t undo_encoded_word(std::span<char> name, std::size_t size) {
  const std::string_view text(name.data(), size);
  if (!text.starts_with("=?") || !text.ends_with("?=")) return size;
  const std::size_t charset = text.find('?', 2);
  if (charset == std::string_view::npos || charset + 3 >= size || text[charset + 2] != '?') return size;
  const char how = to_lower(text[charset + 1]);
  const std::string_view coded = text.substr(charset + 3, size - 2 - std::min(size - 2, charset + 3));
  char room[256];
  std::size_t written = 0;
  if (how == 'b') {
    written = decode_base64(coded, room).size();
  } else if (how == 'q') {
    for (std::size_t i = 0; i < coded.size() && written < sizeof room; ++i) {
      const bool hexed = coded[i] == '=' && i + 2 < coded.size() && hex_value(coded[i + 1]) >= 0 && hex_value(coded[i + 2]) >= 0;
      room[written++] = hexed ? static_cast<char>(hex_value(coded[i + 1]) * 16 + hex_value(coded[i + 2])) : coded[i] == '_' ? ' ' : coded[i];
      if (hexed) i += 2;
    }
  } else {
    return size;
  }
  std::memcpy(name.data(), room, std::min(written, name.size()));
  return std::min(written, name.size());
}

}  // namespace

void Mime::begin() {
  s_.depth = 0;
  s_.line_bytes = 0;
  s_.in_line = false;
  begin_part();
}

void Mime::text(Bytes bytes) {
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), kMailLineBytes - s_.line_bytes);
    std::memcpy(s_.line + s_.line_bytes, bytes.data(), n);
    s_.line_bytes = static_cast<std::uint16_t>(s_.line_bytes + n);
    bytes = bytes.subspan(n);
    if (s_.line_bytes == kMailLineBytes && !bytes.empty()) piece(false);
  }
}

void Mime::end_line() { piece(true); }

void Mime::end() {
  if (s_.line_bytes != 0) piece(true);
  end_part();
  if (s_.stage != PartStage::Between) s_.stage = PartStage::Between;
}

void Mime::piece(bool ends) {
  std::string_view line(s_.line, s_.line_bytes);
  if (ends && line.ends_with('\r')) line.remove_suffix(1);
  const bool begins = !s_.in_line;
  s_.in_line = !ends;
  s_.line_bytes = 0;
  if (begins && s_.depth != 0 && line.starts_with("--") && is_boundary(line.substr(2))) return;
  if (s_.stage == PartStage::Content) content(line, ends);
  else if (s_.stage == PartStage::Head && begins) head_line(line);
}

/// RFC 2046, 5.1.1: an outer boundary ends what is inside, too.
bool Mime::is_boundary(std::string_view line) {
  for (std::size_t level = s_.depth; level-- != 0;) {
    const std::string_view boundary(s_.boundaries[level], s_.boundary_bytes[level]);
    if (!line.starts_with(boundary)) continue;
    const std::string_view rest = trim(line.substr(boundary.size()));
    if (!rest.empty() && rest != "--") continue;
    end_part();
    s_.depth = static_cast<std::uint8_t>(rest.empty() ? level + 1 : level);
    if (rest.empty()) begin_part();
    else s_.stage = PartStage::Between;
    return true;
  }
  return false;
}

void Mime::begin_part() {
  if (borrowed_) d_.forget(Side::Client, 0), borrowed_ = false;  // The name's place is written next.
  s_.stage = PartStage::Head;
  s_.encoding = Encoding::Plain;
  s_.multipart = s_.message = s_.named = s_.told = false;
  s_.head_bytes = s_.name_bytes = s_.first_bytes = 0;
  s_.sextets = 0;
  s_.group = 0;
  s_.bytes = 0;
}

void Mime::head_line(std::string_view line) {
  const bool folded = !line.empty() && (line[0] == ' ' || line[0] == '\t');
  if (!folded) {
    header();
    s_.head_bytes = 0;
    if (line.empty()) return head_done();
  }
  const std::size_t n = std::min(line.size(), sizeof s_.head - s_.head_bytes);
  std::memcpy(s_.head + s_.head_bytes, line.data(), n);
  s_.head_bytes = static_cast<std::uint16_t>(s_.head_bytes + n);
}

void Mime::header() {
  const std::string_view line(s_.head, s_.head_bytes);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
  const auto read_name = [&](std::string_view key) {
    if (s_.name_bytes != 0) return;
    s_.name_bytes = static_cast<std::uint16_t>(undo_encoded_word(s_.name, parameter(value, key, s_.name)));
    s_.named = s_.name_bytes != 0;
  };
  if (equals_nocase(name, "content-type")) {
    s_.message = starts_nocase(value, "message/rfc822");
    s_.multipart = starts_nocase(value, "multipart/");
    if (!s_.multipart) return read_name("name");
    if (s_.depth == kPartsDeepMax) {
      d_.flaw(Flaw::TooDeep);
      s_.multipart = false;
      return;
    }
    const std::size_t size = parameter(value, "boundary", s_.boundaries[s_.depth]);
    s_.boundary_bytes[s_.depth] = static_cast<std::uint8_t>(size);
    s_.multipart = size != 0;
  } else if (equals_nocase(name, "content-disposition")) {
    s_.name_bytes = 0;  // RFC 2183, 2.3: it goes before the type's `name`.
    read_name("filename");
  } else if (equals_nocase(name, "content-transfer-encoding")) {
    s_.encoding = equals_nocase(value, "base64") ? Encoding::Base64 : equals_nocase(value, "quoted-printable") ? Encoding::Quoted : Encoding::Plain;
  }
}

void Mime::head_done() {
  if (s_.multipart) {
    ++s_.depth;
    s_.stage = PartStage::Between;
  } else if (s_.message && s_.encoding == Encoding::Plain) {  // RFC 2046, 5.2.1: a mail in a mail; its head follows.
    begin_part();
  } else {
    s_.stage = PartStage::Content;
  }
}

void Mime::content(std::string_view line, bool ends) {
  switch (s_.encoding) {
    case Encoding::Base64:
      for (const char c : line) {
        const int value = sextet(c);
        if (value < 0) continue;  // RFC 2045, 6.8: what is not of the alphabet is ignored.
        s_.group = s_.group << 6 | static_cast<std::uint32_t>(value);
        if (++s_.sextets == 1) continue;
        const unsigned shift = s_.sextets == 2 ? 4 : s_.sextets == 3 ? 2 : 0;
        decoded(static_cast<char>(s_.group >> shift));
        if (s_.sextets == 4) s_.sextets = 0, s_.group = 0;
      }
      break;
    case Encoding::Quoted: {
      const bool soft = ends && line.ends_with('=');  // RFC 2045, 6.7
      if (soft) line.remove_suffix(1);
      for (std::size_t i = 0; i < line.size(); ++i) {
        const bool coded = line[i] == '=' && i + 2 < line.size() && hex_value(line[i + 1]) >= 0 && hex_value(line[i + 2]) >= 0;
        decoded(coded ? static_cast<char>(hex_value(line[i + 1]) * 16 + hex_value(line[i + 2])) : line[i]);
        if (coded) i += 2;
      }
      if (ends && !soft) decoded('\r'), decoded('\n');
      break;
    }
    case Encoding::Plain:
      for (const char c : line) decoded(c);
      if (ends) decoded('\r'), decoded('\n');
      break;
  }
  if (!s_.told || s_.bytes == 0) return;
  d_.grow(field::kFileBytes, s_.bytes);
  teller_.file_grew(false);
}

void Mime::decoded(char c) {
  ++s_.bytes;
  if (s_.first_bytes == kFileTypeBytes) return;
  s_.first[s_.first_bytes++] = c;
  if (s_.first_bytes == kFileTypeBytes) tell();
}

/// As soon as more would not change what it is.
void Mime::tell() {
  const auto type = file_type(as_bytes({s_.first, s_.first_bytes}));
  if (!s_.named && !type) return;
  s_.told = true;
  teller_.begin_file();
  borrowed_ = true;
  if (s_.named) d_.text(field::kFileName, {s_.name, s_.name_bytes});
  if (type) d_.word(field::kFileType, *type);
  else d_.close(field::kFileType);
  d_.grow(field::kFileBytes, s_.bytes);
  teller_.file_grew(true);
}

void Mime::end_part() {
  if (s_.stage != PartStage::Content) return;
  if (s_.first_bytes < kFileTypeBytes) tell();
  if (!s_.told) return;
  d_.number(field::kFileBytes, s_.bytes);
  teller_.file_grew(false);
}

}  // namespace weir::proto::smtp
