// SPDX-License-Identifier: Apache-2.0
// weir techniques: what ATT&CK's mitigation M1037 covers, and which of it a policy's rules name.

#include "policy/techniques.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/policy_file.h"
#include "cli/verb.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string policy;
  bool json = false;
};

/// Rules of the policy that name the technique, each once.
std::vector<std::string> rules_that_name(const policy::Policy& policy, std::string_view id) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name, const std::vector<std::string>& ids) {
    if (std::find(ids.begin(), ids.end(), id) != ids.end() && std::find(out.begin(), out.end(), name) == out.end())
      out.push_back(name);
  };
  for (const policy::Rule& rule : policy.rules) add(rule.name, rule.techniques);
  add("default", policy.default_techniques);
  return out;
}

int techniques(const Options& options) {
  std::shared_ptr<const policy::RuleSet> rules;
  if (!options.policy.empty()) {
    rules = load_rules(options.policy);
    if (rules == nullptr) return kWrong;
  }
  ordered_json list = ordered_json::array();
  std::size_t named = 0;
  for (const policy::Technique& t : policy::kTechniqueTable) {
    const std::vector<std::string> by = rules == nullptr ? std::vector<std::string>() : rules_that_name(rules->policy(), t.id);
    named += by.empty() ? 0 : 1;
    if (options.json) {
      ordered_json row = {{"id", t.id}, {"name", t.name}, {"where", t.where}, {"obligation", t.obligation}};
      if (rules != nullptr) row["rules"] = by;
      list.push_back(row);
      continue;
    }
    std::printf("%s%-9s  %s (%s)\n",
                rules == nullptr ? ""
                : by.empty()     ? "  "
                                 : "* ",
                std::string(t.id).c_str(), std::string(t.name).c_str(), std::string(t.where).c_str());
    const char* const indent = rules == nullptr ? "           " : "             ";
    std::printf("%s%s\n", indent, std::string(t.obligation).c_str());
    std::string names;
    for (const std::string& rule : by) names += (names.empty() ? "" : ", ") + rule;
    if (!names.empty()) std::printf("%snamed by %s\n", indent, names.c_str());
  }
  if (options.json) std::printf("%s\n", list.dump().c_str());
  else if (rules != nullptr)
    std::printf("\n%zu of %zu are named by a rule. Named is not proven: weir test plays attacks and their benign twins.\n", named,
                policy::kTechniqueTable.size());
  return kDone;
}

}  // namespace

std::function<int()> add_techniques(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("POLICY", o->policy, "mark those that this policy's rules name");
  app.add_flag("--json", o->json, "print JSON");
  app.footer(
      "Examples:\n  weir techniques\n  weir techniques policy.yaml\n\nThe techniques that MITRE ATT&CK's mitigation M1037, "
      "Filter Network Traffic, names, older ids included.");
  return [o] { return techniques(*o); };
}

}  // namespace weir::cli
