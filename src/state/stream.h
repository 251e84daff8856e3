// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stream: one direction of a TCP connection put in order, for a parser that consumes it.
//
// Invariants:
//  1. Offsets count from the stream's first byte and never wrap. consumed ≤ in-order end, or the parser skips ahead
//     (consumed beyond the in-order end: those bytes are not stored when they come).
//  2. The first data wins: a byte once stored is never overwritten. A later copy that differs is a conflict, as long as the
//     receiver has not acknowledged the byte (evidence.h).
//  3. At most kWindowMax bytes that were not consumed and kRangesMax pieces out of order are held; what does not fit is
//     reported, not stored.

#include <cstdint>

#include "base/bytes.h"
#include "base/slab_pool.h"
#include "state/evidence.h"

namespace weir::state {

class Stream {
 public:
  /// What a sender may have under way beyond a hole, or unacknowledged: what does not fit waits for TCP to send it again, so a small
  /// bound would slow down innocent bulk on long ways.
  static constexpr std::size_t kWindowMax = 262144;
  static constexpr std::size_t kRangesMax = 24;

  enum class Insert : std::uint8_t {
    Fresh,      ///< New bytes, in order: ready() grew.
    Waiting,    ///< New bytes, out of order: kept until the hole is filled.
    Old,        ///< Nothing new.
    NoRoom,     ///< Out of order and beyond the budget, or the pool is empty: not stored.
  };
  struct Outcome {
    Insert insert = Insert::Old;
    bool conflict = false;      ///< It differs from bytes that were read, or wait, and are not acknowledged: nothing of it is stored.
    bool unverifiable = false;  ///< It covers such bytes, but they were given up: nobody can tell.
    bool before_start = false;  ///< More than a keep-alive's one byte lies before the stream's first.
  };

  bool started() const { return started_; }
  /// `sequence` is the number of the stream's first byte.
  void start(std::uint32_t sequence) {
    started_ = true;
    base_sequence_ = sequence;
  }
  /// `acknowledged`: the receiver is seen, so that evidence need never be given up; a segment that would ask for it has no room.
  Outcome insert(SlabPool& pool, std::uint32_t sequence, Bytes payload, bool acknowledged = true);
  /// Bytes in order that the parser has not consumed. Valid until the next insert() or acknowledge().
  Bytes ready() const;
  void consume(std::size_t size) { consumed_ += size; }
  void skip(std::uint64_t size) { consumed_ += size; }
  std::uint64_t consumed() const { return consumed_; }
  std::uint64_t in_order_end() const { return in_order_end_; }
  /// Bytes wait behind a hole that the receiver has acknowledged.
  bool hole_acknowledged() const { return ranges_count_ != 0 && claimed_ >= ranges_[0].begin; }
  bool has_hole() const { return ranges_count_ != 0; }
  /// Nothing later is of interest: it is neither stored nor compared.
  void skip_rest() { consumed_ = kNever; }
  /// Everything that was read is acknowledged.
  bool evidence_settled() const { return evidence_.settled(); }
  std::uint64_t acked() const { return acked_; }
  /// The receiver has everything before `sequence`. True if that covers a hole behind which bytes wait: it will not be filled.
  /// Of bytes that never came by here it says nothing yet: it counts up to those that did, and for the rest when more comes.
  bool acknowledge(std::uint32_t sequence);
  /// Between what is in order and a segment that begins here there is a hole, and nothing waits in it.
  bool lies_ahead(std::uint32_t sequence) const { return ranges_count_ == 0 && offset_of(sequence) > static_cast<std::int64_t>(in_order_end_); }
  /// The same, and the receiver has everything before that segment.
  bool hole_acknowledged_before(std::uint32_t sequence) const {
    return lies_ahead(sequence) && claimed_ >= static_cast<std::uint64_t>(offset_of(sequence));
  }
  /// Gives up the bytes before the first piece that waits; says how many are lost, not counting those that are skipped.
  std::uint64_t pass_hole(SlabPool& pool) { return ranges_count_ == 0 ? 0 : pass_to(pool, ranges_[0].begin); }
  /// The same before a segment that begins here.
  std::uint64_t pass_hole(SlabPool& pool, std::uint32_t before) { return pass_to(pool, static_cast<std::uint64_t>(offset_of(before))); }
  void release(SlabPool& pool);

 private:
  struct Range {
    std::uint64_t begin, end;
  };
  std::int64_t offset_of(std::uint32_t sequence) const {
    const std::uint32_t here = base_sequence_ + static_cast<std::uint32_t>(in_order_end_);
    return static_cast<std::int64_t>(in_order_end_) + static_cast<std::int32_t>(sequence - here);
  }
  static constexpr std::uint64_t kNever = UINT64_MAX / 2;
  void count_acknowledged();
  std::uint64_t pass_to(SlabPool& pool, std::uint64_t to);
  void came_in_order(SlabPool& pool, std::uint64_t begin, std::uint64_t end);
  bool make_room(SlabPool& pool, std::uint64_t end);
  bool store(SlabPool& pool, std::uint64_t offset, Bytes bytes);
  bool differs(std::uint64_t begin, std::uint64_t end, std::uint64_t offset, Bytes payload) const;

  std::uint8_t* buffer_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t base_sequence_ = 0;
  std::uint64_t buffer_begin_ = 0;  ///< Offset of buffer_[0].
  std::uint64_t stored_end_ = 0;    ///< In-order bytes are stored up to here (bytes skipped are not).
  std::uint64_t in_order_end_ = 0, consumed_ = 0, acked_ = 0;
  std::uint64_t claimed_ = 0;       ///< The highest acknowledgement seen, also of bytes that did not come by here (yet).
  Evidence evidence_;
  Range* ranges_ = nullptr;  ///< kRangesMax of them, from the pool, once something is out of order.
  std::uint8_t ranges_count_ = 0;
  bool started_ = false;
};

}  // namespace weir::state
