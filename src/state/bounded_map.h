// SPDX-License-Identifier: Apache-2.0
#pragma once

// BoundedMap: the one hash table for things that are remembered for a while (names, denials, buckets, bans). Its size is
// fixed at start; a key may lie in one set of eight places. Where all eight are taken, the one not used for longest goes
// and is counted. Nothing moves, nothing is allocated later; memory is touched as it is used.
//
// Beside the entries lies a byte a place, eight of a set in one word: a tag of the key's hash, 0 where the place is free. What is
// not there is so found to be missing from that word alone.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
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
    Nanoseconds used_ns;
  };

  explicit BoundedMap(std::size_t capacity) {
    std::size_t sets = 1;
    while (sets * kWays < capacity) sets *= 2;
    mask_ = sets - 1;
    entries_.reset(static_cast<Entry*>(std::calloc(sets * kWays, sizeof(Entry))));
    tags_.reset(static_cast<Tags*>(std::calloc(sets, sizeof(Tags))));
    CHECK(entries_ != nullptr && tags_ != nullptr);
  }

  /// nullptr if it is not there, or was not used for `idle_ns`.
  Value* find(const Key& key, std::uint64_t hash, Nanoseconds now_ns, Nanoseconds idle_ns) {
    const std::size_t set = hash & mask_;
    for (std::uint64_t hits = places_with(set, tag_of(hash)); hits != 0; hits &= hits - 1) {
      Entry& entry = entries_[set * kWays + place_of(hits)];
      if (entry.key == key) return now_ns - entry.used_ns < idle_ns ? &entry.value : nullptr;
    }
    return nullptr;
  }
  /// Marks it as used now. The value must come from find() or insert().
  void touch(Value* value, Nanoseconds now_ns) { entry_of(value)->used_ns = now_ns + 1; }
  /// A new or replaced value, zeroed; `evicted` (if given) tells whether a live one had to go, and is called with it.
  template <typename OnEvict>
  Value* insert(const Key& key, std::uint64_t hash, Nanoseconds now_ns, Nanoseconds idle_ns, OnEvict&& on_evict) {
    const std::size_t set = hash & mask_;
    const std::size_t place = place_for(key, set, tag_of(hash), now_ns, idle_ns);
    Entry& entry = entries_[set * kWays + place];
    if (tags_[set].of[place] != 0) on_evict(entry.value);
    entry = Entry{key, Value{}, now_ns + 1};
    tags_[set].of[place] = tag_of(hash);
    ever_used_ = true;
    return &entry.value;
  }
  Value* insert(const Key& key, std::uint64_t hash, Nanoseconds now_ns, Nanoseconds idle_ns) {
    return insert(key, hash, now_ns, idle_ns, [](Value&) {});
  }
  void erase(Value* value) {
    Entry* const entry = entry_of(value);
    const auto at = static_cast<std::size_t>(entry - entries_.get());
    entry->used_ns = 0;
    tags_[at / kWays].of[at % kWays] = 0;
  }
  /// Calls with the value of each entry among the next `places`, going round the table from call to call.
  template <typename F>
  void sweep(std::size_t places, F&& call) {
    const std::size_t all = (mask_ + 1) * kWays;
    for (std::size_t i = 0; i < places && i < all; ++i, swept_ = (swept_ + 1) % all)
      if (entries_[swept_].used_ns != 0) call(entries_[swept_].value);
  }
  /// Places that hold an entry, or held one that is idle: calls with key and value. A table that was never used costs nothing.
  template <typename F>
  void for_each(F&& call) {
    if (ever_used_) walk(0, places(), call);
  }
  /// The same for `count` places from `first` on: for tables that must be walked in slices.
  template <typename F>
  void walk(std::size_t first, std::size_t count, F&& call) {
    for (std::size_t at = first; at < places() && at - first < count; ++at)
      if (entries_[at].used_ns != 0) call(entries_[at].key, entries_[at].value);
  }
  std::size_t places() const { return (mask_ + 1) * kWays; }
  /// Live entries that had to go for others.
  std::uint64_t evicted() const { return evicted_; }
  /// True if all places of the key's set hold entries used within `idle_ns`.
  bool set_full(std::uint64_t hash, Nanoseconds now_ns, Nanoseconds idle_ns) const {
    const std::size_t set = hash & mask_;
    for (std::size_t i = 0; i < kWays; ++i)
      if (tags_[set].of[i] == 0 || now_ns - entries_[set * kWays + i].used_ns >= idle_ns) return false;
    return true;
  }

 private:
  static constexpr std::size_t kWays = 8;
  struct alignas(8) Tags {
    std::uint8_t of[kWays];
  };
  struct Free {
    void operator()(void* region) const { std::free(region); }
  };
  static Entry* entry_of(Value* value) {
    return reinterpret_cast<Entry*>(reinterpret_cast<char*>(value) - offsetof(Entry, value));
  }
  static std::uint8_t tag_of(std::uint64_t hash) { return static_cast<std::uint8_t>(hash >> 57 | 0x80); }
  static std::size_t place_of(std::uint64_t hits) { return static_cast<std::size_t>(__builtin_ctzll(hits)) / 8; }
  /// The top bit of each byte of the set's word that is `tag`.
  std::uint64_t places_with(std::size_t set, std::uint8_t tag) const {
    constexpr std::uint64_t kLow = 0x0101010101010101, kHigh = 0x8080808080808080;
    std::uint64_t word;
    std::memcpy(&word, &tags_[set], sizeof word);
    const std::uint64_t differs = word ^ kLow * tag;  // 0 where it is equal.
    return ~(((differs & ~kHigh) + ~kHigh) | differs) & kHigh;
  }
  std::size_t place_for(const Key& key, std::size_t set, std::uint8_t tag, Nanoseconds now_ns, Nanoseconds idle_ns) {
    Entry* const entries = &entries_[set * kWays];
    for (std::uint64_t hits = places_with(set, tag); hits != 0; hits &= hits - 1)
      if (entries[place_of(hits)].key == key) return place_of(hits);
    if (const std::uint64_t free = places_with(set, 0); free != 0) return place_of(free);
    std::size_t oldest = 0;
    for (std::size_t i = 1; i < kWays; ++i)
      if (entries[i].used_ns < entries[oldest].used_ns) oldest = i;
    if (now_ns - entries[oldest].used_ns < idle_ns) ++evicted_;
    return oldest;
  }

  std::size_t mask_;
  std::unique_ptr<Entry[], Free> entries_;
  std::unique_ptr<Tags[], Free> tags_;
  std::uint64_t evicted_ = 0;
  std::size_t swept_ = 0;
  bool ever_used_ = false;
};

}  // namespace weir::state
