// SPDX-License-Identifier: Apache-2.0
#pragma once

// Frames of an opened Initial packet (RFC 9000 section 19), and the CRYPTO stream that they carry: pieces in any order, over
// several datagrams, overlapping. What came first of a byte stays; a later one that differs is a flaw. The ranges that are
// filled are a short sorted list; a stream in more pieces than that is hidden.

#include <array>
#include <cstdint>

#include "facts/describer.h"

namespace weir::proto::quic {

inline constexpr std::size_t kRangesMax = 24;
inline constexpr std::size_t kCryptoBytesMax = 65536;

struct CryptoStream {
  struct Range {
    std::uint32_t begin, end;
  };
  std::array<Range, kRangesMax> ranges;  ///< Ascending, apart from each other.
  std::uint8_t count;
  bool lost;  ///< Over budget: it will not be whole.

  /// Bytes from the beginning without a hole.
  std::size_t whole() const { return count != 0 && ranges[0].begin == 0 ? ranges[0].end : 0; }
};

/// Takes the client's CRYPTO bytes into the describer's kept bytes. False after a flaw: the rest of the packet is not read.
bool read_frames(CryptoStream& stream, Bytes payload, Describer& out);

}  // namespace weir::proto::quic
