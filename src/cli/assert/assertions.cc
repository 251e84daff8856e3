// SPDX-License-Identifier: Apache-2.0
#include "cli/assert/assertions.h"

#include <algorithm>
#include <optional>
#include <set>

#include "cli/assert/example_flows.h"
#include "engine/engine.h"
#include "facts/field_ids.h"
#include "policy/explain.h"

namespace weir::cli {
namespace {

using policy::Assertion;
using policy::RuleSet;
using policy::Truth;
using RuleSetPtr = std::shared_ptr<const RuleSet>;

constexpr ClassBounds kBounds{.addresses_max = 128, .client_ports = true};
constexpr std::size_t kOpenMax = 24;  ///< Classes an assertion whose content is tried.
constexpr std::size_t kPairsMax = 2'000'000;

RuleSetPtr compiled(policy::Policy policy) {
  return std::make_shared<const RuleSet>(std::make_shared<const policy::Policy>(std::move(policy)), engine::vocabulary());
}

/// The policy as it decides where nothing counts: no limit is reached, a ban stops what begins it.
policy::Policy calm(policy::Policy policy) {
  std::vector<policy::Rule> kept;
  for (policy::Rule& rule : policy.rules) {
    if (policy.monitor) rule.monitor = false;
    const bool counts = rule.action == policy::Action::Limit || (rule.action == policy::Action::Ban && rule.ban.after > 1);
    if (counts) continue;
    if (rule.action == policy::Action::Ban) rule.action = policy::Action::Drop;
    kept.push_back(std::move(rule));
  }
  policy.rules = std::move(kept);
  policy.monitor = false;
  return policy;
}

/// One rule for each assertion, which stops what it means; nothing else is stopped.
policy::Policy only_assertions(const policy::Policy& policy, std::optional<std::size_t> one) {
  policy::Policy out = policy;
  out.rules.clear();
  out.monitor = false;
  out.default_action = policy::Action::Allow;
  out.undecided.hold = true;
  for (std::size_t i = 0; i < policy.assertions.size(); ++i) {
    if (one && *one != i) continue;
    const Assertion& assertion = policy.assertions[i];
    policy::Rule rule;
    rule.name = assertion.name;
    rule.match = assertion.match;
    rule.unless = assertion.unless;
    rule.action = policy::Action::Drop;
    out.rules.push_back(std::move(rule));
  }
  return out;
}

/// A class of first packets.
struct Class {
  Ip from, to;
  const TrafficClass* traffic = nullptr;
};

class Checking {
 public:
  explicit Checking(const policy::Policy& policy)
      : policy_(policy),
        rules_(compiled(calm(policy))),
        meant_(compiled(only_assertions(policy, {}))),
        asked_(*rules_),
        asked_meant_(*meant_) {}

  policy::Diagnostics check() {
    const RuleSet* const both[] = {rules_.get(), meant_.get()};
    bool whole = true;
    const std::vector<AddressClass> addresses = address_classes(both, *rules_, kBounds, whole);
    const std::vector<TrafficClass> traffic = traffic_classes(both, kBounds);
    broken_.resize(policy_.assertions.size());
    open_.resize(policy_.assertions.size());
    std::size_t pairs = 0;
    for (const AddressClass& from : addresses)
      for (const AddressClass& to : addresses) {
        if (from.ip.is_v4() != to.ip.is_v4() || from.ip == to.ip) continue;
        if (pairs > kPairsMax)
          whole = false;
        else
          pairs += traffic.size();
        if (!whole && pairs > kPairsMax) continue;
        for (const TrafficClass& t : traffic) look_at({from.ip, to.ip, &t});
      }
    for (std::size_t i = 0; i < policy_.assertions.size(); ++i) try_open(i);
    report(whole);
    out_.sort();
    return std::move(out_);
  }

 private:
  struct Broken {
    std::string packet, why;  ///< The first one; empty: none.
    std::size_t classes = 0;
    std::string unsettled;  ///< What no example settled.
  };
  struct Open {
    std::vector<Class> classes;
    std::set<std::uint64_t> marks;
    bool whole = true;
  };

