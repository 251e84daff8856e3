// SPDX-License-Identifier: Apache-2.0
// weir techniques: what ATT&CK's mitigation M1037 covers, and which of it a policy's rules name.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/policy_file.h"
#include "cli/verb.h"
#include "policy/catalog.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string policy;
  bool json = false, roles = false;
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

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

int print_roles(bool json) {
  ordered_json list = ordered_json::array();
  for (const auto& [name, meaning] : policy::catalog().roles) {
    if (json) list.push_back({{"role", name}, {"meaning", meaning}});
    else std::printf("%-16s  %s\n", name.c_str(), meaning.c_str());
  }
  if (json) std::printf("%s\n", list.dump().c_str());
  return kDone;
}

ordered_json json_of(const policy::CatalogRow& t) {
  ordered_json row = {{"id", t.id}, {"name", t.name}, {"where", joined(t.stand)}, {"obligation", t.obligation}, {"d3fend", t.d3fend},
                      {"roles", t.needs}, {"attacks", t.attacks.size()}, {"twins", t.twins.size()}, {"remains", t.remains}};
  if (!t.now.empty()) row["now"] = t.now;
  return row;
}

int techniques(const Options& options) {
  if (options.roles) return print_roles(options.json);
  std::shared_ptr<const policy::RuleSet> rules;
  if (!options.policy.empty()) {
    rules = load_rules(options.policy);
    if (rules == nullptr) return kWrong;
  }
  ordered_json list = ordered_json::array();
  std::size_t named = 0;
  for (const policy::CatalogRow& t : policy::catalog().rows) {
    const std::vector<std::string> by = rules == nullptr ? std::vector<std::string>() : rules_that_name(rules->policy(), t.id);
    named += by.empty() ? 0 : 1;
    if (options.json) {
      ordered_json row = json_of(t);
      if (rules != nullptr) row["rules"] = by;
      list.push_back(row);
      continue;
    }
    const char* const mark = rules == nullptr ? "" : by.empty() ? "  " : "* ";
    std::printf("%s%-9s  %s (%s)\n", mark, t.id.c_str(), t.name.c_str(), joined(t.stand).c_str());
    const char* const indent = rules == nullptr ? "           " : "             ";
    std::printf("%s%s\n", indent, t.obligation.c_str());
    if (!by.empty()) std::printf("%snamed by %s\n", indent, joined(by).c_str());
  }
  if (options.json) std::printf("%s\n", list.dump().c_str());
  else if (rules != nullptr)
    std::printf("\n%zu of %zu are named by a rule. Named is not proven: weir prove plays attacks and their benign twins.\n", named,
                policy::catalog().rows.size());
  return kDone;
}

}  // namespace

std::function<int()> add_techniques(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("POLICY", o->policy, "mark those that this policy's rules name");
  app.add_flag("--roles", o->roles, "list the roles that `roles:` in a policy may tell, instead");
  app.add_flag("--json", o->json, "print JSON");
  app.footer(
      "Examples:\n  weir techniques\n  weir techniques policy.yaml\n  weir techniques --roles\n\nThe techniques that MITRE ATT&CK's mitigation M1037, "
      "Filter Network Traffic, names, older ids included.");
  return [o] { return techniques(*o); };
}

}  // namespace weir::cli
