// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_file.h"

#include <cstdio>

#include "cli/verb.h"
#include "engine/engine.h"
#include "policy/document.h"

namespace weir::cli {

void complain(const std::string& message) { std::fprintf(stderr, "weir: %s\n", message.c_str()); }

std::shared_ptr<const policy::RuleSet> load_rules(const std::string& path, const std::vector<std::string>& ports) {
  policy::Loaded loaded = policy::load_policy(path, engine::vocabulary());
  if (!loaded.policy) {
    std::fputs(policy::render(loaded.diagnostics).c_str(), stderr);
    return nullptr;
  }
  for (const std::string& name : ports) loaded.policy->port_index(name);
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)),
                                                 engine::vocabulary());
}

}  // namespace weir::cli
