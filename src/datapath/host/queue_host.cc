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
#include "datapath/host/who_program.h"
#include "facts/packet.h"

namespace weir::datapath {
namespace {

constexpr Nanoseconds kLookEvery = kSecond;
constexpr Nanoseconds kLookAtTranslationEvery = 5 * kSecond;
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

/// The ends of the socket that a packet is for, or comes from.
std::optional<SocketEnds> ends_of(Bytes packet, bool out) {
  SocketEnds ends;
  Ip src, dst;
  std::size_t header = 40;
  if (packet.size() >= 20 && packet[0] >> 4 == 4) {
    header = std::size_t{packet[0] & 0x0fU} * 4;
    ends.protocol = packet[9];
    src = Ip::v4_bytes(packet.data() + 12);
    dst = Ip::v4_bytes(packet.data() + 16);
  } else if (packet.size() >= 40 && packet[0] >> 4 == 6) {
    ends.protocol = packet[6];
    src = Ip::v6_bytes(packet.data() + 8);
    dst = Ip::v6_bytes(packet.data() + 24);
  } else {
    return std::nullopt;
  }
  const bool has_ports = ends.protocol == ip_protocol::kTcp || ends.protocol == ip_protocol::kUdp || ends.protocol == ip_protocol::kSctp;
  std::uint16_t ports[2] = {0, 0};
  if (has_ports && packet.size() >= header + 4) ports[0] = load_be16(packet.data() + header), ports[1] = load_be16(packet.data() + header + 2);
  ends.local = out ? src : dst;
  ends.remote = out ? dst : src;
  ends.local_port = ports[out ? 0 : 1];
  ends.remote_port = ports[out ? 1 : 0];
  return ends;
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
  if (host->options_.early) {
    auto early = EarlyProgram::load();
    if (early) host->early_ = std::move(*early);
    else host->no_early_ = early.error().message;
  } else {
    host->no_early_ = "it was not asked for";
  }
  host->flows_.use(&*host->rules_, host->early_.get());
  if (host->options_.senders) {
    auto senders = Senders::open({.cgroup = host->options_.cgroup});
    if (!senders) {
      host->close();
      return senders.error();
    }
    host->senders_ = std::move(*senders);
    const auto told = host->senders_->remarks();
    host->remarks_.insert(host->remarks_.end(), told.begin(), told.end());
  }
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
  attach_early();
  attend_exits();
}

/// Only while a rule asks for it: it is a step more for each packet that leaves.
void QueueHost::attend_exits() {
  WhoProgram* const program = senders_ == nullptr ? nullptr : senders_->program();
  if (program == nullptr || (!program->refuses_packets() && exits_ == nullptr)) return;
  if (exits_ == nullptr) exits_ = std::make_unique<PacketExits>(program->leaves_fd(true), program->leaves_fd(false));
  std::vector<PacketExits::Device> devices;
  if (program->refuses_packets())
    for (const std::string& name : devices_of_host())
      if (const auto device = find_device(name)) devices.push_back({device->index, name, device->is_ethernet || name == "lo"});
  exits_->attend(devices);
  for (const std::string& refused : exits_->refused_by()) remark("what processes send by packet sockets is not refused at " + refused);
}

void QueueHost::remark(std::string sentence) {
  constexpr std::size_t kRemarksMax = 64;
  if (remarks_.size() < kRemarksMax && std::find(remarks_.begin(), remarks_.end(), sentence) == remarks_.end()) remarks_.push_back(std::move(sentence));
}

/// To every device that packets come in by: what is built on others (bridges, VLANs, bonds) has them from those.
void QueueHost::attach_early() {
  if (early_ == nullptr) return;
  std::vector<Early> now;
  for (const std::string& name : devices_of_host()) {
    const auto device = find_device(name);
    if (!device || !device->is_ethernet || is_built_on_others(name)) continue;
    const auto known = std::find_if(early_devices_.begin(), early_devices_.end(), [&](const Early& e) { return e.device == device->index; });
    if (known != early_devices_.end()) {
      now.push_back(std::move(*known));
      known->device = 0;
      continue;
    }
    auto attached = early_->attach(name, device->index);
    now.push_back({name, device->index, attached ? *attached : Attach::None, attached ? "" : attached.error().message});
  }
  for (const Early& gone : early_devices_)
    if (gone.device != 0) early_->detach(gone.device);
  early_devices_ = std::move(now);
  for (PortState& state : states_) {
    const auto at = std::find_if(early_devices_.begin(), early_devices_.end(), [&](const Early& e) { return e.name == state.name; });
    state.attach = at == early_devices_.end() ? Attach::None : at->attach;
    state.why = at != early_devices_.end() ? at->why : state.present ? "packets come to it by other devices, or without Ethernet" : "";
  }
}

std::optional<EarlyStop> QueueHost::early_stop() {
  EarlyStop out;
  if (early_ == nullptr) {
    out.why = no_early_;
    return out;
  }
  out.stopped = early_->stopped();
  out.untold = early_->untold();
  out.holds = true;
  for (const Early& device : early_devices_) {
    if (device.attach != Attach::None) continue;
    out.holds = false;
    out.why = device.name + ": " + device.why;
  }
  if (early_paused_) {
    out.holds = false;
    out.why = "destinations are translated here (nftables or iptables, as Docker does), so that a device does not see the address that rules ask about";
  }
  return out;
}

void QueueHost::use(std::shared_ptr<const policy::RuleSet> rules) {
  in_force_ = std::move(rules);
  if (early_ != nullptr) early_->use(lower_early_rules(*in_force_));
  if (senders_ != nullptr) (void)senders_->use(in_force_);
  attend_exits();
}

void QueueHost::tell_refused(engine::EventSink& sink) {
  if (senders_ == nullptr || in_force_ == nullptr) return;
  const Time time = now();
  senders_->for_each_refused([&](const RefusedCall& call) { sink.on_alert(alert_of(call, *in_force_, time)); });
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
  queued_count_ = *came;
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
    frame.sender = sender_of(packet);
    if (packet.whole_bytes > packet.bytes.size()) lose(Loss::Truncated);
    if (frame.port == kNoPort) continue;
    ++states_[frame.port].frames_in;
    states_[frame.port].bytes_in += packet.whole_bytes;
  }
  const std::size_t count = *came + take_copies(out.subspan(*came));
  counters_.received += count;
  quiet_ = count == 0;
  return count;
}

/// What was stopped in front of the sockets: the engine decides it once more, and tells of it.
std::size_t QueueHost::take_copies(std::span<Frame> out) {
  if (early_ == nullptr || out.empty()) return 0;
  const Time time = now();
  std::size_t count = 0;
  for (const EarlyProgram::Copy& copy : early_->take(out.size())) {
    Frame& frame = out[count++];
    frame = Frame{};
    frame.bytes = copy.bytes;
    frame.wire_bytes = copy.whole_bytes;
    frame.port = port_of(copy.device);
    frame.link = LinkType::RawIp;
    frame.checksum_partial = true;  // Whoever sent it on this machine may have left it open; nothing of it goes on.
    frame.number = ++number_;
    frame.time = time;
  }
  return count;
}

const Sender* QueueHost::sender_of(const QueuedPacket& packet) {
  if (senders_ == nullptr || packet.hook == Hook::Forward) return nullptr;
  const bool out = packet.hook == Hook::Output;
  const auto ends = ends_of(packet.bytes, out);
  return ends ? senders_->find(*ends, out ? Way::Out : Way::In, packet.uid) : nullptr;
}

Result<std::size_t> QueueHost::poll(std::span<Frame> out, Nanoseconds wait_ns) {
  if (failed_.load(std::memory_order_relaxed)) return Error{"the lane hung, and the host's packets were taken from it", ETIMEDOUT};
  queue_.send();
  if (senders_ != nullptr) senders_->turn();
  if (!quiet_) {
    auto came = receive(out);
    if (!came || *came != 0) return came;
  }
  const int early_fd = early_ != nullptr ? early_->fd() : -1;  // One below zero is not looked at.
  std::array<pollfd, 3> waiting{pollfd{queue_.fd(), POLLIN, 0}, pollfd{events_fd_, POLLIN, 0}, pollfd{early_fd, POLLIN, 0}};
  const timespec most{.tv_sec = static_cast<time_t>(wait_ns / kSecond), .tv_nsec = static_cast<long>(wait_ns % kSecond)};
  const int ready = ::ppoll(waiting.data(), waiting.size(), &most, nullptr);
  if (ready < 0 && errno != EINTR) return Error{std::string("waiting for packets failed: ") + std::strerror(errno), errno};
  const bool changed = ready > 0 && (waiting[1].revents & POLLIN) != 0;
  if (changed) drain_device_events(events_fd_);
  if (const Nanoseconds time = clock_ns(CLOCK_MONOTONIC); changed || time >= look_due_ns_) {
    look_due_ns_ = time + kLookEvery;
    look_at_devices();
    if (early_ != nullptr && (changed || time >= translation_due_ns_)) {
      translation_due_ns_ = time + kLookAtTranslationEvery;
      early_paused_ = translates_destinations();
      early_->pause(early_paused_);
    }
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
    if (i >= queued_count_) {  // It was stopped already.
      if (decision.verdict != Verdict::Drop) lose(Loss::Early);
      continue;
    }
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

std::optional<Error> QueueHost::fail(FailMode mode) {
  failed_.store(true, std::memory_order_relaxed);
  if (early_ != nullptr && mode == FailMode::Open) early_->pause(true);
  // With nobody at the queue the rules do what their mode says.
  return queue_.leave();
}

void QueueHost::close() {
  if (closed_) return;
  closed_ = true;
  flows_.use(nullptr, nullptr);
  early_.reset();
  exits_.reset();
  if (senders_ != nullptr) senders_->close();
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
