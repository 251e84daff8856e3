// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a policy asserts (`assert:`), held against what it does. An assertion that does not hold is an error at its place, which
// names a packet that breaks it and the rule that decided it.
//
// First packets stand for all flows, one a class (diff/packet_classes.h), so what headers decide is decided for all of them.
// Where what a flow carries decides, example conversations go through the engine (example_flows.h): for `never` and
// `nothing_else` all that can be made, for `pass` one as the port usually carries. What no example could settle is a warning.
//
// Rates and bans are taken as not reached; what is essential is not held against `never` and `nothing_else`. A policy in `mode:
// monitor` is judged as it will be when it is enforced.

#include "policy/diagnostics.h"
#include "policy/rule.h"

namespace weir::cli {

/// Empty where the policy asserts nothing, or all of it holds.
policy::Diagnostics check_assertions(const policy::Policy& policy);

}  // namespace weir::cli
