// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeldPackets: packets that wait in the kernel's queue for a verdict that comes later, by the number of their frame. Room for so many, taken
// at start; their bytes stay in the kernel.

#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/hash.h"

namespace weir::datapath {

class HeldPackets {
 public:
  struct Held {
    std::uint64_t number = 0;  ///< 0: free.
    std::uint32_t id = 0;      ///< Of the queue.
    std::uint32_t bytes = 0;
  };

  explicit HeldPackets(std::size_t packets_max) : places_(std::bit_ceil(packets_max * 2)), packets_max_(packets_max) {}

  /// False: no room.
  bool put(std::uint64_t number, std::uint32_t id, std::uint32_t bytes) {
    if (count_ == packets_max_) return false;
    std::size_t at = home(number);
    while (places_[at].number != 0) at = (at + 1) & mask();
    places_[at] = {number, id, bytes};
    ++count_;
    bytes_ += bytes;
    return true;
  }

  std::optional<Held> take(std::uint64_t number) {
    std::size_t at = home(number);
    while (places_[at].number != 0 && places_[at].number != number) at = (at + 1) & mask();
    if (places_[at].number == 0) return std::nullopt;
    const Held found = places_[at];
    // Close the gap, so that a search never ends too early (Knuth, 6.4, algorithm R).
    for (std::size_t next = (at + 1) & mask(); places_[next].number != 0; next = (next + 1) & mask()) {
      if (((next - home(places_[next].number)) & mask()) < ((next - at) & mask())) continue;
      places_[at] = places_[next];
      at = next;
    }
    places_[at] = Held{};
    --count_;
    bytes_ -= found.bytes;
    return found;
  }

  std::size_t count() const { return count_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::size_t mask() const { return places_.size() - 1; }
  std::size_t home(std::uint64_t number) const { return static_cast<std::size_t>(mix64(number, 0)) & mask(); }

  std::vector<Held> places_;  ///< Open addressing.
  std::size_t packets_max_, count_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace weir::datapath
