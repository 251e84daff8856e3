// SPDX-License-Identifier: Apache-2.0
#pragma once

// Echoes: what ping sent, so that an answer that brings other bytes than its request is seen (the guard `icmp-tunnel`).

#include "base/address.h"
#include "base/hash.h"
#include "state/bounded_map.h"

namespace weir::state {

class Echoes {
 public:
  explicit Echoes(std::size_t capacity) : table_(capacity) {}

  void request(const Ip& from, const Ip& to, std::uint16_t id, std::uint16_t sequence, Bytes payload, Nanoseconds now_ns) {
    const Key key{from, to, id, sequence};
    *table_.insert(key, hash(key), now_ns, kKeep) = hash_bytes(payload);
  }
  /// True if the request is known and this answer differs from it.
  bool differs(const Ip& from, const Ip& to, std::uint16_t id, std::uint16_t sequence, Bytes payload, Nanoseconds now_ns) {
    const Key key{to, from, id, sequence};
    const std::uint64_t* asked = table_.find(key, hash(key), now_ns, kKeep);
    return asked != nullptr && *asked != hash_bytes(payload);
  }

 private:
  static constexpr Nanoseconds kKeep = 30 * kSecond;
  struct Key {
    Ip from, to;
    std::uint16_t id, sequence;
    bool operator==(const Key&) const = default;
  };
  static std::uint64_t hash(const Key& k) {
    return mix64(hash_ip(k.from, k.id), hash_ip(k.to, k.sequence));
  }
  BoundedMap<Key, std::uint64_t> table_;
};

}  // namespace weir::state
