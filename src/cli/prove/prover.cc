// SPDX-License-Identifier: Apache-2.0
#include "cli/prove/prover.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "cli/prove/layout.h"
#include "cli/trial.h"
#include "engine/engine.h"
#include "facts/field_ids.h"

namespace weir::cli {
namespace {

/// A flood is stopped when half of it is: what a limit lets go is its rate.
constexpr std::size_t kFloodPackets = 50;

using RuleSetPtr = std::shared_ptr<const policy::RuleSet>;

RuleSetPtr compiled(policy::Policy policy) {
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(policy)), engine::vocabulary());
}

/// As the datapath has it: the others' rules sleep, so that all keep their numbers.
policy::Policy seen_on(const policy::Policy& policy, std::uint8_t datapath) {
  policy::Policy out = policy;
  for (policy::Rule& rule : out.rules)
    if ((rule.datapaths & datapath) == 0) rule.expires_wall_ns = 0;
  return out;
}

/// The same policy in both places.
struct BothRules {
  RuleSetPtr capture, host;
  explicit BothRules(const policy::Policy& policy) : capture(compiled(seen_on(policy, on::kCapture))), host(compiled(seen_on(policy, on::kHost))) {}
  const RuleSetPtr& of(const Convo& convo) const { return convo.has_senders ? host : capture; }
};

/// The program that the policy lets do what the row is about: of a rule that names the row, the first process.path that its
/// exceptions, or an `allow`, write out.
std::string program_of(const policy::Policy& policy, const std::function<bool(const policy::Rule&)>& about) {
  std::string out;
  const auto take = [&](const policy::AllOf& map) {
    for (const policy::Condition& c : map)
      if (c.field == field::kProcessPath && !c.negated && c.values.texts != nullptr)
        c.values.texts->for_each_exact([&](std::string_view path) { out = out.empty() ? std::string(path) : out; });
  };
  for (const policy::Rule& rule : policy.rules) {
    if (!about(rule)) continue;
    if (rule.action == policy::Action::Allow) take(rule.match);
    else for (const policy::AllOf& map : rule.unless) take(map);
  }
  return out.empty() ? "/usr/bin/agent" : out;
}

/// The same zones, sets and ports, and nothing that stops anything.
policy::Policy without_rules(const policy::Policy& policy) {
  policy::Policy out = policy;
  out.rules.clear();
  out.default_action = policy::Action::Allow;
  out.undecided = {};
  out.wishes = {};
  out.monitor = false;
  return out;
}

/// The id itself, one of its parts (T1048 by T1048.003), the id that replaced it or that it replaced.
bool names(const policy::Catalog& catalog, const std::string& tagged, const policy::CatalogRow& row) {
  const auto now = [&](const std::string& id) {
    const policy::CatalogRow* r = catalog.row(id);
    return r == nullptr || r->now.empty() ? id : r->now;
  };
  const std::string a = now(tagged), b = now(row.id);
  return a == b || tagged == row.id || a.starts_with(b + ".");
}

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

/// The rule that stopped a packet, or why it was stopped without one.
std::string stopper(const policy::Policy& policy, const Answer& answer) {
  const std::string rule = policy::name_of_rule(policy, answer.rule);
  return rule.empty() ? "no rule (" + std::string(policy::describe(answer.reason)) + ")" : rule;
}

std::string line_of(const Step& step) {
  std::string out;
  for (const char c : step.text) {
    if (c == ' ' && !out.empty() && out.back() == ' ') continue;
    out += c;
  }
  return out.size() <= 120 ? out : out.substr(0, 117) + "...";
}

}  // namespace

std::string_view name_of(Proof proof) {
  return proof == Proof::Proven ? "proven" : proof == Proof::NotProven ? "not proven" : "not assessed";
}

std::vector<std::string> RowProof::rules() const {
  std::vector<std::string> out;
  for (const CaseProof& attack : attacks)
    for (const std::string& rule : attack.rules) add_once(out, rule);
  return out;
}

std::size_t Proofs::count(Proof proof) const {
  return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](const RowProof& r) { return r.proof == proof; }));
}

/// What one policy makes of the catalogue's conversations.
class Prover::Runner {
 public:
  Runner(const policy::Catalog& catalog, RuleSetPtr rules)
      : catalog_(catalog), rules_(std::move(rules)), seen_(rules_->policy()), control_(compiled(without_rules(rules_->policy()))), layout_(rules_->policy()) {}

  RowProof row(const policy::CatalogRow& row);
  /// The outcome of one case under other rules of the same zones. The rules that stopped something are added to the outcome.
  void run(const policy::CatalogRow& row, CaseProof& one, const BothRules& both, const Convo& convo) const;
  const RuleSetPtr& rules() const { return rules_; }
  const Convo* convo_of(const CaseProof& one) const;
  const policy::Catalog& catalog() const { return catalog_; }

 private:
  CaseProof prove_case(const policy::CatalogRow& row, const policy::CatalogCase& about, bool attack);
  std::string missing_fact(const policy::CatalogCase& about, bool on_host) const;
  bool gets_through(const Convo& convo) const;
  void conclude(RowProof& out) const;

