// SPDX-License-Identifier: Apache-2.0
// weir: the table of verbs. Each has a file of its own beside this one.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <vector>

#include "cli/verb.h"

namespace {

using weir::cli::Verb;

constexpr Verb kVerbs[] = {
    {"check", "validate a policy and say what is wrong or odd about it", weir::cli::add_check},
    {"replay", "run captures through the engine under a policy", weir::cli::add_replay},
    {"facts", "list the facts that rules can ask for", weir::cli::add_facts},
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"weir filters network traffic: one engine, one policy, the same verdicts on a bridge, on a host and over captures."};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "the help of every verb");
  app.set_version_flag("--version", "weir 0.1.0");
  std::vector<std::pair<CLI::App*, std::function<int()>>> runs;
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.help);
    runs.emplace_back(sub, verb.add(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? weir::cli::kDone : weir::cli::kWrong;
  }
  for (auto& [sub, run] : runs)
    if (sub->parsed()) return run();
  return weir::cli::kWrong;
}
