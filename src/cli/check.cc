// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/policy_file.h"
#include "cli/verb.h"
#include "engine/engine.h"
#include "policy/document.h"

namespace weir::cli {
namespace {

struct Options {
  std::string policy;
};

int check(const Options& options) {
  const policy::Loaded loaded = policy::load_policy(options.policy, engine::vocabulary());
  std::fputs(policy::render(loaded.diagnostics).c_str(), stderr);
  if (!loaded.policy) return kWrong;
  std::printf("%s: %zu rules, no errors\n", options.policy.c_str(), loaded.policy->rules.size());
  return kDone;
}

}  // namespace

std::function<int()> add_check(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("POLICY", options->policy, "the policy file")->required();
  return [options] { return check(*options); };
}

}  // namespace weir::cli
