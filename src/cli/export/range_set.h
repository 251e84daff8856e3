// SPDX-License-Identifier: Apache-2.0
#pragma once

// RangeSet: a set of whole numbers as sorted, disjoint ranges that do not touch. Union, intersection and difference; nothing
// else.

#include <algorithm>
#include <vector>

namespace weir::cli {

template <typename T>
class RangeSet {
 public:
  struct Range {
    T first, last;  ///< Both included.
    bool operator==(const Range&) const = default;
  };

  RangeSet() = default;
  RangeSet(T first, T last) : ranges_{{first, last}} {}

  bool empty() const { return ranges_.empty(); }
  const std::vector<Range>& ranges() const { return ranges_; }
  bool operator==(const RangeSet&) const = default;

  bool contains(T value) const {
    for (const Range& r : ranges_)
      if (r.first <= value && value <= r.last) return true;
    return false;
  }
  bool covers(const RangeSet& other) const { return (other - *this).empty(); }

  void add(T first, T last) {
    ranges_.push_back({first, last});
    std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (const Range& r : ranges_) {
      if (kept > 0 && (r.first <= ranges_[kept - 1].last || r.first - 1 == ranges_[kept - 1].last))
        ranges_[kept - 1].last = std::max(ranges_[kept - 1].last, r.last);
      else
        ranges_[kept++] = r;
    }
    ranges_.resize(kept);
  }
  void add(const RangeSet& other) {
    for (const Range& r : other.ranges_) add(r.first, r.last);
  }

  RangeSet operator&(const RangeSet& other) const {
    RangeSet out;
    for (std::size_t i = 0, j = 0; i < ranges_.size() && j < other.ranges_.size();) {
      const Range &a = ranges_[i], &b = other.ranges_[j];
      const T first = std::max(a.first, b.first), last = std::min(a.last, b.last);
      if (first <= last) out.ranges_.push_back({first, last});
      a.last < b.last ? ++i : ++j;
    }
    return out;
  }
  RangeSet operator-(const RangeSet& other) const {
    RangeSet out;
    std::size_t j = 0;
    for (const Range& r : ranges_) {
      T from = r.first;
      bool left = true;
      while (j < other.ranges_.size() && other.ranges_[j].last < from) ++j;
      for (std::size_t k = j; left && k < other.ranges_.size() && other.ranges_[k].first <= r.last; ++k) {
        if (other.ranges_[k].first > from) out.ranges_.push_back({from, static_cast<T>(other.ranges_[k].first - 1)});
        if (other.ranges_[k].last >= r.last)
          left = false;
        else
          from = static_cast<T>(other.ranges_[k].last + 1);
      }
      if (left) out.ranges_.push_back({from, r.last});
    }
    return out;
  }

 private:
  std::vector<Range> ranges_;
};

}  // namespace weir::cli
