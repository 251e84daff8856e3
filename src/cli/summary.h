// SPDX-License-Identifier: Apache-2.0
#pragma once

// The summary of a replay as a person reads it: what passed, what was stopped, by which rule and for which technique.
// It is rendered from the same object that --json prints, so the two never tell different numbers.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "policy/rule.h"

namespace weir::cli {

std::string render_summary(const nlohmann::ordered_json& summary, const policy::Policy& policy);

}  // namespace weir::cli
