// SPDX-License-Identifier: Apache-2.0
#include "report/json.h"

#include <emmintrin.h>

namespace weir::report {
namespace {

/// Bytes of the UTF-8 sequence that begins here, 0 if none does (RFC 3629).
std::size_t sequence(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) { return i < s.size() && at(i) >= low && at(i) <= high; };
  const unsigned c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return follows(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) return follows(1, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
  if (c >= 0xf0 && c <= 0xf4) return follows(1, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/// Bytes from the start that stand for themselves.
std::size_t plain_run(std::string_view s) {
  std::size_t i = 0;
  for (; i + 16 <= s.size(); i += 16) {
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(s.data() + i));
    // As signed bytes, what is below 0x20 and what is above 0x7f are both less than 0x20.
    const __m128i odd = _mm_or_si128(_mm_or_si128(_mm_cmplt_epi8(b, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(b, _mm_set1_epi8(0x7f))),
                                     _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8('"')), _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'))));
    if (const int mask = _mm_movemask_epi8(odd); mask != 0) return i + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
  while (i < s.size() && is_plain(s[i])) ++i;
  return i;
}

void append(fmt::memory_buffer& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

}  // namespace

void append_quoted(fmt::memory_buffer& out, std::string_view value) {
  constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  while (true) {
    const std::size_t plain = plain_run(value);
    append(out, value.substr(0, plain));
    value.remove_prefix(plain);
    if (value.empty()) break;
    const char c = value[0];
    std::size_t size = 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x80) {  // A control character: RFC 8259, section 7.
      const char escape[] = {'\\', 'u', '0', '0', kDigits[c >> 4 & 7], kDigits[c & 15]};
      append(out, {escape, sizeof escape});
    } else if (size = sequence(value); size != 0) {
      append(out, value.substr(0, size));
    } else {
      append(out, "\xef\xbf\xbd");
      size = 1;
    }
    value.remove_prefix(size);
  }
  out.push_back('"');
}

}  // namespace weir::report
