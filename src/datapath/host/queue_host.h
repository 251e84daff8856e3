// SPDX-License-Identifier: Apache-2.0
#pragma once

// QueueHost: a host's own traffic. The kernel queues the packets of flows that are not settled, in both directions and those that it
// forwards; settled flows pass, or are dropped, by the mark of their connection (HostRules, MarkedFlows). Its ports are the host's devices.
//
// When the process is gone the rules stay, and with them the fail mode: closed drops what is not settled, open lets it by. What the
// engine makes is sent by raw sockets, so that a process of this host sees its connection refused.

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/host/conntrack.h"
#include "datapath/host/early_program.h"
#include "datapath/host/held_packets.h"
#include "datapath/host/host_rules.h"
#include "datapath/host/marked_flows.h"
#include "datapath/host/own_packets.h"
#include "datapath/host/packet_exits.h"
#include "datapath/host/packet_queue.h"
#include "datapath/host/senders.h"

namespace weir::datapath {

/// The names of this network namespace's devices, in the order in which they came.
std::vector<std::string> devices_of_host();

struct HostOptions {
  std::vector<std::string> ports;      ///< Devices, by number; others have none.
  FailMode fail = FailMode::Closed;
  std::string cgroup;                  ///< Only what its processes send, and all that comes in; empty: everything.
  std::uint32_t mark = 0x78000000;     ///< Bits of connections' marks that are ours.
  std::uint32_t flows_max = 1 << 20;   ///< Of the engine.
  std::uint16_t queue = 22341;         ///< The first that is free from here on.
  std::size_t held_packets_max = 16384;
  std::uint64_t seed = 0;
  bool early = true;                   ///< Programs in front of the sockets, where the kernel takes them.
  bool senders = true;                 ///< Say who has a packet's socket.
  std::function<Time()> clock;         ///< The time that frames are stamped with; empty: the system's.
};

class QueueHost final : public Datapath {
 public:
  static Result<std::unique_ptr<QueueHost>> open(HostOptions options);
  ~QueueHost() override;

  /// For EngineOptions::carrier.
  engine::Carrier* carrier() { return &flows_; }
  const MarkedFlows& flows() const { return flows_; }

  std::string_view kind() const override { return "host"; }
  Capabilities capabilities() const override { return {.settles = true, .outlives = true}; }
  /// The rules in force, at start and with each reload: what is certain from headers is lowered, and who is asked for is found out.
  void use(std::shared_ptr<const policy::RuleSet> rules);
  /// Calls that the kernel refused since, under the rules in force: told as alerts. Between two batches, and before use().
  void tell_refused(engine::EventSink& sink);

  std::optional<EarlyStop> early_stop() override;
  std::span<const PortState> ports() override;
  std::span<const std::string> remarks() const override { return remarks_; }
  const DatapathCounters& counters() const override { return counters_; }
  Time now() override;
  Result<std::size_t> poll(std::span<Frame> out, Nanoseconds wait_ns) override;
  void release(const Decision& decision) override;
  void apply(std::span<const Frame> frames, std::span<const Decision> decisions) override;
  std::optional<Error> fail(FailMode mode) override;
  void close() override;

 private:
  QueueHost(HostOptions options, PacketQueue queue, OwnPackets own, Conntrack conntrack, MarkField mark);
  void look_at_devices();
  PortIndex port_of(std::uint32_t device) const;
  Result<std::size_t> receive(std::span<Frame> out);
  std::size_t take_copies(std::span<Frame> out);
  void attach_early();
  void attend_exits();
  void remark(std::string sentence);
  const Sender* sender_of(const QueuedPacket& packet);
  void emit(const Emit& answer, PortIndex port);
  void pass(std::uint32_t id, std::uint32_t bytes, Bytes rewrite, PortIndex port);
  void lose(Loss loss, std::uint64_t count = 1) { counters_.lost[static_cast<std::size_t>(loss)] += count; }

  HostOptions options_;
  PacketQueue queue_;
  OwnPackets own_;
  MarkedFlows flows_;
  std::optional<HostRules> rules_;
  std::unique_ptr<EarlyProgram> early_;
  std::string no_early_;               ///< Why there is none.
  bool early_paused_ = false;          ///< Destinations are translated here.
  std::unique_ptr<Senders> senders_;
  std::unique_ptr<PacketExits> exits_;  ///< Where a rule refuses frames of packet sockets.
  std::shared_ptr<const policy::RuleSet> in_force_;
  HeldPackets held_;
  std::vector<PortState> states_;
  struct Early {
    std::string name;
    int device = 0;
    Attach attach = Attach::None;
    std::string why;                   ///< It could not be attached.
  };
  std::vector<Early> early_devices_;   ///< That packets come in by; also those that came since.
  std::vector<int> devices_;           ///< Index of the device of each port; 0: it is not there.
  std::vector<std::string> remarks_;
  std::array<QueuedPacket, PacketQueue::kBatch> queued_;  ///< The batch at hand; copies of what was stopped early stand behind its first ones.
  std::size_t queued_count_ = 0;
  DatapathCounters counters_;
  std::uint64_t number_ = 0, lost_before_ = 0;
  Nanoseconds look_due_ns_ = 0, translation_due_ns_ = 0;
  int events_fd_ = -1;
  bool emptied_ = true, quiet_ = true, counts_here_ = false, closed_ = false;
  std::atomic<bool> failed_{false};
};

}  // namespace weir::datapath
