// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/xdp_bridge.h"

#include <algorithm>
#include <cerrno>

namespace weir::datapath {
namespace {

constexpr std::uint32_t kLinkAndTagBytes = 18;

}  // namespace

XdpBridge::XdpBridge(std::unique_ptr<PacketBridge> packets, std::unique_ptr<XdpProgram> program, std::uint32_t flows_max, const XdpOptions& xdp)
    : packets_(std::move(packets)), program_(std::move(program)), flows_(*program_, flows_max, xdp.flows_max), stops_(*program_), force_(xdp.force) {
  for (const PortState& port : packets_->ports()) ports_.push_back({.name = port.name});
}

XdpBridge::~XdpBridge() {
  if (!closed_) packets_->close();  // The program stays with its fail mode, as when the process is killed.
}

Result<std::unique_ptr<XdpBridge>> XdpBridge::open(BridgeOptions bridge, XdpOptions xdp, std::uint32_t flows_max) {
  auto program = XdpProgram::load(xdp);
  if (!program) return program.error();
  auto packets = PacketBridge::open(std::move(bridge));
  if (!packets) return packets.error();
  std::unique_ptr<XdpBridge> out(new XdpBridge(std::move(*packets), std::move(*program), flows_max, xdp));
  out->program_->beat(out->packets_->now().mono_ns);
  if (auto error = out->attach_all()) {
    out->close();
    return *error;
  }
  const auto told = out->packets_->remarks();
  out->remarks_.insert(out->remarks_.end(), told.begin(), told.end());
  for (const Port& port : out->ports_)
    if (!port.why.empty() && port.attach == Attach::XdpGeneric) out->remarks_.push_back("port " + port.name + " is attached by generic XDP: " + port.why);
  if (!out->program_->outlives()) out->remarks_.push_back("the fail mode does not outlive this process: " + out->program_->why_not());
  if (out->program_->taken_over() != 0) out->remarks_.emplace_back("took over what an earlier run had left attached");
  return out;
}

std::optional<Error> XdpBridge::attach_all() {
  set_frame_max();
  for (std::size_t i = 0; i < ports_.size(); ++i)
    if (auto error = attach(static_cast<PortIndex>(i))) return error;
  probe_ports();
  // A program that is native here and generic there would redirect what the other cannot send: all alike.
  const bool any_generic = std::any_of(ports_.begin(), ports_.end(), [](const Port& p) { return p.attach == Attach::XdpGeneric; });
  const bool all_generic = std::all_of(ports_.begin(), ports_.end(), [](const Port& p) { return p.attach == Attach::XdpGeneric; });
  if (!any_generic || all_generic) return std::nullopt;
  if (force_ == Attach::XdpNative) return Error{"native XDP is not to be had on every port", EOPNOTSUPP};
  program_->force(Attach::XdpGeneric);
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i].attach == Attach::XdpGeneric) continue;
    program_->detach(static_cast<PortIndex>(i));
    const std::string why = ports_[i].why;
    if (auto error = attach(static_cast<PortIndex>(i))) return error;
    ports_[i].why = why.empty() ? "another port takes only generic XDP" : why;
  }
  return std::nullopt;
}

std::optional<Error> XdpBridge::attach(PortIndex place) {
  Port& port = ports_[place];
  const auto device = find_device(port.name);
  if (!device) return Error{"there is no port " + port.name, ENODEV};
  if (const auto strips = turn_off_vlan_stripping(port.name); strips.ok() && strips.value()) port.strips_vlan = true;
  auto mode = program_->attach(place, port.name, device->index);
  if (!mode) return mode.error();
  if (stops_.devices.size() < ports_.size()) stops_.devices.resize(ports_.size());
  stops_.devices[place] = device->index;
  port.device = device->index;
  port.attach = *mode;
  port.why.clear();
  // A generic program sees frames after they were coalesced, and cannot send such.
  if (*mode == Attach::XdpGeneric)
    if (const auto gro = turn_off_gro(port.name); gro.ok() && gro.value()) port.coalesced = true;
  if (*mode == Attach::XdpGeneric && force_ != Attach::XdpGeneric) port.why = "its driver takes no native XDP";
  return std::nullopt;
}

/// Where a veth's other end does not poll, redirected frames vanish: there only generic XDP carries.
void XdpBridge::probe_ports() {
  if (force_ == Attach::XdpGeneric) return;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    Port& port = ports_[i];
    const auto device = find_device(port.name);
    if (port.attach != Attach::XdpNative || !device || !device->up || program_->sends(port.name, port.device, device->mac)) continue;
    if (force_ == Attach::XdpNative) {
      port.why = "the other end of this veth takes no frames from native XDP, which are lost (there: ethtool -K PEER gro on)";
      remarks_.push_back("port " + port.name + ": " + port.why);
      continue;
    }
    program_->detach(static_cast<PortIndex>(i));
    program_->force(Attach::XdpGeneric);
    (void)attach(static_cast<PortIndex>(i));
    program_->force(force_);
    port.why = "the other end of this veth takes no frames from native XDP (there: ethtool -K PEER gro on)";
  }
}

