// SPDX-License-Identifier: Apache-2.0
#pragma once

// All protocols, in one constexpr-built array; a protocol's AppId is its place. Row 0 is `unknown`.

#include <span>

#include "facts/app.h"
#include "proto/protocol.h"

namespace weir::proto {

std::span<const Protocol* const> protocols();
inline const Protocol& protocol(AppId id) { return *protocols()[id]; }

}  // namespace weir::proto
