// SPDX-License-Identifier: Apache-2.0
#pragma once

// FlowTable: flows by their five-tuple and domain, both directions under one key.
//
// Layout and invariants:
//  1. Flows lie in one array of `capacity`, reserved at start; an index names a flow for its life.
//  2. Lookup goes through groups of 64 bytes: 12 tags of a byte, 12 indices, and the number of keys that probed past this
//     group because it was full (as in F14). A lookup that misses reads one line, a hit one more for the flow.
//  3. When the array is full, the flow to go is chosen by evict(): unanswered ones first, settled ones last; counted.
//  4. The timer wheel holds every flow once, by the second in which its idle time may be over; deadlines are checked again
//     when that second comes, so a packet costs no timer work.

#include <cstdint>
#include <vector>

#include "facts/packet.h"
#include "state/flow.h"

namespace weir::state {

struct FlowKey {
  Ip src, dst;
  std::uint16_t src_port = 0, dst_port = 0;
  std::uint8_t protocol = 0;
  std::uint32_t domain = 0;
};

struct FlowHit {
  std::uint32_t index = 0;
  Side side = Side::Client;  ///< Who sent the packet that was looked up.
};

inline constexpr std::uint32_t kNoFlow = 0xffffffff;

class FlowTable {
 public:
  FlowTable(std::uint32_t capacity, std::uint64_t seed);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  /// The same for both directions.
  std::uint64_t hash(const Ip& src, const Ip& dst, std::uint16_t src_port, std::uint16_t dst_port, std::uint8_t protocol,
                     std::uint32_t domain) const;
  std::uint64_t hash(const FlowKey& k) const { return hash(k.src, k.dst, k.src_port, k.dst_port, k.protocol, k.domain); }
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&groups_[hash & group_mask_]); }
  /// The flow that a look-up of this hash will most likely meet, from the group's line alone; kNoFlow if none there has its tag.
  /// A hint for prefetching: neither its key nor later groups are looked at.
  std::uint32_t likely(std::uint64_t hash) const;
  /// Asks for the lines of a flow that a packet touches.
  void prefetch_flow(std::uint32_t index) const {
    const auto* flow = reinterpret_cast<const char*>(&flows_[index]);
    for (std::size_t line = 0; line < 3; ++line) __builtin_prefetch(flow + line * 64);
  }
  /// index kNoFlow if there is none.
  FlowHit find(const FlowKey& key, std::uint64_t hash) const;
  /// A new flow whose client is key.src; kNoFlow if the array is full.
  std::uint32_t insert(const FlowKey& key, std::uint64_t hash, Nanoseconds now_ns);
  /// The flow must not own anything any more (live == nullptr).
  void remove(std::uint32_t index);

  /// Forgets all; as remove() of each, at the cost of none.
  void clear();

  Flow& at(std::uint32_t index) { return flows_[index]; }
  const Flow& at(std::uint32_t index) const { return flows_[index]; }
  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return capacity_; }
  /// A flow that may go so that another can come: the youngest unanswered one among a bounded sample, else the one idle longest; settled last.
  std::uint32_t evict_candidate();

  // The timer wheel.
  void schedule(std::uint32_t index, Nanoseconds deadline_ns);
  /// Calls with each flow whose second has come, in (deadline, index) order as scheduled; the callee removes or schedules it again.
  template <typename F>
  void for_each_due(Nanoseconds now_ns, F&& call);
  /// A new second began: only then for_each_due has anything to do.
  bool anything_due(Nanoseconds now_ns) const { return now_ns / kSecond != wheel_second_; }
  /// Every flow among `slots` places from `first` on, by index. Returns where to go on, kNoFlow where the table ends.
  template <typename F>
  std::uint32_t walk(std::uint32_t first, std::uint32_t slots, F&& call) const {
    const std::uint64_t end = std::uint64_t{first} + slots < high_ ? std::uint64_t{first} + slots : high_;
    for (std::uint32_t i = first; i < end; ++i)
      if (flows_[i].in_use) call(i);
    return end >= high_ ? kNoFlow : static_cast<std::uint32_t>(end);
  }
  /// Every flow, by index.
  template <typename F>
  void for_each(F&& call) {
    for (std::uint32_t i = 0; i < high_; ++i)
      if (flows_[i].in_use) call(i);
  }

 private:
  static constexpr std::size_t kSlots = 12;
  struct alignas(64) Group {
    std::uint8_t tags[kSlots];
    std::uint8_t overflow;
    std::uint8_t pad[3];
    std::uint32_t indices[kSlots];
  };
  static constexpr std::uint32_t kWheelSlots = 8192;  ///< Seconds; longer deadlines are looked at again when they come round.
  static std::uint8_t tag_of(std::uint64_t hash) { return static_cast<std::uint8_t>(hash >> 57 | 0x80); }
  void unlink(std::uint32_t index);
  void take_slot(std::uint32_t slot);

  std::uint32_t capacity_, size_ = 0, high_ = 0;
  std::uint64_t seed_;
  std::uint64_t group_mask_;
  Flow* flows_ = nullptr;
  Group* groups_ = nullptr;
  std::size_t flows_bytes_, groups_bytes_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> wheel_;  ///< Heads, index + 1.
  std::vector<std::uint32_t> due_;    ///< Scratch of for_each_due.
  std::int64_t wheel_second_ = -1;
  std::uint32_t clock_hand_ = 0;
};

template <typename F>
void FlowTable::for_each_due(Nanoseconds now_ns, F&& call) {
  const std::int64_t second = now_ns / kSecond;
  if (wheel_second_ < 0) wheel_second_ = second;
  if (second <= wheel_second_) return;
  // After a jump of more than the wheel's span every slot is looked at once.
  const std::int64_t first = second - wheel_second_ >= kWheelSlots ? second - kWheelSlots + 1 : wheel_second_;
  wheel_second_ = second;
  for (std::int64_t s = first; s < second; ++s) {
    const auto slot = static_cast<std::uint32_t>(s % kWheelSlots);
    if (wheel_[slot] == 0) continue;
    take_slot(slot);
    const std::vector<std::uint32_t> due = std::move(due_);
    for (std::uint32_t index : due) call(index);
    due_ = std::vector<std::uint32_t>();
  }
}

}  // namespace weir::state