void XdpBridge::set_frame_max() {
  std::uint32_t least = 0;
  for (const Port& port : ports_)
    if (const auto device = find_device(port.name)) least = least == 0 ? device->mtu : std::min(least, device->mtu);
  program_->config().frame_max = least + kLinkAndTagBytes;
}

/// A device that went away took its program along; one that came back has none yet.
void XdpBridge::look_at_ports() {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    Port& port = ports_[i];
    const auto place = static_cast<PortIndex>(i);
    const int device = packets_->device_of(place);
    if (device == port.device) continue;
    flows_.recall_all();
    if (port.device != 0) program_->detach(place);
    port.device = 0;
    port.attach = Attach::None;
    port.partial = false;
    if (device == 0) continue;
    if (const auto error = attach(place)) {
      port.why = error->message;
      port.device = device;  // Not tried again until it changes.
    }
    set_frame_max();
  }
}

std::span<const PortState> XdpBridge::ports() {
  const auto states = packets_->ports();
  states_.assign(states.begin(), states.end());
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].present) continue;
    if (ports_[i].attach != Attach::None) states_[i].attach = ports_[i].attach;
    states_[i].why = ports_[i].why;
    if (states_[i].why.empty() && ports_[i].partial && ports_[i].attach == Attach::XdpNative)
      states_[i].why = "its other end leaves checksums to hardware that is not there, so its flows are not carried in the kernel (there: "
                       "ethtool -K PEER tx off)";
  }
  return states_;
}

Result<std::size_t> XdpBridge::poll(std::span<Frame> out, Nanoseconds wait_ns) {
  program_->beat(packets_->now().mono_ns);
  look_at_ports();
  auto came = packets_->poll(out, wait_ns);
  program_->beat(packets_->now().mono_ns);
  return came;
}

void XdpBridge::settle(const engine::SettledFlow& flow, std::span<const Frame> frames, std::span<const Decision> decisions) {
  if (frames.empty() || flow.frame < frames[0].number || flow.frame - frames[0].number >= frames.size()) return;
  const std::size_t i = flow.frame - frames[0].number;
  const Frame& frame = frames[i];
  if (frame.port >= ports_.size() || !decisions[i].rewrite.empty() || frame.bytes.size() < 14) return;
  Crossing crossing{.in = frame.port, .in_device = ports_[frame.port].device};
  if (crossing.in_device == 0) return;
  if (flow.pass) {
    if (frame.checksum_partial && ports_[frame.port].attach == Attach::XdpNative) {
      ports_[frame.port].partial = true;
      return;
    }
    const std::uint16_t vlan = load_be16(frame.bytes.data() + 12) == 0x8100 && frame.bytes.size() >= 18
                                   ? static_cast<std::uint16_t>(load_be16(frame.bytes.data() + 14) & 0x0fff)
                                   : std::uint16_t{0};
    crossing.out = packets_->port_of(Mac::from_bytes(frame.bytes.data()), vlan);
    if (crossing.out == kNoPort || crossing.out == crossing.in || ports_[crossing.out].device == 0) return;
  }
  flows_.install(flow, frame.bytes, crossing);
}

void XdpBridge::apply(std::span<const Frame> frames, std::span<const Decision> decisions) {
  // Packets follow those of this batch to the engine until all of it is sent: the order of the two steps does not matter.
  for (const engine::SettledFlow& flow : flows_.settled()) settle(flow, frames, decisions);
  flows_.end_batch();
  packets_->apply(frames, decisions);
  if (const Nanoseconds emptied_ns = packets_->emptied_ns(); emptied_ns != 0) program_->drained(emptied_ns);
  if (packets_->stations_moved() != moved_) {
    moved_ = packets_->stations_moved();
    flows_.recall_moved([this](const Mac& mac, std::uint16_t vlan) { return packets_->port_of(mac, vlan); });
  }
}

std::optional<Error> XdpBridge::fail(FailMode mode) {
  volatile weir_config& config = program_->config();
  config.fail = mode == FailMode::Open ? WEIR_FAIL_OPEN : WEIR_FAIL_CLOSED;
  config.failing = 1;
  (void)packets_->fail(FailMode::Closed);  // The lane sends nothing any more; the program forwards.
  return std::nullopt;
}

void XdpBridge::close() {
  if (closed_) return;
  closed_ = true;
  program_->remove();
  packets_->close();
  for (const Port& port : ports_) {
    if (port.strips_vlan) turn_on_vlan_stripping(port.name);
    if (port.coalesced) turn_on_gro(port.name);
  }
}

}  // namespace weir::datapath
