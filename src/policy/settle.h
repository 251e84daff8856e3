// SPDX-License-Identifier: Apache-2.0
#pragma once

// At which packet the flows of a protocol settle under a policy, or which rule prevents it: `weir check --settle`. An analysis of
// the rules' keys, for a flow whose zones and ports are not told: a rule that only some ends could meet counts as one that may be
// asked. So it never promises a settling that could fail to come; for particular ends it may come earlier.

#include <string>
#include <vector>

#include "policy/compile.h"

namespace weir::policy {

struct Settling {
  bool settles = true;
  std::string when;       ///< "with the first packet", "when tls.sni is known or absent"; or why not: "dns.qname is asked of each
                          ///< transaction".
  RuleId rule = kNoRule;  ///< The last rule that is waited for, or the first that prevents it.
  std::string rule_name, key;
};

/// For flows of `app` over an IP protocol (TCP, UDP or SCTP).
Settling settling_of(const RuleSet& rules, AppId app, std::uint8_t ip_protocol);

}  // namespace weir::policy
