// SPDX-License-Identifier: Apache-2.0
#pragma once

// UTF-16LE, as Microsoft's protocols carry names, into UTF-8 in memory of the caller's. Unpaired surrogates become U+FFFD,
// so that every input has one output; what does not fit is said, never cut in silence.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace weir::proto {

/// Nothing if `out` is too small. An odd last byte is left out; the text ends at the first NUL.
inline std::optional<std::string_view> utf8_of_utf16le(Bytes in, std::span<char> out) {
  std::size_t used = 0;
  const auto put = [&](std::uint32_t byte) { out[used++] = static_cast<char>(byte); };
  for (std::size_t i = 0; i + 1 < in.size(); i += 2) {
    std::uint32_t c = static_cast<std::uint32_t>(in[i] | in[i + 1] << 8);
    if (c == 0) break;
    if (c >= 0xD800 && c < 0xE000) {
      const std::uint32_t low = i + 3 < in.size() ? static_cast<std::uint32_t>(in[i + 2] | in[i + 3] << 8) : 0;
      if (c < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        i += 2;
      } else {
        c = 0xFFFD;
      }
    }
    const std::size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (size > out.size() - used) return std::nullopt;
    if (size == 1) {
      put(c);
    } else if (size == 2) {
      put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
    } else if (size == 3) {
      put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
    } else {
      put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
    }
  }
  return std::string_view(out.data(), used);
}

}  // namespace weir::proto
