// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one form between a policy and every target: its rules in their order, each as what its headers select (boxes) and what else
// it asks.
//
// The boxes hold every flow that the rule can match; where `reason` is empty they hold no other. Zones are the networks that they
// hold, without the ports of the datapath; multicast and link-local addresses count to the zone whose networks hold them, else to
// the one without networks. The last rule is the default.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/export/space.h"
#include "policy/compile.h"

namespace weir::cli {

enum class Effect : std::uint8_t {
  Pass,
  Stop,
  Report,  ///< It says something and decides nothing: an alert, a rule in monitor mode.
};

struct HeaderRule {
  const policy::Rule* rule = nullptr;  ///< nullptr: the default.
  std::string name;
  std::string place;  ///< "policy.yaml:12"; empty for guards, what is essential, the default.
  Effect effect = Effect::Pass;
  bool refuses = false;  ///< Stop, with an answer.
  Boxes boxes;
  std::string reason;  ///< Why headers alone do not say it: "it asks for dns.qname".
};

std::vector<HeaderRule> header_rules(const policy::RuleSet& rules);
/// For targets where what nothing stops passes: the same, and behind the default a rule that says so.
std::vector<HeaderRule> header_rules_over_open_ground(const policy::RuleSet& rules);

/// How far a rule was not carried over.
enum class Lost : std::uint8_t {
  Nothing,   ///< The verdicts are the same without it.
  Stricter,  ///< What the policy lets pass is stopped.
  Weaker,    ///< What the policy stops passes.
  Report,    ///< Something is not reported.
};
std::string_view name_of(Lost lost);

struct Loss {
  std::string rule, place, reason;
  Lost lost = Lost::Nothing;
  std::vector<std::string> instead;  ///< The later rules that decide what it was to decide.
};
std::string render(const Loss& loss);

/// What leaving out `rules[index]` does, from those after it that are carried over: whose reason is empty. (Where nothing after
/// it decides, the default does.)
Loss loss_of(std::span<const HeaderRule> rules, std::size_t index, std::string reason);

/// The same of a part of its boxes.
Loss loss_of(std::span<const HeaderRule> rules, std::size_t index, const Boxes& part, std::string reason);

/// Of `boxes`, of `rules[index]`, those that `unfit` gives no reason against; the others are losses.
Boxes fitting(std::span<const HeaderRule> rules, std::size_t index, const Boxes& boxes,
              const std::function<std::string(const Box&)>& unfit, std::vector<Loss>& losses);
/// Where protocols are named one by one: boxes of many are cut to the usual ones, and the rest is a loss.
Boxes usual_protocols(std::span<const HeaderRule> rules, std::size_t index, const Boxes& boxes, std::vector<Loss>& losses);
/// For targets that remember flows: what is left to be said of `rules[index]` where answers pass by themselves. Nothing where it
/// is a loss.
Boxes of_new_flows(std::span<const HeaderRule> rules, std::size_t index, std::vector<Loss>& losses);

/// The rules as they decide about new flows, states left out of their boxes. Where answers pass by themselves (`remembers`), so
/// does what only lets answers pass, whatever else it asks. What stops by state alone is a loss.
std::vector<HeaderRule> about_new_flows(std::span<const HeaderRule> rules, bool remembers, std::vector<Loss>& losses);

/// For targets that know no order: the boxes of what stops without those of what lets pass before it and is carried over. A rule
/// that grows beyond bounds is left out and its reason set.
void cut_by_passes(std::vector<HeaderRule>& rules);
/// The same for both: no rule meets one that decides otherwise.
void cut_apart(std::vector<HeaderRule>& rules);

}  // namespace weir::cli
