// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `weir check` says about a sound policy: rules that can never decide, and rules that a datapath cannot carry out.
// It claims only what is so: where implication is not cheap to see, it is silent.

#include "facts/vocabulary.h"
#include "policy/diagnostics.h"
#include "policy/rule.h"

namespace weir::policy {

/// Everything that meets `narrow` meets `wide`. False where that is not seen.
bool implies(const Condition& narrow, const Condition& wide);
bool implies(const AllOf& narrow, const AllOf& wide);

struct CheckOptions {
  Nanoseconds now_wall_ns = 0;            ///< Rules that expired before are warned of; 0: not asked.
  std::uint64_t pairs_max = 2'000'000;  ///< Pairs of rules that are compared; where it ends is said.
};

/// Warnings on shadowed, contradictory, repeated and expired rules.
Diagnostics check_policy(const Policy& policy, const Vocabulary& words, const CheckOptions& options = {});

/// Facts that one of the datapaths (a mask of weir::on) does not have, in rules that are not restricted by `on:`.
Diagnostics check_for(const Policy& policy, const Vocabulary& words, std::uint8_t datapaths, Severity severity);

}  // namespace weir::policy
