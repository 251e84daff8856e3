// SPDX-License-Identifier: Apache-2.0
#pragma once

// MarkedFlows: settled flows that the kernel lets by, or drops, by the mark of their connection.
//
//   on_settled      notes what the engine says of the frame at hand
//   end_batch()     when the verdicts of the batch are out, and the packets before them with it: the marks are set
//   read, read_due  what went by since, from the connection's own counters
//   on_ended        the mark is taken away, with what went by last
//
// The kernel tracks windows itself and calls what does not fit invalid: that has no connection and comes to the queue. What it does not say
// is where the windows stand, so that a flow that comes back is told to have moved on unseen (Carried::unseen). A flow whose connection
// cannot be named (translated at both ends) stays with the engine, counted, as does one for which there is no room.

#include <vector>

#include "datapath/flow_slots.h"
#include "datapath/host/conntrack.h"
#include "datapath/host/early_program.h"
#include "datapath/host/host_rules.h"
#include "engine/carrier.h"

namespace weir::datapath {

class MarkedFlows final : public engine::Carrier {
 public:
  MarkedFlows(Conntrack conntrack, MarkField mark, std::uint32_t flows_max);
  /// Whose rules ask for the marks, and what stands in front of the sockets (or nullptr); both outlive it.
  void use(HostRules* rules, EarlyProgram* early) { rules_ = rules, early_ = early; }

  std::size_t link_bytes() const override { return 0; }
  void on_settled(const engine::SettledFlow& flow) override;
  bool read(std::uint32_t flow, engine::Carried& out) override;
  std::size_t read_due(Nanoseconds now_ns, std::span<engine::Carried> out) override;
  bool on_ended(std::uint32_t flow, engine::Carried& out) override;
  void on_banned(const state::BanKey& key) override;
  void on_generation(std::uint32_t generation) override;
  void on_expected(const Ip& client, const Ip& server, std::uint16_t port, std::uint8_t protocol) override;

  /// Verdicts are out. `emptied`: no packet waits to be read, so that none is overtaken by those that follow it past the queue.
  void end_batch(bool emptied, Nanoseconds now_ns);
  /// No mark of ours is left anywhere.
  void clear_all();

  std::size_t carried_now() const { return carried_; }
  std::uint64_t marked() const { return marked_; }
  std::uint64_t full() const { return full_; }
  std::uint64_t unnamed() const { return unnamed_; }

 private:
  static constexpr std::size_t kWaitingMax = 1024, kBansMax = 16;
  static constexpr std::uint8_t kTriesMax = 3;
  struct Slot {
    std::uint32_t flow = kFlowFree;
    bool in_kernel = false, begun_by_client = true, counted = false, moved = false;
    std::uint8_t tries = 0;
    std::uint32_t generation = 0, connection = 0;
    ConnectionName name;
    std::uint64_t packets[2] = {0, 0}, bytes[2] = {0, 0};  ///< Of the connection, already told; by side.
    Nanoseconds forgotten_at_ns = 0;                       ///< If nothing comes any more.
    engine::Carried owed;
  };
  struct Waiting {
    engine::SettledFlow flow;
    Nanoseconds since_ns = 0;
  };

  void install(const engine::SettledFlow& flow, Nanoseconds now_ns);
  void note(Slot& slot, const Connection& connection, Nanoseconds now_ns);
  void refresh(Slot& slot);
  void recall(Slot& slot);
  void leave(Slot& slot);
  bool banned(const FlowEnds& ends) const;
  static bool any(const engine::Carried& carried);

  Conntrack conntrack_;
  MarkField mark_;
  HostRules* rules_ = nullptr;
  EarlyProgram* early_ = nullptr;
  std::uint32_t generation_ = 1;       ///< As the engine begins with.
  FlowSlots<Slot> slots_;
  std::vector<Waiting> waiting_;
  state::BanKey bans_[kBansMax];
  std::size_t bans_count_ = 0, cursor_ = 0, carried_ = 0;
  Nanoseconds sweep_ns_ = 0, slice_ns_ = 0, now_ns_ = 0;
  std::uint64_t marked_ = 0, full_ = 0, unnamed_ = 0;
};

}  // namespace weir::datapath
