// SPDX-License-Identifier: Apache-2.0
#pragma once

// The targets of `weir export`: each writes a policy in the words of another enforcement point and tells what it could not say.
// Nothing is left out silently: what is not in the text is among the losses.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/export/header_rules.h"

namespace weir::cli {

struct Exported {
  std::string first_line;  ///< What must stand before everything, such as `#!/bin/sh`.
  std::string text;
  std::vector<Loss> losses;
  std::vector<std::string> remarks;  ///< What whoever loads it must know.
};

struct Target {
  std::string_view name, help;
  std::string_view comment;  ///< Begins a line of comment; empty: the format has none.
  Exported (*write)(const policy::RuleSet& rules);
};

std::span<const Target> export_targets();

Exported to_nftables(const policy::RuleSet& rules);
Exported to_cisco_acl(const policy::RuleSet& rules);
Exported to_windows_firewall(const policy::RuleSet& rules);
Exported to_gcp(const policy::RuleSet& rules);
Exported to_azure(const policy::RuleSet& rules);
Exported to_aws_bucket_policy(const policy::RuleSet& rules);
Exported to_aws_iam(const policy::RuleSet& rules);
Exported to_aws_vpc_endpoint(const policy::RuleSet& rules);
Exported to_flowspec_exabgp(const policy::RuleSet& rules);
Exported to_flowspec_gobgp(const policy::RuleSet& rules);
Exported to_suricata(const policy::RuleSet& rules);
Exported to_unbound(const policy::RuleSet& rules);
Exported to_rpz(const policy::RuleSet& rules);

}  // namespace weir::cli
