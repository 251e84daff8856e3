// SPDX-License-Identifier: Apache-2.0
// weir export: a policy in the words of another enforcement point, with everything that those cannot say.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/export/target.h"
#include "cli/policy_file.h"
#include "cli/verb.h"
#include "engine/engine.h"
#include "policy/document.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string policy, target;
  bool json = false;
};

/// Losses with one cause and one effect share a line.
std::vector<std::string> lines_of(const std::vector<Loss>& losses) {
  std::vector<std::string> out;
  std::vector<bool> told(losses.size(), false);
  constexpr std::size_t kNamed = 8;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (told[i]) continue;
    Loss together = losses[i];
    std::vector<std::string> named{together.rule};
    for (std::size_t j = i + 1; j < losses.size(); ++j) {
      const Loss& other = losses[j];
      if (told[j] || other.reason != together.reason || other.lost != together.lost || other.instead != together.instead)
        continue;
      told[j] = true;
      if (std::find(named.begin(), named.end(), other.rule) != named.end()) continue;
      named.push_back(other.rule);
      together.place.clear();
    }
    for (std::size_t n = 1; n < named.size() && n < kNamed; ++n) together.rule += ", " + named[n];
    if (named.size() > kNamed) together.rule += " and " + std::to_string(named.size() - kNamed) + " more";
    out.push_back(render(together));
  }
  return out;
}

std::string commented(std::string_view mark, std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += std::string(mark) + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

std::string whole_text(const Exported& exported, const Target& target, const std::string& policy,
                       const std::vector<std::string>& losses) {
  std::string out = exported.first_line.empty() ? "" : exported.first_line + "\n";
  if (!target.comment.empty()) {
    out += commented(target.comment, "Written by `weir export --to " + std::string(target.name) + "` from " + policy +
                                         "; change the policy, not this file.");
    for (const std::string& remark : exported.remarks) out += commented(target.comment, remark);
    if (!losses.empty()) out += commented(target.comment, "Not carried over:");
    for (const std::string& loss : losses) out += commented(target.comment, "  " + loss);
  }
  return out + exported.text;
}

/// The policy for every datapath: rules for hosts are what some targets are about.
std::shared_ptr<const policy::RuleSet> load_all(const std::string& path) {
  policy::Loaded loaded = policy::load_policy(path, engine::vocabulary());
  std::fputs(policy::render(loaded.diagnostics).c_str(), stderr);
  if (!loaded.policy) return nullptr;
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)),
                                                 engine::vocabulary());
}

int run_export(const Options& options) {
  const Target* target = nullptr;
  for (const Target& t : export_targets())
    if (t.name == options.target) target = &t;
  const auto rules = load_all(options.policy);
  if (rules == nullptr || target == nullptr) return kWrong;
  const Exported exported = target->write(*rules);
  const std::vector<std::string> losses = lines_of(exported.losses);
  const std::string text = whole_text(exported, *target, options.policy, losses);
  bool lost = false;
  for (const Loss& loss : exported.losses) lost = lost || loss.lost != Lost::Nothing;
  if (options.json) {
    ordered_json list = ordered_json::array();
    for (const Loss& loss : exported.losses)
      list.push_back({{"rule", loss.rule},
                      {"place", loss.place},
                      {"reason", loss.reason},
                      {"effect", name_of(loss.lost)},
                      {"instead", loss.instead}});
    const ordered_json out = {
        {"target", target->name}, {"text", text}, {"remarks", exported.remarks}, {"not_carried_over", list}, {"whole", !lost}};
    std::printf("%s\n", out.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
  } else {
    std::fputs(text.c_str(), stdout);
    if (rules->policy().monitor) complain("the policy is in `mode: monitor`: nothing is enforced, and so it is exported");
    for (const std::string& loss : losses) complain("not carried over: " + loss);
  }
  return lost ? kNo : kDone;
}

}  // namespace

std::function<int()> add_export(CLI::App& app) {
  auto o = std::make_shared<Options>();
  std::vector<std::string> names;
  std::string list = "Targets:\n";
  for (const Target& target : export_targets()) {
    names.emplace_back(target.name);
    list += "  " + std::string(target.name) + std::string(target.name.size() < 22 ? 22 - target.name.size() : 1, ' ') +
            std::string(target.help) + "\n";
  }
  app.add_option("POLICY", o->policy, "the policy file")->required();
  app.add_option("--to", o->target, "what it is written for")->required()->check(CLI::IsMember(names));
  app.add_flag("--json", o->json, "print one JSON object: the text, and what was not carried over");
  app.footer(list +
             "\nExamples:\n  weir export policy.yaml --to nftables > weir.nft\n  weir export policy.yaml --to rpz > rpz.zone\n\n"
             "What a target cannot say is listed with its rule and reason, in the text as comments and on standard error, and "
             "whether the\n"
             "text is weaker or stricter for it. Exit status 0: it says all of the policy's verdicts; 1: it does not.");
  return [o] { return run_export(*o); };
}

}  // namespace weir::cli
