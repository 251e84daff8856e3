// SPDX-License-Identifier: Apache-2.0
#pragma once

// HPACK (RFC 7541): a header block becomes lines `name: value`, one a call. Each side of a connection has a table of what it sent
// before; what is in it lies in the bytes that a Describer keeps for that side, in a ring of fixed size:
//
//   kept(side):  | 128 places (2.3.2) | 4,096 bytes of text | … what the parser keeps there itself
//
// A table never grows beyond kTableBytesMax, the size that every connection begins with (RFC 9113, 6.5.2). Where SETTINGS allow more and an
// encoder uses it, older entries are forgotten here: what refers to them is told as unreadable, not as an error.
//
// Work is bounded by the block's bytes and, for what a few bytes of it can blow up to, by the caller: a line tells its whole size.

#include <array>
#include <cstdint>
#include <string_view>

#include "facts/describer.h"

namespace weir::proto::http2 {

inline constexpr std::size_t kTableBytesMax = 4096;
inline constexpr std::size_t kEntryOverhead = 32;                                    ///< RFC 7541, 4.1
inline constexpr std::size_t kEntriesMax = kTableBytesMax / kEntryOverhead;
inline constexpr std::size_t kPlaceBytes = 6;
inline constexpr std::size_t kRingAt = kEntriesMax * kPlaceBytes;
inline constexpr std::size_t kTableEnd = kRingAt + kTableBytesMax;                   ///< What lies behind is the parser's.
inline constexpr std::size_t kLineRoom = 4096 + 512;                                 ///< A longer line is told without its text.

/// Of one side; zero at the start.
struct Table {
  std::uint16_t newest;  ///< Slot behind the newest entry's place.
  std::uint16_t count;
  std::uint16_t end;     ///< Of the newest entry's text, in the ring.
  std::uint16_t bytes;   ///< As RFC 7541, 4.1 counts them.
  std::uint16_t shrunk;  ///< How much less than kTableBytesMax the encoder asked for.
  bool forgetful;        ///< The encoder's table is larger than ours.
};

struct Line {
  std::string_view text;       ///< `name: value`; valid until the next call.
  std::size_t name_bytes = 0;
  std::size_t bytes = 0;       ///< Of the whole, as RFC 7541, 4.1 counts them.
  bool readable = false;       ///< False: too long for kLineRoom, or forgotten.
  std::string_view name() const { return text.substr(0, name_bytes); }
  std::string_view value() const { return text.substr(name_bytes + 2); }
};

/// Reads blocks of one side.
class Decoder {
 public:
  /// `allowed`: the table size that the other side's SETTINGS allow.
  Decoder(Table& table, Describer& describer, Side side, std::uint32_t allowed) : table_(table), d_(describer), side_(side), allowed_(allowed) {}

  enum class Step : std::uint8_t { Line, End, Bad };
  /// The next line of `block`, which it shortens. Bad: the table of that side cannot be followed any more (RFC 9113, 4.3).
  Step next(Bytes& block, Line& line);
  /// A change of size that the other side does not allow, or that stands behind a line (RFC 7541, 4.2).
  bool bad_resize() const { return bad_resize_; }

 private:
  std::size_t limit() const { return kTableBytesMax - table_.shrunk; }
  bool name_of(std::uint64_t index);
  bool indexed(std::uint64_t index);
  bool string(Bytes& block);
  void append(std::string_view text);
  void append_ring(std::size_t at, std::size_t size);
  void insert();
  void evict(std::size_t bytes_left);
  void resize(std::uint64_t size);

  Table& table_;
  Describer& d_;
  Side side_;
  std::uint32_t allowed_;
  bool bad_resize_ = false;
  bool lines_ = false;           ///< A line was read of this block.
  bool forgotten_ = false;       ///< Something of the line is.
  std::size_t size_ = 0;         ///< Of what belongs into room_, though it does not fit.
  std::size_t name_bytes_ = 0;
  std::array<char, kLineRoom> room_;
};

}  // namespace weir::proto::http2
