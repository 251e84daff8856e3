// SPDX-License-Identifier: Apache-2.0
#pragma once

// Evidence: the bytes of a stream that were read and that their receiver has not acknowledged. Until it has, another copy may
// be the one that it takes: a segment that says something else about them is a conflict, and a verdict that rests on them
// is not final. What the receiver acknowledged it has; later copies of that change nothing (RFC 9293, 3.10.7.4).
//
// Chunks in order of offset, in one block of the pool that grows to kBytesMax; adjoining bytes make one chunk. What does not
// fit is refused, or, where nobody is seen to acknowledge, the oldest go and are known as lost.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/slab_pool.h"

namespace weir::state {

class Evidence {
  struct Chunk {
    std::uint64_t begin;
    std::uint64_t size;
  };

 public:
  static constexpr std::size_t kBytesMax = SlabPool::kBlockMax;

  /// Everything before `offset` is acknowledged.
  void acknowledge(std::uint64_t offset) {
    if (offset <= acked_) return;
    acked_ = offset;
    while (head_ < tail_) {
      const Chunk chunk = chunk_at(head_);
      if (chunk.begin + chunk.size > offset) break;
      head_ += sizeof(Chunk) + chunk.size;
      if (head_ == tail_) head_ = tail_ = last_ = 0;
    }
  }
  /// All bytes read were acknowledged.
  bool settled() const { return head_ == tail_ && lost_end_ <= acked_; }

  /// Whether so many bytes more would fit, in a chunk of their own.
  bool fits(std::size_t size) const { return tail_ - head_ + size + sizeof(Chunk) <= kBytesMax; }
  /// False: it does not fit (nothing was added). `offset` is not before any earlier one.
  bool add(SlabPool& pool, std::uint64_t offset, Bytes bytes) {
    if (bytes.empty()) return true;
    const bool joins = head_ < tail_ && chunk_at(last_).begin + chunk_at(last_).size == offset;
    const std::size_t size = bytes.size() + (joins ? 0 : sizeof(Chunk));
    if (!make_room(pool, size)) return false;
    if (!joins) {
      last_ = tail_;
      const Chunk chunk{offset, 0};
      std::memcpy(block_ + tail_, &chunk, sizeof chunk);
      tail_ += sizeof(Chunk);
    }
    std::memcpy(block_ + tail_, bytes.data(), bytes.size());
    tail_ += static_cast<std::uint32_t>(bytes.size());
    Chunk chunk = chunk_at(last_);
    chunk.size += bytes.size();
    std::memcpy(block_ + last_, &chunk, sizeof chunk);
    return true;
  }
  /// Gives up what is kept: a later copy of it cannot be told from it.
  void forget(std::uint64_t end) {
    head_ = tail_ = last_ = 0;
    lost_end_ = std::max(lost_end_, end);
  }

  /// The segment says something else about a byte that is kept.
  bool differs(std::uint64_t offset, Bytes bytes) const {
    const std::uint64_t end = offset + bytes.size();
    for (std::uint32_t at = head_; at < tail_;) {
      const Chunk chunk = chunk_at(at);
      const std::uint64_t from = std::max({chunk.begin, offset, acked_}), to = std::min(chunk.begin + chunk.size, end);
      if (from < to && std::memcmp(block_ + at + sizeof(Chunk) + (from - chunk.begin), bytes.data() + (from - offset), to - from) != 0) return true;
      at += static_cast<std::uint32_t>(sizeof(Chunk) + chunk.size);
    }
    return false;
  }
  /// The segment covers bytes that were read (or passed over) and given up before they were acknowledged.
  bool unverifiable(std::uint64_t offset, std::uint64_t end) const { return std::max(offset, acked_) < std::min(end, lost_end_); }

  void release(SlabPool& pool) {
    if (block_ != nullptr) pool.release(block_, capacity_);
    block_ = nullptr;
    capacity_ = head_ = tail_ = last_ = 0;
  }

 private:
  Chunk chunk_at(std::uint32_t at) const {
    Chunk chunk;
    std::memcpy(&chunk, block_ + at, sizeof chunk);
    return chunk;
  }
  bool make_room(SlabPool& pool, std::size_t size) {
    if (tail_ + size <= capacity_) return true;
    const std::uint32_t used = tail_ - head_;
    if (used + size > kBytesMax) return false;
    if (used + size <= capacity_) {
      std::memmove(block_, block_ + head_, used);
    } else {
      std::uint32_t capacity = std::max<std::uint32_t>(capacity_, 256);
      while (capacity < used + size) capacity *= 2;
      auto* grown = static_cast<std::uint8_t*>(pool.take(capacity));
      if (grown == nullptr) return false;
      if (used != 0) std::memcpy(grown, block_ + head_, used);
      if (block_ != nullptr) pool.release(block_, capacity_);
      block_ = grown;
      capacity_ = capacity;
    }
    last_ -= head_;
    tail_ = used;
    head_ = 0;
    return true;
  }

  std::uint8_t* block_ = nullptr;
  std::uint32_t capacity_ = 0, head_ = 0, tail_ = 0;
  std::uint32_t last_ = 0;  ///< Where the last chunk begins.
  std::uint64_t acked_ = 0, lost_end_ = 0;
};

}  // namespace weir::state
