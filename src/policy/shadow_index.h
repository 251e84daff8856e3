// SPDX-License-Identifier: Apache-2.0
#pragma once

// ShadowIndex: which earlier rules can cover a later one at all. A rule is filed under the alternatives of one of its conditions, the
// one with the emptiest shelves; a later rule that it covers must name one of those alternatives first. Rules whose
// conditions are all wide (ranges, present) stand on a shelf that everybody sees. It may offer too many, never too few.

#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "policy/rule.h"

namespace weir::policy {

class ShadowIndex {
 public:
  void add(const Rule& rule);
  /// Calls with each rule that may cover this one until it answers true.
  template <typename F>
  void for_each_candidate(const Rule& rule, F&& call) const {
    for (const Rule* wide : everywhere_)
      if (call(*wide)) return;
    for (std::uint64_t key : probes(rule)) {
      const auto shelf = shelves_.find(key);
      if (shelf == shelves_.end()) continue;
      for (const Rule* filed : shelf->second)
        if (call(*filed)) return;
    }
  }

 private:
  std::vector<std::uint64_t> keys(const Condition& condition, std::vector<unsigned>& lengths) const;
  std::vector<std::uint64_t> probes(const Rule& rule) const;

  std::unordered_map<std::uint64_t, std::vector<const Rule*>> shelves_;
  std::vector<const Rule*> everywhere_;
  std::set<unsigned> lengths_;  ///< Of prefixes that are keys.
};

}  // namespace weir::policy
