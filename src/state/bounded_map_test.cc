// SPDX-License-Identifier: Apache-2.0
#include "state/bounded_map.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

#include "base/hash.h"

namespace weir::state {
namespace {

using Map = BoundedMap<std::uint64_t, std::uint32_t>;
constexpr Nanoseconds kIdle = 10 * kSecond;

TEST(BoundedMap, FindsWhatWasPutInUntilItIsIdle) {
  Map map(64);
  *map.insert(5, mix64(5, 0), 0, kIdle) = 50;
  ASSERT_NE(map.find(5, mix64(5, 0), 9 * kSecond, kIdle), nullptr);
  EXPECT_EQ(*map.find(5, mix64(5, 0), 9 * kSecond, kIdle), 50U);
  EXPECT_EQ(map.find(6, mix64(6, 0), 0, kIdle), nullptr);
  EXPECT_EQ(map.find(5, mix64(5, 0), 11 * kSecond, kIdle), nullptr);
  map.touch(map.find(5, mix64(5, 0), 9 * kSecond, kIdle), 9 * kSecond);
  EXPECT_NE(map.find(5, mix64(5, 0), 11 * kSecond, kIdle), nullptr);
  map.erase(map.find(5, mix64(5, 0), 11 * kSecond, kIdle));
  EXPECT_EQ(map.find(5, mix64(5, 0), 11 * kSecond, kIdle), nullptr);
}

TEST(BoundedMap, TellsKeysOfOneHashApart) {
  Map map(64);
  for (std::uint32_t key = 0; key < 8; ++key) *map.insert(key, 42, 0, kIdle) = key * 10;
  for (std::uint32_t key = 0; key < 8; ++key) EXPECT_EQ(*map.find(key, 42, 1, kIdle), key * 10);
  EXPECT_TRUE(map.set_full(42, 1, kIdle));
  EXPECT_FALSE(map.set_full(43, 1, kIdle));
}

TEST(BoundedMap, WhenASetIsFullTheOneNotUsedForLongestGoesAndIsCounted) {
  Map map(64);
  for (std::uint32_t key = 0; key < 8; ++key) *map.insert(key, 42, key * kSecond / 100, kIdle) = key;
  map.touch(map.find(0, 42, kSecond, kIdle), kSecond);
  std::uint32_t gone = 0;
  map.insert(100, 42, kSecond, kIdle, [&](std::uint32_t& value) { gone = value; });
  EXPECT_EQ(gone, 1U);
  EXPECT_EQ(map.evicted(), 1U);
  EXPECT_EQ(map.find(1, 42, kSecond, kIdle), nullptr);
  EXPECT_NE(map.find(0, 42, kSecond, kIdle), nullptr);
  map.insert(101, 42, 100 * kSecond, kIdle);
  EXPECT_EQ(map.evicted(), 1U) << "what was idle is no loss";
}

TEST(BoundedMap, PutInAgainItIsNewAndTheOldOneIsGivenBack) {
  Map map(64);
  *map.insert(5, 42, 0, kIdle) = 50;
  std::uint32_t gone = 0;
  EXPECT_EQ(*map.insert(5, 42, 1, kIdle, [&](std::uint32_t& value) { gone = value; }), 0U);
  EXPECT_EQ(gone, 50U);
}

// Against std::unordered_map, where no set overflows.
TEST(BoundedMap, AgreesWithAnOrdinaryMap) {
  Map map(1 << 16);
  std::unordered_map<std::uint64_t, std::uint32_t> other;
  std::mt19937_64 random(11);
  for (int round = 0; round < 50000; ++round) {
    const std::uint64_t key = random() % 6000, hash = mix64(key, 3);
    std::uint32_t* found = map.find(key, hash, 1, kIdle);
    ASSERT_EQ(found != nullptr, other.contains(key));
    if (found != nullptr) { ASSERT_EQ(*found, other[key]); }
    if (random() % 3 != 0) {
      if (found == nullptr) found = map.insert(key, hash, 1, kIdle);
      *found = other[key] = static_cast<std::uint32_t>(round);
    } else if (found != nullptr) {
      map.erase(found);
      other.erase(key);
    }
  }
  EXPECT_EQ(map.evicted(), 0U);
}

}  // namespace
}  // namespace weir::state
