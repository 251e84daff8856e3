// SPDX-License-Identifier: Apache-2.0
#pragma once

// PacketBridge: a bridge of two or more ports over packet sockets. It works wherever they do, also in a user namespace without root.
//
// What it cannot do: a packet socket reads copies, so the kernel's own stack sees what ports receive too (a port should have no
// address, and the remarks say where one has); and when the process is killed nothing forwards any more, so that FailMode::Open
// does not outlive it. Where only the lane hangs, a thread of the process forwards in its place.

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "datapath/bridge/bypass.h"
#include "datapath/bridge/forwarder.h"
#include "datapath/bridge/held_frames.h"
#include "datapath/bridge/packet_port.h"
#include "datapath/datapath.h"

namespace weir::datapath {

struct BridgeOptions {
  std::vector<std::string> ports;
  std::size_t held_frames_max = 16384;
  std::size_t held_bytes_max = std::size_t{64} << 20;
  std::size_t stations_max = 16384;
  std::uint64_t seed = 0;
  /// The time that frames are stamped with; tests pass one of their own. Empty: the system's.
  std::function<Time()> clock;
};

class PacketBridge final : public Datapath {
 public:
  /// Every port must be there and let itself be opened; later they may go and come.
  static Result<std::unique_ptr<PacketBridge>> open(BridgeOptions options);
  ~PacketBridge() override;

  std::string_view kind() const override { return "packet"; }
  Capabilities capabilities() const override { return {}; }
  std::span<const PortState> ports() override;
  std::span<const std::string> remarks() const override { return remarks_; }
  const DatapathCounters& counters() const override { return counters_; }
  Time now() override;
  Result<std::size_t> poll(std::span<Frame> out, Nanoseconds wait_ns) override;
  void release(const Decision& decision) override;
  void apply(std::span<const Frame> frames, std::span<const Decision> decisions) override;
  std::optional<Error> fail(FailMode mode) override;
  void close() override;

  /// For a way in front of this one (XDP): the device of a port, 0 if it cannot be used; the port of a station; how often one moved.
  int device_of(PortIndex port) const { return ports_[port].usable() ? ports_[port].device().index : 0; }
  PortIndex port_of(const Mac& station, std::uint16_t vlan) { return forwarder_.port_of(station, vlan, now_ns_); }
  /// The last poll() took all that its queues held, and this is when it looked; 0: more is there.
  Nanoseconds emptied_ns() const { return emptied_ns_; }
  std::uint64_t stations_moved() const { return forwarder_.moved(); }

 private:
  explicit PacketBridge(BridgeOptions options);
  void look_at_ports();
  void remark_on_ports();
  std::size_t receive(std::span<Frame> out);
  void forward(Bytes first, Bytes rest, const Offload& offload, PortIndex in);
  void emit(const Emit& answer, PortIndex in);
  void flush();
  void lose(Loss loss) { ++counters_.lost[static_cast<std::size_t>(loss)]; }

  BridgeOptions options_;
  std::vector<PacketPort> ports_;
  std::vector<PortState> states_;
  std::vector<std::string> remarks_;
  ReceiveSlots slots_;
  std::array<Received, ReceiveSlots::kSlots> received_;  ///< Of the batch at hand, by place.
  HeldFrames held_;
  std::vector<HeldFrames::Held*> sent_held_;  ///< Queued for sending: freed when they are sent.
  Forwarder forwarder_;
  DatapathCounters counters_;
  std::uint64_t number_ = 0;
  std::size_t turn_ = 0;       ///< The port that is asked first; it goes round.
  bool quiet_ = true;          ///< Nothing came last time: wait before asking.
  int events_fd_ = -1;
  Nanoseconds look_due_ns_ = 0, now_ns_ = 0, emptied_ns_ = 0;
  std::atomic<bool> failed_{false};
  Bypass bypass_;  ///< Runs once it failed open.
};

}  // namespace weir::datapath
