// SPDX-License-Identifier: Apache-2.0
#include "state/stream.h"

#include <algorithm>
#include <cstring>

namespace weir::state {

bool Stream::make_room(SlabPool& pool, std::uint64_t end) {
  if (end - buffer_begin_ <= capacity_) return true;
  // First forget what need not be kept, then grow.
  const std::uint64_t from = std::max(std::min(consumed_, in_order_end_), buffer_begin_);
  if (end - from > kWindowMax) return false;
  std::uint64_t last = std::max(stored_end_, from);
  for (std::size_t i = 0; i < ranges_count_; ++i) last = std::max(last, ranges_[i].end);
  const std::uint64_t used = std::min<std::uint64_t>(last - from, buffer_begin_ + capacity_ > from ? buffer_begin_ + capacity_ - from : 0);
  if (end - from <= capacity_) {
    if (used != 0) std::memmove(buffer_, buffer_ + (from - buffer_begin_), used);
    buffer_begin_ = from;
    return true;
  }
  // The first time just what is needed: most requests come whole in one segment. Then at least twice as much.
  const std::uint32_t wanted = std::max(static_cast<std::uint32_t>(end - from), std::min<std::uint32_t>(capacity_ * 2, kWindowMax));
  const std::uint32_t capacity = SlabPool::fitting(wanted);
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
  if (buffer_ == nullptr) buffer_begin_ = std::min(consumed_, in_order_end_);
  if (!make_room(pool, offset + bytes.size())) return false;
  if (offset < buffer_begin_) {
    bytes = bytes.subspan(buffer_begin_ - offset);
    offset = buffer_begin_;
  }
  std::memcpy(buffer_ + (offset - buffer_begin_), bytes.data(), bytes.size());
  return true;
}

bool Stream::differs(std::uint64_t begin, std::uint64_t end, std::uint64_t offset, Bytes payload) const {
  begin = std::max({begin, offset, buffer_begin_});
  end = std::min(end, offset + payload.size());
  return begin < end && std::memcmp(buffer_ + (begin - buffer_begin_), payload.data() + (begin - offset), end - begin) != 0;
}

void Stream::came_in_order(SlabPool& pool, std::uint64_t begin, std::uint64_t end) {
  in_order_end_ = end;
  if (end <= consumed_) return;
  stored_end_ = end;
  // What the parser skips is not read: it is no evidence.
  const std::uint64_t from = std::max({begin, consumed_, buffer_begin_});
  if (from >= end) return;
  const Bytes fresh(buffer_ + (from - buffer_begin_), end - from);
  if (evidence_.add(pool, from, fresh)) return;
  evidence_.forget(end);
}

Stream::Outcome Stream::insert(SlabPool& pool, std::uint32_t sequence, Bytes payload, bool acknowledged) {
  Outcome outcome;
  const std::int64_t signed_offset = offset_of(sequence);
  if (signed_offset < 0) {
    const auto before = static_cast<std::uint64_t>(-signed_offset);
    if (payload.size() > before) outcome = insert(pool, sequence + static_cast<std::uint32_t>(before), payload.subspan(before), acknowledged);
    outcome.before_start = before > 1 && !payload.empty();  // One byte back is a keep-alive (RFC 9293, 3.8.4).
    return outcome;
  }
  const auto offset = static_cast<std::uint64_t>(signed_offset);
  const std::uint64_t end = offset + payload.size();
  if (payload.empty()) return outcome;
  // Evidence is not given up while its receiver is seen: it will acknowledge, and what did not fit is sent again.
  if (acknowledged && end > std::max(consumed_, in_order_end_) && !evidence_.fits(payload.size())) {
    outcome.insert = Insert::NoRoom;
    return outcome;
  }

  // The ordinary case: the next bytes, and nothing waits.
  if (offset == in_order_end_ && ranges_count_ == 0) {
    if (!store(pool, offset, payload)) {
      outcome.insert = Insert::NoRoom;
      return outcome;
    }
    came_in_order(pool, offset, end);
    count_acknowledged();
    outcome.insert = Insert::Fresh;
    return outcome;
  }

  // Compare with what was read and with what waits; then store the pieces that are new, hole by hole.
  if (offset < in_order_end_) {
    outcome.conflict = evidence_.differs(offset, payload);
    outcome.unverifiable = evidence_.unverifiable(offset, end);
  }
  for (std::size_t i = 0; i < ranges_count_ && !outcome.conflict; ++i)
    outcome.conflict = differs(std::max(ranges_[i].begin, consumed_), ranges_[i].end, offset, payload);
  // A segment that differs does not go on, so nothing of it is kept: what was dropped teaches nothing.
  if (end <= in_order_end_ || outcome.conflict) return outcome;
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
      came_in_order(pool, at, piece_end);
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
    if (ranges_[taken].end > in_order_end_) came_in_order(pool, ranges_[taken].begin, ranges_[taken].end);
    ++taken;
  }
  if (taken != 0) {
    for (std::size_t k = taken; k < ranges_count_; ++k) ranges_[k - taken] = ranges_[k];
    ranges_count_ = static_cast<std::uint8_t>(ranges_count_ - taken);
  }
  count_acknowledged();
  return outcome;
}

