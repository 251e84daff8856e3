// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words. Summed sixteen bytes
// at a time in the machine's byte order, which gives the same sum with its bytes swapped (RFC 1071, 2B).

#include <emmintrin.h>

#include "base/address.h"
#include "base/bytes.h"

namespace weir::wire {

class Checksum {
 public:
  /// Parts must have an even length, save the last.
  Checksum& add(Bytes bytes) {
    const std::uint8_t* p = bytes.data();
    std::size_t left = bytes.size();
    if (left >= 32) {
      // Words of 32 bits in sums of 64: nothing carries over before 2^32 of them.
      const __m128i zero = _mm_setzero_si128();
      __m128i low = zero, high = zero;
      for (; left >= 16; p += 16, left -= 16) {
        __m128i words;
        std::memcpy(&words, p, 16);
        low = _mm_add_epi64(low, _mm_unpacklo_epi32(words, zero));
        high = _mm_add_epi64(high, _mm_unpackhi_epi32(words, zero));
      }
      const __m128i sums = _mm_add_epi64(low, high);
      add_word(static_cast<std::uint64_t>(_mm_cvtsi128_si64(sums)));
      add_word(static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums))));
    }
    for (; left >= 8; p += 8, left -= 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      add_word(word);
    }
    if (left != 0) {
      std::uint64_t tail = 0;
      std::memcpy(&tail, p, left);
      add_word(tail);
    }
    return *this;
  }
  Checksum& add_be16(std::uint16_t value) {
    add_word(__builtin_bswap16(value));
    return *this;
  }
  Checksum& add_be32(std::uint32_t value) {
    add_word(__builtin_bswap32(value));
    return *this;
  }
  /// The pseudo header of RFC 9293, 3.1 and of RFC 8200, 8.1; both give the same sum for the same numbers.
  Checksum& add_pseudo_header(std::uint8_t version, const Ip& src, const Ip& dst, std::uint8_t protocol, std::uint32_t length) {
    const std::size_t skip = version == 4 ? 12 : 0;
    add(Bytes(src.bytes).subspan(skip));
    add(Bytes(dst.bytes).subspan(skip));
    return add_be32(length).add_be16(protocol);
  }

  /// What goes into the header. Over bytes that hold their right checksum it is 0.
  std::uint16_t value() const {
    std::uint64_t sum = (sum_ >> 32) + (sum_ & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return __builtin_bswap16(static_cast<std::uint16_t>(~sum));
  }

 private:
  void add_word(std::uint64_t word) {
    sum_ += word;
    sum_ += static_cast<std::uint64_t>(sum_ < word);  // The carry comes round.
  }

  std::uint64_t sum_ = 0;
};

}  // namespace weir::wire
