// SPDX-License-Identifier: Apache-2.0
#pragma once

// Memory for what lives as long as an unsettled flow: parser state, facts, held and reassembled bytes. One region,
// reserved at start; blocks of powers of two, and of one and a half, from 32 bytes to 256 KiB on free lists. take() and release() are a few
// instructions, never call the system, and give nullptr when the region is used up: each caller has a written answer.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir {

class SlabPool {
 public:
  /// Reserves address space for `capacity` bytes; pages are touched as they are first taken.
  explicit SlabPool(std::size_t capacity);
  ~SlabPool();
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  /// A block of at least `size` bytes (16-byte aligned, not cleared), or nullptr.
  void* take(std::size_t size) {
    const std::size_t c = class_of(size);
    if (c >= kClasses) return nullptr;
    if (free_[c] != nullptr) {
      Free* block = free_[c];
      free_[c] = block->next;
      used_ += size_of(c);
      return block;
    }
    return carve(c);
  }
  /// `size` is what take() was asked for.
  void release(void* block, std::size_t size) {
    const std::size_t c = class_of(size);
    auto* free = static_cast<Free*>(block);
    free->next = free_[c];
    free_[c] = free;
    used_ -= size_of(c);
  }

  /// What a block for `size` bytes really has; `size` is at most kBlockMax.
  static constexpr std::uint32_t fitting(std::uint32_t size) { return static_cast<std::uint32_t>(size_of(class_of(size))); }

  std::size_t used() const { return used_; }
  std::size_t capacity() const { return capacity_; }
  static constexpr std::size_t kBlockMax = 262144;

 private:
  struct Free {
    Free* next;
  };
  // Class 2n: 32 << n bytes, class 2n + 1: 48 << n.
  static constexpr std::size_t kClasses = 27;
  static constexpr std::size_t size_of(std::size_t c) { return (c % 2 == 0 ? std::size_t{32} : std::size_t{48}) << c / 2; }
  static constexpr std::size_t class_of(std::size_t size) {
    if (size <= 32) return 0;
    const std::size_t n = static_cast<std::size_t>(std::bit_width(size - 1)) - 5;  // 32 << (n - 1) < size ≤ 32 << n
    return size <= std::size_t{48} << (n - 1) ? 2 * n - 1 : 2 * n;
  }
  void* carve(std::size_t c);

  std::uint8_t* region_ = nullptr;
  std::size_t capacity_, carved_ = 0, used_ = 0;
  std::array<Free*, kClasses> free_{};
};

}  // namespace weir
