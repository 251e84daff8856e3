// SPDX-License-Identifier: Apache-2.0
#pragma once

// Words of `weir.reason` and of `stopped_by_reason`: why a packet was stopped (facts/decision.h).

#include <string_view>

#include "facts/decision.h"

namespace weir::report {

inline constexpr std::size_t kReasonsCount = 13;

std::string_view name_of(Reason reason);

}  // namespace weir::report
