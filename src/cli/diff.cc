// SPDX-License-Identifier: Apache-2.0
// weir diff: what changes between two policies: their rules, the first packets that they answer otherwise, the flows of captures, the
// techniques that are proven.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/diff/packet_space.h"
#include "cli/policy_file.h"
#include "cli/prove/prover.h"
#include "cli/trial.h"
#include "cli/verb.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;
using RuleSetPtr = std::shared_ptr<const policy::RuleSet>;

constexpr std::size_t kNamesMax = 6, kExamplesMax = 3;

struct Options {
  std::string before, after;
  std::vector<std::string> captures;
  bool json = false, all = false;
};

std::string joined(const std::vector<std::string>& texts, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < texts.size() && i < most; ++i) out += (i == 0 ? "" : ", ") + texts[i];
  return texts.size() > most ? out + " and " + std::to_string(texts.size() - most) + " more" : out;
}

/// A rule in one text, so that two can be compared.
std::string text_of(const policy::Rule& rule, const Vocabulary& words) {
  std::string out(policy::name_of(rule.action));
  const auto add = [&](const policy::AllOf& all) {
    for (const policy::Condition& c : all) {
      out += std::string(" ") + (c.negated ? "not." : "") + std::string(words.field(c.field)->name) + "=";
      for (const std::string& value : c.values.written) out += value + ",";
      for (const auto& set : c.values.sets) out += set->addresses ? std::to_string(set->addresses->size()) : set->domains ? std::to_string(set->domains->size()) : "";
    }
  };
  add(rule.match);
  for (const policy::AllOf& all : rule.unless) out += " unless", add(all);
  for (const std::string& technique : rule.techniques) out += " " + technique;
  out += rule.monitor ? " monitor" : "";
  if (rule.action == policy::Action::Limit) out += " " + std::to_string(rule.limit.rate) + "/" + std::to_string(rule.limit.burst);
  if (rule.action == policy::Action::Ban) out += " " + std::to_string(rule.ban.after) + "/" + std::to_string(rule.ban.for_ns);
  return out;
}

struct RuleChange {
  std::string name, change;  ///< "new", "gone", "changed"
};

std::vector<RuleChange> compare_rules(const policy::RuleSet& before, const policy::RuleSet& after) {
  const auto texts = [](const policy::RuleSet& rules) {
    std::map<std::string, std::string> out;
    for (const policy::Rule& rule : rules.policy().rules) out[rule.name] += text_of(rule, rules.vocabulary()) + "\n";
    out["default"] = std::string(policy::name_of(rules.policy().default_action));
    return out;
  };
  const auto a = texts(before), b = texts(after);
  std::vector<RuleChange> out;
  for (const auto& [name, text] : b) {
    const auto old = a.find(name);
    if (old == a.end()) out.push_back({name, "new"});
    else if (old->second != text) out.push_back({name, "changed"});
  }
  for (const auto& [name, text] : a)
    if (!b.contains(name)) out.push_back({name, "gone"});
  return out;
}

/// Flows of a capture that meet another verdict, by the rules that decided.
struct FlowChange {
  std::string before, after;
  std::size_t flows = 0, packets = 0;
  std::vector<std::string> examples;
};

std::string verdict_text(const Answer& answer, const policy::Policy& policy) {
  const std::string rule = policy::name_of_rule(policy, answer.rule);
  return std::string(answer.verdict == Verdict::Pass ? "pass" : "drop") + " by " +
         (!rule.empty() ? rule : answer.verdict == Verdict::Pass ? "default" : std::string(policy::describe(answer.reason)));
}

/// `broken` is set where the capture could not be read to its end: what came before was compared.
Result<std::vector<FlowChange>> compare_capture(const RuleSetPtr& before, const RuleSetPtr& after, const std::string& path, std::optional<Error>& broken) {
  const Traffic old_traffic = Traffic::of_capture(path, before->policy()), new_traffic = Traffic::of_capture(path, after->policy());
  const Trial a = run_trial(before, old_traffic), b = run_trial(after, new_traffic);
  if (a.fault && a.answers.empty()) return *a.fault;
  broken = a.fault;
  std::map<std::pair<std::string, std::string>, FlowChange> changes;
  std::map<std::pair<std::string, std::string>, std::set<std::uint64_t>> flows;
  std::map<std::uint64_t, std::pair<std::string, std::string>> firsts;  // Number of a flow's first changed packet.
  for (std::size_t i = 0; i < std::min(a.answers.size(), b.answers.size()); ++i) {
    if (a.answers[i].verdict == b.answers[i].verdict) continue;
    const std::pair<std::string, std::string> key{verdict_text(a.answers[i], before->policy()), verdict_text(b.answers[i], after->policy())};
    ++changes[key].packets;
    if (flows[key].insert(a.answers[i].flow).second && flows[key].size() <= kExamplesMax) firsts[i + 1] = key;
  }
  (void)new_traffic.each([&](const Frame& frame) {
    if (const auto at = firsts.find(frame.number); at != firsts.end())
      changes[at->second].examples.push_back(std::to_string(frame.number) + ": " + ends_of(frame));
    return true;
  });
  std::vector<FlowChange> out;
  for (auto& [key, change] : changes) {
    change.before = key.first;
    change.after = key.second;
    change.flows = flows[key].size();
    out.push_back(std::move(change));
  }
  return out;
}

struct ProofChange {
  std::string id, name, before, after, why;
};

