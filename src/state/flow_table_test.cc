// SPDX-License-Identifier: Apache-2.0
#include "state/flow_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace weir::state {
namespace {

FlowKey key_of(std::uint32_t client, std::uint16_t port) {
  return {Ip::v4(0x0a000000 + client), Ip::v4(0xc6336401), port, 443, 6, 0};
}
FlowKey reversed(const FlowKey& k) { return {k.dst, k.src, k.dst_port, k.src_port, k.protocol, k.domain}; }

struct Table : FlowTable {
  explicit Table(std::uint32_t capacity) : FlowTable(capacity, 1) {}
  std::uint32_t add(const FlowKey& key, Nanoseconds now = 0) { return insert(key, hash(key), now); }
  FlowHit look(const FlowKey& key) const { return find(key, hash(key)); }
};

TEST(FlowTable, BothDirectionsAreOneFlowAndTheClientStays) {
  Table table(16);
  const FlowKey key = key_of(5, 40000);
  const std::uint32_t index = table.add(key);
  EXPECT_EQ(table.hash(key), table.hash(reversed(key)));
  EXPECT_EQ(table.look(key).index, index);
  EXPECT_EQ(table.look(key).side, Side::Client);
  EXPECT_EQ(table.look(reversed(key)).index, index);
  EXPECT_EQ(table.look(reversed(key)).side, Side::Server);
  EXPECT_EQ(table.likely(table.hash(key)), index);
}

TEST(FlowTable, EveryPartOfTheKeyCounts) {
  Table table(64);
  const FlowKey key = key_of(5, 40000);
  table.add(key);
  for (int part = 0; part < 6; ++part) {
    FlowKey other = key;
    if (part == 0) other.src = Ip::v4(1);
    if (part == 1) other.dst = Ip::v4(1);
    if (part == 2) ++other.src_port;
    if (part == 3) ++other.dst_port;
    if (part == 4) other.protocol = 17;
    if (part == 5) other.domain = 9;
    EXPECT_EQ(table.look(other).index, kNoFlow) << part;
  }
}

TEST(FlowTable, WhenFullItSaysSoAndNamesAnUnansweredOneToGo) {
  Table table(8);
  for (std::uint16_t i = 0; i < 8; ++i) {
    Flow& flow = table.at(table.add(key_of(i, 40000), i));
    flow.answered = i != 3;
    flow.settled = i < 2;
  }
  EXPECT_EQ(table.add(key_of(100, 1)), kNoFlow);
  EXPECT_EQ(table.evict_candidate(), 3U);
  table.remove(3);
  EXPECT_EQ(table.evict_candidate(), 2U) << "idle longest of what is not settled";
  EXPECT_NE(table.add(key_of(100, 1)), kNoFlow);
}

TEST(FlowTable, ForgetsAllAtOnce) {
  Table table(64);
  for (std::uint16_t i = 0; i < 50; ++i) table.schedule(table.add(key_of(i, 40000)), 5 * kSecond);
  table.clear();
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.look(key_of(7, 40000)).index, kNoFlow);
  int seen = 0;
  table.for_each([&](std::uint32_t) { ++seen; });
  table.for_each_due(kSecond, [&](std::uint32_t) { ++seen; });
  table.for_each_due(100 * kSecond, [&](std::uint32_t) { ++seen; });
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(table.look(key_of(7, 40000)).index, kNoFlow);
  EXPECT_NE(table.add(key_of(7, 40000)), kNoFlow);
}

TEST(FlowTable, TellsWhoseTimeHasComeInOrderOfTheirLastPacket) {
  Table table(64);
  table.for_each_due(0, [](std::uint32_t) {});
  std::vector<std::uint32_t> indices;
  for (std::uint16_t i = 0; i < 4; ++i) {
    const std::uint32_t index = table.add(key_of(i, 40000));
    table.at(index).last_ns = 10 - i;
    table.schedule(index, (i == 3 ? 9 : 4) * kSecond);
    indices.push_back(index);
  }
  std::vector<std::uint32_t> due;
  table.for_each_due(3 * kSecond, [&](std::uint32_t index) { due.push_back(index); });
  EXPECT_TRUE(due.empty());
  table.for_each_due(5 * kSecond, [&](std::uint32_t index) { due.push_back(index); });
  EXPECT_EQ(due, (std::vector<std::uint32_t>{indices[2], indices[1], indices[0]}));
}

// Insertions and removals at random, far past the size of a group: everything that is in is found, nothing else is.
TEST(FlowTable, HoldsThroughChurn) {
  Table table(512);
  std::mt19937 random(3);
  std::vector<std::pair<FlowKey, std::uint32_t>> in;
  for (std::uint32_t round = 0; round < 20000; ++round) {
    if (in.size() < 512 && (in.empty() || random() % 5 < 3)) {
      const FlowKey key = key_of(round, static_cast<std::uint16_t>(1024 + random() % 60000));
      const std::uint32_t index = table.add(key);
      ASSERT_NE(index, kNoFlow);
      in.emplace_back(key, index);
    } else {
      const std::size_t at = random() % in.size();
      table.remove(in[at].second);
      ASSERT_EQ(table.look(in[at].first).index, kNoFlow);
      in[at] = in.back();
      in.pop_back();
    }
    if (round % 500 != 0) continue;
    for (const auto& [key, index] : in) ASSERT_EQ(table.look(key).index, index);
    ASSERT_EQ(table.size(), in.size());
  }
}

}  // namespace
}  // namespace weir::state
