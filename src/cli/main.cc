// SPDX-License-Identifier: Apache-2.0
// weir: the table of verbs. Each has a file of its own beside this one.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <vector>

#include "base/text.h"
#include "cli/verb.h"

namespace {

using weir::cli::Verb;

constexpr Verb kVerbs[] = {
    {"check", "validate a policy and say what is wrong or odd about it", weir::cli::add_check},
    {"replay", "run captures through the engine under a policy", weir::cli::add_replay},
    {"run", "filter live traffic between the ports of a bridge", weir::cli::add_run},
    {"status", "what the running filter says of itself", weir::cli::add_status},
    {"flows", "the flows that pass it now", weir::cli::add_flows},
    {"events", "the events of the running filter, and those that come", weir::cli::add_events},
    {"top", "its largest flows and busiest rules", weir::cli::add_top},
    {"reload", "put its policy file in force anew, whole or not at all", weir::cli::add_reload},
    {"confirm", "keep the policy of a reload --confirm", weir::cli::add_confirm},
    {"rollback", "go back to the policy before", weir::cli::add_rollback},
    {"ask", "the questions of a filter that asks, and their answers", weir::cli::add_ask},
    {"ban", "shut an address out for a while, or list who is", weir::cli::add_ban},
    {"unban", "let an address pass again", weir::cli::add_unban},
    {"capture", "write frames that a filter selects, with their verdicts", weir::cli::add_capture},
    {"explain", "say why a packet met its verdict, rule by rule", weir::cli::add_explain},
    {"test", "run the unit tests of policies", weir::cli::add_test},
    {"prove", "show for each technique that a policy stops its attacks and lets their benign twins pass", weir::cli::add_prove},
    {"learn", "write a least policy from what is seen", weir::cli::add_learn},
    {"diff", "say what changes from one policy to another", weir::cli::add_diff},
    {"export", "write a policy in the words of another enforcement point", weir::cli::add_export},
    {"import", "write another tool's rules as a policy", weir::cli::add_import},
    {"plan", "write the continuity plan for floods that a policy implies", weir::cli::add_plan},
    {"profiles", "list the policies that can be included, or print one", weir::cli::add_profiles},
    {"facts", "list the facts that rules can ask for", weir::cli::add_facts},
    {"techniques", "list the techniques that filtering answers, and which a policy names", weir::cli::add_techniques},
};

constexpr const char* kFooter =
    "Begin with:\n"
    "  weir check policy.yaml                               is it sound?\n"
    "  weir replay capture.pcap --policy policy.yaml        what would it stop?\n"
    "  weir explain policy.yaml capture.pcap:17             why?\n\n"
    "weir VERB --help tells more of each. Exit status: 0 done; 1 done, and the answer is no; 2 the input or usage is wrong;\n"
    "3 the system refused.";

std::string meant(std::string_view word, const std::vector<std::string_view>& known) {
  const std::string_view near = weir::nearest(word, known);
  return near.empty() ? std::string() : "; was `" + std::string(near) + "` meant?";
}

/// What is wrong with the usage, in our words where CLI11's say less.
std::string complaint(const CLI::ParseError& error, const CLI::App* sub, int argc, char** argv) {
  if (sub == nullptr) {
    std::vector<std::string_view> names;
    for (const Verb& verb : kVerbs) names.push_back(verb.name);
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (!word.starts_with("-")) return "there is no verb `" + std::string(word) + "`" + meant(word, names);
      return "there is no option `" + std::string(word) + "` before the verb" +
             meant(word, {"--help", "--help-all", "--version"});
    }
    return "a verb is missing";
  }
  std::vector<std::string> options;
  for (const CLI::Option* option : sub->get_options())
    for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
  const std::vector<std::string_view> known(options.begin(), options.end());
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = std::string_view(argv[i]).substr(0, std::string_view(argv[i]).find('='));
    if (word.starts_with("--") && word.size() > 2 && std::find(known.begin(), known.end(), word) == known.end())
      return sub->get_name() + " has no option `" + std::string(word) + "`" + meant(word, known);
  }
  return sub->get_name() + ": " + error.what();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "weir filters network traffic: one engine, one policy, the same verdicts on a bridge, on a host and over captures."};
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "this text; behind a verb, its own");
  app.set_help_all_flag("--help-all", "the help of every verb");
  app.set_version_flag("--version", "weir 0.1.0", "the version");
  app.footer(kFooter);
  std::vector<std::pair<CLI::App*, std::function<int()>>> runs;
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.help);
    sub->set_help_flag("-h,--help", "this text");
    runs.emplace_back(sub, verb.add(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      return weir::cli::kDone;
    }
    const CLI::App* chosen = nullptr;
    for (const auto& [sub, run] : runs)
      if (sub->parsed() || (argc > 1 && sub->get_name() == argv[1])) chosen = sub;
    weir::cli::complain(complaint(error, chosen, argc, argv));
    std::fprintf(stderr, "weir: try `weir %s%s--help`\n", chosen == nullptr ? "" : chosen->get_name().c_str(),
                 chosen == nullptr ? "" : " ");
    return weir::cli::kWrong;
  }
  for (auto& [sub, run] : runs)
    if (sub->parsed()) return run();
  return weir::cli::kWrong;
}
