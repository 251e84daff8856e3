// SPDX-License-Identifier: Apache-2.0
#include "policy/rule.h"

#include <algorithm>

namespace weir::policy {

std::string_view name_of(Action action) {
  switch (action) {
    case Action::Allow: return "allow";
    case Action::Drop: return "drop";
    case Action::Reject: return "reject";
    case Action::Sinkhole: return "sinkhole";
    case Action::Limit: return "limit";
    case Action::Ban: return "ban";
    case Action::Alert: return "alert";
  }
  return "";
}

PortIndex Policy::port_index(std::string_view name) {
  const auto found = std::find(port_names.begin(), port_names.end(), name);
  if (found != port_names.end()) return static_cast<PortIndex>(found - port_names.begin());
  if (port_names.size() >= 4096) return kNoPort;
  port_names.emplace_back(name);
  return static_cast<PortIndex>(port_names.size() - 1);
}

}  // namespace weir::policy
