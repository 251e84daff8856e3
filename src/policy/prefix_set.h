// SPDX-License-Identifier: Apache-2.0
#pragma once

// PrefixSet: a set of address prefixes, built once, asked often: is this address in it, and by which line of which file.
//
// 1. IPv4 and IPv6 are kept apart. An IPv6 prefix never holds an IPv4 address, however short it is: `::/0` is all of IPv6.
//    What is written inside ::ffff:0:0/96 is IPv4.
// 2. The union is a list of disjoint ranges; `contains` looks there, so prefixes inside others cost nothing to ask.
//    For IPv4 an index over the leading bits, as wide as the list deserves, leaves a handful of ranges to look at.
// 3. All entries stay, 9 bytes each for IPv4, so that `find` can name the most specific one. Of equal ones the first line stays.

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/address.h"

namespace weir::policy {

class PrefixSet {
 public:
  struct Entry {
    Prefix prefix;
    std::uint32_t line = 0;  ///< Line of the list that brought it, from 1; 0 if written in the policy.
  };
  /// Bits of a network beyond its length do not count. Prefixes inside others are kept for explain.
  static PrefixSet build(std::vector<Entry> entries);

  bool contains(const Ip& ip) const;
  /// The most specific entry that holds the address. Slower than contains (a search for each length that occurs).
  std::optional<Entry> find(const Ip& ip) const;
  std::size_t size() const { return networks4_.size() + entries6_.size(); }
  std::size_t bytes() const;  ///< Memory that it takes.
  bool empty() const { return size() == 0; }
  /// Holds the same addresses.
  bool same_as(const PrefixSet& other) const { return ranges4_ == other.ranges4_ && ranges6_ == other.ranges6_; }
  /// Disjoint ranges [first, last] that it covers, ascending: for compile and for overlap questions.
  template <typename F>
  void for_each_range(F&& call) const;

 private:
  struct Range4 {
    std::uint32_t first, last;
    bool operator==(const Range4&) const = default;
  };
  using Key6 = std::pair<std::uint64_t, std::uint64_t>;
  struct Range6 {
    Key6 first, last;
    bool operator==(const Range6&) const = default;
  };
  struct Row4;
  void build4(std::vector<Row4>& rows);
  void build6(std::vector<Entry>& rows);
  void index4();
  std::optional<Entry> find4(std::uint32_t address) const;
  std::optional<Entry> find6(const Ip& ip) const;
  static Ip ip_of(const Key6& key);

  std::vector<Range4> ranges4_;           ///< Disjoint, sorted, not adjacent.
  std::vector<std::uint32_t> index4_;     ///< By the leading bits: the first range that ends there or later. One more at the end.
  unsigned index4_shift_ = 31;
  std::vector<std::uint32_t> networks4_;  ///< Sorted by (network, length), with the two below.
  std::vector<std::uint8_t> lengths4_;    ///< As written, 0..32.
  std::vector<std::uint32_t> lines4_;
  std::uint64_t lengths4_present_ = 0;    ///< Bit n: some IPv4 entry has length n.

  std::vector<Range6> ranges6_;  ///< As ranges4_; never inside ::ffff:0:0/96.
  std::vector<Entry> entries6_;  ///< Sorted by (network, length).
  std::array<std::uint64_t, 3> lengths6_present_{};
};

template <typename F>
void PrefixSet::for_each_range(F&& call) const {
  std::size_t at = 0;
  for (; at < ranges6_.size() && ranges6_[at].first < Key6{0, 0xffffULL << 32}; ++at)
    call(ip_of(ranges6_[at].first), ip_of(ranges6_[at].last));
  for (const Range4& range : ranges4_) call(Ip::v4(range.first), Ip::v4(range.last));
  for (; at < ranges6_.size(); ++at) call(ip_of(ranges6_[at].first), ip_of(ranges6_[at].last));
}

}  // namespace weir::policy
