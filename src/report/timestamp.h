// SPDX-License-Identifier: Apache-2.0
#pragma once

// Timestamp: wall time as RFC 3339 with microseconds, in UTC. What stands before the fraction is rendered once a second of traffic.

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace weir::report {

class Timestamp {
 public:
  /// "2026-01-31T23:59:59.000001+00:00". The text lives until the next call. Years outside 0–9999 are shown as the nearest of them.
  std::string_view text(Nanoseconds wall_ns);

 private:
  void render_second(std::int64_t second);

  std::int64_t second_ = INT64_MIN;
  char text_[33] = "0000-00-00T00:00:00.000000+00:00";
};

}  // namespace weir::report
