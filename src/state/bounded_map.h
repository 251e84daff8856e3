// SPDX-License-Identifier: Apache-2.0
#pragma once

// BoundedMap: the one hash table for things that are remembered for a while (names, denials, buckets, bans). Its size is
// fixed at start; a key may lie in one set of eight places. Where all eight are taken, the one not used for longest goes
// and is counted. Nothing moves, nothing is allocated later; memory is touched as it is used.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <type_traits>

#include "base/check.h"
#include "base/clock.h"

namespace weir::state {

template <typename Key, typename Value>
class BoundedMap {
  static_assert(std::is_trivially_copyable_v<Key> && std::is_trivially_copyable_v<Value>);

 public:
  struct Entry {
    Key key;
    Value value;
    Nanoseconds used_ns;  ///< 0: free.
  };

  explicit BoundedMap(std::size_t capacity) {
    std::size_t sets = 1;
    while (sets * kWays < capacity) sets *= 2;
    mask_ = sets - 1;
    entries_.reset(static_cast<Entry*>(std::calloc(sets * kWays, sizeof(Entry))));
    CHECK(entries_ != nullptr);
  }

  /// nullptr if it is not there, or was not used for `idle_ns`.
  Value* find(const Key& key, std::uint64_t hash, Nanoseconds now_ns, Nanoseconds idle_ns) {
    Entry* set = &entries_[(hash & mask_) * kWays];
    for (std::size_t i = 0; i < kWays; ++i)
      if (set[i].used_ns != 0 && set[i].key == key) return now_ns - set[i].used_ns < idle_ns ? &set[i].value : nullptr;
    return nullptr;
  }
  /// Marks it as used now. The value must come from find() or insert().
  void touch(Value* value, Nanoseconds now_ns) { entry_of(value)->used_ns = now_ns + 1; }
  /// A new or replaced value, zeroed; `evicted` (if given) tells whether a live one had to go, and is called with it.
  template <typename OnEvict>
  Value* insert(const Key& key, std::uint64_t hash, Nanoseconds now_ns, Nanoseconds idle_ns, OnEvict&& on_evict) {
    Entry* set = &entries_[(hash & mask_) * kWays];
    Entry* place = nullptr;
    for (std::size_t i = 0; i < kWays && place == nullptr; ++i)
      if (set[i].used_ns != 0 && set[i].key == key) place = &set[i];
    for (std::size_t i = 0; i < kWays && place == nullptr; ++i)
      if (set[i].used_ns == 0) place = &set[i];
    if (place == nullptr) {
      place = set;
      for (std::size_t i = 1; i < kWays; ++i)
        if (set[i].used_ns < place->used_ns) place = &set[i];
      if (now_ns - place->used_ns < idle_ns) ++evicted_;
    }
    if (place->used_ns != 0) on_evict(place->value);
    *place = Entry{key, Value{}, now_ns + 1};
    return &place->value;
  }
  Value* insert(const Key& key, std::uint64_t hash, Nanoseconds now_ns, Nanoseconds idle_ns) {
    return insert(key, hash, now_ns, idle_ns, [](Value&) {});
  }
  void erase(Value* value) { entry_of(value)->used_ns = 0; }
  /// Live entries that had to go for others.
  std::uint64_t evicted() const { return evicted_; }
  /// True if all places of the key's set hold entries used within `idle_ns`.
  bool set_full(std::uint64_t hash, Nanoseconds now_ns, Nanoseconds idle_ns) const {
    const Entry* set = &entries_[(hash & mask_) * kWays];
    for (std::size_t i = 0; i < kWays; ++i)
      if (set[i].used_ns == 0 || now_ns - set[i].used_ns >= idle_ns) return false;
    return true;
  }

 private:
  static constexpr std::size_t kWays = 8;
  struct Free {
    void operator()(Entry* entries) const { std::free(entries); }
  };
  static Entry* entry_of(Value* value) {
    return reinterpret_cast<Entry*>(reinterpret_cast<char*>(value) - offsetof(Entry, value));
  }

  std::size_t mask_;
  std::unique_ptr<Entry[], Free> entries_;
  std::uint64_t evicted_ = 0;
};

}  // namespace weir::state
