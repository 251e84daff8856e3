// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/queue_host.h"

#include <net/if.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/hash.h"
#include "datapath/bridge/port_device.h"

namespace weir::datapath {
namespace {

constexpr Nanoseconds kLookEvery = kSecond;
constexpr std::size_t kPortsMax = 1024;

Nanoseconds clock_ns(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return static_cast<Nanoseconds>(t.tv_sec) * kSecond + t.tv_nsec;
}

/// A mark that no process can guess, without the bits that others' rules on marks ask for most (Kubernetes, Tailscale, Cilium).
std::uint32_t own_mark(std::uint64_t seed) {
  const auto mark = static_cast<std::uint32_t>(mix64(seed, 0x6d61726bU)) & ~0x00ffcf00U;
  return mark | 1;
}

}  // namespace

std::vector<std::string> devices_of_host() {
  std::vector<std::string> names;
  struct if_nameindex* const all = ::if_nameindex();
  if (all == nullptr) return names;
  for (const struct if_nameindex* at = all; at->if_index != 0 && names.size() < kPortsMax; ++at) names.emplace_back(at->if_name);
  ::if_freenameindex(all);
  return names;
}

QueueHost::QueueHost(HostOptions options, PacketQueue queue, OwnPackets own, Conntrack conntrack, MarkField mark)
    : options_(std::move(options)),
      queue_(std::move(queue)),
      own_(std::move(own)),
      flows_(std::move(conntrack), mark, options_.flows_max),
      held_(options_.held_packets_max),
      states_(options_.ports.size()),
      devices_(options_.ports.size(), 0) {}

Result<std::unique_ptr<QueueHost>> QueueHost::open(HostOptions options) {
  const auto mark = MarkField::of(options.mark);
  if (!mark) return Error{"--mark takes four bits or more, side by side, such as 0x78000000", EINVAL};
  HostRulesOptions wanted{.fail = options.fail, .mark = *mark, .own_mark = own_mark(options.seed), .group = std::nullopt, .loopback = ::if_nametoindex("lo")};
  if (!options.cgroup.empty()) {
    auto group = guarded_group(options.cgroup);
    if (!group) return group.error();
    if (group->level != 0) wanted.group = *group;
  }
  auto conntrack = Conntrack::open();
  if (!conntrack) return conntrack.error();
  auto queue = PacketQueue::open(options.queue, {.fail_open = options.fail == FailMode::Open});
  if (!queue) return queue.error();
  auto own = OwnPackets::open(wanted.own_mark);
  if (!own) return own.error();
  wanted.queue = queue->number();
  std::unique_ptr<QueueHost> host(new QueueHost(std::move(options), std::move(*queue), std::move(*own), std::move(*conntrack), *mark));
  auto events = open_device_events();
  if (!events) return Error{"changes of devices cannot be watched: " + events.error().message, events.error().code};
  host->events_fd_ = *events;
  host->counts_here_ = turn_on_counting();
  host->flows_.clear_all();  // What an earlier run marked was settled under other rules.
  auto rules = HostRules::install(wanted, 1);
  if (!rules) {
    host->close();
    return rules.error();
  }
  host->rules_.emplace(std::move(*rules));
  host->flows_.use(&*host->rules_);
  if (host->rules_->taken_over()) host->remarks_.emplace_back("took over the rules that an earlier run had left");
  host->look_at_devices();
  return host;
}

QueueHost::~QueueHost() {
  if (events_fd_ >= 0) ::close(events_fd_);
}

void QueueHost::look_at_devices() {
  for (std::size_t i = 0; i < options_.ports.size(); ++i) {
    PortState& state = states_[i];
    const auto device = find_device(options_.ports[i]);
    devices_[i] = device ? device->index : 0;
    state.name = options_.ports[i];
    state.present = device.has_value();
    state.up = device && device->up;
    state.mtu = device ? device->mtu : 0;
    state.mac = device ? device->mac : Mac{};
  }
}

PortIndex QueueHost::port_of(std::uint32_t device) const {
  if (device == 0) return kNoPort;
  for (std::size_t i = 0; i < devices_.size(); ++i)
    if (devices_[i] == static_cast<int>(device)) return static_cast<PortIndex>(i);
  return kNoPort;
}

std::span<const PortState> QueueHost::ports() { return states_; }

Time QueueHost::now() {
  if (options_.clock) return options_.clock();
  return {.mono_ns = clock_ns(CLOCK_MONOTONIC), .wall_ns = clock_ns(CLOCK_REALTIME)};
}

Result<std::size_t> QueueHost::receive(std::span<Frame> out) {
  auto came = queue_.receive(std::span(queued_).first(std::min(out.size(), queued_.size())), emptied_);
  if (!came) return came.error();
  const Time time = now();
  now_ns_ = time.mono_ns;
  for (std::size_t i = 0; i < *came; ++i) {
    const QueuedPacket& packet = queued_[i];
    Frame& frame = out[i];
    frame = Frame{};
    frame.bytes = packet.bytes;
    frame.wire_bytes = packet.whole_bytes;
    frame.port = port_of(packet.hook == Hook::Output ? packet.out_device : packet.in_device);
    frame.link = LinkType::RawIp;
    frame.checksum_partial = packet.checksum_partial;
    frame.number = ++number_;
    frame.time = time;
    if (packet.whole_bytes > packet.bytes.size()) lose(Loss::Truncated);
    if (frame.port == kNoPort) continue;
    ++states_[frame.port].frames_in;
    states_[frame.port].bytes_in += packet.whole_bytes;
  }
  counters_.received += *came;
  quiet_ = *came == 0;
  return *came;
}

Result<std::size_t> QueueHost::poll(std::span<Frame> out, Nanoseconds wait_ns) {
  if (failed_.load(std::memory_order_relaxed)) return Error{"the lane hung, and the host's packets were taken from it", ETIMEDOUT};
  queue_.send();
  if (!quiet_) {
    auto came = receive(out);
    if (!came || *came != 0) return came;
  }
  std::array<pollfd, 2> waiting{pollfd{queue_.fd(), POLLIN, 0}, pollfd{events_fd_, POLLIN, 0}};
  const timespec most{.tv_sec = static_cast<time_t>(wait_ns / kSecond), .tv_nsec = static_cast<long>(wait_ns % kSecond)};
  const int ready = ::ppoll(waiting.data(), waiting.size(), &most, nullptr);
  if (ready < 0 && errno != EINTR) return Error{std::string("waiting for packets failed: ") + std::strerror(errno), errno};
  const bool changed = ready > 0 && (waiting[1].revents & POLLIN) != 0;
  if (changed) drain_device_events(events_fd_);
  if (const Nanoseconds time = clock_ns(CLOCK_MONOTONIC); changed || time >= look_due_ns_) {
    look_due_ns_ = time + kLookEvery;
    look_at_devices();
    if (const auto lost = queue_.lost()) lose(Loss::RingFull, *lost - std::exchange(lost_before_, *lost));
  }
  if (ready <= 0) {
    emptied_ = true;
    return std::size_t{0};
  }
  return receive(out);
}

void QueueHost::pass(std::uint32_t id, std::uint32_t bytes, Bytes rewrite, PortIndex port) {
  queue_.accept(id, rewrite);
  ++counters_.sent;
  if (port == kNoPort) return;
  ++states_[port].frames_out;
  states_[port].bytes_out += bytes;
}

void QueueHost::emit(const Emit& answer, PortIndex port) {
  const std::uint32_t device = port == kNoPort ? 0 : static_cast<std::uint32_t>(devices_[port]);
  if (!own_.send(answer.bytes, device)) return lose(Loss::SendFailed);
  ++counters_.sent;
  ++counters_.emitted;
}

void QueueHost::release(const Decision& decision) {
  const auto held = held_.take(decision.frame);
  if (!held || failed_.load(std::memory_order_relaxed)) return;
  if (decision.verdict == Verdict::Pass) pass(held->id, held->bytes, decision.rewrite, kNoPort);
  else queue_.drop(held->id);
}

void QueueHost::apply(std::span<const Frame> frames, std::span<const Decision> decisions) {
  if (failed_.load(std::memory_order_relaxed)) return;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    const Decision& decision = decisions[i];
    const QueuedPacket& packet = queued_[i];
    switch (decision.verdict) {
      case Verdict::Pass: pass(packet.id, packet.whole_bytes, decision.rewrite, frame.port); break;
      case Verdict::Drop: queue_.drop(packet.id); break;
      case Verdict::Hold:
        if (!held_.put(frame.number, packet.id, packet.whole_bytes)) {
          queue_.drop(packet.id);
          lose(Loss::HeldFull);
        }
        break;
    }
  }
  queue_.send();
  for (std::size_t i = 0; i < frames.size(); ++i)
    for (std::size_t k = 0; k < decisions[i].emits_count; ++k) emit(decisions[i].emits[k], frames[i].port);
  flows_.end_batch(emptied_, clock_ns(CLOCK_MONOTONIC));
  counters_.held_now = held_.count();
  counters_.held_bytes_now = held_.bytes();
}

std::optional<Error> QueueHost::fail(FailMode) {
  failed_.store(true, std::memory_order_relaxed);
  // With nobody at the queue the rules do what their mode says.
  return queue_.leave();
}

void QueueHost::close() {
  if (closed_) return;
  closed_ = true;
  flows_.use(nullptr);
  if (rules_) {
    (void)rules_->remove();
    flows_.clear_all();
  }
  rules_.reset();
  queue_.close();
  own_.close();
  if (counts_here_) turn_off_counting();
}

}  // namespace weir::datapath
