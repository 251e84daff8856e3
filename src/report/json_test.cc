// SPDX-License-Identifier: Apache-2.0
#include "report/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace weir::report {
namespace {

std::string as_json(std::string_view value) {
  fmt::memory_buffer out;
  append_quoted(out, value);
  return fmt::to_string(out);
}

TEST(Json, ObjectsAndListsNest) {
  fmt::memory_buffer out;
  Json json(out);
  json.begin().text("a", "x").number("b", 7U).number("c", -3).flag("d", false).begin("e").end().begin("f").word("g", "h").end();
  json.begin_list("i").item("j").item_number(1).begin_item().number("k", 2).end().end_list().begin_list("l").end_list();
  json.begin_quoted("m\"n").end().number_quoted("o\n", 1).number("p", 0.5).end();
  EXPECT_EQ(fmt::to_string(out), "{\"a\":\"x\",\"b\":7,\"c\":-3,\"d\":false,\"e\":{},\"f\":{\"g\":\"h\"},\"i\":[\"j\",1,{\"k\":2}],\"l\":[],"
                                 "\"m\\\"n\":{},\"o\\u000a\":1,\"p\":0.5}");
}

TEST(Json, RenderedFieldsGoOnInsideTheirObject) {
  fmt::memory_buffer out;
  Json json(out);
  json.begin().number("a", 1).rendered("\"b\":{\"c\":2").inside().number("d", 3).end().end();
  EXPECT_EQ(fmt::to_string(out), "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}");
}

TEST(Json, NumbersOfTheWholeRange) {
  fmt::memory_buffer out;
  Json json(out);
  json.begin().number("a", std::numeric_limits<std::uint64_t>::max()).number("b", std::numeric_limits<std::int64_t>::min());
  json.number("c", std::numeric_limits<double>::infinity()).number("d", std::numeric_limits<double>::quiet_NaN()).end();
  EXPECT_EQ(fmt::to_string(out), "{\"a\":18446744073709551615,\"b\":-9223372036854775808,\"c\":0,\"d\":0}");
}

TEST(Json, WhatMustBeEscapedIs) {
  struct Row {
    std::string_view value, expected;
  };
  constexpr Row kRows[] = {
      {"", "\"\""},
      {"plain", "\"plain\""},
      {"a\"b\\c", "\"a\\\"b\\\\c\""},
      {"/", "\"/\""},
      {"\t\r\n", "\"\\u0009\\u000d\\u000a\""},
      {{"\0", 1}, "\"\\u0000\""},
      {"\x1f \x7f", "\"\\u001f \\u007f\""},
      {"\xc3\xa9", "\"\xc3\xa9\""},                          // é
      {"\xe2\x82\xac", "\"\xe2\x82\xac\""},                  // €
      {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},          // an emoji, four bytes
      {"\xff", "\"\xef\xbf\xbd\""},                          // never in UTF-8
      {"\x80z", "\"\xef\xbf\xbdz\""},                        // a continuation without a start
      {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},          // overlong '/'
      {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},  // a surrogate
      {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},  // beyond U+10FFFF
      {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},          // cut short
  };
  for (const Row& row : kRows) EXPECT_EQ(as_json(row.value), row.expected) << row.expected;
}

TEST(Json, AnOddByteIsFoundAtEveryPlace) {
  for (std::size_t size = 1; size < 70; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (const char odd : {'"', '\\', '\n', '\x7f', '\xff'}) {
        std::string value(size, 'a');
        value[at] = odd;
        const std::string made = odd == '"' ? "\\\"" : odd == '\\' ? "\\\\" : odd == '\n' ? "\\u000a" : odd == '\x7f' ? "\\u007f" : "\xef\xbf\xbd";
        EXPECT_EQ(as_json(value), "\"" + std::string(at, 'a') + made + std::string(size - at - 1, 'a') + "\"");
      }
}

}  // namespace
}  // namespace weir::report
