// SPDX-License-Identifier: Apache-2.0
#include "engine/metadata_address.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace weir::engine {
namespace {

constexpr std::uint32_t kV4[] = {0xa9fea9fe, 0xa9feaa02, 0xa9feaa17, 0xa83f8110, 0xc00000c0, 0x646464c8, 0xa9fe0017};
constexpr std::string_view kNames[] = {"metadata.google.internal", "metadata.goog", "metadata.tencentyun.com", "instance-data",
                                       "instance-data.ec2.internal"};

bool is_v4(std::uint32_t value) { return std::find(std::begin(kV4), std::end(kV4), value) != std::end(kV4); }

/// Text with its spellings undone, at most kMetadataTextMax bytes.
struct Folded {
  char bytes[kMetadataTextMax];
  std::size_t size = 0;
  std::string_view text() const { return {bytes, size}; }
};

/// One character of UTF-8 of three or four bytes that IDNA maps to ASCII: full width, circled, mathematical. 0: none.
char ascii_of(std::uint32_t c) {
  if (c >= 0xff01 && c <= 0xff5e) return static_cast<char>(c - 0xff01 + '!');
  if (c == 0x3002 || c == 0xff61) return '.';
  if (c >= 0x2460 && c <= 0x2468) return static_cast<char>(c - 0x2460 + '1');
  if (c == 0x24ea) return '0';
  if (c >= 0x24b6 && c <= 0x24cf) return static_cast<char>(c - 0x24b6 + 'a');
  if (c >= 0x24d0 && c <= 0x24e9) return static_cast<char>(c - 0x24d0 + 'a');
  if (c >= 0x2080 && c <= 0x2089) return static_cast<char>(c - 0x2080 + '0');
  if (c == 0x2070 || (c >= 0x2074 && c <= 0x2079)) return static_cast<char>(c - 0x2070 + '0');
  if (c >= 0x1d7ce && c <= 0x1d7ff) return static_cast<char>((c - 0x1d7ce) % 10 + '0');
  return 0;
}

/// The byte that an escape at `at` spells, and how long the escape is; 0 long: none.
std::size_t escape_at(std::string_view text, std::size_t at, char& out) {
  const auto digit = [&](std::size_t i) { return i < text.size() ? hex_value(text[i]) : -1; };
  if (text[at] == '%' && digit(at + 1) >= 0 && digit(at + 2) >= 0) {
    out = static_cast<char>(digit(at + 1) << 4 | digit(at + 2));
    return 3;
  }
  if (text[at] != '\\' || at + 5 >= text.size() || to_lower(text[at + 1]) != 'u') return 0;
  std::uint32_t c = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    if (digit(i) < 0) return 0;
    c = c << 4 | static_cast<std::uint32_t>(digit(i));
  }
  out = c < 0x80 ? static_cast<char>(c) : ascii_of(c);
  return out == 0 ? 0 : 6;
}

/// One pass over what is folded so far. True if it undid something.
bool unescape(Folded& f) {
  std::size_t to = 0;
  for (std::size_t at = 0; at < f.size;) {
    char byte = 0;
    const std::size_t size = escape_at(f.text(), at, byte);
    f.bytes[to++] = size != 0 ? byte : f.bytes[at];
    at += std::max<std::size_t>(size, 1);
  }
  const bool undone = to != f.size;
  f.size = to;
  return undone;
}

void unwiden(Folded& f) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(f.bytes[i]); };
  const auto follows = [&](std::size_t i) { return i < f.size && (byte(i) & 0xc0) == 0x80; };
  std::size_t to = 0;
  for (std::size_t at = 0; at < f.size;) {
    const std::uint8_t lead = byte(at);
    std::uint32_t c = 0;
    std::size_t size = 1;
    if ((lead & 0xf0) == 0xe0 && follows(at + 1) && follows(at + 2)) {
      c = (lead & 0x0fU) << 12 | (byte(at + 1) & 0x3fU) << 6 | (byte(at + 2) & 0x3fU);
      size = 3;
    } else if ((lead & 0xf8) == 0xf0 && follows(at + 1) && follows(at + 2) && follows(at + 3)) {
      c = (lead & 0x07U) << 18 | (byte(at + 1) & 0x3fU) << 12 | (byte(at + 2) & 0x3fU) << 6 | (byte(at + 3) & 0x3fU);
      size = 4;
    }
    const char plain = ascii_of(c);
    if (plain != 0) f.bytes[to++] = plain;
    else for (std::size_t i = 0; i < size; ++i) f.bytes[to++] = f.bytes[at + i];
    at += size;
  }
  f.size = to;
}

/// One part of an IPv4 address: decimal, octal or hex.
std::optional<std::uint64_t> number_of(std::string_view part) {
  unsigned base = 10;
  if (part.size() > 1 && part[0] == '0') {
    base = to_lower(part[1]) == 'x' ? 16 : 8;
    part.remove_prefix(base == 16 ? 2 : 1);
  }
  if (part.size() > 24 || (part.empty() && base == 10)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : part) {
    const int digit = hex_value(c);
    if (digit < 0 || static_cast<unsigned>(digit) >= base) return std::nullopt;
    value = value * base + static_cast<unsigned>(digit);
    if (value > 0xffffffffULL) return std::nullopt;
  }
  return value;
}

