// SPDX-License-Identifier: Apache-2.0
#pragma once

// Community ID v1 (the public specification by Corelight): one string a flow, the same in every tool that makes it.

#include <string>

#include "facts/flow.h"

namespace weir::report {

/// "1:" and 28 characters. `icmp_type`, `icmp_code` count for ICMP; other protocols take the ends' ports.
std::string community_id(const FlowEnds& ends, std::uint8_t icmp_type = 0, std::uint8_t icmp_code = 0);

}  // namespace weir::report
