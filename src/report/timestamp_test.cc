// SPDX-License-Identifier: Apache-2.0
#include "report/timestamp.h"

#include <gtest/gtest.h>

#include <ctime>

namespace weir::report {
namespace {

TEST(Timestamp, IsRfc3339) {
  struct Row {
    Nanoseconds wall_ns;
    std::string_view expected;
  };
  constexpr Row kRows[] = {
      {0, "1970-01-01T00:00:00.000000+00:00"},
      {1'999, "1970-01-01T00:00:00.000001+00:00"},
      {-1, "1969-12-31T23:59:59.999999+00:00"},
      {951'782'399 * kSecond, "2000-02-28T23:59:59.000000+00:00"},
      {951'782'400 * kSecond, "2000-02-29T00:00:00.000000+00:00"},
      {4'107'542'400 * kSecond, "2100-03-01T00:00:00.000000+00:00"},  // 2100 has no leap day.
      {1'735'689'599 * kSecond + 999'999'999, "2024-12-31T23:59:59.999999+00:00"},
  };
  Timestamp clock;
  for (const Row& row : kRows) EXPECT_EQ(clock.text(row.wall_ns), row.expected);
  EXPECT_EQ(clock.text(INT64_MAX), "2262-04-11T23:47:16.854775+00:00");
  EXPECT_EQ(clock.text(INT64_MIN), "1677-09-21T00:12:43.145224+00:00");
}

TEST(Timestamp, AgreesWithTheSystem) {
  Timestamp clock;
  for (std::int64_t second = -9'000'000'000; second < 9'000'000'000; second += 86'399 * 7 + 11) {
    std::tm tm{};
    const std::time_t t = second;
    gmtime_r(&t, &tm);
    char expected[64];
    std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000000+00:00", &tm);
    ASSERT_EQ(clock.text(second * kSecond), expected) << second;
  }
}

}  // namespace
}  // namespace weir::report
