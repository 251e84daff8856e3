// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time as the engine knows it: a parameter, never a clock that is read. `mono_ns` orders and ages (it never goes back
// inside an engine), `wall_ns` is what events print (nanoseconds since 1970-01-01 UTC).

#include <cstdint>

namespace weir {

using Nanoseconds = std::int64_t;

inline constexpr Nanoseconds kMicrosecond = 1'000;
inline constexpr Nanoseconds kMillisecond = 1'000'000;
inline constexpr Nanoseconds kSecond = 1'000'000'000;
inline constexpr Nanoseconds kMinute = 60 * kSecond;
inline constexpr Nanoseconds kHour = 60 * kMinute;

struct Time {
  Nanoseconds mono_ns = 0;
  Nanoseconds wall_ns = 0;
};

}  // namespace weir
