// SPDX-License-Identifier: Apache-2.0
#pragma once

// Denials: what was refused and by which rule, so that its answer is stopped under the same rule and uncounted.
// Two kinds: the reversed ends of a UDP datagram that headers alone denied (60 s, refreshed), and the key of a denied
// transaction on a UDP flow. Both tables are bounded; the oldest goes and is counted.

#include "base/hash.h"
#include "facts/decision.h"
#include "facts/flow.h"
#include "state/bounded_map.h"

namespace weir::state {

class Denials {
 public:
  explicit Denials(std::size_t capacity) : reversed_(capacity), transactions_(capacity) {}

  /// The ends of the datagram as it was sent; what comes from its destination back to its source is its answer.
  void remember_datagram(const Ip& src, std::uint16_t src_port, const Ip& dst, std::uint16_t dst_port, RuleId rule, Nanoseconds now_ns) {
    const Ends key{dst, src, dst_port, src_port};
    any_ = true;
    *reversed_.insert(key, hash(key), now_ns, kKeep) = rule;
  }
  /// The rule that denied what this datagram answers, or kNoRule; refreshes it.
  RuleId answers_datagram(const Ip& src, std::uint16_t src_port, const Ip& dst, std::uint16_t dst_port, Nanoseconds now_ns) {
    if (!any_) return kNoRule;
    const Ends key{src, dst, src_port, dst_port};
    RuleId* rule = reversed_.find(key, hash(key), now_ns, kKeep);
    if (rule == nullptr) return kNoRule;
    reversed_.touch(rule, now_ns);
    return *rule;
  }

  /// `flow`: number of the flow's first frame.
  void remember_transaction(std::uint64_t flow, std::uint64_t key, RuleId rule, Nanoseconds now_ns) {
    const Transaction t{flow, key};
    *transactions_.insert(t, mix64(flow, key), now_ns, kKeep) = rule;
  }
  RuleId answers_transaction(std::uint64_t flow, std::uint64_t key, Nanoseconds now_ns) {
    const Transaction t{flow, key};
    const RuleId* rule = transactions_.find(t, mix64(flow, key), now_ns, kKeep);
    return rule == nullptr ? kNoRule : *rule;
  }
  /// The rules have other numbers from now on: `renamed` gives the new one, kNoRule where the rule is gone and what it denied with it.
  /// Returns how many went.
  template <typename F>
  std::uint64_t rename(F&& renamed) {
    std::uint64_t gone = 0;
    reversed_.for_each([&](const Ends&, RuleId& rule) {
      if ((rule = renamed(rule)) == kNoRule) reversed_.erase(&rule), ++gone;
    });
    transactions_.for_each([&](const Transaction&, RuleId& rule) {
      if ((rule = renamed(rule)) == kNoRule) transactions_.erase(&rule), ++gone;
    });
    return gone;
  }
  std::uint64_t evicted() const { return reversed_.evicted() + transactions_.evicted(); }

 private:
  static constexpr Nanoseconds kKeep = 60 * kSecond;
  struct Ends {
    Ip src, dst;
    std::uint16_t src_port, dst_port;
    bool operator==(const Ends&) const = default;
  };
  struct Transaction {
    std::uint64_t flow, key;
    bool operator==(const Transaction&) const = default;
  };
  static std::uint64_t hash(const Ends& e) {
    return mix64(hash_ip(e.src, e.src_port), hash_ip(e.dst, e.dst_port));
  }

  bool any_ = false;  ///< Something was ever remembered: the ordinary case costs nothing.
  BoundedMap<Ends, RuleId> reversed_;
  BoundedMap<Transaction, RuleId> transactions_;
};

}  // namespace weir::state
