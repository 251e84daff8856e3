// SPDX-License-Identifier: Apache-2.0
#pragma once

// The summary of a replay: one JSON object for programs (CONTRACT section 4), and a page for people: what passed, what was
// stopped, by which rule and for which technique, what was spoken, what was malformed. Both read the same tally.

#include <string>
#include <string_view>

#include "engine/event.h"
#include "policy/compile.h"

namespace weir::report {

struct Replayed {
  const engine::Counters& counters;
  const policy::RuleSet& rules;
  double seconds = 0;
  std::string_view fault = {};  ///< What broke the capture off, empty if nothing did.
};

/// One object, one line, without a line end.
std::string summary_json(const Replayed& run);
/// Lines of at most 100 columns, for a terminal or a file.
std::string summary_text(const Replayed& run);

}  // namespace weir::report
