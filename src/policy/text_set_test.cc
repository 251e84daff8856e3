// SPDX-License-Identifier: Apache-2.0
#include "policy/text_set.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "base/text.h"

namespace weir::policy {
namespace {

TextSet build(TextSet::Source source) {
  std::vector<TextSet::Problem> problems;
  TextSet set = TextSet::build(std::move(source), problems);
  for (const auto& problem : problems) ADD_FAILURE() << problem.pattern << ": " << problem.message;
  return set;
}

TEST(TextSet, EmptyHoldsNothing) {
  EXPECT_FALSE(TextSet().contains(""));
  EXPECT_FALSE(build({}).contains(""));
  EXPECT_FALSE(build({}).contains("a"));
}

TEST(TextSet, EachKindOfPattern) {
  const struct {
    const char *kind, *pattern, *text;
    bool fold, expected;
  } kRows[] = {
      {"exact", "abc", "abc", false, true},        {"exact", "abc", "ABC", false, false},      {"exact", "abc", "ABC", true, true},
      {"exact", "abc", "abcd", false, false},      {"exact", "", "", false, true},             {"exact", "[", "{", true, false},
      {"glob", "abc", "abc", false, true},         {"glob", "*", "", false, true},             {"glob", "*", "x", false, true},
      {"glob", "**", "", false, true},             {"glob", "**", "x", false, true},           {"glob", "?", "", false, false},
      {"glob", "?", "x", false, true},             {"glob", "?", "xy", false, false},          {"glob", "*?", "\n", false, true},
      {"glob", "/admin/*", "/admin/x", false, true}, {"glob", "/admin/*", "x/admin/", false, false}, {"glob", "*.exe", "a.exe", false, true},
      {"glob", "*.exe", "a.EXE", false, false},    {"glob", "*.exe", "a.EXE", true, true},     {"glob", "*.exe", "a.exe\n", false, false},
      {"glob", "*cmd*", "xcmdy", false, true},     {"glob", "*cmd*", "cm", false, false},      {"glob", "a*b*c", "a1b2c", false, true},
      {"glob", "a*b*c", "a1b2cd", false, false},   {"glob", "a**b", "ab", false, true},        {"glob", "a?b", "a\nb", false, true},
      {"glob", "a*b", "a\n\nb", false, true},      {"glob", "(*)+", "(x)+", false, true},      {"glob", "\xff*\x01?", "\xff\x01z", false, true},
      {"regex", "b+", "abbc", false, true},        {"regex", "^b+$", "abbc", false, false},    {"regex", "^a.c$", "a\nc", false, true},
      {"regex", "CMD", "xcmdy", true, true},       {"regex", "CMD", "xcmdy", false, false},    {"regex", "x*", "", false, true},
      {"regex", "^$", "", false, true},            {"regex", "^$", "a", false, false},         {"regex", "(foo|bar)[0-9]{2,}", "bar77", false, true},
      {"regex", "\\.\\./", "/a/../b", false, true},
  };
  for (const auto& row : kRows) {
    TextSet::Source source;
    source.fold_case = row.fold;
    (row.kind == std::string("exact") ? source.exact : row.kind == std::string("glob") ? source.globs : source.regexes) = {row.pattern};
    const TextSet set = build(std::move(source));
    EXPECT_EQ(set.size(), 1U);
    EXPECT_EQ(set.contains(row.text), row.expected) << row.kind << " " << row.pattern << " on " << row.text;
    EXPECT_EQ(set.find(row.text), row.expected ? row.pattern : "") << row.kind << " " << row.pattern << " on " << row.text;
  }
}

TEST(TextSet, FindPrefersExactThenGlobsThenTheFirst) {
  const TextSet set = build({.exact = {"b", "abc"}, .globs = {"a?c", "a*"}, .regexes = {"c", "d", "[cd]"}});
  EXPECT_EQ(set.find("abc"), "abc");
  EXPECT_EQ(set.find("axc"), "a?c");
  EXPECT_EQ(set.find("axd"), "a*");
  EXPECT_EQ(set.find("xc"), "c");
  EXPECT_EQ(set.find("xd"), "d");
  EXPECT_EQ(set.find("x"), "");
  EXPECT_EQ(set.size(), 7U);
}

TEST(TextSet, WhatCannotBeCompiledIsSaidAndTheRestStands) {
  const struct {
    const char *pattern, *message;
  } kRows[] = {
      {"(a)\\1", "back-references and recursion are not supported"},
      {"(?=a)b", "lookahead and lookbehind are not supported"},
      {"(?<!a)b", "lookahead and lookbehind are not supported"},
      {"(?>a+)b", "atomic groups and possessive repeats are not supported"},
      {"a++", "atomic groups and possessive repeats are not supported"},
      {"(ab", "not a regular expression: Missing close parenthesis for group started at index 0"},
      {"ab)", "not a regular expression: Unmatched parentheses at index 2"},
      {"[a", "not a regular expression: Unterminated character class starting at index 0"},
      {"*a", "not a regular expression: "},
      {"a{99999}", "the expression is too large"},
      {"a^b", "an anchor (^, $"},
  };
  for (const auto& row : kRows) {
    std::vector<TextSet::Problem> problems;
    const TextSet set = TextSet::build({.exact = {}, .globs = {}, .regexes = {"good", row.pattern, "also"}}, problems);
    ASSERT_EQ(problems.size(), 1U) << row.pattern;
    EXPECT_EQ(problems[0].pattern, row.pattern);
    EXPECT_TRUE(problems[0].message.starts_with(row.message)) << row.pattern << ": " << problems[0].message;
    EXPECT_TRUE(set.contains("good") && set.contains("also"));
    EXPECT_EQ(set.size(), 2U);
  }
}

TEST(TextSet, GlobsAgreeWithAskingEachGlob) {
  std::mt19937 random(11);
  const auto any = [&](const char* letters, std::size_t kinds, std::size_t size_max) {
    std::string out;
    for (std::size_t i = 0, size = random() % (size_max + 1); i < size; ++i) out += letters[random() % kinds];
    return out;
  };
  for (int round = 0; round < 80; ++round) {
    TextSet::Source source{.exact = {}, .globs = {}, .regexes = {}, .fold_case = round % 2 == 0};
    const std::size_t size_max = round % 3 == 0 ? 20 : 7;  // Longer than a window, and shorter.
    for (std::size_t i = 0, count = random() % 30; i < count; ++i) source.globs.push_back(any("abA*?", 5, size_max));
    const auto globs = source.globs;
    const bool fold = source.fold_case;
    const TextSet set = build(std::move(source));
    for (int ask = 0; ask < 300; ++ask) {
      const std::string text = any("abAB", 4, size_max + 4);
      bool expected = false;
      for (const std::string& glob : globs) expected |= glob_matches(glob, text, fold);
      ASSERT_EQ(set.contains(text), expected) << text;
      const std::string_view hit = set.find(text);
      if (!expected || text.empty()) continue;
      ASSERT_TRUE(glob_matches(hit, text, fold)) << hit << " on " << text;
    }
  }
}

TEST(TextSet, AGlobIsFoundWhereverItsRarestBytesStand) {
  TextSet::Source source;
  for (int i = 0; i < 200; ++i) source.globs.push_back("/x" + std::to_string(i) + "*y?.php");
  for (const char* glob : {"*.exe", "/only-here/*", "*middle*", "??", "a*", "*z", "/very-long-beginning-of-all/*/end?"}) source.globs.emplace_back(glob);
  const TextSet set = build(std::move(source));
  const struct {
    const char *text, *expected;
  } kRows[] = {
      {"/x17abcy1.php", "/x1*y?.php"}, {"/x17y1.php", "/x1*y?.php"},  {"/x17y.php", ""},      {"/x99zyy.php", "/x9*y?.php"},
      {"/x17abcy1.phpx", ""},           {"//x17y1.php", ""},            {"setup.exe", "*.exe"}, {"setup.exe.txt", ""},
      {"/only-here/", "/only-here/*"},  {"/only-here", ""},             {"middle", "*middle*"}, {"in the middle of it", "*middle*"},
      {"ab", "??"},                     {"abc", "a*"},                  {"xyz", "*z"},          {"", ""},
      {"/very-long-beginning-of-all/x/end1", "/very-long-beginning-of-all/*/end?"},
      {"/very-long-beginning-of-all/x/end", ""},
  };
  for (const auto& row : kRows) EXPECT_EQ(set.find(row.text), row.expected) << row.text;
}

TEST(TextSet, TenThousandGlobsAreBuiltAtOnce) {
  TextSet::Source source;
  for (int i = 0; i < 10'000; ++i) source.globs.push_back("/x" + std::to_string(i) + "*y?.php");
  const auto began = std::chrono::steady_clock::now();
  const TextSet set = build(std::move(source));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5)) << "a tenth of that is usual";
  EXPECT_EQ(set.size(), 10'000U);
  EXPECT_TRUE(set.contains("/x9999/abc/y1.php"));
  EXPECT_FALSE(set.contains("/x9999/abc/y1.phtml"));
}

}  // namespace
}  // namespace weir::policy
