// SPDX-License-Identifier: Apache-2.0
#pragma once

// Expectations: a flow that another announced (FTP data, …): once, for 30 s, between the same two hosts. It follows its parent.

#include "base/hash.h"
#include "facts/flow.h"
#include "state/bounded_map.h"

namespace weir::state {

struct Expected {
  std::uint32_t parent = 0;             ///< Index of the announcing flow, and
  std::uint64_t parent_first_frame = 0;  ///< the number of its first frame, to tell whether the index still names it.
  AppId app = kUnknownApp;
};

class Expectations {
 public:
  explicit Expectations(std::size_t capacity) : table_(capacity) {}

  void expect(const Ip& client, const Ip& server, std::uint16_t server_port, std::uint8_t protocol, const Expected& expected, Nanoseconds now_ns) {
    any_ = true;
    const Key key{client, server, server_port, protocol};
    *table_.insert(key, hash(key), now_ns, kKeep) = expected;
  }
  /// Whether this new flow was announced; does not use it up.
  const Expected* find(const Ip& client, const Ip& server, std::uint16_t server_port, std::uint8_t protocol, Nanoseconds now_ns) {
    if (!any_) return nullptr;
    const Key key{client, server, server_port, protocol};
    return table_.find(key, hash(key), now_ns, kKeep);
  }
  /// The announced flow came and passed.
  void use_up(const Expected* expected) { table_.erase(const_cast<Expected*>(expected)); }

 private:
  static constexpr Nanoseconds kKeep = 30 * kSecond;
  struct Key {
    Ip client, server;
    std::uint16_t port;
    std::uint8_t protocol;
    bool operator==(const Key&) const = default;
  };
  static std::uint64_t hash(const Key& k) { return mix64(hash_ip(k.client, k.port), hash_ip(k.server, k.protocol)); }

  bool any_ = false;  ///< Something was ever expected: the ordinary case costs nothing.
  BoundedMap<Key, Expected> table_;
};

}  // namespace weir::state