Bytes Stream::ready() const {
  if (consumed_ >= in_order_end_ || buffer_ == nullptr || consumed_ < buffer_begin_) return {};
  return {buffer_ + (consumed_ - buffer_begin_), static_cast<std::size_t>(in_order_end_ - consumed_)};
}

void Stream::count_acknowledged() {
  const std::uint64_t seen_end = ranges_count_ != 0 ? ranges_[ranges_count_ - 1].end : in_order_end_;
  const std::uint64_t acked = std::min(claimed_, seen_end);
  if (acked <= acked_) return;
  acked_ = acked;
  evidence_.acknowledge(acked);
}

bool Stream::acknowledge(std::uint32_t sequence) {
  const std::int64_t offset = offset_of(sequence);
  if (offset < 0) return false;
  claimed_ = std::max(claimed_, static_cast<std::uint64_t>(offset));
  count_acknowledged();
  return hole_acknowledged();
}

std::uint64_t Stream::pass_to(SlabPool& pool, std::uint64_t to) {
  // What the parser passes over (a body, an entry, whose length it knows) is not missed: reading goes on behind it.
  const std::uint64_t lost = to - std::max(in_order_end_, std::min(consumed_, to));
  if (acked_ < to) evidence_.forget(to);
  // The buffer begins behind the hole.
  if (buffer_ != nullptr && buffer_begin_ < to) {
    if (to - buffer_begin_ < capacity_) std::memmove(buffer_, buffer_ + (to - buffer_begin_), capacity_ - (to - buffer_begin_));
    buffer_begin_ = to;
  }
  in_order_end_ = to;
  if (consumed_ < to) consumed_ = to;
  std::size_t taken = 0;
  while (taken < ranges_count_ && ranges_[taken].begin <= in_order_end_) {
    if (ranges_[taken].end > in_order_end_) came_in_order(pool, ranges_[taken].begin, ranges_[taken].end);
    ++taken;
  }
  for (std::size_t k = taken; k < ranges_count_; ++k) ranges_[k - taken] = ranges_[k];
  ranges_count_ = static_cast<std::uint8_t>(ranges_count_ - taken);
  return lost;
}

void Stream::release(SlabPool& pool) {
  evidence_.release(pool);
  if (buffer_ != nullptr) pool.release(buffer_, capacity_);
  buffer_ = nullptr;
  capacity_ = 0;
  if (ranges_ != nullptr) pool.release(ranges_, sizeof(Range) * kRangesMax);
  ranges_ = nullptr;
  ranges_count_ = 0;
}

}  // namespace weir::state
