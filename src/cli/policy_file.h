// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loading a policy for a verb: diagnostics go to standard error, all of them, and nothing else does.

#include <memory>
#include <string>
#include <vector>

#include "policy/compile.h"

namespace weir::cli {

/// nullptr if the policy has an error (exit status 2). `ports` are names that captures use; the policy need not mention them.
std::shared_ptr<const policy::RuleSet> load_rules(const std::string& path, const std::vector<std::string>& ports = {});

}  // namespace weir::cli