std::vector<ProofChange> compare_proofs(const RuleSetPtr& before, const RuleSetPtr& after) {
  const Proofs a = Prover(policy::catalog(), before).prove(), b = Prover(policy::catalog(), after).prove();
  std::vector<ProofChange> out;
  for (std::size_t i = 0; i < a.rows.size(); ++i)
    if (a.rows[i].proof != b.rows[i].proof)
      out.push_back({a.rows[i].row->id, a.rows[i].row->name, std::string(name_of(a.rows[i].proof)), std::string(name_of(b.rows[i].proof)),
                     b.rows[i].why.empty() ? a.rows[i].why : b.rows[i].why});
  return out;
}

struct Difference {
  std::vector<RuleChange> rules;
  SpaceDifference space;
  std::vector<std::pair<std::string, std::vector<FlowChange>>> captures;
  std::vector<ProofChange> proofs;
  bool any() const {
    bool flows = false;
    for (const auto& [path, changes] : captures) flows = flows || !changes.empty();
    return !rules.empty() || !space.changes.empty() || flows || !proofs.empty();
  }
};

void print(const Difference& d, bool all) {
  const std::size_t most = all ? SIZE_MAX : kNamesMax;
  if (!d.rules.empty()) std::printf("Rules\n");
  for (const RuleChange& change : d.rules) std::printf("  %-8s %s\n", change.change.c_str(), change.name.c_str());
  if (!d.space.changes.empty()) std::printf("First packets\n");
  for (const SpaceChange& change : d.space.changes)
    std::printf("  %s -> %s: %s\n      from %s\n      to   %s\n      %s, now %s\n", std::string(name_of(change.before)).c_str(),
                std::string(name_of(change.after)).c_str(), change.traffic.c_str(), joined(change.from, most).c_str(), joined(change.to, most).c_str(),
                change.rule_before.empty() ? "what it carries decided" : ("by " + change.rule_before).c_str(),
                change.rule_after.empty() ? "what it carries decides" : ("by " + change.rule_after).c_str());
  if (!d.space.whole) std::printf("  (the policies tell too many addresses apart; only some were compared)\n");
  for (const auto& [path, changes] : d.captures) {
    std::printf("%s:%s\n", path.c_str(), changes.empty() ? " no packet meets another verdict" : "");
    for (const FlowChange& change : changes) {
      std::printf("  %s -> %s: %zu %s, %zu %s\n", change.before.c_str(), change.after.c_str(), change.flows, change.flows == 1 ? "flow" : "flows", change.packets,
                  change.packets == 1 ? "packet" : "packets");
      for (const std::string& example : change.examples) std::printf("      packet %s\n", example.c_str());
    }
  }
  if (!d.proofs.empty()) std::printf("Techniques\n");
  for (const ProofChange& change : d.proofs)
    std::printf("  %-10s %s -> %s  %s\n             %s\n", change.id.c_str(), change.before.c_str(), change.after.c_str(), change.name.c_str(), change.why.c_str());
  if (!d.any()) std::printf("no difference\n");
}

ordered_json json_of(const Difference& d) {
  ordered_json rules = ordered_json::array(), space = ordered_json::array(), captures = ordered_json::array(), proofs = ordered_json::array();
  for (const RuleChange& c : d.rules) rules.push_back({{"rule", c.name}, {"change", c.change}});
  for (const SpaceChange& c : d.space.changes)
    space.push_back({{"traffic", c.traffic}, {"from", c.from}, {"to", c.to}, {"before", name_of(c.before)}, {"after", name_of(c.after)},
                     {"rule_before", c.rule_before}, {"rule_after", c.rule_after}});
  for (const auto& [path, changes] : d.captures) {
    ordered_json list = ordered_json::array();
    for (const FlowChange& c : changes)
      list.push_back({{"before", c.before}, {"after", c.after}, {"flows", c.flows}, {"packets", c.packets}, {"examples", c.examples}});
    captures.push_back({{"capture", path}, {"changes", list}});
  }
  for (const ProofChange& c : d.proofs)
    proofs.push_back({{"id", c.id}, {"name", c.name}, {"before", c.before}, {"after", c.after}, {"why", c.why}});
  return {{"rules", rules}, {"first_packets", space}, {"first_packets_whole", d.space.whole}, {"captures", captures}, {"techniques", proofs}, {"differs", d.any()}};
}

int diff(const Options& options) {
  const RuleSetPtr before = load_rules(options.before), after = load_rules(options.after);
  if (before == nullptr || after == nullptr) return kWrong;
  Difference d;
  d.rules = compare_rules(*before, *after);
  d.space = compare_spaces(*before, *after);
  bool all_read = true;
  for (const std::string& path : options.captures) {
    std::optional<Error> broken;
    auto changes = compare_capture(before, after, path, broken);
    if (broken) complain(path + ": " + broken->message + "; what comes before that was compared"), all_read = false;
    if (!changes) return complain(path + ": " + changes.error().message), kWrong;
    d.captures.emplace_back(path, std::move(*changes));
  }
  d.proofs = compare_proofs(before, after);
  if (options.json) std::printf("%s\n", json_of(d).dump().c_str());
  else print(d, options.all);
  return d.any() || !all_read ? kNo : kDone;
}

}  // namespace

std::function<int()> add_diff(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("OLD", o->before, "the policy before")->required();
  app.add_option("NEW", o->after, "the policy after")->required();
  app.add_option("CAPTURE", o->captures, "captures whose flows are judged by both");
  app.add_flag("--all", o->all, "name every class of addresses, not the first six");
  app.add_flag("--json", o->json, "print JSON");
  app.footer(
      "Examples:\n  weir diff policy.yaml policy-new.yaml\n  weir diff policy.yaml policy-new.yaml monday.pcap.gz\n\n"
      "First packets: which new flows are answered otherwise from their headers alone, by classes of addresses that no rule tells apart;\n"
      "`open` is what only its content decides. Exit status 1: there is a difference, or a capture was not read to its end.");
  return [o] { return diff(*o); };
}

}  // namespace weir::cli
