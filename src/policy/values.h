// SPDX-License-Identifier: Apache-2.0
#pragma once

// One value of a fact against the alternatives that a rule names.

#include <string_view>

#include "policy/rule.h"

namespace weir::policy {

/// Whether the value is one of the condition's alternatives (negation is the caller's). `zone` is the zone of an address value.
bool value_matches(const Condition& condition, const FieldRow& row, const Value& value, ZoneId zone);

/// The alternative that matched, as the user wrote it, with the list's file line where a set decided; for explain. Empty if none.
std::string which_matched(const Condition& condition, const FieldRow& row, const Value& value, ZoneId zone);

}  // namespace weir::policy
