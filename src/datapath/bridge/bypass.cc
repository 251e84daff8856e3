// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/bypass.h"

#include <poll.h>
#include <time.h>

#include <csignal>

#include "datapath/bridge/forwarder.h"
#include "datapath/bridge/packet_port.h"

namespace weir::datapath {
namespace {

constexpr int kWaitMs = 50;
constexpr Nanoseconds kLookEvery = kSecond;

Nanoseconds monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<Nanoseconds>(t.tv_sec) * kSecond + t.tv_nsec;
}

}  // namespace

void Bypass::start(const std::vector<std::string>& ports) {
  ending_.store(false);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // Signals are for the thread that waits for them.
  thread_ = std::thread([this, ports] { run(ports); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Bypass::stop() {
  ending_.store(true);
  if (thread_.joinable()) thread_.join();
}

void Bypass::run(const std::vector<std::string>& names) {
  std::vector<PacketPort> ports;
  for (const std::string& name : names) ports.emplace_back(name);
  Forwarder forwarder;
  const ReceiveSlots slots;
  DatapathCounters counters;
  std::array<Received, ReceiveSlots::kSlots> received;
  Nanoseconds look_due_ns = 0;
  while (!ending_.load(std::memory_order_relaxed)) {
    const Nanoseconds now_ns = monotonic_ns();
    if (now_ns >= look_due_ns) {
      look_due_ns = now_ns + kLookEvery;
      PortMask usable = 0;
      for (std::size_t i = 0; i < ports.size(); ++i) {
        ports[i].refresh();
        if (ports[i].usable()) usable |= PortMask{1} << i;
      }
      forwarder.ports(usable);
    }
    std::array<pollfd, kPortsMax> waiting;
    for (std::size_t i = 0; i < ports.size(); ++i) waiting[i] = {ports[i].fd(), POLLIN, 0};
    if (::poll(waiting.data(), ports.size(), kWaitMs) <= 0) continue;
    for (std::size_t in = 0; in < ports.size(); ++in) {
      std::size_t slot = 0;
      const std::size_t count = ports[in].receive(slots, slot, received, counters);
      for (std::size_t i = 0; i < count; ++i) {
        forwarder.learn(received[i].bytes, static_cast<PortIndex>(in), now_ns);
        const PortMask out = forwarder.ways(received[i].bytes, static_cast<PortIndex>(in), now_ns).out;
        for (std::size_t k = 0; k < ports.size(); ++k)
          if ((out >> k & 1) != 0) ports[k].send(received[i].bytes, {}, received[i].offload, counters);
      }
      for (PacketPort& port : ports) port.flush(counters);
      carried_.store(counters.sent, std::memory_order_relaxed);
    }
  }
}

}  // namespace weir::datapath
