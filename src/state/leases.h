// SPDX-License-Identifier: Apache-2.0
#pragma once

// Leases: what DHCP messages that passed say about who has which address. A server's answer counts only if the client's request for
// it passed before (the same transaction, within kAnsweredWithin): where the request came in is where the client is, and an answer
// that nobody asked for binds nothing. Also how many addresses each server has left (`dhcp.pool_free`): those of the network
// that it names, less what it has leased and offered. A server whose range is smaller than its network has fewer left than that.

#include <vector>

#include "base/address.h"
#include "base/hash.h"
#include "facts/frame.h"
#include "state/bounded_map.h"

namespace weir::state {

class Leases {
 public:
  explicit Leases(std::size_t capacity) : asked_(capacity), taken_(capacity) { pools_.reserve(kPoolsMax); }

  struct Client {
    std::uint64_t mac;
    PortIndex port;
  };
  /// A client's message passed. `transaction` ties it to its answer. A relay passes it on again: the first one heard stands.
  void ask(std::uint64_t transaction, const Mac& mac, PortIndex port, bool relayed, Nanoseconds now_ns) {
    Client* known = asked_.find(transaction, transaction, now_ns, kAnsweredWithin);
    if (known == nullptr) *asked_.insert(transaction, transaction, now_ns, kAnsweredWithin) = {mac.value(), relayed ? kNoPort : port};
    else if (!relayed) *known = {mac.value(), port};
  }
  /// Who asked, or nullptr.
  const Client* asked(std::uint64_t transaction, Nanoseconds now_ns) { return asked_.find(transaction, transaction, now_ns, kAnsweredWithin); }

  /// An offer or a lease of IPv4 passed; it lasts until `until_ns`. `prefix_bits` 0: the network is not told.
  void take(const Ip& server, const Ip& address, std::uint8_t prefix_bits, Nanoseconds until_ns, Nanoseconds now_ns) {
    Pool* pool = find_or_add(server);
    if (pool == nullptr) return;
    if (prefix_bits >= 8 && prefix_bits <= 30) pool->size = (1U << (32 - prefix_bits)) - 2;
    const std::uint64_t key = hash_ip(address, hash_ip(server, 5));
    Taken* taken = taken_.find(key, key, now_ns, kLeaseMax);
    if (taken == nullptr) {
      taken = taken_.insert(key, key, now_ns, kLeaseMax, [this](Taken& old) { give_back(old); });
      *taken = {static_cast<std::uint16_t>(pool - pools_.data()), true, until_ns};
      ++pool->taken;
    } else {
      taken_.touch(taken, now_ns);
      if (!taken->counted) taken->counted = true, ++pool->taken;
      taken->until_ns = until_ns;
    }
  }
  /// The client gives its address back.
  void release(const Ip& server, const Ip& address, Nanoseconds now_ns) {
    const std::uint64_t key = hash_ip(address, hash_ip(server, 5));
    if (Taken* taken = taken_.find(key, key, now_ns, kLeaseMax)) give_back(*taken);
  }
  /// Addresses left of that server's network; false if nothing is known of it.
  bool free_of(const Ip& server, std::uint64_t& left) const {
    for (const Pool& pool : pools_)
      if (pool.server == server && pool.size != 0) return left = left_in(pool), true;
    return false;
  }
  /// Of the server that has fewest left.
  bool least_free(std::uint64_t& left) const {
    bool any = false;
    for (const Pool& pool : pools_)
      if (pool.size != 0 && (!any || left_in(pool) < left)) left = left_in(pool), any = true;
    return any;
  }
  /// Leases that ran out are given back: a few at a time, so that no message pays for all.
  void expire(Nanoseconds now_ns) {
    taken_.sweep(kSweep, [&](Taken& taken) {
      if (taken.counted && taken.until_ns <= now_ns) give_back(taken);
    });
  }

 private:
  static constexpr Nanoseconds kAnsweredWithin = kMinute, kLeaseMax = 30 * 24 * kHour;
  static constexpr std::size_t kPoolsMax = 64, kSweep = 64;
  struct Pool {
    Ip server;
    std::uint32_t size = 0, taken = 0;
  };
  struct Taken {
    std::uint16_t pool;
    bool counted;
    Nanoseconds until_ns;
  };
  static std::uint64_t left_in(const Pool& pool) { return pool.size > pool.taken ? pool.size - pool.taken : 0; }
  Pool* find_or_add(const Ip& server) {
    for (Pool& pool : pools_)
      if (pool.server == server) return &pool;
    if (pools_.size() == kPoolsMax) return nullptr;
    pools_.push_back({server});
    return &pools_.back();
  }
  void give_back(Taken& taken) {
    if (taken.counted && pools_[taken.pool].taken != 0) --pools_[taken.pool].taken;
    taken.counted = false;
  }

  BoundedMap<std::uint64_t, Client> asked_;
  BoundedMap<std::uint64_t, Taken> taken_;
  std::vector<Pool> pools_;
};

}  // namespace weir::state
