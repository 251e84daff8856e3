// SPDX-License-Identifier: Apache-2.0
#include "policy/scalars.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace weir::policy {
namespace {

constexpr Nanoseconds kDay = 24 * kHour;
constexpr Nanoseconds kDurationMax = 3650 * kDay;

std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// Exactly `size` digits.
std::optional<int> take_number(std::string_view& text, std::size_t size) {
  if (text.size() < size) return std::nullopt;
  int value = 0;
  for (char c : text.substr(0, size)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(size);
  return value;
}

/// Days since 1970-01-01 of a date of the Gregorian calendar: years are counted from March, so that the leap day is the last.
std::int64_t days_since_epoch(int year, int month, int day) {
  const std::int64_t y = month > 2 ? year : year - 1;
  const std::int64_t m = month > 2 ? month - 3 : month + 9;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

bool is_date(int year, int month, int day) {
  if (month < 1 || month > 12 || day < 1 || year < 1970 || year > 2200) return false;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

struct RateUnit {
  std::string_view name;
  LimitUnit unit;
  double factor;
};
constexpr RateUnit kRateUnits[] = {
    {"requests", LimitUnit::Requests, 1}, {"request", LimitUnit::Requests, 1}, {"flows", LimitUnit::Flows, 1},
    {"flow", LimitUnit::Flows, 1},        {"packets", LimitUnit::Packets, 1},  {"packet", LimitUnit::Packets, 1},
    {"bits", LimitUnit::Bits, 1},         {"bit", LimitUnit::Bits, 1},         {"kbit", LimitUnit::Bits, 1e3},
    {"Mbit", LimitUnit::Bits, 1e6},       {"Gbit", LimitUnit::Bits, 1e9},      {"bytes", LimitUnit::Bytes, 1},
    {"byte", LimitUnit::Bytes, 1},        {"kB", LimitUnit::Bytes, 1e3},       {"MB", LimitUnit::Bytes, 1e6},
    {"GB", LimitUnit::Bytes, 1e9},        {"KiB", LimitUnit::Bytes, 1024},     {"MiB", LimitUnit::Bytes, 1048576},
    {"GiB", LimitUnit::Bytes, 1073741824}};

}  // namespace

std::optional<Nanoseconds> parse_duration(std::string_view text) {
  Nanoseconds total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number = parse_number(take_digits(text));
    if (!number || *number > 1'000'000'000) return std::nullopt;
    Nanoseconds unit = 0;
    if (text.starts_with("ms")) {
      unit = kMillisecond;
      text.remove_prefix(2);
    } else if (take(text, 's')) {
      unit = kSecond;
    } else if (take(text, 'm')) {
      unit = kMinute;
    } else if (take(text, 'h')) {
      unit = kHour;
    } else if (take(text, 'd')) {
      unit = kDay;
    } else {
      return std::nullopt;
    }
    if (static_cast<Nanoseconds>(*number) > kDurationMax / unit) return std::nullopt;
    total += static_cast<Nanoseconds>(*number) * unit;
    if (total > kDurationMax) return std::nullopt;
  }
  if (total == 0) return std::nullopt;
  return total;
}

std::optional<double> parse_decimal(std::string_view text) {
  const std::string_view whole = take_digits(text);
  const bool point = take(text, '.');
  const std::string_view part = point ? take_digits(text) : std::string_view();
  if (!text.empty() || (whole.empty() && part.empty()) || whole.size() > 15 || part.size() > 15 || (point && part.empty()))
    return std::nullopt;
  double value = 0, scale = 1;
  for (char c : whole) value = value * 10 + (c - '0');
  for (char c : part) value += (scale /= 10) * (c - '0');
  return value;
}

std::optional<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view time = trim(text.substr(slash + 1));
  std::string_view amount = trim(text.substr(0, slash));
  double seconds = 0;
  if (time == "s") seconds = 1;
  if (time == "m") seconds = 60;
  if (time == "h") seconds = 3600;
  if (seconds == 0) return std::nullopt;

  std::size_t digits = 0;
  while (digits < amount.size() && (is_digit(amount[digits]) || amount[digits] == '.')) ++digits;
  double number = 1;
  if (digits > 0) {
    const auto parsed = parse_decimal(amount.substr(0, digits));
    if (!parsed || *parsed <= 0) return std::nullopt;
    number = *parsed;
  }
  amount = trim(amount.substr(digits));
  if (amount.empty() && digits == 0) return std::nullopt;
  Rate rate{number / seconds, false, LimitUnit::Flows};
  if (amount.empty()) return rate;
  for (const RateUnit& unit : kRateUnits) {
    if (unit.name != amount) continue;
    rate.per_second *= unit.factor;
    rate.has_unit = true;
    rate.unit = unit.unit;
    return rate;
  }
  return std::nullopt;
}

std::optional<Nanoseconds> parse_date(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !is_date(*year, *month, *day)) return std::nullopt;
  std::int64_t seconds = days_since_epoch(*year, *month, *day) * 86400;
  if (text.empty()) return seconds * kSecond;

  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second (RFC 3339 section 5.7)
  if (take(text, '.') && take_digits(text).empty()) return std::nullopt;
  seconds += *hour * 3600 + *minute * 60 + *second;
  if (text == "Z" || text == "z") return seconds * kSecond;
  const bool east = !text.empty() && text.front() == '+';
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto offset_hours = take_number(text, 2);
  if (!offset_hours || *offset_hours > 23 || !take(text, ':')) return std::nullopt;
  const auto offset_minutes = take_number(text, 2);
  if (!offset_minutes || *offset_minutes > 59 || !text.empty()) return std::nullopt;
  const std::int64_t offset = *offset_hours * 3600 + *offset_minutes * 60;
  return (east ? seconds - offset : seconds + offset) * kSecond;
}

std::optional<std::uint8_t> parse_tcp_flags(std::string_view text) {
  if (text == "none") return std::uint8_t{0};
  if (text.empty()) return std::nullopt;
  constexpr std::string_view kLetters = "FSRPAUEC";  // in the order of their bits (RFC 9293 section 3.1, RFC 3168)
  std::uint8_t flags = 0;
  for (char c : text) {
    const std::size_t bit = kLetters.find(c);
    if (bit == std::string_view::npos || (flags >> bit & 1) != 0) return std::nullopt;
    flags = static_cast<std::uint8_t>(flags | 1U << bit);
  }
  return flags;
}

std::optional<NumberRange> parse_range(std::string_view text, std::uint64_t max) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    const auto number = parse_number(text);
    if (!number) return std::nullopt;
    return NumberRange{*number, *number};
  }
  const std::string_view left = trim(text.substr(0, dash)), right = trim(text.substr(dash + 1));
  if (left.empty() && right.empty()) return std::nullopt;
  const auto first = left.empty() ? std::optional<std::uint64_t>(0) : parse_number(left);
  const auto last = right.empty() ? std::optional<std::uint64_t>(std::max(max, first.value_or(0))) : parse_number(right);
  if (!first || !last || *first > *last) return std::nullopt;
  return NumberRange{*first, *last};
}

