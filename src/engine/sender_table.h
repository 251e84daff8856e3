// SPDX-License-Identifier: Apache-2.0
#pragma once

// SenderTable: who opened which flow, kept as long as a flow or a report needs it, one copy a sender however many flows it has.
// Copies lie in the engine's pool. Where the pool is empty or all places are taken, nothing is kept and it is counted: the flow then
// goes by what its next packets' frames say.

#include <vector>

#include "base/slab_pool.h"
#include "facts/sender.h"

namespace weir::engine {

class SenderTable {
 public:
  /// A place, counted from 1: it fits into the two bytes that a flow has for it. 0: none.
  using Place = std::uint16_t;
  static constexpr std::size_t kPlacesMax = 65535;

  /// Without `on` it holds no memory and is never asked to keep anything.
  SenderTable(SlabPool& pool, bool on);
  ~SenderTable();
  SenderTable(const SenderTable&) = delete;
  SenderTable& operator=(const SenderTable&) = delete;

  /// Keeps it, once more; 0 where there is no room.
  Place keep(const Sender& sender);
  /// Once more for another that needs it.
  Place keep(Place place) {
    if (place != 0) ++slots_[place].users;
    return place;
  }
  /// One user less; the last takes it away.
  void release(Place place);
  const Sender* at(Place place) const { return place == 0 ? nullptr : slots_[place].sender; }

  std::size_t size() const { return used_; }
  std::uint64_t refused() const { return refused_; }

 private:
  struct Slot {
    Sender* sender = nullptr;  ///< At the front of its block, its text behind it.
    std::uint32_t block_bytes = 0, users = 0;
    Place next = 0;            ///< In the list of its bucket, or of the free places.
  };
  Place& bucket(std::uint64_t id);

  SlabPool& pool_;
  std::vector<Slot> slots_;    ///< The first is not used.
  std::vector<Place> buckets_;
  Place free_ = 0;
  std::size_t used_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace weir::engine
