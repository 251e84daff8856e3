// SPDX-License-Identifier: Apache-2.0
// Any bytes as a JSON string: what comes out is one line of valid UTF-8, has no bare control character, its only bare quotes are
// the outer two, and read back with U+FFFD for what is not UTF-8 it is what went in.

#include <cstdint>
#include <string>

#include "base/check.h"
#include "report/json.h"

namespace {

/// The oracle: strict UTF-8 by decoding and encoding again. Bytes of the sequence at the start, 0 if it is none.
std::size_t decoded(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(s[i])); };
  if (at(0) < 0x80) return 1;
  const std::size_t size = at(0) >= 0xf0 ? 4 : at(0) >= 0xe0 ? 3 : at(0) >= 0xc0 ? 2 : 0;
  if (size == 0 || size > s.size() || at(0) >= 0xf8) return 0;
  std::uint32_t code = at(0) & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (at(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return code >= kLeast[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? size : 0;
}

int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  fmt::memory_buffer out;
  weir::report::append_quoted(out, input);
  std::string_view text(out.data(), out.size());
  CHECK(text.size() >= 2 && text.front() == '"' && text.back() == '"');
  text = text.substr(1, text.size() - 2);
  std::string back;
  while (!text.empty()) {
    const std::size_t sequence = decoded(text);
    CHECK(sequence != 0 && text[0] != '"' && static_cast<unsigned char>(text[0]) >= 0x20 && text[0] != 0x7f);
    if (text[0] != '\\') {
      back += text.substr(0, sequence);
      text.remove_prefix(sequence);
      continue;
    }
    CHECK(text.size() >= 2);
    if (text[1] == 'u') {
      CHECK(text.size() >= 6 && text[2] == '0' && text[3] == '0' && hex_digit(text[4]) >= 0 && hex_digit(text[5]) >= 0);
      back += static_cast<char>(hex_digit(text[4]) << 4 | hex_digit(text[5]));
      text.remove_prefix(6);
    } else {
      CHECK(text[1] == '"' || text[1] == '\\');
      back += text[1];
      text.remove_prefix(2);
    }
  }
  std::string expected;
  for (std::string_view rest = input; !rest.empty();) {
    const std::size_t sequence = decoded(rest);
    expected += sequence == 0 ? std::string_view("\xef\xbf\xbd") : rest.substr(0, sequence);
    rest.remove_prefix(sequence == 0 ? 1 : sequence);
  }
  CHECK(back == expected);
  return 0;
}
