// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stream: one direction of a TCP connection put in order, for a parser that consumes it.
//
// Invariants:
//  1. Offsets count from the stream's first byte and never wrap. consumed ≤ in-order end, or the parser skips ahead
//     (consumed beyond the in-order end: those bytes are not stored when they come).
//  2. The first data wins: a byte once stored is never overwritten. A later copy that differs is a conflict.
//  3. Bytes are stored from keep_from() on: not consumed, or consumed and not yet acknowledged (then only to find conflicts).
//  4. At most kWindowMax bytes and kRangesMax pieces out of order are held; what does not fit is reported, not stored.

#include <cstdint>

#include "base/bytes.h"
#include "base/slab_pool.h"

namespace weir::state {

class Stream {
 public:
  static constexpr std::size_t kWindowMax = 65536;
  static constexpr std::size_t kRangesMax = 24;
  static constexpr std::size_t kRetainedMax = 16384;  ///< Consumed bytes kept where acknowledgements are not seen.

  enum class Insert : std::uint8_t {
    Fresh,      ///< New bytes, in order: ready() grew.
    Waiting,    ///< New bytes, out of order: kept until the hole is filled.
    Old,        ///< Nothing new.
    NoRoom,     ///< Out of order and beyond the budget, or the pool is empty: not stored.
  };
  struct Outcome {
    Insert insert = Insert::Old;
    bool conflict = false;  ///< Bytes that were stored before differ from these.
  };

  bool started() const { return started_; }
  /// `sequence` is the number of the stream's first byte.
  void start(std::uint32_t sequence) {
    started_ = true;
    base_sequence_ = sequence;
  }
  Outcome insert(SlabPool& pool, std::uint32_t sequence, Bytes payload);
  /// Bytes in order that the parser has not consumed. Valid until the next insert() or acknowledge().
  Bytes ready() const;
  void consume(std::size_t size) { consumed_ += size; }
  void skip(std::uint64_t size) { consumed_ += size; }
  std::uint64_t consumed() const { return consumed_; }
  std::uint64_t in_order_end() const { return in_order_end_; }
  bool has_hole() const { return ranges_count_ != 0; }
  /// The receiver has everything before `sequence`. True if it acknowledges bytes that never came by here: a hole for good.
  bool acknowledge(std::uint32_t sequence);
  /// Gives up the bytes before the first piece behind the hole (or before what was acknowledged); says how many are lost.
  std::uint64_t pass_hole();
  void release(SlabPool& pool);

 private:
  struct Range {
    std::uint64_t begin, end;
  };
  std::int64_t offset_of(std::uint32_t sequence) const {
    const std::uint32_t here = base_sequence_ + static_cast<std::uint32_t>(in_order_end_);
    return static_cast<std::int64_t>(in_order_end_) + static_cast<std::int32_t>(sequence - here);
  }
  std::uint64_t keep_from() const;
  void came_in_order(std::uint64_t begin, std::uint64_t end);
  bool make_room(SlabPool& pool, std::uint64_t end);
  bool store(SlabPool& pool, std::uint64_t offset, Bytes bytes);
  bool differs(std::uint64_t begin, std::uint64_t end, std::uint64_t offset, Bytes payload) const;

  std::uint8_t* buffer_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t base_sequence_ = 0;
  std::uint64_t buffer_begin_ = 0;  ///< Offset of buffer_[0].
  std::uint64_t stored_end_ = 0;    ///< In-order bytes are stored up to here (bytes skipped are not).
  std::uint64_t valid_from_ = 0;    ///< In-order bytes from here to stored_end_ are those that came.
  std::uint64_t in_order_end_ = 0, consumed_ = 0, acked_ = 0;
  Range* ranges_ = nullptr;  ///< kRangesMax of them, from the pool, once something is out of order.
  std::uint8_t ranges_count_ = 0;
  bool started_ = false;
};

}  // namespace weir::state
