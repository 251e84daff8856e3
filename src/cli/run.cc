// SPDX-License-Identifier: Apache-2.0
// weir run: the filter in the path of the traffic, in the foreground, until a signal ends it.

#include <sys/random.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "cli/policy_file.h"
#include "cli/verb.h"
#include "datapath/bridge/packet_bridge.h"
#include "datapath/bridge/xdp_bridge.h"
#include "service/events.h"
#include "service/service.h"

namespace weir::cli {
namespace {

struct Options {
  std::string policy, events, fail = "closed", checksums = "auto", attach = "auto";
  std::vector<std::string> bridge;
  std::uint32_t flows_max = 1 << 20;
  unsigned stats_s = 60;
  bool flows = false, records = false;
};

/// The one that signals speak to: handlers have no other way.
std::atomic<service::Service*> g_running{nullptr};

void on_signal(int number) {
  service::Service* const running = g_running.load(std::memory_order_relaxed);
  if (running == nullptr) return;
  if (number == SIGHUP) running->ask_reload();
  else running->stop();
}

/// While one of these lives, SIGINT and SIGTERM end the service and SIGHUP makes it reload.
class Signals {
 public:
  explicit Signals(service::Service& running) {
    g_running.store(&running, std::memory_order_relaxed);
    struct sigaction act{};
    act.sa_handler = on_signal;
    for (std::size_t i = 0; i < std::size(kNumbers); ++i) sigaction(kNumbers[i], &act, &before_[i]);
    std::signal(SIGPIPE, SIG_IGN);
  }
  ~Signals() {
    for (std::size_t i = 0; i < std::size(kNumbers); ++i) sigaction(kNumbers[i], &before_[i], nullptr);
    g_running.store(nullptr, std::memory_order_relaxed);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  static constexpr int kNumbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction before_[3];
};

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = static_cast<std::uint64_t>(time(nullptr));
  return seed;
}

void say(const std::string& sentence) { std::fprintf(stderr, "weir: %s\n", sentence.c_str()); }

/// Where two zones have ports and no networks, a packet's receiver is taken to be in the zone that it came in by: `to` says nothing new.
void warn_of_zones(const policy::Policy& policy) {
  std::string names;
  std::size_t count = 0;
  for (const policy::ZoneDefinition& zone : policy.zones) {
    if (zone.ports.empty() || !zone.networks.empty()) continue;
    names += (count++ == 0 ? "" : ", ") + zone.name;
  }
  if (count > 1) say("zones " + names + " have ports and no networks: which of them a packet goes `to` cannot be told; give all but one of them networks");
}

/// The best way that the system allows, or the one that was asked for.
struct Opened {
  std::unique_ptr<datapath::Datapath> path;
  engine::Carrier* carrier = nullptr;
  std::string why;  ///< There is no better way.
};

Result<Opened> open_bridge(const Options& options, datapath::FailMode fail) {
  const datapath::BridgeOptions bridge{.ports = options.bridge, .seed = random_seed()};
  Opened out;
  if (options.attach != "packet") {
    datapath::XdpOptions xdp{.fail = fail};
    if (options.attach == "xdp") xdp.force = datapath::Attach::XdpNative;
    if (options.attach == "xdp-generic") xdp.force = datapath::Attach::XdpGeneric;
    auto opened = datapath::XdpBridge::open(bridge, xdp, options.flows_max);
    if (opened) {
      out.carrier = (*opened)->carrier();
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

int run(const Options& options) {
  if (options.bridge.empty()) {
    complain("run needs ports to stand between: --bridge PORT,PORT");
    return kWrong;
  }
  const auto rules = load_rules(options.policy, options.bridge, on::kBridge);
  if (rules == nullptr) return kWrong;

  service::ServiceOptions service_options;
  service_options.fail = options.fail == "open" ? datapath::FailMode::Open : datapath::FailMode::Closed;
  service_options.stats_every_ns = static_cast<Nanoseconds>(options.stats_s) * kSecond;
  service_options.engine.flows_max = options.flows_max;
  service_options.engine.seed = random_seed();
  service_options.engine.checksums = options.checksums == "verify"   ? engine::Checksums::Verify
                                     : options.checksums == "ignore" ? engine::Checksums::Ignore
                                                                     : engine::Checksums::Auto;
  if (options.records) service_options.engine.event_fields = report::Eve::record_fields();

  auto writer = service::EventWriter::open({.path = options.events});
  if (!writer) {
    complain(writer.error().message);
    return kRefused;
  }
  service::Events events(**writer, rules, {.flows = options.flows, .records = options.records});
  auto bridge = open_bridge(options, service_options.fail);
  if (!bridge) {
    complain(bridge.error().message);
    return bridge.error().code == EINVAL ? kWrong : kRefused;
  }
  datapath::Datapath& path = *bridge->path;
  service_options.engine.carrier = bridge->carrier;
  if (!bridge->why.empty()) say("settled flows are not carried in the kernel: " + bridge->why);
  service::Service running(service_options, rules, path, &events);
  running.on_turn = [&](service::Service&) { events.flush(); };
  running.on_stats = [&](service::Service& s) { events.tell_stats(s); };
  running.on_reload = [&](service::Service&) { (*writer)->reopen(); };
  for (const std::string& remark : path.remarks()) say(remark);
  warn_of_zones(rules->policy());
  if (service_options.fail == datapath::FailMode::Open && !path.capabilities().outlives)
    say("--fail open cannot hold when this process is killed: packet sockets forward nothing without it");

  std::optional<Error> fault;
  {
    const Signals signals(running);
    std::string names;
    for (const std::string& port : options.bridge) names += (names.empty() ? "" : ", ") + port;
    say("filters between " + names + " (" + std::string(path.kind()) + "), fails " + std::string(datapath::name_of(service_options.fail)));
    fault = running.run();
  }
  events.tell_stats(running);
  events.flush();
  path.close();
  const auto unwritten = (*writer)->close();
  if (unwritten) complain(unwritten->message);
  if (fault) complain(fault->message);
  return fault || unwritten ? kRefused : kDone;
}

}  // namespace

std::function<int()> add_run(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("--policy", o->policy, "the policy file")->required();
  app.add_option("--bridge", o->bridge, "ports to join and to filter between, two or more: PORT,PORT")->delimiter(',');
  app.add_option("--fail", o->fail, "what becomes of traffic when the filter does not answer: open or closed")
      ->check(CLI::IsMember({"open", "closed"}));
  app.add_option("--attach", o->attach, "how ports are taken: auto, xdp (native), xdp-generic, or packet (packet sockets alone)")
      ->check(CLI::IsMember({"auto", "xdp", "xdp-generic", "packet"}));
  app.add_option("--events", o->events, "append events, JSON, one a line; - is standard output");
  app.add_flag("--flows", o->flows, "an event for each flow when it ends");
  app.add_flag("--records", o->records, "an event for each transaction (dns, tls, http, smb, …)");
  app.add_option("--stats", o->stats_s, "seconds between events of statistics; 0: none")->check(CLI::Range(0U, 86400U));
  app.add_option("--flows-max", o->flows_max, "flows remembered at a time")->check(CLI::Range(16U, 1U << 26));
  app.add_option("--checksums", o->checksums, "auto, verify or ignore")->check(CLI::IsMember({"auto", "verify", "ignore"}));
  app.footer("Examples:\n"
             "  weir run --policy policy.yaml --bridge lan0,wan0 --events /var/log/weir/events.json\n"
             "  weir run --policy policy.yaml --bridge p0,p1,p2 --fail closed --flows\n\n"
             "It stays in the foreground. SIGTERM ends it and leaves nothing behind; SIGHUP opens the events file anew.\n"
             "Ports should have no address. Exit status 3: a port or the system refused.");
  return [o] { return run(*o); };
}

}  // namespace weir::cli
