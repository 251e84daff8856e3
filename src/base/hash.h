// SPDX-License-Identifier: Apache-2.0
#pragma once

// Seeded, non-cryptographic mixing for tables. The seed is random inline and fixed in replay, so an attacker cannot
// aim at a bucket and a capture gives the same run twice.

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"

namespace weir {

/// Multiplies to 128 bits and folds: one good mixing step (the idea of wyhash and of FxHash's successors).
inline std::uint64_t mix64(std::uint64_t a, std::uint64_t b) {
  __extension__ typedef unsigned __int128 Wide;
  const Wide product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15ULL) * (b ^ 0xD1B54A32D192ED03ULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_bytes(Bytes bytes, std::uint64_t seed = 0) {
  std::uint64_t h = mix64(seed, bytes.size());
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    h = mix64(h, word);
  }
  std::uint64_t tail = 0;
  if (left != 0) std::memcpy(&tail, p, left);
  return mix64(h, tail);
}
inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) { return hash_bytes(as_bytes(text), seed); }

}  // namespace weir
