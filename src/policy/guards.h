// SPDX-License-Identifier: Apache-2.0
#pragma once

// Guards: ready-made rules with parameters. Each guard of the policy is checked and written out as rules named `guard.NAME` over
// facts (several rules of one guard share its name), in the fixed order of the table below, before all other rules; what it asks
// of the state tables goes to Policy::wishes.
//
//   normalise  anti-spoof  port-security  dhcp-snooping  ra-guard  arp-inspection  nd-inspection  source-guard
//   tcp-state  solicited  amplification  flood  syn-cookies  undecided  knock  scan
//   dns-tunnel  icmp-tunnel  slow-client  ssrf  fronting
//
// `guard.undecided` has a condition that no packet meets (`flow.state` with no value): it lends name, techniques and mode to what
// the engine stops for living off undecided payload (Reason::UndecidedBudget). A fact of a protocol that is not built in makes a
// warning, and that part of the guard is left out.

#include <vector>

#include "policy/reading.h"

namespace weir::policy {

/// `maps` are the values of `guards:`, the main file's first: its guards stand over those of included files.
void read_guards(Reading& reading, const std::vector<const Node*>& maps);

/// Names of all guards, in their order.
std::span<const std::string_view> guard_names();
/// Their parameters, for the schema.
std::vector<GuardShape> guard_shapes();

}  // namespace weir::policy
