// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/packet_bridge.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::datapath {
namespace {

constexpr Nanoseconds kLookEvery = kSecond;  ///< What the kernel lost, and changes that it did not tell of.

Nanoseconds clock_ns(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return static_cast<Nanoseconds>(t.tv_sec) * kSecond + t.tv_nsec;
}

}  // namespace

PacketBridge::PacketBridge(BridgeOptions options)
    : options_(std::move(options)),
      held_(options_.held_frames_max, options_.held_bytes_max),
      forwarder_(options_.stations_max, 5 * kMinute, options_.seed) {
  for (const std::string& name : options_.ports) ports_.emplace_back(name);
  states_.resize(ports_.size());
  sent_held_.reserve(options_.held_frames_max);
}

PacketBridge::~PacketBridge() { close(); }

Result<std::unique_ptr<PacketBridge>> PacketBridge::open(BridgeOptions options) {
  if (options.ports.size() < 2) return Error{"a bridge needs two ports or more", EINVAL};
  if (options.ports.size() > kPortsMax) return Error{"a bridge has at most " + std::to_string(kPortsMax) + " ports", EINVAL};
  for (std::size_t i = 0; i < options.ports.size(); ++i)
    if (std::find(options.ports.begin(), options.ports.begin() + static_cast<std::ptrdiff_t>(i), options.ports[i]) !=
        options.ports.begin() + static_cast<std::ptrdiff_t>(i))
      return Error{"port " + options.ports[i] + " is named twice", EINVAL};
  std::unique_ptr<PacketBridge> bridge(new PacketBridge(std::move(options)));
  for (PacketPort& port : bridge->ports_)
    if (auto error = port.open()) return *error;
  auto events = open_device_events();
  if (!events) return Error{"changes of devices cannot be watched: " + events.error().message, events.error().code};
  bridge->events_fd_ = *events;
  bridge->look_at_ports();
  bridge->remark_on_ports();
  return bridge;
}

void PacketBridge::remark_on_ports() {
  std::uint32_t least = 0, most = 0;
  for (const PacketPort& port : ports_) {
    const std::uint32_t mtu = port.device().mtu;
    least = least == 0 ? mtu : std::min(least, mtu);
    most = std::max(most, mtu);
    const auto addresses = addresses_of(port.name());
    if (!addresses.empty())
      remarks_.push_back("port " + port.name() + " has an address (" + addresses.front() +
                         "): this machine answers there itself, unfiltered; ports of a bridge should have none");
    else if (answers_for_other_devices(port.name()))
      remarks_.push_back("this machine answers ARP at port " + port.name() + " for addresses that it has elsewhere: sysctl net.ipv4.conf." +
                         port.name() + ".arp_ignore=1");
    if (port.lro_was_on()) remarks_.push_back("port " + port.name() + ": large receive offload is turned off while the bridge runs");
    if (!port.device().up) remarks_.push_back("port " + port.name() + " is down: ip link set " + port.name() + " up");
  }
  if (least != most)
    remarks_.push_back("the ports' MTUs differ (" + std::to_string(least) + " to " + std::to_string(most) +
                       "): frames longer than the way out are dropped and counted as too-long");
}

void PacketBridge::look_at_ports() {
  PortMask usable = 0;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    ports_[i].refresh();
    if (ports_[i].usable()) usable |= PortMask{1} << i;
    counters_.lost[static_cast<std::size_t>(Loss::RingFull)] += ports_[i].ring_lost();
  }
  forwarder_.ports(usable);
}

std::span<const PortState> PacketBridge::ports() {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const PacketPort& port = ports_[i];
    PortState& state = states_[i];
    state.name = port.name();
    state.attach = port.is_open() ? Attach::Packet : Attach::None;
    state.why = port.is_open() ? "" : "the device is not there";
    state.present = port.is_open();
    state.up = port.usable();
    state.mtu = port.device().mtu;
    state.mac = port.device().mac;
    state.frames_in = port.frames_in;
    state.bytes_in = port.bytes_in;
    state.frames_out = port.frames_out;
    state.bytes_out = port.bytes_out;
  }
  return states_;
}

Time PacketBridge::now() {
  if (options_.clock) return options_.clock();
  return {.mono_ns = clock_ns(CLOCK_MONOTONIC), .wall_ns = clock_ns(CLOCK_REALTIME)};
}

/// Each port has its share of the batch, then whoever has more.
std::size_t PacketBridge::receive(std::span<Frame> out) {
  const std::size_t room = std::min(out.size(), ReceiveSlots::kSlots);
  const std::size_t share = std::max<std::size_t>(1, room / ports_.size());
  std::size_t count = 0, slot = 0;
  const Time time = now();
  const Nanoseconds looked_ns = clock_ns(CLOCK_MONOTONIC);
  now_ns_ = time.mono_ns;
  ++turn_;
  std::uint32_t more = 0;
  const auto ask = [&](std::size_t port, std::size_t most) {
    const std::span<Received> places(received_.data() + count, std::min({most, room - count, ReceiveSlots::kSlots - slot}));
    if (places.empty()) return;
    const std::size_t came = ports_[port].receive(slots_, slot, places, counters_);
    for (std::size_t i = 0; i < came; ++i) {
      Frame& frame = out[count++];
      frame = Frame{};
      frame.bytes = places[i].bytes;
      frame.wire_bytes = static_cast<std::uint32_t>(places[i].bytes.size());
      frame.port = static_cast<PortIndex>(port);
      frame.checksum_partial = places[i].checksum_partial;
      frame.number = ++number_;
      frame.time = time;
    }
    if (came == places.size()) more |= std::uint32_t{1} << port;
    else more &= ~(std::uint32_t{1} << port);
  };
  for (std::size_t i = 0; i < ports_.size(); ++i) ask((turn_ + i) % ports_.size(), share);
  for (std::size_t i = 0; i < ports_.size() && count < room; ++i) {
    const std::size_t port = (turn_ + i) % ports_.size();
    if ((more >> port & 1) != 0) ask(port, room);
  }
  emptied_ns_ = more == 0 ? looked_ns : 0;
  counters_.received += count;
  quiet_ = count == 0;
  return count;
}

