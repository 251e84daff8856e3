// SPDX-License-Identifier: Apache-2.0
// weir import: rules of other tools as a policy, with everything that does not fit.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/import/rule_text.h"
#include "cli/verb.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string from, file;
  std::vector<std::string> variables;
  bool json = false;
};

std::optional<std::string> text_of(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return std::nullopt;
  }
  std::istream& in = path == "-" ? std::cin : file;
  std::string out{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return in.bad() ? std::nullopt : std::optional(std::move(out));
}

int run_import(const Options& options) {
  SuricataVariables variables;
  for (const std::string& variable : options.variables) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos || equals == 0)
      return complain("--var takes NAME=VALUE, such as HOME_NET=10.0.0.0/8"), kWrong;
    variables.values.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  const auto text = text_of(options.file);
  if (!text) return complain(options.file + ": cannot be read"), kWrong;
  const Imported imported = options.from == "nftables" ? import_nftables(*text) : import_suricata(*text, variables);
  const std::string policy = policy_text(imported, options.file == "-" ? "standard input" : options.file);
  if (options.json) {
    ordered_json unfit = ordered_json::array();
    for (const Unfit& u : imported.unfit) unfit.push_back({{"line", u.line}, {"what", u.what}, {"reason", u.reason}});
    const ordered_json out = {
        {"policy", policy}, {"rules", imported.rules.size()}, {"not_taken_over", unfit}, {"remarks", imported.remarks}};
    std::printf("%s\n", out.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
  } else {
    std::fputs(policy.c_str(), stdout);
    for (const Unfit& u : imported.unfit)
      complain("not taken over: " + options.file + ":" + std::to_string(u.line) + ": " + u.reason + ": " + u.what);
  }
  return imported.unfit.empty() ? kDone : kNo;
}

}  // namespace

std::function<int()> add_import(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("--from", o->from, "whose rules they are: nftables (what `nft -j list ruleset` prints) or suricata")
      ->required()
      ->check(CLI::IsMember({"nftables", "suricata"}));
  app.add_option("FILE", o->file, "the file; - is standard input")->required();
  app.add_option("--var", o->variables, "suricata: a variable of its configuration, NAME=VALUE; may be repeated");
  app.add_flag("--json", o->json, "print one JSON object: the policy, and what was not taken over");
  app.footer(
      "Examples:\n  nft -j list ruleset | weir import --from nftables - > policy.yaml\n"
      "  weir import --from suricata local.rules --var HOME_NET=10.0.0.0/8 > policy.yaml\n\n"
      "The policy goes to standard output and passes `weir check`. What does not fit is listed with its line (of nftables: the "
      "number of the\n"
      "rule) and reason, in the policy as comments and on standard error. Exit status 0: all of it was taken over; 1: not all.");
  return [o] { return run_import(*o); };
}

}  // namespace weir::cli
