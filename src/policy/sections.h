// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parts of a policy beside rules and guards: zones, sets, accounts, roles, defaults, bounds. Each function reads one value
// of the top map into the policy. Internal to the reader of policies.

#include "policy/reading.h"

namespace weir::policy {

void read_zones(Reading& reading, const Node& node);
/// Names only, so that rules of any file may name sets of any other: the first file that has a name keeps it.
void read_sets(Reading& reading, const Node& node);
void read_accounts(Reading& reading, const Node& node);
void read_roles(Reading& reading, const Node& node);
void read_trusted_proxies(Reading& reading, const Node& node);
void read_idle(Reading& reading, const Node& node);
void read_mode(Reading& reading, const Node& node);
void read_default(Reading& reading, const Node& node);
/// A word, or a map with bounds.
void read_undecided(Reading& reading, const Node& node);
/// `frames`, `bytes`, `time`, `server_bytes`: also the parameters of the guard.
void read_undecided_bounds(Reading& reading, const Node& map, UndecidedBounds& bounds);
void read_assertions(Reading& reading, const Node& node);
void read_upstreams(Reading& reading, const Node& node);

/// The rules for what must pass for a network to work at all. `node` may be nullptr: all of them.
void read_essential(Reading& reading, const Node* node);

/// `path` as seen from the file of `node`.
std::string beside(const Reading& reading, const Node& node, std::string_view path);

}  // namespace weir::policy
