// SPDX-License-Identifier: Apache-2.0
#include "report/timestamp.h"

#include <algorithm>

namespace weir::report {
namespace {

constexpr std::int64_t kDaySeconds = 86400;
constexpr std::int64_t kSecondMin = -62167219200, kSecondMax = 253402300799;  ///< Years 0 and 9999.

void put_digits(char* at, std::uint64_t value, int count) {
  for (int i = count - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

void Timestamp::render_second(std::int64_t second) {
  second_ = second;
  second = std::clamp(second, kSecondMin, kSecondMax);
  std::int64_t days = second / kDaySeconds, of_day = second % kDaySeconds;
  if (of_day < 0) of_day += kDaySeconds, --days;
  // The year begins in March here, so that a leap day is its last; 146,097 days are 400 years.
  const std::int64_t shifted = days + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const std::int64_t of_era = shifted - era * 146097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t march_month = (5 * of_year + 2) / 153;
  const std::int64_t day = of_year - (153 * march_month + 2) / 5 + 1;
  const std::int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  put_digits(text_, static_cast<std::uint64_t>(year), 4);
  put_digits(text_ + 5, static_cast<std::uint64_t>(month), 2);
  put_digits(text_ + 8, static_cast<std::uint64_t>(day), 2);
  put_digits(text_ + 11, static_cast<std::uint64_t>(of_day / 3600), 2);
  put_digits(text_ + 14, static_cast<std::uint64_t>(of_day / 60 % 60), 2);
  put_digits(text_ + 17, static_cast<std::uint64_t>(of_day % 60), 2);
}

std::string_view Timestamp::text(Nanoseconds wall_ns) {
  std::int64_t second = wall_ns / kSecond, nanos = wall_ns % kSecond;
  if (nanos < 0) nanos += kSecond, --second;
  if (second != second_) render_second(second);
  put_digits(text_ + 20, static_cast<std::uint64_t>(nanos / 1000), 6);
  return {text_, sizeof text_ - 1};
}

}  // namespace weir::report
