// SPDX-License-Identifier: Apache-2.0
#pragma once

// The code of RFC 7541, appendix B. It is canonical: codes of one length follow each other in the order of their symbols, shorter ones first. So
// the lengths say all.

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace weir::proto::http2 {

inline constexpr std::size_t kSymbols = 257;  ///< The last is EOS.
inline constexpr std::size_t kCodeBitsMax = 30;

// clang-format off
inline constexpr std::array<std::uint8_t, kSymbols> kCodeBits = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,   5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,   6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30};
// clang-format on

/// What decoding needs, for each length: the first code of it and the next length's, both at the left end of 32 bits, and where its symbols begin.
struct HuffmanCode {
  std::array<std::uint64_t, kCodeBitsMax + 2> first{};  ///< [n]: of the codes of n bits; [n + 1] is behind the last of them.
  std::array<std::uint16_t, kCodeBitsMax + 2> at{};
  std::array<std::uint16_t, kSymbols> symbols{};
  struct Short {
    std::uint8_t symbol, bits;
  };
  std::array<Short, 256> shorts{};                      ///< By the first eight bits; bits == 0: the code is longer.
};

constexpr HuffmanCode make_huffman_code() {
  HuffmanCode code;
  std::uint64_t next = 0;
  std::uint16_t at = 0;
  for (std::size_t bits = 1; bits <= kCodeBitsMax; ++bits) {
    code.first[bits] = next;
    code.at[bits] = at;
    for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) {
      if (kCodeBits[symbol] != bits) continue;
      code.symbols[at++] = static_cast<std::uint16_t>(symbol);
      if (bits <= 8)
        for (std::uint64_t i = 0; i < (std::uint64_t{1} << (8 - bits)); ++i)
          code.shorts[(next >> 24) + i] = {static_cast<std::uint8_t>(symbol), static_cast<std::uint8_t>(bits)};
      next += std::uint64_t{1} << (32 - bits);
    }
  }
  code.first[kCodeBitsMax + 1] = next;
  return code;
}

inline constexpr HuffmanCode kHuffman = make_huffman_code();
static_assert(kHuffman.first[kCodeBitsMax + 1] == std::uint64_t{1} << 32, "every word of bits begins with exactly one code");

/// Calls with each byte of what `text` stands for. False: EOS is in it, or it does not end with fewer than eight bits of one (5.2).
template <typename F>
bool decode_huffman(Bytes text, F&& call) {
  std::uint64_t bits = 0;
  std::size_t count = 0;  // Bits at the right end of `bits` that are not decoded yet: fewer than 30 when a byte is added.
  for (const std::uint8_t byte : text) {
    bits = bits << 8 | byte;
    count += 8;
    while (count != 0) {
      // At the left end, ones behind what is there: a code is taken only if all its bits are.
      const auto window = static_cast<std::uint32_t>((bits << (64 - count) | ~std::uint64_t{0} >> count) >> 32);
      const HuffmanCode::Short known = kHuffman.shorts[window >> 24];
      if (known.bits != 0) {
        if (known.bits > count) break;
        call(static_cast<char>(known.symbol));
        count -= known.bits;
        continue;
      }
      std::size_t length = 9;
      while (window >= kHuffman.first[length + 1]) ++length;
      if (length > count) break;
      const std::uint16_t symbol = kHuffman.symbols[kHuffman.at[length] + ((window - kHuffman.first[length]) >> (32 - length))];
      if (symbol == kSymbols - 1) return false;
      call(static_cast<char>(symbol));
      count -= length;
    }
  }
  const std::uint64_t rest = (std::uint64_t{1} << count) - 1;
  return count < 8 && (bits & rest) == rest;
}

}  // namespace weir::proto::http2
