// SPDX-License-Identifier: Apache-2.0
#include "base/slab_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

namespace weir {
namespace {

TEST(SlabPool, RoundsUpByAThirdAtMostAboveItsSmallestBlock) {
  SlabPool pool(1 << 20);
  for (const std::size_t size : {33U, 48U, 49U, 64U, 65U, 96U, 97U, 1000U, 1024U, 1025U, 1096U, 1536U, 1537U, 40000U, 65536U}) {
    const std::size_t before = pool.used();
    void* block = pool.take(size);
    ASSERT_NE(block, nullptr) << size;
    const std::size_t taken = pool.used() - before;
    EXPECT_GE(taken, size);
    EXPECT_LE(taken * 2, size * 3 + 2) << size;
    pool.release(block, size);
    EXPECT_EQ(pool.used(), before) << size;
  }
}

TEST(SlabPool, SaysNoToWhatIsTooLargeAndWhenItIsUsedUp) {
  SlabPool pool(4096);
  EXPECT_EQ(pool.take(SlabPool::kBlockMax + 1), nullptr);
  EXPECT_NE(pool.take(4096), nullptr);
  EXPECT_EQ(pool.take(1), nullptr);
}

TEST(SlabPool, BlocksNeverOverlapAndComeBack) {
  SlabPool pool(1 << 22);
  std::mt19937 random(7);
  std::map<std::uint8_t*, std::size_t> taken;
  for (int round = 0; round < 20000; ++round) {
    if (random() % 2 == 0 || taken.empty()) {
      const std::size_t size = 1 + random() % 3000;
      auto* block = static_cast<std::uint8_t*>(pool.take(size));
      if (block == nullptr) continue;
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0U);
      const auto after = taken.lower_bound(block);
      if (after != taken.end()) { ASSERT_LE(block + size, after->first); }
      if (after != taken.begin()) { ASSERT_LE(std::prev(after)->first + std::prev(after)->second, block); }
      std::memset(block, 0xa5, size);
      taken[block] = size;
    } else {
      const auto gone = std::next(taken.begin(), static_cast<std::ptrdiff_t>(random() % taken.size()));
      pool.release(gone->first, gone->second);
      taken.erase(gone);
    }
  }
  for (const auto& [block, size] : taken) pool.release(block, size);
  EXPECT_EQ(pool.used(), 0U);
}

}  // namespace
}  // namespace weir