  const policy::Catalog& catalog_;
  RuleSetPtr rules_;
  BothRules seen_;
  RuleSetPtr control_;
  Layout layout_;
  std::map<std::string, Convo> convos_;       ///< By the laid text: rows share conversations.
  std::map<const policy::CatalogCase*, std::string> texts_;
  std::map<std::string, bool> controls_;
};

const Convo* Prover::Runner::convo_of(const CaseProof& one) const {
  const auto text = texts_.find(one.about);
  return text == texts_.end() ? nullptr : &convos_.at(text->second);
}

std::string Prover::Runner::missing_fact(const policy::CatalogCase& about, bool on_host) const {
  const FieldSet unmade = engine::unmade_fields();
  for (const std::string& name : about.facts) {
    const FieldRow* row = engine::vocabulary().field(name);
    if (row == nullptr) {
      if (engine::vocabulary().app(name)) continue;  // a protocol that is told
      return "it rests on `" + name + "`, which this version does not know";
    }
    if (unmade.test(row->id)) return "it rests on `" + name + "`, which this version does not make yet";
    if ((row->datapaths & (on_host ? on::kHost : on::kCapture)) == 0) return "it rests on `" + name + "`, which is known on a host only";
  }
  return {};
}

bool Prover::Runner::gets_through(const Convo& convo) const {
  const Traffic traffic = Traffic::of_convo(convo, control_->policy());
  const Trial trial = run_trial(control_, traffic);
  return std::all_of(trial.answers.begin(), trial.answers.end(), [](const Answer& a) { return a.verdict == Verdict::Pass; });
}

void Prover::Runner::run(const policy::CatalogRow& row, CaseProof& one, const BothRules& both, const Convo& convo) const {
  const RuleSetPtr& rules = both.of(convo);
  const policy::Policy& policy = rules->policy();
  const Traffic traffic = Traffic::of_convo(convo, policy);
  const Trial trial = run_trial(rules, traffic);
  struct Line {
    std::size_t packets = 0, stopped = 0, first = 0;
  };
  std::map<std::uint32_t, Line> lines;
  bool named = false;
  std::string unnamed;
  for (std::size_t i = 0; i < trial.answers.size(); ++i) {
    const Answer& answer = trial.answers[i];
    const Step& step = convo.steps[i];
    if (answer.rule != kNoRule) one.deciders.insert(answer.rule);
    const bool stopped = answer.verdict != Verdict::Pass;
    if (!one.attack && stopped) {
      one.proof = Proof::NotProven;
      one.packet = line_of(step);
      one.why = "stopped by " + stopper(policy, answer);
      add_once(one.rules, stopper(policy, answer));
      return;
    }
    if (!one.attack || step.expected != Verdict::Drop) continue;
    Line& line = lines[step.line];
    if (line.packets++ == 0) line.first = i;
    if (!stopped) continue;
    ++line.stopped;
    add_once(one.rules, policy::name_of_rule(policy, answer.rule));
    if (answer.rule == kNoRule) unnamed = stopper(policy, answer);
    const auto& tags = answer.rule < policy.rules.size() ? policy.rules[answer.rule].techniques : policy.default_techniques;
    named = named || std::any_of(tags.begin(), tags.end(), [&](const std::string& t) { return names(catalog_, t, row); });
  }
  one.proof = Proof::Proven;
  for (const auto& [number, line] : lines) {
    const bool enough = line.packets < kFloodPackets ? line.stopped == line.packets : line.stopped * 2 >= line.packets;
    if (enough) continue;
    one.proof = Proof::NotProven;
    one.packet = line_of(convo.steps[line.first]);
    one.why = policy.monitor                 ? "gets through: the policy is in mode monitor"
              : line.packets < kFloodPackets ? "gets through"
                                             : "gets through: " + std::to_string(line.stopped) + " of " + std::to_string(line.packets) + " packets stopped";
    return;
  }
  if (!one.attack || named) return;
  one.proof = Proof::NotProven;
  std::string by;
  for (const std::string& rule : one.rules) by += (by.empty() ? "" : ", ") + rule;
  if (by.empty()) by = unnamed;
  one.why = "stopped by " + by + ", which does not name " + row.id;
}

