// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whole conversations as a list of turns, played to a parser twice: each turn at once, and one byte at a time. Both must tell the same.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/kit/dialogue.h"

namespace weir::kit {

using Turns = std::vector<std::pair<Side, std::string>>;
inline constexpr Side C = Side::Client, S = Side::Server;

/// The dialogue in whole turns.
inline std::unique_ptr<Dialogue> play(const proto::Protocol& protocol, const Turns& turns, FlowEnds ends = Dialogue::default_ends()) {
  auto whole = std::make_unique<Dialogue>(protocol, ends);
  Dialogue drops(protocol, ends);
  for (const auto& [side, text] : turns) {
    whole->send(side, text);
    drops.drip(side, text);
  }
  EXPECT_EQ(whole->outcome(), drops.outcome());
  return whole;
}

}  // namespace weir::kit
