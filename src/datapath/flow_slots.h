// SPDX-License-Identifier: Apache-2.0
#pragma once

// Slots for the flows that a datapath carries by itself, found by the engine's number of the flow. All memory is taken at the start.
// A slot has a member `flow`; kFlowFree there: nobody's. Walks go over used(), which has free ones between.

#include <cstdint>
#include <span>
#include <vector>

namespace weir::datapath {

inline constexpr std::uint32_t kFlowFree = 0xffffffff;

template <class Slot>
class FlowSlots {
 public:
  /// `flows_max`: the engine's numbers are below this; `slots_max`: so many are carried at a time.
  FlowSlots(std::uint32_t flows_max, std::size_t slots_max) : places_(flows_max, 0), slots_(slots_max) { unused_.reserve(slots_max); }

  bool may_hold(std::uint32_t flow) const { return flow < places_.size(); }
  /// The flow's slot, or null.
  Slot* find(std::uint32_t flow) { return !may_hold(flow) || places_[flow] == 0 ? nullptr : &slots_[places_[flow] - 1]; }
  /// A new slot for a flow that has none and that may_hold() allows; null: all are in use.
  Slot* take(std::uint32_t flow) {
    std::size_t index;
    if (!unused_.empty()) {
      index = unused_.back();
      unused_.pop_back();
    } else if (high_ < slots_.size()) {
      index = high_++;
    } else {
      return nullptr;
    }
    slots_[index] = Slot{};
    slots_[index].flow = flow;
    places_[flow] = static_cast<std::uint32_t>(index + 1);
    return &slots_[index];
  }
  void release(Slot& slot) {
    places_[slot.flow] = 0;
    slot.flow = kFlowFree;
    unused_.push_back(static_cast<std::uint32_t>(&slot - slots_.data()));
  }
  /// Those ever taken, free ones among them.
  std::span<Slot> used() { return {slots_.data(), high_}; }

 private:
  std::vector<std::uint32_t> places_;  ///< By the engine's flow: slot and 1; 0: none.
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> unused_;
  std::size_t high_ = 0;
};

}  // namespace weir::datapath
