// SPDX-License-Identifier: Apache-2.0
#include "state/stream.h"

#include <algorithm>
#include <cstring>

namespace weir::state {

std::uint64_t Stream::keep_from() const {
  const std::uint64_t read = std::min(consumed_, in_order_end_);
  const std::uint64_t unacked = std::min(acked_, read);
  return read - unacked > kRetainedMax ? read - kRetainedMax : unacked;
}

bool Stream::make_room(SlabPool& pool, std::uint64_t end) {
  if (end - buffer_begin_ <= capacity_) return true;
  // First forget what need not be kept, then grow.
  const std::uint64_t from = std::max(keep_from(), buffer_begin_);
  if (end - from > kWindowMax) return false;
  std::uint64_t last = std::max(stored_end_, from);
  for (std::size_t i = 0; i < ranges_count_; ++i) last = std::max(last, ranges_[i].end);
  const std::uint64_t used = std::min<std::uint64_t>(last - from, buffer_begin_ + capacity_ > from ? buffer_begin_ + capacity_ - from : 0);
  if (end - from <= capacity_) {
    if (used != 0) std::memmove(buffer_, buffer_ + (from - buffer_begin_), used);
    buffer_begin_ = from;
    return true;
  }
  std::uint32_t capacity = std::max<std::uint32_t>(capacity_, 2048);
  while (capacity < end - from) capacity *= 2;
  auto* grown = static_cast<std::uint8_t*>(pool.take(capacity));
  if (grown == nullptr) return false;
  if (used != 0) std::memcpy(grown, buffer_ + (from - buffer_begin_), used);
  if (buffer_ != nullptr) pool.release(buffer_, capacity_);
  buffer_ = grown;
  capacity_ = capacity;
  buffer_begin_ = from;
  return true;
}

bool Stream::store(SlabPool& pool, std::uint64_t offset, Bytes bytes) {
  if (bytes.empty()) return true;
  if (offset + bytes.size() <= consumed_) return true;  // Skipped: of no interest.
  if (buffer_ == nullptr) buffer_begin_ = keep_from();
  if (!make_room(pool, offset + bytes.size())) return false;
  if (offset < buffer_begin_) {
    bytes = bytes.subspan(buffer_begin_ - offset);
    offset = buffer_begin_;
  }
  std::memcpy(buffer_ + (offset - buffer_begin_), bytes.data(), bytes.size());
  return true;
}

bool Stream::differs(std::uint64_t begin, std::uint64_t end, std::uint64_t offset, Bytes payload) const {
  begin = std::max({begin, offset, buffer_begin_, valid_from_});
  end = std::min(end, offset + payload.size());
  return begin < end && std::memcmp(buffer_ + (begin - buffer_begin_), payload.data() + (begin - offset), end - begin) != 0;
}

void Stream::came_in_order(std::uint64_t begin, std::uint64_t end) {
  in_order_end_ = end;
  if (end > consumed_) stored_end_ = end;
  // What the parser skips is not stored, so it is not there to be compared with later.
  if (consumed_ > begin) valid_from_ = std::max(valid_from_, std::min(consumed_, end));
}

Stream::Outcome Stream::insert(SlabPool& pool, std::uint32_t sequence, Bytes payload) {
  Outcome outcome;
  const std::int64_t signed_offset = offset_of(sequence);
  if (signed_offset < 0) {
    const auto before = static_cast<std::uint64_t>(-signed_offset);
    if (before >= payload.size()) return outcome;
    return insert(pool, sequence + static_cast<std::uint32_t>(before), payload.subspan(before));
  }
  auto offset = static_cast<std::uint64_t>(signed_offset);
  const std::uint64_t end = offset + payload.size();

  // The ordinary case: the next bytes, and nothing waits.
  if (offset == in_order_end_ && ranges_count_ == 0) {
    if (payload.empty()) return outcome;
    if (!store(pool, offset, payload)) {
      outcome.insert = Insert::NoRoom;
      return outcome;
    }
    came_in_order(offset, end);
    outcome.insert = Insert::Fresh;
    return outcome;
  }

  // Compare with what is stored; then store the pieces that are new, hole by hole.
  if (buffer_ != nullptr) {
    outcome.conflict = differs(buffer_begin_, std::min(stored_end_, in_order_end_), offset, payload);
    for (std::size_t i = 0; i < ranges_count_ && !outcome.conflict; ++i)
      outcome.conflict = differs(std::max(ranges_[i].begin, consumed_), ranges_[i].end, offset, payload);
  }
  if (end <= in_order_end_) return outcome;
  std::uint64_t at = std::max(offset, in_order_end_);
  std::size_t i = 0;
  while (at < end) {
    while (i < ranges_count_ && ranges_[i].end <= at) ++i;
    if (i < ranges_count_ && ranges_[i].begin <= at) {
      at = ranges_[i].end;
      continue;
    }
    const std::uint64_t piece_end = i < ranges_count_ ? std::min(end, ranges_[i].begin) : end;
    const bool joins = i > 0 && ranges_[i - 1].end == at;
    if (!joins && at != in_order_end_ && ranges_count_ == kRangesMax) {
      outcome.insert = Insert::NoRoom;
      return outcome;
    }
    if (!store(pool, at, payload.subspan(at - offset, piece_end - at))) {
      outcome.insert = Insert::NoRoom;
      return outcome;
    }
    if (at == in_order_end_) {
      came_in_order(at, piece_end);
      outcome.insert = Insert::Fresh;
    } else if (joins) {
      ranges_[i - 1].end = piece_end;
    } else {
      if (ranges_ == nullptr) ranges_ = static_cast<Range*>(pool.take(sizeof(Range) * kRangesMax));
      if (ranges_ == nullptr) {
        outcome.insert = Insert::NoRoom;
        return outcome;
      }
      for (std::size_t k = ranges_count_; k > i; --k) ranges_[k] = ranges_[k - 1];
      ranges_[i] = {at, piece_end};
      ++ranges_count_;
    }
    if (outcome.insert != Insert::Fresh) outcome.insert = Insert::Waiting;
    at = piece_end;
  }
  // What waited and is now in order.
  std::size_t taken = 0;
  while (taken < ranges_count_ && ranges_[taken].begin <= in_order_end_) {
    if (ranges_[taken].end > in_order_end_) came_in_order(ranges_[taken].begin, ranges_[taken].end);
    ++taken;
  }
  if (taken != 0) {
    for (std::size_t k = taken; k < ranges_count_; ++k) ranges_[k - taken] = ranges_[k];
    ranges_count_ = static_cast<std::uint8_t>(ranges_count_ - taken);
  }
  return outcome;
}

Bytes Stream::ready() const {
  if (consumed_ >= in_order_end_ || buffer_ == nullptr || consumed_ < buffer_begin_) return {};
  return {buffer_ + (consumed_ - buffer_begin_), static_cast<std::size_t>(in_order_end_ - consumed_)};
}

bool Stream::acknowledge(std::uint32_t sequence) {
  const std::int64_t offset = offset_of(sequence);
  if (offset < 0) return false;
  const auto acked = static_cast<std::uint64_t>(offset);
  if (acked > acked_) acked_ = acked;
  // One past the end is the FIN, which takes a number and no byte.
  return acked > in_order_end_ + 1 || (acked > in_order_end_ && ranges_count_ != 0);
}

std::uint64_t Stream::pass_hole() {
  std::uint64_t to = ranges_count_ != 0 ? ranges_[0].begin : acked_;
  if (to <= in_order_end_) return 0;
  const std::uint64_t lost = to - in_order_end_;
  in_order_end_ = to;
  if (consumed_ < to) consumed_ = to;
  std::size_t taken = 0;
  while (taken < ranges_count_ && ranges_[taken].begin <= in_order_end_) in_order_end_ = std::max(in_order_end_, ranges_[taken++].end);
  for (std::size_t k = taken; k < ranges_count_; ++k) ranges_[k - taken] = ranges_[k];
  ranges_count_ = static_cast<std::uint8_t>(ranges_count_ - taken);
  if (in_order_end_ > consumed_) stored_end_ = in_order_end_;
  // Bytes before the hole are not compared any more: the buffer begins behind it.
  if (buffer_ != nullptr && buffer_begin_ < to) {
    if (to - buffer_begin_ < capacity_) {
      const std::uint64_t keep = std::min<std::uint64_t>(capacity_ - (to - buffer_begin_), kWindowMax);
      std::memmove(buffer_, buffer_ + (to - buffer_begin_), keep);
    }
    buffer_begin_ = to;
  }
  valid_from_ = to;
  return lost;
}

void Stream::release(SlabPool& pool) {
  if (buffer_ != nullptr) pool.release(buffer_, capacity_);
  buffer_ = nullptr;
  capacity_ = 0;
  if (ranges_ != nullptr) pool.release(ranges_, sizeof(Range) * kRangesMax);
  ranges_ = nullptr;
  ranges_count_ = 0;
}

}  // namespace weir::state