std::optional<std::uint32_t> v4_of(std::span<const std::string_view> parts) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto n = number_of(parts[i]);
    if (!n) return std::nullopt;
    const bool last = i + 1 == parts.size();
    if (last && parts.size() < 4) {
      const unsigned bits = 8 * (4 - static_cast<unsigned>(i));
      if (bits < 32 && *n >> bits != 0) return std::nullopt;
      return value | static_cast<std::uint32_t>(*n);
    }
    if (parts.size() < 4 && *n > 255) return std::nullopt;
    value |= static_cast<std::uint32_t>(*n & 255) << (24 - 8 * i);
  }
  return value;
}

/// A host as it stands between the marks of a URL: an address in some spelling, or a name.
bool is_metadata_host(std::string_view host) {
  while (!host.empty() && host.back() == '.') host.remove_suffix(1);
  while (!host.empty() && (host.front() == '.' || host.front() == '-')) host.remove_prefix(1);
  if (host.empty()) return false;
  if (is_metadata_name(host)) return true;
  std::array<std::string_view, 16> labels;
  std::size_t count = 0;
  for (std::string_view rest = host;; ) {
    const std::size_t dot = rest.find('.');
    if (count == labels.size()) return false;
    labels[count++] = rest.substr(0, dot);
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (count <= 4) {
    const auto value = v4_of(std::span(labels).first(count));
    // One number of few digits is a number, not an address.
    if (value && is_v4(*value) && (count > 1 || host.size() >= 9)) return true;
  }
  // A name that resolves to what its labels spell; without a letter in its last label it is none.
  if (count < 2 || !std::any_of(labels[count - 1].begin(), labels[count - 1].end(), is_alpha)) return false;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    if (i + 5 <= count)
      if (const auto value = v4_of(std::span(labels).subspan(i, 4)); value && is_v4(*value)) return true;
    std::string_view label = labels[i];
    if (label.size() == 8 && std::all_of(label.begin(), label.end(), [](char c) { return hex_value(c) >= 0; })) {
      std::uint32_t value = 0;
      for (const char c : label) value = value << 4 | static_cast<std::uint32_t>(hex_value(c));
      if (is_v4(value)) return true;
    }
    std::array<std::string_view, 4> quad;
    std::size_t parts = 0;
    for (; parts < 4; ++parts) {  // The last four parts between hyphens: ip-169-254-169-254.
      const std::size_t hyphen = label.rfind('-');
      quad[3 - parts] = hyphen == std::string_view::npos ? label : label.substr(hyphen + 1);
      if (hyphen == std::string_view::npos) break;
      label = label.substr(0, hyphen);
    }
    if (parts >= 3)
      if (const auto value = v4_of(quad); value && is_v4(*value)) return true;
  }
  return false;
}

bool is_host_char(char c) { return is_alpha(c) || is_digit(c) || c == '.' || c == '-'; }
bool is_v6_char(char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; }

/// Calls with each longest run of characters that `belongs` takes.
template <typename Belongs, typename Call>
bool any_run(std::string_view text, Belongs&& belongs, Call&& call) {
  for (std::size_t at = 0; at < text.size();) {
    if (!belongs(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && belongs(text[end])) ++end;
    if (call(text.substr(at, end - at))) return true;
    at = end;
  }
  return false;
}

/// Every spelling has at least five digits, hex ones included (metadata.goog has just these), or bytes beyond ASCII: most texts end here.
bool may_name(std::string_view text) {
  std::size_t telling = 0;
  for (const char c : text) telling += hex_value(c) >= 0 || static_cast<std::uint8_t>(c) >= 0x80 ? 1 : 0;
  return telling >= 5;
}

}  // namespace

bool is_metadata_address(const Ip& ip) {
  if (ip.is_v4()) return is_v4(ip.v4_value());
  const std::uint64_t high = ip.high(), low = ip.low();
  if (high == 0xfd000ec200000000ULL) return low == 0x254 || low == 0x23;
  if (high == 0xfd2000ce00000000ULL) return low == 0x254;
  if (high == 0 && (low >> 32) == 0) return is_v4(static_cast<std::uint32_t>(low));
  if (high == 0x0064ff9b00000000ULL && (low >> 32) == 0) return is_v4(static_cast<std::uint32_t>(low));
  return high >> 48 == 0x2002 && is_v4(static_cast<std::uint32_t>(high >> 16));
}

bool is_metadata_name(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view own) { return equals_nocase(own, name); });
}

bool names_metadata(std::string_view text) {
  text = text.substr(0, kMetadataTextMax);
  if (!may_name(text)) return false;
  Folded folded;
  std::memcpy(folded.bytes, text.data(), text.size());
  folded.size = text.size();
  for (int pass = 0; pass < 3 && unescape(folded); ++pass) {
  }
  unwiden(folded);
  if (any_run(folded.text(), is_host_char, is_metadata_host)) return true;
  return any_run(folded.text(), is_v6_char, [](std::string_view run) {
    if (std::count(run.begin(), run.end(), ':') < 2) return false;
    if (run.starts_with(':') && !run.starts_with("::")) run.remove_prefix(1);  // Behind a name and a colon.
    const auto ip = parse_ip(run);
    return ip && is_metadata_address(*ip);
  });
}

}  // namespace weir::engine
