// SPDX-License-Identifier: Apache-2.0
#pragma once

// XdpProgram: the bridge's program in the kernel (bpf/bridge.bpf.c): loaded, attached to the ports, and left there or taken away.
//
// The attachment of each port is pinned in a directory of ours in a BPF file system, so that the program, with the fail mode that it was
// given, stays when this process is killed. Who starts next finds it there and puts its own program in its place, port by port, without a
// moment in between; a clean stop takes it away. Without a BPF file system the fail mode does not outlive the process.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bpf/abi.h"
#include "datapath/datapath.h"

struct weir_bridge;

namespace weir::datapath {

struct XdpOptions {
  std::uint32_t flows_max = 131072;     ///< Of IPv4; of IPv6, a quarter.
  FailMode fail = FailMode::Closed;
  Attach force = Attach::None;          ///< XdpNative or XdpGeneric alone; None: native, else generic.
  std::string pins;                     ///< Directory in a BPF file system; empty: the usual one, or one that is mounted for it.
  bool stand_in = true;                 ///< Fail mode open: forward at the traffic control hook, where frames keep their open checksums.
  Nanoseconds hang_ns = kSecond;        ///< The lane gave no sign of life for so long: the program carries out the fail mode.
};

class XdpProgram {
 public:
  /// Loads it; nothing is attached. The error says what the system refused.
  static Result<std::unique_ptr<XdpProgram>> load(const XdpOptions& options);
  ~XdpProgram();
  XdpProgram(const XdpProgram&) = delete;
  XdpProgram& operator=(const XdpProgram&) = delete;

  /// Frames that the program redirects do leave by this device. A veth loses them in silence unless its other end polls (an XDP program
  /// there, or GRO on).
  static constexpr std::size_t kProbeBytes = 60;
  bool sends(const std::string& name, int ifindex, const Mac& mac);
  /// Native or generic alone, from the next attach() on.
  void force(Attach mode) { options_.force = mode; }

  /// To the device, as port `place`. Gives how it is attached.
  Result<Attach> attach(PortIndex place, const std::string& name, int ifindex);
  void detach(PortIndex place);
  /// Takes everything away, pins and directory too.
  void remove();
  /// Pins hold: what is attached outlives the process.
  bool outlives() const { return !pins_.empty() && presence_; }
  /// Why it does not; empty if it does.
  const std::string& why_not() const { return why_not_; }
  /// Ports that a process before this one had left attached and that were taken over.
  std::size_t taken_over() const { return taken_over_; }

  volatile weir_config& config();
  volatile weir_front& front();
  /// Sign of life; `coarse_ns`: CLOCK_MONOTONIC.
  void beat(Nanoseconds coarse_ns) {
    const std::uint32_t now_ms = static_cast<std::uint32_t>(coarse_ns >> 20) | 1;
    if (config().beat_ms != now_ms) config().beat_ms = now_ms;  // Each CPU reads this line with each packet.
  }
  /// What had come by then, the lane has sent on.
  void drained(Nanoseconds mono_ns) { config().drained_us = static_cast<std::uint32_t>(mono_ns >> 10); }
  std::uint64_t count(weir_counter which) const;

  int program_fd() const;
  int flows_fd(bool v6) const;
  int presence_map_fd() const;
  int sources_fd() const;
  int budgets_fd() const;
  int known_fd() const;

 private:
  struct Port {
    int link_fd = -1;
    int ifindex = 0;
    std::string pin;
    bool made_hook = false;  ///< The traffic control hook of the device was not there before.
  };
  XdpProgram() = default;
  void open_pins(const std::string& wanted);
  bool hold_presence();
  std::optional<Attach> take_over(Port& port, PortIndex place);
  void set_place(PortIndex place, int ifindex);
  bool set_stand_in(Port& port);
  void take_stand_in(const Port& port);

  struct Close {
    void operator()(weir_bridge* skeleton) const;
  };
  std::unique_ptr<weir_bridge, Close> skeleton_;
  XdpOptions options_;
  std::vector<Port> ports_;
  std::string pins_, why_not_;
  std::string mounted_;       ///< A BPF file system that we mounted.
  int presence_fd_ = -1;
  bool presence_ = false;
  std::size_t taken_over_ = 0;
  int cpus_ = 1;
};

}  // namespace weir::datapath
