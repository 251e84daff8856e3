// SPDX-License-Identifier: Apache-2.0
#include "policy/url_set.h"

#include <gtest/gtest.h>

namespace weir::policy {
namespace {

UrlSet build(std::initializer_list<std::string_view> urls, UrlSet::Reach reach = UrlSet::Reach::Written) {
  UrlSet::Builder builder;
  std::uint32_t line = 0;
  for (std::string_view url : urls) EXPECT_EQ(builder.add(url, reach, ++line), "") << url;
  return builder.build();
}

TEST(UrlSet, AnEntryHoldsForWhatItNames) {
  const struct {
    const char *entry, *url;
    bool expected;
  } kRows[] = {
      // A host alone, and a path that ends in a slash: all below.
      {"evil.example", "http://evil.example/", true},
      {"evil.example", "http://evil.example/a/b?c", true},
      {"evil.example/", "http://evil.example/a", true},
      {"evil.example", "http://www.evil.example/", false},
      {"evil.example", "http://notevil.example/", false},
      {"evil.example/kit/", "http://evil.example/kit/", true},
      {"evil.example/kit/", "http://evil.example/kit", true},
      {"evil.example/kit/", "http://evil.example/kit/a/b", true},
      {"evil.example/kit/", "http://evil.example/kitten", false},
      {"evil.example/a/b/c/", "http://evil.example/a/b/c/d/e/f", true},
      {"evil.example/a/b/c/", "http://evil.example/a/b", false},
      // A path: that one, whatever the query.
      {"evil.example/x.exe", "http://evil.example/x.exe", true},
      {"evil.example/x.exe", "http://evil.example/x.exe?a=1", true},
      {"evil.example/x.exe", "http://evil.example/x.exe/more", false},
      {"evil.example/x.exe", "http://evil.example/x.exe/", false},
      {"evil.example/x.exe", "http://evil.example/X.exe", false},
      {"evil.example/%78.exe", "http://evil.example/x.exe", true},
      {"evil.example/a/../x.exe", "http://evil.example/x.exe", true},
      // A query: that one.
      {"evil.example/x?id=7", "http://evil.example/x?id=7", true},
      {"evil.example/x?id=7", "http://evil.example/x?id=8", false},
      {"evil.example/x?id=7", "http://evil.example/x", false},
      // Scheme, user, fragment, case and the last dot of the host do not count.
      {"https://user:word@EVIL.example./x.exe#top", "http://evil.example/x.exe", true},
      // Ports.
      {"evil.example/x", "http://evil.example:8080/x", true},
      {"evil.example:8080/x", "http://evil.example:8080/x", true},
      {"evil.example:8080/x", "http://evil.example/x", false},
      {"evil.example:80/x", "http://evil.example/x", true},
      {"http://[2001:db8::1]:81/i", "http://[2001:db8::1]:81/i", true},
      {"http://[2001:db8::1]/i", "http://[2001:db8::1]:81/i", true},
      {"192.0.2.1/bins/", "http://192.0.2.1/bins/mips", true},
      // Hosts below.
      {".evil.example/kit/", "http://evil.example/kit/a", true},
      {".evil.example/kit/", "http://a.b.evil.example/kit/a", true},
      {".evil.example/kit/", "http://notevil.example/kit/a", false},
      // Globs.
      {"evil.example/*/gate.php", "http://evil.example/a/b/gate.php?x", true},
      {"evil.example/*/gate.php", "http://evil.example:81/a/gate.php", true},
      {"evil.example/*/gate.php", "http://evil.example/gate.php", false},
      {"*.evil.example", "http://a.evil.example/x", true},
      {".evil.example/*.exe", "http://evil.example/x.exe", true},
      {".evil.example/*.exe", "http://b.evil.example/x.exe", true},
      {"evil.example/x?id=*", "http://evil.example/x?id=9", true},
      {"evil.example/x?id=*", "http://evil.example/x", false},
  };
  for (const auto& row : kRows) {
    const UrlSet set = build({row.entry});
    EXPECT_EQ(set.contains(row.url), row.expected) << row.entry << " on " << row.url;
    EXPECT_EQ(set.find(row.url).has_value(), row.expected) << row.entry << " on " << row.url;
  }
}

TEST(UrlSet, BelowHoldsForAllBelowAndForWww) {
  const UrlSet set = build({"evil.example/kit", "b.example"}, UrlSet::Reach::Below);
  for (const char* url : {"http://evil.example/kit", "http://evil.example/kit/a", "http://www.evil.example/kit", "http://www.b.example/"})
    EXPECT_TRUE(set.contains(url)) << url;
  for (const char* url : {"http://evil.example/kitten", "http://evil.example/", "http://a.b.example/", "http://www.www.b.example/"})
    EXPECT_FALSE(set.contains(url)) << url;
}

TEST(UrlSet, FindSaysWhichEntryAndItsLine) {
  const UrlSet set = build({"a.example/x", ".b.example:81/d/", "c.example/*"});
  EXPECT_EQ(set.find("http://a.example/x?y")->url, "a.example/x");
  EXPECT_EQ(set.find("http://z.b.example:81/d/e")->url, ".b.example:81/d/");
  EXPECT_EQ(set.find("http://z.b.example:81/d/e")->line, 2U);
  EXPECT_EQ(set.find("http://c.example/e")->line, 3U);
  EXPECT_EQ(set.size(), 3U);
}

TEST(UrlSet, IsTheSameAsOneOfTheSameUrls) {
  const auto urls = {"a.example/x", ".b.example:81/d/", "c.example/*", "d.example/x?y"};
  const auto made = [&](std::size_t count) {
    UrlSet::Builder builder;
    for (std::size_t i = 0; i < count; ++i) builder.add(urls.begin()[i], UrlSet::Reach::Written, 1);
    return builder.build();
  };
  EXPECT_TRUE(made(4).same_as(made(4)));
  EXPECT_FALSE(made(4).same_as(made(3)));
  EXPECT_FALSE(build({"a.example/x"}).same_as(build({"a.example/x/"})));
}

TEST(UrlSet, WhatIsNoUrlIsSaid) {
  UrlSet::Builder builder;
  for (const char* url : {"/path/only", "", "http:///x", "a.example:0/", "a.example:http/", "a.example:70000/x", "a b.example/", "a.example:81/*"})
    EXPECT_NE(builder.add(url, UrlSet::Reach::Written, 1), "") << url;
  EXPECT_NE(builder.add("a.example/" + std::string(5000, 'a'), UrlSet::Reach::Written, 1), "");
  EXPECT_EQ(builder.build().size(), 0U);
}

TEST(UrlSet, ManyEntriesAndOddQuestions) {
  UrlSet::Builder builder;
  for (std::uint32_t i = 1; i <= 50'000; ++i)
    builder.add("h" + std::to_string(i % 5000) + ".example/d" + std::to_string(i) + (i % 3 == 0 ? "/" : ".exe"), UrlSet::Reach::Written, i);
  const UrlSet set = builder.build();
  for (std::uint32_t i = 1; i <= 50'000; i += 97) {
    const std::string url = "http://h" + std::to_string(i % 5000) + ".example/d" + std::to_string(i) + (i % 3 == 0 ? "/below" : ".exe");
    ASSERT_TRUE(set.contains(url)) << url;
    EXPECT_EQ(set.find(url)->line, i);
    EXPECT_FALSE(set.contains(url + "x.") && i % 3 != 0);
  }
  for (const std::string& url : {std::string(), std::string("http://"), std::string(9000, '/'), "h1.example/" + std::string(9000, 'a'), std::string("?")})
    EXPECT_FALSE(set.contains(url));
}

}  // namespace
}  // namespace weir::policy
