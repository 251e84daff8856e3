// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small questions about text, ASCII only: protocols on the wire fold case in ASCII, whatever the locale says.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

inline char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_alpha(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
inline int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string lower(std::string_view text);
bool equals_nocase(std::string_view a, std::string_view b);
bool starts_nocase(std::string_view text, std::string_view prefix);
/// Tries every place: for short texts.
bool contains_nocase(std::string_view text, std::string_view part);
std::string_view trim(std::string_view text);
/// Decimal digits only, no sign, no overflow.
std::optional<std::uint64_t> parse_number(std::string_view text);
/// Calls once a line, without its LF or CRLF.
template <typename F>
void for_each_line(std::string_view text, F&& call) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    call(line);
  }
}
/// `*` any run, `?` any one byte; the whole text must match. Linear in practice, bounded by size(pattern) * size(text).
bool glob_matches(std::string_view pattern, std::string_view text, bool fold_case);
/// The candidate nearest to `word` by edits (insert, delete, replace, swap), or an empty view if none is near enough to be meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
std::string hex(std::span<const std::uint8_t> bytes);

}  // namespace weir