bool is_technique_id(std::string_view text) {
  if (text.size() != 5 && text.size() != 9) return false;
  if (text[0] != 'T') return false;
  for (std::size_t i = 1; i < text.size(); ++i)
    if (i == 5 ? text[i] != '.' : !is_digit(text[i])) return false;
  return true;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_mac_prefix(std::string_view text) {
  std::uint64_t value = 0, mask = 0;
  int bytes = 0;
  const char separator = text.size() > 2 ? text[2] : ':';
  if (separator != ':' && separator != '-') return std::nullopt;
  while (true) {
    if (text.size() < 2 || hex_value(text[0]) < 0 || hex_value(text[1]) < 0 || bytes == 6) return std::nullopt;
    value = value << 8 | static_cast<std::uint64_t>(hex_value(text[0]) * 16 + hex_value(text[1]));
    mask = mask << 8 | 0xff;
    ++bytes;
    text.remove_prefix(2);
    if (text.empty()) break;
    if (!take(text, separator)) return std::nullopt;
  }
  const int shift = 8 * (6 - bytes);
  return std::pair{value << shift, mask << shift};
}

bool is_plain_name(std::string_view text) {
  if (text.empty() || text.size() > 100 || text == "absent" || text == "present" || text == "hidden" || text == "none")
    return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace weir::policy
