// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_file.h"

#include <cstdio>

#include "cli/verb.h"
#include "engine/engine.h"
#include "policy/check.h"
#include "policy/document.h"

namespace weir::cli {

void complain(const std::string& message) { std::fprintf(stderr, "weir: %s\n", message.c_str()); }

policy::Diagnostics warn_of_unmade(const policy::Policy& policy) {
  policy::Diagnostics out;
  const FieldSet unmade = engine::unmade_fields();
  for (const policy::Rule& rule : policy.rules)
    for (const policy::Condition& c : rule.match) {
      if (!unmade.test(c.field)) continue;
      const policy::Position& at = rule.position;
      out.add(policy::Severity::Warning, at.file < policy.files.size() ? policy.files[at.file] : "", at.line, at.column,
              policy::sentence("`", rule.name, "` asks for `", engine::vocabulary().field(c.field)->name,
                               "`, which this version does not make yet: it never matches"));
      break;
    }
  return out;
}

std::shared_ptr<const policy::RuleSet> load_rules(const std::string& path, const std::vector<std::string>& ports, std::uint8_t datapaths) {
  policy::LoadOptions options;
  options.ports = ports;
  policy::Loaded loaded = policy::load_policy(path, engine::vocabulary(), options);
  if (!loaded.policy) {
    std::fputs(policy::render(loaded.diagnostics).c_str(), stderr);
    return nullptr;
  }
  std::fputs(policy::render(warn_of_unmade(*loaded.policy)).c_str(), stderr);
  if (datapaths != 0 && datapaths != kEveryRule) {
    const policy::Diagnostics missing = policy::check_for(*loaded.policy, engine::vocabulary(), datapaths, policy::Severity::Error);
    std::fputs(policy::render(missing).c_str(), stderr);
    if (missing.errors() > 0) return nullptr;
  }
  // A rule for other datapaths (`on: [host]`) is none here.
  const std::uint8_t here = datapaths != 0 ? datapaths : on::kCapture;
  std::erase_if(loaded.policy->rules, [here](const policy::Rule& rule) { return (rule.datapaths & here) == 0; });
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)),
                                                 engine::vocabulary());
}

}  // namespace weir::cli