CaseProof Prover::Runner::prove_case(const policy::CatalogRow& row, const policy::CatalogCase& about, bool attack) {
  CaseProof out{.about = &about, .attack = attack};
  std::string traffic = about.traffic;
  constexpr std::string_view kProgram = "{program}";
  for (std::size_t place = traffic.find(kProgram); place != std::string::npos; place = traffic.find(kProgram))
    traffic.replace(place, kProgram.size(), program_of(rules_->policy(), [&](const policy::Rule& rule) {
      return std::any_of(rule.techniques.begin(), rule.techniques.end(), [&](const std::string& id) { return names(catalog_, id, row); });
    }));
  const LaidTraffic laid = layout_.lay(traffic);
  if (laid.text.empty()) {
    out.why = laid.missing;
    return out;
  }
  const auto [at, fresh] = convos_.try_emplace(laid.text);
  if (fresh) at->second = parse_convo(laid.text);
  if (!at->second.mistakes.empty()) {
    out.why = "the conversation cannot be laid: " + at->second.mistakes.front().message;
    return out;
  }
  out.why = missing_fact(about, at->second.has_senders);
  if (!out.why.empty()) return out;
  texts_[&about] = laid.text;
  const auto control = controls_.find(laid.text);
  const bool through = control != controls_.end() ? control->second : (controls_[laid.text] = gets_through(at->second));
  if (!through) {
    out.why = "without the policy it does not get through either";
    return out;
  }
  run(row, out, seen_, at->second);
  return out;
}

void Prover::Runner::conclude(RowProof& out) const {
  const auto worst = [](const std::vector<CaseProof>& cases, Proof proof) {
    const auto found = std::find_if(cases.begin(), cases.end(), [&](const CaseProof& c) { return c.proof == proof; });
    return found == cases.end() ? nullptr : &*found;
  };
  for (const std::string& role : out.row->needs)
    if (!layout_.has_role(role)) out.why = "the policy tells no role `" + role + "`";
  if (!out.why.empty()) return;
  if (const CaseProof* failed = worst(out.attacks, Proof::NotProven)) {
    out.proof = Proof::NotProven;
    out.why = failed->about->name + ": " + failed->why;
  } else if (const CaseProof* twin = worst(out.twins, Proof::NotProven)) {
    out.proof = Proof::NotProven;
    out.why = "the twin " + twin->about->name + " is " + twin->why;
  } else if (worst(out.attacks, Proof::Proven) == nullptr || worst(out.twins, Proof::Proven) == nullptr) {
    const CaseProof* open = worst(out.attacks, Proof::NotAssessed);
    if (open == nullptr) open = worst(out.twins, Proof::NotAssessed);
    out.why = open == nullptr ? "nothing shows it" : open->why;
  } else {
    out.proof = Proof::Proven;
  }
}

RowProof Prover::Runner::row(const policy::CatalogRow& row) {
  RowProof out{.row = &row};
  for (const policy::CatalogCase& attack : row.attacks) out.attacks.push_back(prove_case(row, attack, true));
  for (const policy::CatalogCase& twin : row.twins) out.twins.push_back(prove_case(row, twin, false));
  conclude(out);
  return out;
}

Prover::Prover(const policy::Catalog& catalog, std::shared_ptr<const policy::RuleSet> rules)
    : runner_(std::make_unique<Runner>(catalog, std::move(rules))) {}
Prover::~Prover() = default;

Proofs Prover::prove() {
  Proofs out;
  for (const policy::CatalogRow& row : runner_->catalog().rows) out.rows.push_back(runner_->row(row));
  return out;
}

std::vector<Prover::Mutation> Prover::mutate(const Proofs& proofs) {
  const policy::Policy& whole = runner_->rules()->policy();
  const FieldSet unmade = engine::unmade_fields();
  std::vector<Mutation> out;
  // The rules of one guard's item stand at one place; they go together.
  for (RuleId first = 0; first < whole.rules.size();) {
    const policy::Rule& rule = whole.rules[first];
    RuleId end = first + 1;
    const auto same = [&](const policy::Rule& r) {
      return rule.guard && r.guard && r.name == rule.name && r.position.file == rule.position.file && r.position.line == rule.position.line &&
             r.position.column == rule.position.column;
    };
    while (end < whole.rules.size() && same(whole.rules[end])) ++end;
    const RuleId begin = first;
    first = end;
    if (rule.essential) continue;
    Mutation& mutation = out.emplace_back();
    mutation.rule = rule.name;
    mutation.place = whole.files[rule.position.file] + ":" + std::to_string(rule.position.line);
    for (RuleId id = begin; id < end; ++id)
      for (const policy::Condition& c : whole.rules[id].match)
        if (unmade.test(c.field)) add_once(mutation.unmade, std::string(engine::vocabulary().field(c.field)->name));
    std::optional<BothRules> without;
    for (const RowProof& row : proofs.rows) {
      if (row.proof != Proof::Proven) continue;
      const auto falls = [&](const CaseProof& one) {
        const auto decider = one.deciders.lower_bound(begin);
        if (one.proof != Proof::Proven || decider == one.deciders.end() || *decider >= end) return false;
        if (!without) {
          policy::Policy less = whole;
          less.rules.erase(less.rules.begin() + begin, less.rules.begin() + end);
          without.emplace(less);
        }
        CaseProof again{.about = one.about, .attack = one.attack};
        runner_->run(*row.row, again, *without, *runner_->convo_of(one));
        return again.proof == Proof::NotProven;
      };
      if (std::any_of(row.attacks.begin(), row.attacks.end(), falls) || std::any_of(row.twins.begin(), row.twins.end(), falls))
        mutation.falls.push_back(row.row->id);
    }
  }
  return out;
}

}  // namespace weir::cli
