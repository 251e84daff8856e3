// SPDX-License-Identifier: Apache-2.0
#pragma once

// XdpFlows: settled flows that the program in the kernel carries: put into its maps, read back, taken out.
//
//   on_settled      notes what the engine says of the frame at hand
//   install()       after the batch: with the way that frame took, the flow goes into the map
//   read, read_due  what the kernel carried since, from the entry's counters
//   on_ended        out of the map, with what it carried last
//
// Invariants: each entry in the kernel has its copy here (Slot), and the copy knows what was already told to the engine, so that nothing is
// counted twice and nothing is lost. Tables are made at start. When the kernel's map is full the flow stays with the engine, counted.

#include <vector>

#include "bpf/abi.h"
#include "datapath/datapath.h"
#include "datapath/flow_slots.h"
#include "engine/carrier.h"

namespace weir::datapath {

class XdpProgram;

/// How a frame crosses the bridge.
struct Crossing {
  PortIndex in = kNoPort, out = kNoPort;
  int in_device = 0, out_device = 0;
};

class XdpFlows final : public engine::Carrier {
 public:
  /// `flows_max`: of the engine; `carried_max`: as the program was loaded with.
  XdpFlows(XdpProgram& program, std::uint32_t flows_max, std::uint32_t carried_max);

  void on_settled(const engine::SettledFlow& flow) override;
  bool read(std::uint32_t flow, engine::Carried& out) override;
  std::size_t read_due(Nanoseconds now_ns, std::span<engine::Carried> out) override;
  bool on_ended(std::uint32_t flow, engine::Carried& out) override;
  void on_banned(const state::BanKey& key) override;
  void on_generation(std::uint32_t generation) override;

  /// What the engine said of the batch at hand, in order.
  std::span<const engine::SettledFlow> settled() const { return settled_; }
  /// The flow's frame crossed so: it may be carried from now on. `frame` is the whole frame.
  void install(const engine::SettledFlow& flow, Bytes frame, const Crossing& crossing);
  /// The batch is over: bans take effect.
  void end_batch();
  /// Out of the kernel with all: ports changed. The engine offers again what still lives.
  void recall_all();
  /// Flows whose frames leave by another port than the bridge would choose now. `way_of(mac, vlan)` gives the port of a station.
  template <typename F>
  void recall_moved(F&& port_of);

  std::size_t carried_now() const { return carried_; }
  std::uint64_t installed() const { return installed_; }
  std::uint64_t full() const { return full_; }          ///< Not carried: the kernel's map had no room.

 private:
  union Key {
    weir_key4 v4;
    weir_key6 v6;
  };
  struct Slot {
    std::uint32_t flow = kFlowFree;
    bool v6 = false, in_kernel = false;
    bool client_second = false;          ///< The client is the key's second end.
    std::uint32_t generation = 0;
    Key key{};
    struct Way {                         ///< As put into the kernel.
      std::uint8_t macs[12] = {};
      int in = 0;
      PortIndex out = kNoPort;           ///< kNoPort: not seen yet.
    } way[2];
    FlowEnds ends;
    Nanoseconds installed_ns = 0;
    std::uint32_t packets[2] = {0, 0};   ///< Of the entry, already told.
    std::uint64_t bytes[2] = {0, 0};
    engine::Carried owed;                ///< Read, and not told yet.
  };
  static constexpr std::size_t kBansMax = 16;

  void note(Slot& slot, const weir_flow& entry);
  bool refresh(Slot& slot);
  bool recall(Slot& slot);
  static bool any(const engine::Carried& carried);
  bool make_key(const engine::SettledFlow& flow, std::uint16_t vlan, Slot& slot) const;
  weir_flow entry_of(const engine::SettledFlow& flow, const Slot& slot) const;
  bool banned(const Slot& slot) const;

  XdpProgram& program_;
  FlowSlots<Slot> slots_;
  std::vector<engine::SettledFlow> settled_;
  state::BanKey bans_[kBansMax];
  std::size_t bans_count_ = 0;
  std::size_t cursor_ = 0;               ///< Of read_due, over slots.
  Nanoseconds sweep_ns_ = 0, slice_ns_ = 0;
  std::size_t carried_ = 0;
  std::uint64_t installed_ = 0, full_ = 0;
};

template <typename F>
void XdpFlows::recall_moved(F&& port_of) {
  for (Slot& slot : slots_.used()) {
    if (!slot.in_kernel) continue;
    for (const Slot::Way& way : slot.way) {
      if (way.out == kNoPort) continue;
      const PortIndex now = port_of(Mac::from_bytes(way.macs), slot.v6 ? slot.key.v6.vlan : slot.key.v4.vlan);
      if (now == way.out) continue;
      recall(slot);
      slot.way[0] = slot.way[1] = {};
      break;
    }
  }
}

}  // namespace weir::datapath
