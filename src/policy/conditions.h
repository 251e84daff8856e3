// SPDX-License-Identifier: Apache-2.0
#pragma once

// Conditions: the maps under `match` and `unless`. A key names a fact (`not.` in front negates it), its value is read by the
// type of the fact. Internal to the reader of policies.

#include "policy/reading.h"

namespace weir::policy {

/// The conditions of one map; those with errors are left out.
AllOf read_conditions(Reading& reading, const Node& map);
/// A list of such maps.
std::vector<AllOf> read_unless(Reading& reading, const Node& list);
/// Sorts and joins ranges that meet.
void normalise(std::vector<NumberRange>& ranges);

}  // namespace weir::policy
