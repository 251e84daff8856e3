// SPDX-License-Identifier: Apache-2.0
#pragma once

// Trial: traffic through an engine, with a verdict remembered for each frame, and the question why asked of one of them. What
// `weir explain` and `weir test` share.

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "cli/traffic.h"
#include "engine/engine.h"
#include "policy/explain.h"

namespace weir::cli {

/// What became of a frame, in the end: never Hold.
struct Answer {
  Verdict verdict = Verdict::Pass;
  Reason reason = Reason::Default;
  bool settled = false;
  bool held = false;       ///< It waited for what came after it.
  RuleId rule = kNoRule;
  std::uint64_t flow = 0;  ///< The same for all frames between two ends, both ways; of no other use.
};

struct Trial {
  std::vector<Answer> answers;     ///< By number of the frame, from 1, less 1.
  std::set<RuleId> alerted;        ///< Rules that events name.
  std::optional<Error> fault;      ///< The traffic could not be read to its end.
};

inline constexpr std::uint32_t kTrialFlowsMax = 1 << 16;

/// Stops after frame `last` is decided (0: runs to the end). `flows_max`: how large the engine's tables are.
Trial run_trial(const std::shared_ptr<const policy::RuleSet>& rules, const Traffic& traffic, std::uint64_t last = 0,
                engine::Probe* probe = nullptr, std::uint32_t flows_max = kTrialFlowsMax);

/// Why a frame met its verdict.
struct Why {
  Answer answer;
  std::string ends;
  std::uint64_t judged = 0;  ///< The frame at which its flow was decided: itself, an earlier one, or if it was held a later one. 0: no rule was asked.
  std::optional<policy::Explanation> explanation;
};

/// An error if there is no such frame.
Result<Why> ask_why(const std::shared_ptr<const policy::RuleSet>& rules, const Traffic& traffic, std::uint64_t number);

}  // namespace weir::cli
