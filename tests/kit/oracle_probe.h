// SPDX-License-Identifier: Apache-2.0
#pragma once

// OracleProbe: sits in an engine and asks the oracle about each judgement that the engine makes, with the same view.

#include <gtest/gtest.h>

#include <string>

#include "engine/engine.h"
#include "tests/kit/oracle.h"

namespace weir::kit {

/// For policies without limits and bans, which a second asking would count.
class OracleProbe final : public engine::Probe {
 public:
  explicit OracleProbe(const policy::RuleSet& rules) : Probe(0), rules_(rules) {}
  void on_judged(const View& view, const policy::Outcome& outcome) override {
    ++judged_;
    NoMeters none;
    const std::string difference = kit::difference(oracle(rules_, view, none), outcome, view);
    if (difference.empty()) return;
    // The headers of a packet whose direction is a guess are asked both ways, by a question of their own.
    if (!outcome.pass && !outcome.headers_only && outcome.rule == oracle_of_headers(rules_, view)) return;
    if (++differences_ <= 3)
      ADD_FAILURE() << "frame " << view.packet->frame->number << (view.at_bound ? ", at the bound" : "") << ": " << difference;
  }
  std::uint64_t judged() const { return judged_; }
  std::uint64_t differences() const { return differences_; }

 private:
  struct NoMeters final : policy::Meters {
    bool over_limit(RuleId, const policy::Rule&, const View&) override { return false; }
    bool ban_begins(RuleId, const policy::Rule&, const View&) override { return false; }
  };
  const policy::RuleSet& rules_;
  std::uint64_t judged_ = 0, differences_ = 0;
};

}  // namespace weir::kit
