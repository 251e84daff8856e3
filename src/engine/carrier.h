// SPDX-License-Identifier: Apache-2.0
#pragma once

// Carrier: a datapath that can carry a settled flow by itself (the bridge's program in the kernel). The engine tells it what is settled
// and learns back what it carried, so that idle times, counters and events stay true. It is only ever told flows that
// the engine would decide from the flow's entry alone: TCP and UDP without a tunnel, read to their end, under rules that count no
// packets. All calls come from the lane.

#include <cstdint>
#include <span>

#include "base/clock.h"
#include "facts/decision.h"
#include "facts/flow.h"
#include "state/bans.h"

namespace weir::engine {

/// TCP as the engine knows it, state/flow.h. `scale`: what holds for the windows that this side offers.
struct CarriedTcp {
  std::uint32_t next = 0, window_end = 0, acked = 0, window_max = 0;
  std::uint8_t scale = 0;
};

struct SettledFlow {
  std::uint32_t flow = 0;     ///< The engine's name for it until on_ended().
  std::uint64_t frame = 0;    ///< The frame at hand, which shows how its side arrives. It has the verdict of the flow.
  FlowEnds ends;
  Side side = Side::Client;   ///< Who sent that frame.
  bool pass = true;           ///< False: it is denied; each packet of either side is dropped.
  bool tcp_checked = false;   ///< Windows are judged, with twice their size.
  RuleId rule = kNoRule;
  std::uint32_t generation = 0;
  CarriedTcp tcp[2];          ///< By side; where tcp_checked.
};

/// What was carried since it was last told, by the side that sent it.
struct Carried {
  std::uint32_t flow = 0;
  std::uint64_t packets[2] = {0, 0}, bytes[2] = {0, 0};
  Nanoseconds last_ns = 0;    ///< Monotonic, of the last packet; 0: none.
  bool fin[2] = {false, false};
  bool reset = false;
  bool has_tcp = false;
  CarriedTcp tcp[2];          ///< As it stands now; scale is not filled.
  bool unseen = false;        ///< The windows moved on and nobody knows where they stand: they are found anew, as of a flow that is picked up.
};

class Carrier {
 public:
  virtual ~Carrier() = default;
  /// Of the header in front of IP in frames of this way, which count with their bytes.
  virtual std::size_t link_bytes() const { return 14; }
  /// Told for each frame of such a flow that the engine decided, also where it is carried already (it came another way).
  virtual void on_settled(const SettledFlow& flow) = 0;
  /// What was carried of a flow since it was last told; it goes on being carried. False: nothing is.
  virtual bool read(std::uint32_t flow, Carried& out) = 0;
  /// The same for some flows that are due, fewer than asked for if none is left now. Paced by the carrier.
  virtual std::size_t read_due(Nanoseconds now_ns, std::span<Carried> out) = 0;
  /// The flow is over or decided anew: nothing of it is carried from now on. False: nothing was.
  virtual bool on_ended(std::uint32_t flow, Carried& out) = 0;
  /// Flows that the ban names come to the engine again, soon.
  virtual void on_banned(const state::BanKey& key) = 0;
  /// A flow that passes announced another: its first packet may come, soon.
  virtual void on_expected(const Ip& /*client*/, const Ip& /*server*/, std::uint16_t /*port*/, std::uint8_t /*protocol*/) {}
  /// The rules changed: whatever was settled under another generation comes to the engine again, from now on.
  virtual void on_generation(std::uint32_t generation) = 0;
};

}  // namespace weir::engine
