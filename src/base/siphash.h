// SPDX-License-Identifier: Apache-2.0
#pragma once

// SipHash-2-4 of whole words (Aumasson and Bernstein, 2012): a keyed hash that who sees its values cannot foretell others of. For what is sent
// to strangers and must come back; tables use base/hash.h. The program in the kernel has the same (bpf/syn_cookie.h).

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir {

struct SipKey {
  std::uint64_t k0 = 0, k1 = 0;
};

/// Of the words' bytes, least significant first, as the paper has it of a string of that length.
constexpr std::uint64_t siphash(const SipKey& key, std::span<const std::uint64_t> words) {
  std::uint64_t a = key.k0 ^ 0x736f6d6570736575, b = key.k1 ^ 0x646f72616e646f6d, c = key.k0 ^ 0x6c7967656e657261, d = key.k1 ^ 0x7465646279746573;
  const auto round = [&] {
    a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
    c += d, d = std::rotl(d, 16) ^ c;
    a += d, d = std::rotl(d, 21) ^ a;
    c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
  };
  const auto take = [&](std::uint64_t word) {
    d ^= word;
    round(), round();
    a ^= word;
  };
  for (const std::uint64_t word : words) take(word);
  take(std::uint64_t{words.size() * 8} << 56);
  c ^= 0xff;
  round(), round(), round(), round();
  return a ^ b ^ c ^ d;
}

}  // namespace weir
