// SPDX-License-Identifier: Apache-2.0
#pragma once

// The first packets of all flows, divided so that two policies answer alike within each part, and the parts where they answer otherwise.
//
// A part is a class of client addresses, one of server addresses, and a protocol with a range of the server's ports. Addresses are of one class
// if they are in the same zones and the same sets of both policies. A first packet is allowed, denied, or open: then what it carries
// decides. Rates and bans are taken as not reached. What the parts do not see: flags, TTL and other keys of single packets, ICMP types.

#include <string>
#include <vector>

#include "policy/compile.h"

namespace weir::cli {

enum class FirstAnswer : std::uint8_t { Allow, Deny, Open };
std::string_view name_of(FirstAnswer answer);  ///< "allow", "deny", "open"

struct SpaceChange {
  std::string traffic;  ///< "tcp 1-22, 24-65535", "icmp"
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
