// SPDX-License-Identifier: Apache-2.0
#include "policy/prefix_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace weir::policy {
namespace {

Ip ip(const std::string& text) { return parse_ip(text).value(); }

PrefixSet set_of(const std::vector<std::string>& texts) {
  std::vector<PrefixSet::Entry> entries;
  for (const std::string& text : texts) entries.push_back({parse_prefix(text)->prefix, static_cast<std::uint32_t>(entries.size() + 1)});
  return PrefixSet::build(std::move(entries));
}

std::string found(const PrefixSet& set, const std::string& address) {
  const auto entry = set.find(ip(address));
  EXPECT_EQ(entry.has_value(), set.contains(ip(address)));
  return entry ? render(entry->prefix) + " line " + std::to_string(entry->line) : "none";
}

std::string ranges(const PrefixSet& set) {
  std::string out;
  set.for_each_range([&](const Ip& first, const Ip& last) { out += render(first) + "-" + render(last) + " "; });
  return out;
}

TEST(PrefixSet, EmptyHoldsNothing) {
  const PrefixSet set = set_of({});
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.contains(ip("0.0.0.0")));
  EXPECT_FALSE(set.contains(ip("::")));
  EXPECT_EQ(ranges(set), "");
}

TEST(PrefixSet, FindsTheMostSpecificEntry) {
  const PrefixSet set = set_of({"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "2001:db8:0:1::/64", "10.1.0.0/16", "0.0.0.0/32"});
  const struct {
    const char *address, *expected;
  } kRows[] = {
      {"10.9.9.9", "10.0.0.0/8 line 1"},      {"10.1.255.255", "10.1.0.0/16 line 2"},          {"10.1.2.3", "10.1.2.3/32 line 3"},
      {"10.1.2.4", "10.1.0.0/16 line 2"},     {"9.255.255.255", "none"},                       {"11.0.0.0", "none"},
      {"2001:db8::1", "2001:db8::/32 line 4"}, {"2001:db8:0:1::5", "2001:db8:0:1::/64 line 5"}, {"2001:db9::", "none"},
      {"2001:db7:ffff::", "none"},            {"0.0.0.0", "0.0.0.0/32 line 7"},                {"0.0.0.1", "none"},
      {"::ffff:10.1.2.3", "10.1.2.3/32 line 3"},
  };
  for (const auto& row : kRows) EXPECT_EQ(found(set, row.address), row.expected) << row.address;
  EXPECT_EQ(set.size(), 6U) << "the repetition does not count";
}

TEST(PrefixSet, AllOfOneVersionIsNothingOfTheOther) {
  const PrefixSet all4 = set_of({"0.0.0.0/0"}), all6 = set_of({"::/0"});
  for (const char* address : {"0.0.0.0", "255.255.255.255", "127.0.0.1"}) {
    EXPECT_TRUE(all4.contains(ip(address))) << address;
    EXPECT_FALSE(all6.contains(ip(address))) << address;
  }
  for (const char* address : {"::", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::fffe:ffff:ffff", "::1:0:0:0"}) {
    EXPECT_FALSE(all4.contains(ip(address))) << address;
    EXPECT_TRUE(all6.contains(ip(address))) << address;
  }
}

TEST(PrefixSet, RangesAreDisjointAndAscending) {
  EXPECT_EQ(ranges(set_of({"10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16", "255.255.255.255", "12.0.0.0/8"})),
            "10.0.0.0-10.255.255.255 12.0.0.0-12.255.255.255 255.255.255.255-255.255.255.255 ");
  EXPECT_EQ(ranges(set_of({"::/0", "10.0.0.0/8"})),
            "::-::fffe:ffff:ffff 10.0.0.0-10.255.255.255 ::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ");
  EXPECT_EQ(ranges(set_of({"2001:db8::/64", "2001:db8:0:1::/64", "ffff::/16"})),
            "2001:db8::-2001:db8:0:1:ffff:ffff:ffff:ffff ffff::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ");
}

// The oracle: every entry asked, longest first; an IPv4 address only by IPv4 entries.
const PrefixSet::Entry* slow_find(const std::vector<PrefixSet::Entry>& entries, const Ip& address) {
  const PrefixSet::Entry* best = nullptr;
  for (const PrefixSet::Entry& entry : entries) {
    if (!entry.prefix.contains(address)) continue;
    if (address.is_v4() && entry.prefix.length < 96) continue;
    if (best == nullptr || entry.prefix.length > best->prefix.length) best = &entry;
  }
  return best;
}

TEST(PrefixSet, AgreesWithAskingEveryEntry) {
  std::mt19937_64 random(2026);
  const auto any_ip = [&] {
    Ip out;
    const std::uint64_t kind = random() % 8;
    if (kind < 4) return Ip::v4(static_cast<std::uint32_t>(random()) & (kind < 2 ? 0xff0f01ffU : 0xffffffffU));
    for (std::uint8_t& byte : out.bytes) byte = static_cast<std::uint8_t>(kind == 7 ? random() : random() % 3 == 0 ? 0xff : 0);
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<PrefixSet::Entry> entries;
    const std::uint64_t count = random() % 60;
    for (std::uint32_t i = 0; i < count; ++i) {
      Ip network = !entries.empty() && random() % 2 == 0 ? entries[random() % entries.size()].prefix.network : any_ip();
      const std::uint64_t low = network.is_v4() && random() % 8 != 0 ? 96 : 0;
      const auto length = static_cast<std::uint8_t>(random() % 10 == 0 ? low : low + random() % (129 - low));
      for (std::size_t bit = length; bit < 128; ++bit) network.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80 >> (bit % 8)));
      entries.push_back({{network, length}, i + 1});
    }
    const PrefixSet set = PrefixSet::build(entries);
    std::vector<std::pair<Ip, Ip>> ranges;
    set.for_each_range([&](const Ip& first, const Ip& last) { ranges.emplace_back(first, last); });
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      ASSERT_LE(ranges[i].first, ranges[i].second);
      if (i > 0) {
        ASSERT_LT(ranges[i - 1].second, ranges[i].first);
      }
    }
    for (int ask = 0; ask < 200; ++ask) {
      Ip address = any_ip();
      if (!entries.empty() && ask % 2 == 0) {  // At and beside the borders of an entry.
        const Prefix& prefix = entries[random() % entries.size()].prefix;
        address = prefix.network;
        if (ask % 4 == 0)
          for (std::size_t bit = prefix.length; bit < 128; ++bit) address.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80 >> (bit % 8));
        if (ask % 8 < 4) address.bytes[15] ^= 1;
      }
      const PrefixSet::Entry* expected = slow_find(entries, address);
      ASSERT_EQ(set.contains(address), expected != nullptr) << render(address) << " round " << round;
      const auto hit = set.find(address);
      ASSERT_EQ(hit.has_value(), expected != nullptr) << render(address);
      if (hit) {
        ASSERT_EQ(hit->prefix, expected->prefix) << render(address);
        ASSERT_EQ(hit->line, expected->line) << render(address);
      }
      const bool in_range = std::any_of(ranges.begin(), ranges.end(),
                                        [&](const auto& range) { return range.first <= address && address <= range.second; });
      ASSERT_EQ(in_range, expected != nullptr) << render(address);
    }
  }
}

}  // namespace
}  // namespace weir::policy
