// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loading a policy for a verb: diagnostics go to standard error, all of them, and nothing else does.

#include <memory>
#include <string>

#include "policy/compile.h"

namespace weir::cli {

/// nullptr if the policy has an error (exit status 2).
std::shared_ptr<const policy::RuleSet> load_rules(const std::string& path);

}  // namespace weir::cli
