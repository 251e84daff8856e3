// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names: which names a client was told for an address, by DNS answers that passed. A flow that this client opens to that
// address afterwards goes by them (`server.name`). Bounded: kPerAddress names an address, the oldest goes; answers live
// for their TTL, at least a minute (clients keep using an address a while) and at most a day.
//
// judge() asks the other way round: was this client told that name for that address? Where a name had to go for want of room, that cannot be
// denied any more until it would have died.

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/hash.h"
#include "base/slab_pool.h"
#include "state/bindings.h"
#include "state/bounded_map.h"

#include "base/address.h"

namespace weir::state {

class Names {
 public:
  static constexpr std::size_t kPerAddress = 8;

  Names(std::size_t capacity, SlabPool& pool) : table_(capacity), pool_(&pool) {}

  void learn(const Ip& client, const Ip& address, std::string_view name, std::uint32_t ttl_s, Nanoseconds now_ns) {
    const Key key{client, address};
    const std::uint64_t h = hash(key);
    Told* told = table_.find(key, h, now_ns, kLongest);
    if (told == nullptr) told = table_.insert(key, h, now_ns, kLongest, [this](Told& old) { forget(old); });
    else table_.touch(told, now_ns);
    const Nanoseconds until = now_ns + std::clamp<Nanoseconds>(Nanoseconds{ttl_s} * kSecond, kShortest, kLongest);
    Name* place = &told->names[0];
    for (Name& n : told->names) {
      if (n.text != nullptr && std::string_view(n.text, n.size) == name) {
        n.until_ns = until;
        return;
      }
      if (n.text == nullptr || n.until_ns < place->until_ns) place = &n;
    }
    auto* copy = static_cast<char*>(pool_->take(std::max<std::size_t>(name.size(), 1)));
    if (copy == nullptr) {
      ++lost_;
      return;
    }
    if (place->text != nullptr) {
      if (place->until_ns > now_ns) told->gone_until_ns = std::max(told->gone_until_ns, place->until_ns);
      pool_->release(place->text, std::max<std::size_t>(place->size, 1));
    }
    std::memcpy(copy, name.data(), name.size());
    *place = {copy, static_cast<std::uint32_t>(name.size()), until};
  }
  /// Calls with each name that the client was told for the address.
  template <typename F>
  void for_each(const Ip& client, const Ip& address, Nanoseconds now_ns, F&& call) {
    const Key key{client, address};
    Told* told = table_.find(key, hash(key), now_ns, kLongest);
    if (told == nullptr) return;
    for (const Name& n : told->names)
      if (n.text != nullptr && n.until_ns > now_ns) call(std::string_view(n.text, n.size));
  }
  /// Holds: it was told. Contradicts: others were, and this one not. Unlisted: none was, or not all that were are kept.
  Claim judge(const Ip& client, const Ip& address, std::string_view name, Nanoseconds now_ns) {
    const Key key{client, address};
    Told* told = table_.find(key, hash(key), now_ns, kLongest);
    if (told == nullptr) return Claim::Unlisted;
    Claim claim = Claim::Unlisted;
    for (const Name& n : told->names) {
      if (n.text == nullptr || n.until_ns <= now_ns) continue;
      if (std::string_view(n.text, n.size) == name) return Claim::Holds;
      claim = Claim::Contradicts;
    }
    return told->gone_until_ns > now_ns ? Claim::Unlisted : claim;
  }
  std::uint64_t evicted() const { return table_.evicted(); }
  std::uint64_t lost() const { return lost_; }

 private:
  static constexpr Nanoseconds kShortest = kMinute, kLongest = 24 * kHour;
  struct Key {
    Ip client, address;
    bool operator==(const Key&) const = default;
  };
  struct Name {
    char* text;
    std::uint32_t size;
    Nanoseconds until_ns;
  };
  struct Told {
    Name names[kPerAddress];
    Nanoseconds gone_until_ns;  ///< Until then a name might live that had to go.
  };
  static std::uint64_t hash(const Key& k) { return hash_ip(k.client, hash_ip(k.address, 0)); }
  void forget(Told& told) {
    for (Name& n : told.names)
      if (n.text != nullptr) pool_->release(n.text, std::max<std::size_t>(n.size, 1));
  }

  BoundedMap<Key, Told> table_;
  SlabPool* pool_;
  std::uint64_t lost_ = 0;
};

}  // namespace weir::state