  void look_at(const Class& cls) {
    const FirstPacket first(cls.from, cls.to, *cls.traffic);
    if (first.packet().layers_count == 0) return;
    std::optional<Asked::Said> said;
    std::optional<bool> passes_by_assertion;  // A `pass` of the list names it, whatever it carries.
    for (std::size_t i = 0; i < policy_.assertions.size(); ++i) {
      const Assertion& assertion = policy_.assertions[i];
      if (asked_meant_.holds(first.packet(), static_cast<RuleId>(i)) == Truth::False) continue;
      if (!said) said = asked_.ask(first.packet());
      const bool pass = assertion.kind == Assertion::Kind::Pass;
      if (assertion.kind == Assertion::Kind::NothingElse) {
        if (!passes_by_assertion) passes_by_assertion = named(first.packet());
        if (*passes_by_assertion) continue;
      }
      if (said->answer == FirstAnswer::Open) {
        keep_open(i, cls, first.packet());
      } else if (pass != (said->answer == FirstAnswer::Allow) && (pass || !is_essential(said->rule))) {
        break_(i, packet_text(cls.from, cls.to, *cls.traffic), decided(said->rule, said->answer == FirstAnswer::Allow));
      }
    }
  }

  bool named(const Packet& packet) {
    for (std::size_t i = 0; i < policy_.assertions.size(); ++i)
      if (policy_.assertions[i].kind == Assertion::Kind::Pass &&
          asked_meant_.holds(packet, static_cast<RuleId>(i)) == Truth::True)
        return true;
    return false;
  }

  void keep_open(std::size_t i, const Class& cls, const Packet& packet) {
    Open& open = open_[i];
    std::uint64_t mark = mix64(asked_.mark(packet), asked_meant_.mark(packet));
    mark = mix64(mark, cls.traffic->protocol);
    // A port may be registered for a protocol, which a rule may ask for: one class a port that is written, one for all ranges.
    if (cls.traffic->first == cls.traffic->last) mark = mix64(mark, cls.traffic->first);
    if (!open.marks.insert(mark).second) return;
    if (open.classes.size() >= kOpenMax)
      open.whole = false;
    else
      open.classes.push_back(cls);
  }

  /// The protocol that a flow of the class usually carries: what the assertion says, else what its port is registered for.
  std::vector<std::string_view> usual(const Assertion& assertion, const TrafficClass& traffic) const {
    const Vocabulary& words = engine::vocabulary();
    std::vector<std::string_view> out;
    for (const policy::Condition& c : assertion.match)
      if (c.field == field::kAppProtocol && !c.negated)
        for (std::size_t id = 0; id < words.apps().size(); ++id)
          if (c.values.apps.has(static_cast<AppId>(id))) out.push_back(words.app(static_cast<AppId>(id)).name);
    if (!out.empty()) return out;
    for (std::size_t id = 0; id < words.apps().size(); ++id)
      if (words.is_registered_port(traffic.protocol, traffic.first, static_cast<AppId>(id)))
        out.push_back(words.app(static_cast<AppId>(id)).name);
    return out;
  }

  void try_open(std::size_t i) {
    Open& open = open_[i];
    if (open.classes.empty()) return;
    const Assertion& assertion = policy_.assertions[i];
    const RuleSet* const both[] = {rules_.get(), meant_.get()};
    const ExampleWords words = ExampleWords::of(both);
    const RuleSetPtr one = compiled(only_assertions(policy_, i));
    for (const Class& cls : open.classes) {
      if (!broken_[i].packet.empty()) return;
      std::vector<ExampleFlow> flows = example_flows(cls.from, cls.to, *cls.traffic, words);
      drop_unmeant(flows, one, true);
      if (assertion.kind == Assertion::Kind::NothingElse)
        for (std::size_t p = 0; p < policy_.assertions.size(); ++p)
          if (policy_.assertions[p].kind == Assertion::Kind::Pass)
            drop_unmeant(flows, compiled(only_assertions(policy_, p)), false);
      const std::vector<ExampleFate> fates = try_flows(rules_, flows);
      if (assertion.kind == Assertion::Kind::Pass)
        judge_pass(i, cls, flows, fates);
      else
        judge_never(i, cls, flows, fates);
    }
    if (!open.whole && broken_[i].unsettled.empty()) broken_[i].unsettled = "there are too many kinds of them to try them all";
  }

  /// Keeps the flows that the one assertion of `meant` means (or, not `meaning`, does not).
  static void drop_unmeant(std::vector<ExampleFlow>& flows, const RuleSetPtr& meant, bool meaning) {
    const std::vector<ExampleFate> fates = try_flows(meant, flows);
    std::size_t kept = 0;
    for (std::size_t f = 0; f < flows.size(); ++f)
      if (fates[f].passed != meaning) std::swap(flows[kept++], flows[f]);
    flows.resize(kept);
  }

