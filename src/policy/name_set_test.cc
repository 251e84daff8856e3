// SPDX-License-Identifier: Apache-2.0
#include "policy/name_set.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/text.h"

namespace weir::policy {
namespace {

NameSet set_of(const std::vector<std::string>& written) {
  NameSet::Builder builder;
  std::uint32_t line = 0;
  for (const std::string& name : written) EXPECT_TRUE(builder.add_written(name, ++line)) << name;
  return builder.build();
}

std::string found(const NameSet& set, std::string_view name) {
  const auto hit = set.find(name);
  EXPECT_EQ(hit.has_value(), set.contains(name)) << name;
  return hit ? hit->name + " line " + std::to_string(hit->line) : "none";
}

TEST(NameSet, EmptyHoldsNothing) {
  EXPECT_FALSE(NameSet().contains("example.org"));
  EXPECT_FALSE(set_of({}).contains("example.org"));
  EXPECT_TRUE(set_of({}).empty());
}

TEST(NameSet, ReachSaysWhatIsHeld) {
  const NameSet set = set_of({"Exact.Example.org", ".both.example.org", "*.below.example.org", "sub.both.example.org", "_dmarc.example.org"});
  const struct {
    const char *name, *expected;
  } kRows[] = {
      {"exact.example.org", "exact.example.org line 1"},
      {"EXACT.example.ORG.", "exact.example.org line 1"},
      {"a.exact.example.org", "none"},
      {"example.org", "none"},
      {"both.example.org", ".both.example.org line 2"},
      {"a.b.both.example.org", ".both.example.org line 2"},
      {"aboth.example.org", "none"},
      {"sub.both.example.org", "sub.both.example.org line 4"},
      {"a.sub.both.example.org", ".both.example.org line 2"},
      {"below.example.org", "none"},
      {"x.below.example.org", "*.below.example.org line 3"},
      {"_DMARC.example.org", "_dmarc.example.org line 5"},
      {"exact.example.org..", "none"},
      {".exact.example.org", "none"},
      {"a..both.example.org", "none"},
      {"", "none"},
      {".", "none"},
  };
  for (const auto& row : kRows) EXPECT_EQ(found(set, row.name), row.expected) << row.name;
}

TEST(NameSet, LengthsFollowRfc1035) {
  const std::string label63(63, 'a'), label64(64, 'a');
  const std::string name253 = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b');
  NameSet::Builder builder;
  using Reach = NameSet::Reach;
  EXPECT_TRUE(builder.add(label63, Reach::Exact, 1));
  EXPECT_FALSE(builder.add(label64, Reach::Exact, 2));
  EXPECT_TRUE(builder.add(name253, Reach::Exact, 3));
  EXPECT_TRUE(builder.add(name253 + ".", Reach::Exact, 3));
  EXPECT_FALSE(builder.add(name253 + "b", Reach::Exact, 4));
  for (const char* name : {"", ".", "..", "a..b", ".a", "a.."}) EXPECT_FALSE(builder.add(name, Reach::Exact, 5)) << name;
  std::string labels127 = "x";
  for (int i = 1; i < 127; ++i) labels127 += ".x";
  EXPECT_TRUE(builder.add(labels127, Reach::Exact, 6));
  EXPECT_TRUE(builder.add("x", Reach::Below, 7));
  const NameSet set = builder.build();
  EXPECT_EQ(set.size(), 4U);
  EXPECT_EQ(found(set, labels127), labels127 + " line 6");
  EXPECT_EQ(found(set, labels127.substr(2)), "*.x line 7");
  EXPECT_EQ(found(set, name253), name253 + " line 3");
  EXPECT_FALSE(set.contains(name253 + "b"));
  EXPECT_FALSE(set.contains(label64 + ".x")) << "no name, so in no set";
}

TEST(NameSet, LabelsHoldAnyOctet) {
  const std::string odd("a\0\xff\xc3 b.example.org", 18);
  const NameSet set = set_of({odd});
  EXPECT_TRUE(set.contains(odd));
  EXPECT_FALSE(set.contains("a.example.org"));
  EXPECT_FALSE(set_of({"[.example"}).contains("{.example")) << "only letters fold";
}

TEST(NameSet, TheFirstLineStays) {
  const NameSet set = set_of({"a.example", "a.example.", ".a.example", "A.EXAMPLE"});
  EXPECT_EQ(set.size(), 2U);
  EXPECT_EQ(found(set, "a.example"), "a.example line 1");
  EXPECT_EQ(found(set, "b.a.example"), ".a.example line 3");
}

TEST(NameSet, ClosestExemptionsGiveWayToWhatIsMoreSpecific) {
  NameSet::Builder builder;
  builder.add_written(".example.org", 1);
  builder.add_written("bad.good.example.org", 2);
  builder.exempt("good.example.org", NameSet::Reach::ExactAndBelow, NameSet::Exempt::Closest);
  const NameSet set = builder.build();
  EXPECT_EQ(set.size(), 2U);
  EXPECT_TRUE(set.contains("other.example.org"));
  EXPECT_FALSE(set.contains("good.example.org"));
  EXPECT_FALSE(set.contains("very.good.example.org"));
  EXPECT_EQ(found(set, "bad.good.example.org"), "bad.good.example.org line 2");
}

TEST(NameSet, ExemptionsForAlwaysWin) {
  NameSet::Builder builder;
  builder.exempt("example.org", NameSet::Reach::ExactAndBelow, NameSet::Exempt::Always);
  builder.add_written(".ads.example.org", 1);
  builder.add_written(".example.net", 2);
  const NameSet set = builder.build();
  EXPECT_EQ(found(set, "ads.example.org"), "none");
  EXPECT_EQ(found(set, "x.example.net"), ".example.net line 2");
}

// The oracle: a map from the written name, asked for the name and each parent.
TEST(NameSet, AgreesWithAMapOfSuffixes) {
  std::mt19937 random(7);
  const auto any_name = [&] {
    std::string name;
    for (std::size_t label = 0, count = 1 + random() % 5; label < count; ++label) {
      if (label > 0) name += '.';
      for (std::size_t i = 0, size = 1 + (random() % 8 == 0 ? random() % 20 : random() % 2); i < size; ++i) name += "abAB-"[random() % 5];
    }
    return name;
  };
  for (int round = 0; round < 60; ++round) {
    NameSet::Builder builder;
    std::map<std::pair<std::string, bool>, std::uint32_t> oracle;  // (name, below) → line
    for (std::uint32_t line = 1, count = random() % 400; line <= count; ++line) {
      const std::string name = any_name();
      const auto reach = static_cast<NameSet::Reach>(1 + random() % 3);
      ASSERT_TRUE(builder.add(name, reach, line));
      for (const unsigned bit : {1U, 2U})
        if ((static_cast<unsigned>(reach) & bit) != 0) oracle.try_emplace({lower(name), bit == 2}, line);
    }
    const NameSet set = builder.build();
    for (int ask = 0; ask < 1000; ++ask) {
      const std::string name = lower(any_name());
      std::uint32_t expected = 0;
      if (const auto at = oracle.find({name, false}); at != oracle.end()) expected = at->second;
      for (std::size_t dot = name.find('.'); expected == 0 && dot != name.npos; dot = name.find('.', dot + 1))
        if (const auto at = oracle.find({name.substr(dot + 1), true}); at != oracle.end()) expected = at->second;
      ASSERT_EQ(set.contains(name), expected != 0) << name;
      const auto hit = set.find(name);
      ASSERT_EQ(hit ? hit->line : 0, expected) << name;
    }
  }
}

TEST(NameSet, EveryEntryIsTold) {
  std::string told;
  set_of({"a.example", ".b.example"}).for_each([&](std::string_view name, NameSet::Reach reach, std::uint32_t line) {
    told.append(name).append(" ") += std::to_string(static_cast<int>(reach)) + " " + std::to_string(line) + "; ";
  });
  EXPECT_EQ(told, "a.example 1 1; b.example 3 2; ");
}

}  // namespace
}  // namespace weir::policy
