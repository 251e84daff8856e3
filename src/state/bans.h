// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bans: who is shut out until when, and by which rule. Arrivals that a ban stops do not extend it.

#include "base/address.h"
#include "base/hash.h"
#include "facts/decision.h"
#include "state/bounded_map.h"

namespace weir::state {

/// Of the flow's client; of its server; this server, protocol and port; this protocol to this server.
enum class BanKind : std::uint8_t { Source, Destination, Port, Protocol };

struct BanKey {
  BanKind kind = BanKind::Source;
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;
  Ip ip;
  bool operator==(const BanKey&) const = default;
};

struct BanEntry {
  RuleId rule;
  Nanoseconds until_ns;
};

class Bans {
 public:
  explicit Bans(std::size_t capacity) : table_(capacity) {}

  void ban(const BanKey& key, RuleId rule, Nanoseconds until_ns, Nanoseconds now_ns) {
    *table_.insert(key, hash(key), now_ns, INT64_MAX) = {rule, until_ns};
    any_ = true;
    ++made_;
  }
  /// False: there was none.
  bool unban(const BanKey& key, Nanoseconds now_ns) {
    BanEntry* const entry = table_.find(key, hash(key), now_ns, INT64_MAX);
    if (entry == nullptr) return false;
    const bool held = entry->until_ns > now_ns;
    table_.erase(entry);
    return held;
  }
  /// The rule whose ban holds for the key now, or kNoRule.
  RuleId find(const BanKey& key, Nanoseconds now_ns) {
    const BanEntry* entry = table_.find(key, hash(key), now_ns, INT64_MAX);
    return entry == nullptr || entry->until_ns <= now_ns ? kNoRule : entry->rule;
  }
  /// Until when the key's ban holds; 0: there is none.
  Nanoseconds until(const BanKey& key, Nanoseconds now_ns) {
    const BanEntry* entry = table_.find(key, hash(key), now_ns, INT64_MAX);
    return entry == nullptr || entry->until_ns <= now_ns ? 0 : entry->until_ns;
  }
  /// No ban was ever made: the ordinary case costs nothing.
  bool any() const { return any_; }
  /// Bans made since the start: whoever keeps verdicts elsewhere sees that one is new.
  std::uint64_t made() const { return made_; }
  /// Bans that hold, among `count` places from `first` on (places() in all): calls with key and entry.
  template <typename F>
  void walk(std::size_t first, std::size_t count, Nanoseconds now_ns, F&& call) {
    table_.walk(first, count, [&](const BanKey& key, const BanEntry& entry) {
      if (entry.until_ns > now_ns) call(key, entry);
    });
  }
  std::size_t places() const { return table_.places(); }
  std::uint64_t evicted() const { return table_.evicted(); }
  /// The rules have other numbers from now on: `renamed` gives the new one, kNoRule where the rule is gone and its bans with it.
  /// Returns how many went.
  template <typename F>
  std::uint64_t rename(F&& renamed, Nanoseconds now_ns) {
    std::uint64_t gone = 0;
    table_.for_each([&](const BanKey&, BanEntry& entry) {
      entry.rule = renamed(entry.rule);
      if (entry.rule != kNoRule) return;
      gone += entry.until_ns > now_ns ? 1 : 0;
      table_.erase(&entry);
    });
    return gone;
  }

 private:
  static std::uint64_t hash(const BanKey& k) {
    return hash_ip(k.ip, std::uint64_t{k.port} << 16 | std::uint64_t{k.protocol} << 8 | static_cast<std::uint64_t>(k.kind));
  }
  BoundedMap<BanKey, BanEntry> table_;
  bool any_ = false;
  std::uint64_t made_ = 0;
};

}  // namespace weir::state
