// SPDX-License-Identifier: Apache-2.0
#pragma once

// Actions as a policy writes them: a word, or a map with the action as its key. Internal to the reader of policies.

#include "policy/reading.h"

namespace weir::policy {

/// Everything that an action sets in a rule.
struct ActionOf {
  Action action = Action::Drop;
  Ip sinkhole;
  Limit limit;
  Ban ban;
};

/// `bare` is the unit of a rate without one (`10/s`).
std::optional<ActionOf> read_action(Reading& reading, const Node& node, LimitUnit bare);
/// A rate; units that are not allowed are the caller's to refuse.
std::optional<std::pair<double, LimitUnit>> read_rate(Reading& reading, const Node& node, LimitUnit bare);
std::vector<PerKey> read_per(Reading& reading, const Node& node);
std::optional<double> read_burst(Reading& reading, const Node& node);
/// One second's worth, at least one.
double default_burst(double rate);
void apply(const ActionOf& action, Rule& rule);

}  // namespace weir::policy
