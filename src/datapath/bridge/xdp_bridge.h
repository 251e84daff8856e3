// SPDX-License-Identifier: Apache-2.0
#pragma once

// XdpBridge: the bridge with a program in the kernel on each port. Settled flows cross in the kernel; everything else takes the way of
// PacketBridge to the engine. When the process is gone or its lane hangs, the program carries out the fail mode by itself.
//
// What keeps a flow with the engine: its frames leave checksums to hardware that is not there (the other end of a veth on this machine;
// under native XDP), they are coalesced, or the station that they go to is not known yet.

#include <atomic>

#include "datapath/bridge/packet_bridge.h"
#include "datapath/bridge/xdp_flows.h"
#include "datapath/bridge/xdp_program.h"
#include "datapath/bridge/xdp_stops.h"

namespace weir::datapath {

class XdpBridge final : public Datapath {
 public:
  /// `flows_max`: of the engine. The error says why no XDP is to be had; PacketBridge may do.
  static Result<std::unique_ptr<XdpBridge>> open(BridgeOptions bridge, XdpOptions xdp, std::uint32_t flows_max);
  ~XdpBridge() override;

  /// For EngineOptions::carrier.
  engine::Carrier* carrier() { return &flows_; }
  /// For EngineOptions::stopper.
  engine::Stopper* stopper() { return &stops_; }
  const XdpFlows& flows() const { return flows_; }
  const XdpStops& stops() const { return stops_; }
  const XdpProgram& program() const { return *program_; }

  std::string_view kind() const override { return "xdp"; }
  Capabilities capabilities() const override { return {.settles = true, .outlives = program_->outlives()}; }
  std::span<const PortState> ports() override;
  std::span<const std::string> remarks() const override { return remarks_; }
  const DatapathCounters& counters() const override { return packets_->counters(); }
  StopState stop_state() const override { return {true, stops_.asks_senders(), stops_.stopped(), stops_.sources_now(), stops_.budgets_now(), stops_.full()}; }
  Time now() override { return packets_->now(); }
  Result<std::size_t> poll(std::span<Frame> out, Nanoseconds wait_ns) override;
  void release(const Decision& decision) override { packets_->release(decision); }
  void apply(std::span<const Frame> frames, std::span<const Decision> decisions) override;
  std::optional<Error> fail(FailMode mode) override;
  void close() override;

 private:
  struct Port {
    std::string name;
    int device = 0;           ///< 0: not attached.
    Attach attach = Attach::None;
    std::string why;
    bool strips_vlan = false;  ///< It did, and was asked not to.
    bool coalesced = false;    ///< It did, and was asked not to.
    bool partial = false;      ///< It brought frames whose checksums were left to hardware.
  };
  XdpBridge(std::unique_ptr<PacketBridge> packets, std::unique_ptr<XdpProgram> program, std::uint32_t flows_max, const XdpOptions& xdp);
  std::optional<Error> attach_all();
  std::optional<Error> attach(PortIndex port);
  void probe_ports();
  void look_at_ports();
  void set_frame_max();
  void settle(const engine::SettledFlow& flow, std::span<const Frame> frames, std::span<const Decision> decisions);

  std::unique_ptr<PacketBridge> packets_;
  std::unique_ptr<XdpProgram> program_;
  XdpFlows flows_;
  XdpStops stops_;
  std::vector<Port> ports_;
  std::vector<PortState> states_;
  std::vector<std::string> remarks_;
  std::uint64_t moved_ = 0;
  Attach force_ = Attach::None;
  bool closed_ = false;
};

}  // namespace weir::datapath
