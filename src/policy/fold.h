// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lower case for eight bytes at once, ASCII only. Each byte is judged by itself: the sums below cannot carry into
// the next byte, since its top bit is cleared first and put back in the end.

#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

#include "base/hash.h"

namespace weir::policy {

inline std::uint64_t fold_word(std::uint64_t word) {
  constexpr std::uint64_t kEach = 0x0101010101010101ULL, kTop = kEach * 0x80;
  const std::uint64_t low = word & ~kTop;
  const std::uint64_t from_a = low + kEach * (0x80 - 'A'), past_z = low + kEach * (0x80 - 'Z' - 1);
  return word | ((from_a & ~past_z & ~word & kTop) >> 2);
}

/// The first `size` (at most 8) bytes at `at`; the rest is zero.
inline std::uint64_t load_word(const char* at, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, size);
  return word;
}

/// A hash of the text, the same for texts that differ in case only if `fold`. Reads each byte once.
inline std::uint64_t hash_folded(std::string_view text, std::uint64_t seed, bool fold) {
  std::uint64_t hash = mix64(seed, text.size());
  while (!text.empty()) {
    const std::size_t size = text.size() < 8 ? text.size() : 8;
    const std::uint64_t word = load_word(text.data(), size);
    hash = mix64(hash, fold ? fold_word(word) : word);
    text.remove_prefix(size);
  }
  return hash;
}

/// Lists come from feeds that an attacker may write into, so their tables are seeded. Answers do not depend on the seed.
inline std::uint64_t fresh_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace weir::policy
