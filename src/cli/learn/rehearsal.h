// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rehearsal: captures through an engine, and what a proposed policy would stop of them. learn_from() observes, proposes, rehearses, and
// describes less closely what was stopped, until all passes that passed before.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/capture_list.h"
#include "cli/learn/proposal.h"

namespace weir::cli {

struct LearnOptions {
  std::vector<CaptureInput> captures;
  const policy::Policy* base = nullptr;  ///< Its rules stand before those that are proposed; its default counts as `drop`.
  Granularity how;
  std::uint32_t flows_max = 1 << 20;
};

struct Learned {
  std::string text;
  std::uint64_t frames = 0, flows = 0, covered = 0, denied = 0, untold = 0;
  std::uint64_t stopped = 0;      ///< Frames that the policy would stop and that passed before; 0: it holds.
  std::uint64_t first_stopped = 0;
  std::size_t rules = 0;
  std::string fault;              ///< A capture broke off; what came before it is learned from.
};

/// An error if a capture cannot be read at all.
Result<Learned> learn_from(const LearnOptions& options);

/// The policy's text as rules behind those of `base` (which may be nullptr). The text is one of render(): it has no errors.
std::shared_ptr<const policy::RuleSet> behind(const policy::Policy* base, const std::string& text);

/// The comment at the top of what was learned.
Heading heading_of(const Observer& seen, std::string_view from, bool has_base);

}  // namespace weir::cli
