// SPDX-License-Identifier: Apache-2.0
#include "cli/live.h"

#include <sys/random.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "datapath/bridge/packet_bridge.h"
#include "datapath/bridge/xdp_bridge.h"
#include "datapath/host/queue_host.h"

namespace weir::cli {
namespace {

/// The one that signals speak to: handlers have no other way.
std::atomic<service::Service*> g_running{nullptr};

void on_signal(int number) {
  service::Service* const running = g_running.load(std::memory_order_relaxed);
  if (running == nullptr) return;
  if (number == SIGHUP) running->ask_reload();
  else running->stop();
}

std::optional<std::uint32_t> parse_mark(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 0);
  if (text.empty() || *end != '\0' || value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

}  // namespace

Signals::Signals(service::Service& running) {
  g_running.store(&running, std::memory_order_relaxed);
  struct sigaction act{};
  act.sa_handler = on_signal;
  for (std::size_t i = 0; i < std::size(kNumbers); ++i) sigaction(kNumbers[i], &act, &before_[i]);
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  for (std::size_t i = 0; i < std::size(kNumbers); ++i) sigaction(kNumbers[i], &before_[i], nullptr);
  g_running.store(nullptr, std::memory_order_relaxed);
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = static_cast<std::uint64_t>(time(nullptr));
  return seed;
}

datapath::FailMode fail_mode(const LiveOptions& options) { return options.fail == "open" ? datapath::FailMode::Open : datapath::FailMode::Closed; }

Result<Opened> open_bridge(const LiveOptions& options) {
  const datapath::BridgeOptions bridge{.ports = options.bridge, .seed = random_seed()};
  Opened out;
  if (options.attach != "packet") {
    datapath::XdpOptions xdp{.fail = fail_mode(options)};
    if (options.attach == "xdp") xdp.force = datapath::Attach::XdpNative;
    if (options.attach == "xdp-generic") xdp.force = datapath::Attach::XdpGeneric;
    auto opened = datapath::XdpBridge::open(bridge, xdp, options.flows_max);
    if (opened) {
      out.carrier = (*opened)->carrier();
      out.stopper = (*opened)->stopper();
      out.path = std::move(*opened);
      return out;
    }
    if (options.attach != "auto" || opened.error().code == EINVAL || opened.error().code == ENODEV) return opened.error();
    out.why = opened.error().message;
  }
  auto opened = datapath::PacketBridge::open(bridge);
  if (!opened) return opened.error();
  out.path = std::move(*opened);
  return out;
}

Result<Opened> open_host(const LiveOptions& options, const std::vector<std::string>& devices) {
  datapath::HostOptions host{.ports = devices, .fail = fail_mode(options), .cgroup = options.cgroup, .flows_max = options.flows_max, .seed = random_seed()};
  const auto mark = parse_mark(options.mark);
  if (!mark) return Error{"--mark takes a number such as 0x78000000", EINVAL};
  host.mark = *mark;
  auto opened = datapath::QueueHost::open(std::move(host));
  if (!opened) return opened.error();
  Opened out;
  out.carrier = (*opened)->carrier();
  out.host = opened->get();
  out.path = std::move(*opened);
  return out;
}

}  // namespace weir::cli
