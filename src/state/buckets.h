// SPDX-License-Identifier: Apache-2.0
#pragma once

// Buckets: token buckets by rule and key (`limit`, flood guards), counters of matches (`ban … after`). A bucket starts full and
// fills with the rate. The table is bounded; where it is full a new key shares the bucket of its enclosing prefix, counted.

#include <algorithm>

#include "base/hash.h"
#include "facts/decision.h"
#include "state/bounded_map.h"

namespace weir::state {

class Buckets {
 public:
  explicit Buckets(std::size_t capacity) : buckets_(capacity), counters_(capacity / 4) {}

  /// Takes `cost` tokens if they are there. True: within the rate.
  bool take(RuleId rule, std::uint64_t key, std::uint64_t enclosing_key, double rate, double burst, double cost, Nanoseconds now_ns) {
    const Nanoseconds idle = idle_ns(rate, burst);
    Key k{rule, key};
    std::uint64_t h = mix64(rule, key);
    Bucket* bucket = buckets_.find(k, h, now_ns, INT64_MAX);
    if (bucket == nullptr && buckets_.set_full(h, now_ns, idle)) {
      ++folded_;
      k = {rule, enclosing_key ^ kFolded};
      h = mix64(rule, k.key);
      bucket = buckets_.find(k, h, now_ns, INT64_MAX);
    }
    if (bucket == nullptr) {
      bucket = buckets_.insert(k, h, now_ns, idle);
      *bucket = {burst, now_ns};
    }
    bucket->tokens = std::min(burst, bucket->tokens + static_cast<double>(now_ns - bucket->filled_ns) * rate / 1e9);
    bucket->filled_ns = now_ns;
    buckets_.touch(bucket, now_ns);
    if (bucket->tokens + 1e-9 < cost) return false;
    bucket->tokens -= cost;
    return true;
  }

  /// One more match of a rule for a key; how many there are within the time.
  std::uint32_t count(RuleId rule, std::uint64_t key, Nanoseconds within_ns, Nanoseconds now_ns) {
    const Key k{rule, key};
    const std::uint64_t h = mix64(key, rule);
    Counter* counter = counters_.find(k, h, now_ns, within_ns);
    if (counter == nullptr) counter = counters_.insert(k, h, now_ns, within_ns);
    counters_.touch(counter, now_ns);
    // A window of at most kTimes matches, each with its time: exact for `after` up to that.
    if (counter->count == kTimes) {
      std::copy(counter->times_ns + 1, counter->times_ns + kTimes, counter->times_ns);
      --counter->count;
    }
    counter->times_ns[counter->count++] = now_ns;
    std::uint32_t within = 0;
    for (std::uint32_t i = 0; i < counter->count; ++i)
      if (now_ns - counter->times_ns[i] < within_ns) ++within;
    return within;
  }
  /// `after` beyond this counts in whole windows.
  static constexpr std::uint32_t kTimes = 64;

  std::uint64_t folded() const { return folded_; }
  std::uint64_t evicted() const { return buckets_.evicted() + counters_.evicted(); }

 private:
  static constexpr std::uint64_t kFolded = 0x5bd1e9955bd1e995ULL;
  /// A bucket that is full again knows nothing that a new one would not.
  static Nanoseconds idle_ns(double rate, double burst) {
    return rate <= 0 ? kHour : static_cast<Nanoseconds>(std::min(burst / rate, 3600.0) * 1e9) + 1;
  }
  struct Key {
    RuleId rule;
    std::uint64_t key;
    bool operator==(const Key&) const = default;
  };
  struct Bucket {
    double tokens;
    Nanoseconds filled_ns;
  };
  struct Counter {
    std::uint32_t count;
    Nanoseconds times_ns[kTimes];
  };

  BoundedMap<Key, Bucket> buckets_;
  BoundedMap<Key, Counter> counters_;
  std::uint64_t folded_ = 0;
};

}  // namespace weir::state
