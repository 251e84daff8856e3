// SPDX-License-Identifier: Apache-2.0
#pragma once

// The first packets of all flows, divided so that two policies answer alike within each part, and the parts where they answer
// otherwise.
//
// A part is a class of clients, one of servers, and a kind of traffic (packet_classes.h). A first packet is allowed, denied, or
// open: then what it carries decides.

#include <string>
#include <vector>

#include "cli/diff/packet_classes.h"

namespace weir::cli {

struct SpaceChange {
  std::string traffic;                ///< "tcp 1-22, 24-65535", "icmp"
  std::vector<std::string> from, to;  ///< Classes, such as "inside 10.0.0.0, @admins".
  FirstAnswer before = FirstAnswer::Allow, after = FirstAnswer::Allow;
  std::string rule_before, rule_after;  ///< Empty: none decides yet.
};

struct SpaceDifference {
  std::vector<SpaceChange> changes;
  bool whole = true;  ///< False: there were too many classes, and only some were looked at.
};

SpaceDifference compare_spaces(const policy::RuleSet& before, const policy::RuleSet& after);

}  // namespace weir::cli
