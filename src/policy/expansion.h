// SPDX-License-Identifier: Apache-2.0
#pragma once

// Conditions made by us instead of read: what guards and the essential rules are built from. Fields must be those of the core, whose rows are
// always there; a word that its field does not have is our own bug (CHECK).

#include <initializer_list>
#include <string_view>
#include <vector>

#include "facts/vocabulary.h"
#include "policy/rule.h"

namespace weir::policy {

Condition numbers(FieldId id, std::vector<NumberRange> ranges, std::string_view written);
Condition boolean_is(FieldId id, bool value);
/// Words of the field, all their values.
Condition word(const Vocabulary& words, FieldId id, std::initializer_list<std::string_view> names);
Condition prefixes(FieldId id, const std::vector<Prefix>& list);
Condition addresses(FieldId id, Values values);
Condition ports(FieldId id, const std::vector<PortIndex>& list, const Policy& policy);

}  // namespace weir::policy
