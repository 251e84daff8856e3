// SPDX-License-Identifier: Apache-2.0
#pragma once

// Example flows: short conversations of the usual protocols between two given ends, to see what a policy says where what flows
// carry decides. Names, paths and the like are taken from the rules at hand, so that a rule about a name is tried with that name.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/diff/packet_classes.h"

namespace weir::cli {

/// What a policy's rules ask for by name, to be tried.
struct ExampleWords {
  std::vector<std::string> names;  ///< Of hosts; the first is one that no rule knows.
  std::vector<std::string> paths;  ///< Of HTTP requests; the first is `/`.

  static ExampleWords of(std::span<const policy::RuleSet* const> rules);
};

struct ExampleFlow {
  std::string_view app;  ///< "tls"; "unknown" for bytes of no protocol.
  std::string what;      ///< The line that matters, as a conversation has it.
  std::string lines;     ///< The whole conversation; its steps stand in the file of all examples one after the other.
};

/// All flows that can be made between these ends.
std::vector<ExampleFlow> example_flows(const Ip& from, const Ip& to, const TrafficClass& traffic, const ExampleWords& words);

/// What became of a flow.
struct ExampleFate {
  bool passed = true;
  RuleId rule = kNoRule;
};
/// Each in an engine of its own: flows do not meet. The fates are in the order of the flows.
std::vector<ExampleFate> try_flows(const std::shared_ptr<const policy::RuleSet>& rules, std::span<const ExampleFlow> flows);

}  // namespace weir::cli
