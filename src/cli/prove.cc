// SPDX-License-Identifier: Apache-2.0
// weir prove: each technique's attacks and twins, laid onto the policy and run through the engine.

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "cli/policy_file.h"
#include "cli/prove/prover.h"
#include "cli/prove/render.h"
#include "cli/verb.h"

namespace weir::cli {
namespace {

struct Options {
  std::string policy, html, navigator, stix;
  std::vector<std::string> only;
  bool json = false, mutate = false, verbose = false;
};

bool write_file(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  if (path == "-") return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (out) return true;
  complain(path + ": it cannot be written");
  return false;
}

int prove(const Options& options) {
  const auto begun = std::chrono::steady_clock::now();
  const std::shared_ptr<const policy::RuleSet> rules = load_rules(options.policy, {}, kEveryRule);
  if (rules == nullptr) return kWrong;
  policy::Catalog chosen = policy::catalog();
  for (const std::string& id : options.only)
    if (chosen.row(id) == nullptr) return complain("`" + id + "` is none of the techniques that weir techniques lists"), kWrong;
  if (!options.only.empty())
    std::erase_if(chosen.rows, [&](const policy::CatalogRow& row) {
      return std::find(options.only.begin(), options.only.end(), row.id) == options.only.end();
    });
  Prover prover(chosen, rules);
  ProofReport report{.policy_path = options.policy, .policy = rules->policy(), .proofs = prover.prove()};
  if (options.mutate) report.mutations = prover.mutate(report.proofs);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  bool written = write_file(options.html, render_html(report));
  written = write_file(options.navigator, render_navigator(report)) && written;
  written = write_file(options.stix, render_stix(report)) && written;
  if (!written) return kRefused;
  const bool to_output = options.html == "-" || options.navigator == "-" || options.stix == "-";
  if (options.json) std::printf("%s\n", render_json(report).c_str());
  else if (!to_output) std::fputs(render_text(report, isatty(STDOUT_FILENO) != 0, options.verbose).c_str(), stdout);
  return report.proofs.count(Proof::NotProven) == 0 ? kDone : kNo;
}

}  // namespace

std::function<int()> add_prove(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("POLICY", o->policy, "the policy that is to stop them")->required();
  app.add_option("--technique", o->only, "only these, by id; may be given again")->type_name("ID");
  app.add_flag("--mutate", o->mutate, "delete each rule in turn and say which techniques are no longer proven");
  app.add_flag("-v,--verbose", o->verbose, "every attack and twin, and what remains possible");
  app.add_flag("--json", o->json, "print JSON");
  app.add_option("--html", o->html, "write a report of one file, for paper and phone (`-`: standard output)")->type_name("FILE");
  app.add_option("--navigator", o->navigator, "write a layer for the ATT&CK Navigator")->type_name("FILE");
  app.add_option("--stix", o->stix, "write a STIX 2.1 bundle: courses of action and what they mitigate")->type_name("FILE");
  app.footer(
      "Examples:\n  weir prove policy.yaml\n  weir prove policy.yaml --technique T1071.004 -v\n  weir prove policy.yaml --mutate\n"
      "  weir prove policy.yaml --html report.html --navigator layer.json\n\n"
      "`roles:` in the policy tells who is who (weir techniques --roles lists them). Each attack must get through without the policy, or it\n"
      "proves nothing; a role that is missing makes a technique `not assessed`, never proven. Exit status 1: one is not proven.");
  return [o] { return prove(*o); };
}

}  // namespace weir::cli
