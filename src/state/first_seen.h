// SPDX-License-Identifier: Apache-2.0
#pragma once

// FirstSeen: when a registered domain was first asked for here (`dns.first_seen`). What is asked for counts, stopped or not: the
// age of a name does not depend on what a rule makes of it, so that "younger than an hour" ends after an hour. A domain that was not
// asked for in kForgottenAfter, or had to go for others, is new again.

#include <string_view>

#include "base/hash.h"
#include "state/bounded_map.h"

namespace weir::state {

class FirstSeen {
 public:
  explicit FirstSeen(std::size_t capacity) : table_(capacity) {}

  /// A query arrived. The seconds since the first one for that domain: 0 if this is it.
  std::uint64_t ask(std::string_view domain, Nanoseconds now_ns) {
    const std::uint64_t key = hash_text(domain, 0xf1);
    Nanoseconds* since = table_.find(key, key, now_ns, kForgottenAfter);
    if (since == nullptr) *(since = table_.insert(key, key, now_ns, kForgottenAfter)) = now_ns;
    table_.touch(since, now_ns);
    return static_cast<std::uint64_t>((now_ns - *since) / kSecond);
  }
  std::uint64_t evicted() const { return table_.evicted(); }

 private:
  static constexpr Nanoseconds kForgottenAfter = 30 * 24 * kHour;
  BoundedMap<std::uint64_t, Nanoseconds> table_;
};

}  // namespace weir::state
