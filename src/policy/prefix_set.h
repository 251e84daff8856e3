// SPDX-License-Identifier: Apache-2.0
#pragma once

// PrefixSet: a set of address prefixes, built once, asked often: is this address in it, and by which line of which file.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"

namespace weir::policy {

class PrefixSet {
 public:
  struct Entry {
    Prefix prefix;
    std::uint32_t line = 0;  ///< Line of the list that brought it, from 1; 0 if written in the policy.
  };
  /// Prefixes inside others are kept for explain but cost nothing to ask.
  static PrefixSet build(std::vector<Entry> entries);

  bool contains(const Ip& ip) const;
  /// The most specific entry that holds the address.
  std::optional<Entry> find(const Ip& ip) const;
  std::size_t size() const;
  std::size_t bytes() const;  ///< Memory that it takes.
  bool empty() const { return size() == 0; }
  /// Disjoint ranges [first, last] that it covers, ascending: for compile and for overlap questions.
  template <typename F>
  void for_each_range(F&& call) const;

 private:
  struct Range {
    Ip first, last;
  };
  std::vector<Range> ranges_;    ///< Disjoint, sorted: the union.
  std::vector<Entry> entries_;   ///< Sorted by (network, length).
};

template <typename F>
void PrefixSet::for_each_range(F&& call) const {
  for (const Range& range : ranges_) call(range.first, range.last);
}

}  // namespace weir::policy
