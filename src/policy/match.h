// SPDX-License-Identifier: Apache-2.0
#pragma once

// Matching: facts → the rule that decides, and how certain that is. Three-valued (Kleene): a condition on a fact that is
// not yet there is unknown. Two questions are answered at once (DESIGN, "Two questions, two rule sets"):
//
//   1. Now: R is the first rule that certainly matches and ends the asking, else `default`. It stands if every rule before
//      it that is still unknown is of R's class (pass or deny).
//   2. Later: the flow settles if no rule at or before R has a key that can still take a new value on this flow.
//
// Alerts, rules in monitor mode and limits under their rate are never R: they are reported or counted, and the next is asked.

#include "policy/compile.h"

namespace weir::policy {

enum class Truth : std::uint8_t { False, True, Unknown };

struct Judgement {
  Truth truth = Truth::False;
  bool final = true;  ///< Nothing later on this flow can change it.
};

Judgement judge(const CompiledCondition& condition, const View& view, const ZoneMap& zones);
/// A whole rule; `residual`: what stage A answered is taken as true.
Judgement judge(const CompiledRule& rule, const View& view, const ZoneMap& zones, bool residual);

/// What limits and bans remember; the engine answers. Asked only where the rule certainly matches.
class Meters {
 public:
  virtual ~Meters() = default;
  /// Counts this match (once a packet, transaction or flow, by the limit's unit); true if it is over the rate.
  virtual bool over_limit(RuleId id, const Rule& rule, const View& view) = 0;
  /// Counts this match; true if it is the N-th within the time, so that the ban begins.
  virtual bool ban_begins(RuleId id, const Rule& rule, const View& view) = 0;
};

/// How far a deny reaches.
enum class Reach : std::uint8_t {
  Packet,    ///< This packet: certain from its headers, or a rate in packets.
  Datagram,  ///< UDP: this datagram and its answer.
  Flow,
};

struct Reported {
  RuleId rule = kNoRule;
  Action action = Action::Alert;
};

struct Outcome {
  static constexpr std::size_t kReportsMax = 8;

  RuleId rule = kNoRule;  ///< kDefaultRule where the default decides.
  Action action = Action::Allow;
  bool pass = true;
  bool certain = true;  ///< Now.
  bool settled = true;  ///< Later.
  bool unknown_deny = false;  ///< A rule that would deny is still unknown before R.
  bool headers_only = false;  ///< R and all before it were certain from header facts alone.
  Reach reach = Reach::Packet;
  std::uint8_t reports_count = 0;
  Reported reports[kReportsMax];  ///< Alerts and monitored rules that certainly match.
};

Outcome match(const RuleSet& rules, const Candidates& candidates, const View& view, Meters& meters);

/// Whether a deny whose reach is the packet would meet every other packet of the flow too: it rests on what never changes on a flow.
bool cuts(const RuleSet& rules, const Outcome& outcome);

/// For packets of no flow whose direction is a guess: the first rule certain from header facts alone that matches with these ends,
/// or kNoRule.
RuleId match_headers(const RuleSet& rules, const Candidates& candidates, const View& view);

}  // namespace weir::policy