Result<std::size_t> PacketBridge::poll(std::span<Frame> out, Nanoseconds wait_ns) {
  if (failed_.load(std::memory_order_relaxed)) return Error{"the lane hung, and its bridge was taken from it", ETIMEDOUT};
  flush();
  // Now and then the devices are looked at, however busy it is.
  if (!quiet_ && (turn_ & 255) != 0)
    if (const std::size_t count = receive(out); count != 0) return count;
  std::array<pollfd, kPortsMax + 1> waiting;
  nfds_t watched = 0;
  for (const PacketPort& port : ports_)
    if (port.is_open()) waiting[watched++] = {port.fd(), POLLIN, 0};
  waiting[watched++] = {events_fd_, POLLIN, 0};
  const timespec most{.tv_sec = static_cast<time_t>(wait_ns / kSecond), .tv_nsec = static_cast<long>(wait_ns % kSecond)};
  const int ready = ppoll(waiting.data(), watched, &most, nullptr);
  if (ready < 0 && errno != EINTR) return Error{std::string("waiting for frames failed: ") + std::strerror(errno), errno};
  const Nanoseconds time = clock_ns(CLOCK_MONOTONIC);
  const bool changed = ready > 0 && (waiting[watched - 1].revents & POLLIN) != 0;
  if (changed) drain_device_events(events_fd_);
  if (changed || time >= look_due_ns_) {
    look_due_ns_ = time + kLookEvery;
    look_at_ports();
  }
  if (ready == 0) emptied_ns_ = time;
  if (ready <= 0) return std::size_t{0};
  return receive(out);
}

void PacketBridge::forward(Bytes first, Bytes rest, const Offload& offload, PortIndex in) {
  forwarder_.learn(first, in, now_ns_);
  const Ways ways = forwarder_.ways(first, in, now_ns_);
  if (ways.out == 0) return lose(ways.loss);
  for (std::size_t i = 0; i < ports_.size(); ++i)
    if ((ways.out >> i & 1) != 0) ports_[i].send(first, rest, offload, counters_);
}

void PacketBridge::emit(const Emit& answer, PortIndex in) {
  PortMask out = 0;
  if (answer.port != kNoPort) out = answer.port < ports_.size() ? PortMask{1} << answer.port : 0;
  else out = forwarder_.ways(answer.bytes, in, now_ns_).out;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    if ((out >> i & 1) == 0) continue;
    ports_[i].send(answer.bytes, {}, Offload{}, counters_);
    ++counters_.emitted;
  }
}

void PacketBridge::release(const Decision& decision) {
  HeldFrames::Held* held = held_.take(decision.frame);
  if (held == nullptr) return;
  if (decision.verdict != Verdict::Pass || failed_.load(std::memory_order_relaxed)) return held_.free(held);
  if (!decision.rewrite.empty()) {
    forward(decision.rewrite, {}, Offload{}, held->port);
    flush();  // A rewrite lives no longer than this call.
    return held_.free(held);
  }
  forward(held->first(), held->rest(), held->offload, held->port);
  sent_held_.push_back(held);
}

void PacketBridge::apply(std::span<const Frame> frames, std::span<const Decision> decisions) {
  if (failed_.load(std::memory_order_relaxed)) return;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    const Decision& decision = decisions[i];
    switch (decision.verdict) {
      case Verdict::Pass:
        if (decision.rewrite.empty()) forward(frame.bytes, {}, received_[i].offload, frame.port);
        else forward(decision.rewrite, {}, Offload{}, frame.port);
        break;
      case Verdict::Hold:
        if (!held_.put(frame.number, frame.port, frame.bytes, received_[i].offload)) lose(Loss::HeldFull);
        break;
      case Verdict::Drop: break;
    }
    for (std::size_t k = 0; k < decision.emits_count; ++k) emit(decision.emits[k], frame.port);
  }
  flush();
}

void PacketBridge::flush() {
  for (PacketPort& port : ports_) port.flush(counters_);
  for (HeldFrames::Held* held : sent_held_) held_.free(held);
  sent_held_.clear();
  counters_.held_now = held_.count();
  counters_.held_bytes_now = held_.bytes();
}

std::optional<Error> PacketBridge::fail(FailMode mode) {
  failed_.store(true, std::memory_order_relaxed);
  if (mode == FailMode::Open) bypass_.start(options_.ports);
  return std::nullopt;
}

void PacketBridge::close() {
  bypass_.stop();
  for (PacketPort& port : ports_) port.close();
  if (events_fd_ >= 0) ::close(events_fd_);
  events_fd_ = -1;
  sent_held_.clear();
  held_.clear();
}

}  // namespace weir::datapath
