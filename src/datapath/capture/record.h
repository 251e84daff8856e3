// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a capture format yields: records, step by step over the bytes that lie ahead. A format owns no bytes and asks
// nobody for more: it says how many it needs in one piece, and its caller brings them.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "facts/frame.h"

namespace weir::datapath {

/// The byte order of a file, or of a section of one.
enum class Order : std::uint8_t { Little, Big };

/// Reads numbers in the order of the file at offsets that the caller has checked.
struct Ordered {
  const std::uint8_t* at;
  Order order;

  std::uint16_t u16(std::size_t offset) const {
    const std::uint16_t v = load_be16(at + offset);
    return order == Order::Big ? v : __builtin_bswap16(v);
  }
  std::uint32_t u32(std::size_t offset) const {
    const std::uint32_t v = load_be32(at + offset);
    return order == Order::Big ? v : __builtin_bswap32(v);
  }
  std::uint64_t u64(std::size_t offset) const {
    const std::uint64_t v = load_be64(at + offset);
    return order == Order::Big ? v : __builtin_bswap64(v);
  }
};

/// One packet of a capture; the bytes lie in what was ahead.
struct Record {
  Bytes bytes;
  std::uint32_t wire_bytes = 0;  ///< At least bytes.size(), whatever the file says.
  LinkType link = LinkType::Ethernet;
  PortIndex port = kNoPort;
  Nanoseconds wall_ns = 0;  ///< 0 to kWallMax.
};

enum class StepKind : std::uint8_t {
  Packet,  ///< The record is filled in; `size` bytes of what is ahead are its own.
  Pass,    ///< `size` bytes hold no packet; they may be more than what is ahead.
  More,    ///< `size` bytes are needed in one piece.
  Broken,  ///< The file cannot be read on; the format's problem() says why.
};

struct Step {
  StepKind kind;
  std::uint64_t size = 0;
};

/// A packet is never larger than the file's own snapshot length (bounded by kSnapMax), or this where the file says less.
inline constexpr std::uint32_t kPacketBytesMax = 262'144;
inline constexpr std::uint32_t kSnapMax = 16 * 1024 * 1024;
inline constexpr std::uint32_t packet_bound(std::uint32_t snaplen) {
  return snaplen <= kPacketBytesMax ? kPacketBytesMax : snaplen < kSnapMax ? snaplen : kSnapMax;
}

/// Times stay within the years 1970 to 2116, so that adding what a policy can name never overflows.
inline constexpr Nanoseconds kWallMax = Nanoseconds{1} << 62;

}  // namespace weir::datapath
