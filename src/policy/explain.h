// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a verdict came about: each rule considered, in order, each of its conditions with the fact as it stands, whether it
// holds, and what would have to differ. Made from a View while the frame is judged; what comes out is plain text in plain
// structures that outlive it. It asks look_up() and judge() as the matcher does, so the two cannot disagree; it counts nothing.

#include <string>
#include <vector>

#include "policy/match.h"

namespace weir::policy {

struct ConditionNow {
  std::string key;                  ///< As in the policy, `not.` included.
  std::vector<std::string> asked;   ///< The alternatives as they are written, at most kAskedMax.
  std::size_t asked_more = 0;       ///< Those left out.
  FactState state = FactState::Absent;
  bool open = false;                ///< Known, and more values may come.
  std::vector<std::string> values;  ///< Now. For an application not certain yet, its candidates.
  Truth truth = Truth::False;
  std::string matched_by;           ///< The alternative that a value met: a set's entry with its file line, a prefix, a name.

  static constexpr std::size_t kAskedMax = 12;
};

enum class Fate : std::uint8_t {
  Decides,
  NotMatched,
  Open,    ///< A fact it asks for is not yet there.
  GoesOn,  ///< It matches and the next rule is asked: an alert, monitor mode, a limit under its rate, a ban before its N-th
           ///< match.
  Asleep,  ///< Expired.
};

struct RuleNow {
  RuleId id = kNoRule;
  std::string name, place;          ///< `file:line`, empty for rules that stand in no file.
  Action action = Action::Allow;
  bool monitor = false, guard = false, essential = false;
  Fate fate = Fate::NotMatched;
  std::vector<ConditionNow> match;
  std::vector<std::vector<ConditionNow>> unless;
  std::string would_differ;         ///< What would turn it round, a sentence without its end; empty if nothing could.
};

struct Explanation {
  std::vector<RuleNow> rules;       ///< Considered, in order; those behind the one that decides were not.
  RuleId rule = kNoRule;            ///< kDefaultRule, kNoRule: the default stopped it, passed it.
  Action action = Action::Allow;
  bool pass = true, certain = true, settled = true, at_bound = false;
  std::string flow;                 ///< The flow as judged: client > server, zones, application.
};

Explanation explain(const RuleSet& rules, const View& view, const Outcome& outcome);

/// A value as `explain`, events and tables print it. `zones` and ports by their names in the policy.
std::string render_value(const FieldRow& row, const Value& value, const Vocabulary& words, const Policy& policy);
/// "dns-only", "default", or empty where nothing stopped or named it.
std::string name_of_rule(const Policy& policy, RuleId rule);
/// What stopped a frame that no rule was asked about, as a sentence's part: "its flow was denied before".
std::string_view describe(Reason reason);

/// Lines for a person. `all`: guards' and essential rules that do not match are told one by one.
std::string render(const Explanation& explanation, const Policy& policy, bool all);

}  // namespace weir::policy
