// SPDX-License-Identifier: Apache-2.0
#pragma once

// The JSON Schema (2020-12) of the policy file, made of the grammar, the facts and the protocols, for editors and other programs.
// What passes the reader passes the schema; the reader asks more (known sets and zones, no host bits).

#include <nlohmann/json.hpp>

#include "facts/vocabulary.h"

namespace weir::cli {

nlohmann::ordered_json policy_schema(const Vocabulary& words);

}  // namespace weir::cli
