// SPDX-License-Identifier: Apache-2.0
#include "state/fragments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::state {
namespace {

struct Reassembly {
  SlabPool pool{1 << 24};
  Fragments fragments{pool};
  std::vector<std::uint32_t> given_up;

  Fragments::Result put(std::uint32_t id, std::uint32_t offset, bool more, std::string_view text, Nanoseconds now = 0) {
    return fragments.add({Ip::v4(1), Ip::v4(2), id, 0, 17}, offset, more, as_bytes(text), as_bytes("IPv4 header"), {++number, 0, 0}, now,
                         [this](Fragments::Datagram& d) { given_up.push_back(d.key.id); });
  }
  std::uint64_t number = 0;
};

using Added = Fragments::Added;

TEST(Fragments, AnyOrderMakesTheDatagramWhole) {
  const std::vector<std::vector<int>> orders = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}};
  for (const auto& order : orders) {
    Reassembly r;
    Fragments::Result result;
    for (const int part : order)
      result = part == 0 ? r.put(7, 0, true, "01234567") : part == 1 ? r.put(7, 8, true, "89abcdef") : r.put(7, 16, false, "end");
    ASSERT_EQ(result.added, Added::Whole);
    EXPECT_EQ(as_text({result.datagram->bytes, result.datagram->total}), "0123456789abcdefend");
    EXPECT_EQ(result.datagram->frames_count, 3);
    r.fragments.release(*result.datagram);
    EXPECT_FALSE(r.fragments.any());
    EXPECT_EQ(r.pool.used(), 0U);
  }
}

TEST(Fragments, OverlapsAreTold) {
  Reassembly r;
  r.put(7, 0, true, "0123456789abcdef");
  EXPECT_EQ(r.put(7, 8, false, "XXXXXXXXXX").added, Added::Overlap);
}

TEST(Fragments, DatagramsOfOtherKeysAreKeptApart) {
  Reassembly r;
  for (std::uint32_t id = 0; id < 200; ++id) EXPECT_EQ(r.put(id, 0, true, "01234567").added, Added::Waiting);
  for (std::uint32_t id = 0; id < 200; id += 3) {
    const Fragments::Result result = r.put(id, 8, false, "x");
    ASSERT_EQ(result.added, Added::Whole) << id;
    EXPECT_EQ(result.datagram->key.id, id);
    r.fragments.release(*result.datagram);
  }
  EXPECT_EQ(r.put(1, 8, false, "x").added, Added::Whole);
}

TEST(Fragments, AFloodGivesUpTheOldestFirst) {
  Reassembly r;
  for (std::uint32_t id = 0; id < Fragments::kDatagramsMax; ++id) r.put(id, 0, true, "01234567", id);
  EXPECT_TRUE(r.given_up.empty());
  r.put(10000, 0, true, "01234567", 1000);
  r.put(10001, 0, true, "01234567", 1001);
  EXPECT_EQ(r.given_up, (std::vector<std::uint32_t>{0, 1}));
}

TEST(Fragments, WhatIsNotWholeInTimeIsGivenUp) {
  Reassembly r;
  r.put(7, 0, true, "01234567", 0);
  r.put(8, 0, true, "01234567", 20 * kSecond);
  std::vector<std::uint32_t> due;
  const auto give_up = [&](Fragments::Datagram& d) {
    due.push_back(d.key.id);
    r.fragments.release(d);
  };
  r.fragments.for_each_due(29 * kSecond, false, give_up);
  EXPECT_TRUE(due.empty());
  r.fragments.for_each_due(31 * kSecond, false, give_up);
  EXPECT_EQ(due, (std::vector<std::uint32_t>{7}));
  r.fragments.for_each_due(31 * kSecond, true, give_up);
  EXPECT_EQ(due, (std::vector<std::uint32_t>{7, 8}));
}

}  // namespace
}  // namespace weir::state
