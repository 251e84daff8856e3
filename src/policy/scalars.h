// SPDX-License-Identifier: Apache-2.0
#pragma once

// The small values of the policy as users write them: durations, rates, dates, TCP flags, technique ids, ranges. Each
// function reads the whole text or answers nothing; positions and messages are the caller's.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "policy/rule.h"

namespace weir::policy {

/// `500ms`, `30s`, `10m`, `1h`, `2d`, also one after another (`1h30m`). Greater than zero, at most ten years.
std::optional<Nanoseconds> parse_duration(std::string_view text);

struct Rate {
  double per_second = 0;
  bool has_unit = false;  ///< False: a bare `10/s`.
  LimitUnit unit = LimitUnit::Flows;
};
/// `10/s`, `10 requests/s`, `requests/s` (one), `8 Mbit/s`, `500 bytes/s`; a second, minute or hour. Greater than zero.
std::optional<Rate> parse_rate(std::string_view text);

/// `0.8`, `20`: digits with at most one point.
std::optional<double> parse_decimal(std::string_view text);

/// RFC 3339: `2027-01-31` (that day's start, UTC) or `2027-01-31T12:00:00Z`, offsets and fractions too.
std::optional<Nanoseconds> parse_date(std::string_view text);

/// `S`, `SA`, `FPU`, `none`: letters F S R P A U E C, each at most once.
std::optional<std::uint8_t> parse_tcp_flags(std::string_view text);

/// `5`, `1-3`, `1000-` (up to `max`), `-1023` (from 0). Nothing if it is no number or the wrong way round; numbers above
/// `max` are left to the caller to refuse.
std::optional<NumberRange> parse_range(std::string_view text, std::uint64_t max);

/// T1234 or T1234.001.
bool is_technique_id(std::string_view text);

/// Value and mask of `00:11:22:33:44:55` or of a prefix in whole bytes, `00:11:22`.
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_mac_prefix(std::string_view text);

/// A name that zones, sets and roles may have: letters, digits, `-`, `_`, `.`; not the words for the state of a fact.
bool is_plain_name(std::string_view text);

}  // namespace weir::policy