  void judge_pass(std::size_t i, const Class& cls, const std::vector<ExampleFlow>& flows, const std::vector<ExampleFate>& fates) {
    const std::vector<std::string_view> apps = usual(policy_.assertions[i], *cls.traffic);
    const ExampleFate* stopped = nullptr;
    const ExampleFlow* of_stopped = nullptr;
    bool passed = false, tried = false;
    for (const bool like_usual : {true, false}) {  // Others count only where none of the usual protocol can be made.
      if (tried) break;
      for (std::size_t f = 0; f < flows.size(); ++f) {
        if ((std::find(apps.begin(), apps.end(), flows[f].app) != apps.end()) != like_usual) continue;
        tried = true;
        if (fates[f].passed)
          passed = true;
        else if (stopped == nullptr)
          stopped = &fates[f], of_stopped = &flows[f];
      }
    }
    if (!passed && stopped != nullptr) break_(i, of_stopped->what, decided(stopped->rule, false));
    if (!tried)
      broken_[i].unsettled = "no example of them could be made, such as `" + packet_text(cls.from, cls.to, *cls.traffic) + "`";
  }

  void judge_never(std::size_t i, const Class& cls, const std::vector<ExampleFlow>& flows,
                   const std::vector<ExampleFate>& fates) {
    for (std::size_t f = 0; f < flows.size(); ++f)
      if (fates[f].passed && !is_essential(fates[f].rule)) return break_(i, flows[f].what, decided(fates[f].rule, true));
    if (broken_[i].unsettled.empty())
      broken_[i].unsettled = "what becomes of `" + packet_text(cls.from, cls.to, *cls.traffic) +
                             "` rests on what it carries, and " +
                             (flows.empty() ? "no example of it could be made"
                                            : std::to_string(flows.size()) + " examples, all stopped, are not everything");
  }

  bool is_essential(RuleId rule) const { return rule < rules_->policy().rules.size() && rules_->policy().rules[rule].essential; }

  std::string decided(RuleId id, bool pass) const {
    const policy::Policy& policy = rules_->policy();
    if (id >= policy.rules.size()) return pass ? "passes, by default" : "is stopped, by default";
    const policy::Rule& rule = policy.rules[id];
    std::string out = std::string(pass ? "passes" : "is stopped") + ", by rule `" + rule.name + "`";
    if (!rule.guard && !rule.essential && rule.position.file < policy.files.size())
      out += " (" + policy.files[rule.position.file] + ":" + std::to_string(rule.position.line) + ")";
    return out;
  }

  void break_(std::size_t i, std::string packet, std::string why) {
    Broken& broken = broken_[i];
    if (broken.classes++ == 0) broken.packet = std::move(packet), broken.why = std::move(why);
  }

  void report(bool whole) {
    for (std::size_t i = 0; i < policy_.assertions.size(); ++i) {
      const Assertion& assertion = policy_.assertions[i];
      const Broken& broken = broken_[i];
      const policy::Position& at = assertion.position;
      const std::string& file = policy_.files[at.file];
      if (!broken.packet.empty()) {
        std::string message = policy::sentence("`", assertion.name, "` does not hold: `", broken.packet, "` ", broken.why);
        if (broken.classes > 1) message += policy::sentence("; and ", broken.classes - 1, " more kinds of packets");
        out_.add(policy::Severity::Error, file, at.line, at.column, std::move(message));
      } else if (!broken.unsettled.empty()) {
        out_.add(policy::Severity::Warning, file, at.line, at.column,
                 policy::sentence("`", assertion.name, "` is not shown to hold: ", broken.unsettled));
      } else if (!whole) {
        out_.add(policy::Severity::Warning, file, at.line, at.column,
                 policy::sentence("`", assertion.name,
                                  "` was not held against everything: the policy tells too many addresses apart"));
      }
    }
  }

  const policy::Policy& policy_;
  RuleSetPtr rules_, meant_;
  Asked asked_, asked_meant_;
  std::vector<Broken> broken_;
  std::vector<Open> open_;
  policy::Diagnostics out_;
};

}  // namespace

policy::Diagnostics check_assertions(const policy::Policy& policy) {
  if (policy.assertions.empty()) return {};
  return Checking(policy).check();
}

}  // namespace weir::cli
