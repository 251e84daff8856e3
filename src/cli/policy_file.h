// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loading a policy for a verb: diagnostics go to standard error, all of them, and nothing else does.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "policy/compile.h"
#include "policy/diagnostics.h"

namespace weir::cli {

/// nullptr if the policy has an error (exit status 2). `ports` have the numbers 0, 1, …; the policy need not mention them.
/// `datapaths` (a mask of weir::on): what cannot be carried out there is an error. Without it the policy is for
/// captures. Rules whose `on:` names other datapaths are left out.
inline constexpr std::uint8_t kEveryRule = 0xff;  ///< As `datapaths`: nothing is left out, for what tells them apart itself.
std::shared_ptr<const policy::RuleSet> load_rules(const std::string& path, const std::vector<std::string>& ports = {}, std::uint8_t datapaths = 0);

/// Warnings on rules that ask for a fact which this version never makes: they would be there and never match.
policy::Diagnostics warn_of_unmade(const policy::Policy& policy);

}  // namespace weir::cli
