// SPDX-License-Identifier: Apache-2.0
// `make bench-live`: how fast the bridge is on wires, beside floors of the same run. Everything is in a network namespace of its own, ends by itself
// after less than a minute, and loads one core: a program in the kernel sends 64-byte datagrams (BPF_PROG_TEST_RUN with live frames)
// into a wire, the bridge carries them to another, and a program at its end counts and drops them.
//
// Figures of one run compare with each other; those of two runs do not.

#include <bench.skel.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "datapath/bridge/xdp_bridge.h"
#include "service/service.h"
#include "tests/kit/filter.h"
#include "tests/live/xdp_lab.h"

namespace weir {
namespace {

using namespace kit;

constexpr std::uint32_t kHotFlows = 10'000;
constexpr std::uint32_t kFrames = 200'000;  ///< A run.

Nanoseconds monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * kSecond + t.tv_nsec;
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

[[noreturn]] void skip(const std::string& why) {
  std::printf("skipped: bench-live: %s\n", why.c_str());
  std::exit(0);
}

/// The wires h0–p0 and p1–h1, what sends into the first and counts at the end of the second.
class Wires {
 public:
  Wires() {
    skeleton_ = weir_bench__open_and_load();
    if (skeleton_ == nullptr) skip("the kernel takes no XDP program: " + std::string(std::strerror(errno)));
    Lab::wires(2);
    for (const char* name : {"h0", "h1", "p0", "p1"}) {
      Lab::no_offloads(name);
      datapath::turn_on_gro(name);
    }
    if (bpf_xdp_attach(index("h1"), bpf_program__fd(skeleton_->progs.bench_sink), XDP_FLAGS_DRV_MODE, nullptr) != 0) skip("veth takes no native XDP here");
    skeleton_->bss->bench_config.out = static_cast<std::uint32_t>(index("h0"));
    skeleton_->bss->bench_config.shift = 14;
  }
  ~Wires() { weir_bench__destroy(skeleton_); }

  static int index(const char* name) { return static_cast<int>(if_nametoindex(name)); }

  void open_floor() {
    const std::uint32_t place = 1, device = static_cast<std::uint32_t>(index("p1"));
    bpf_map_update_elem(bpf_map__fd(skeleton_->maps.bench_ports), &place, &device, BPF_ANY);
  }
  std::uint64_t sunk() const {
    std::vector<std::uint64_t> each(static_cast<std::size_t>(libbpf_num_possible_cpus()));
    const std::uint32_t key = 0;
    bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.bench_sunk), &key, each.data());
    std::uint64_t sum = 0;
    for (const std::uint64_t one : each) sum += one;
    return sum;
  }
  /// Sends `count` frames of `flows` flows; the client addresses begin at 10.0.0.0 + salt.
  void send(std::uint32_t count, std::uint32_t flows, std::uint32_t salt = 0) {
    skeleton_->bss->bench_config.flows = flows;
    skeleton_->bss->bench_config.salt = salt;
    std::string frame = sample().bytes();
    xdp_md context{};
    context.data_end = static_cast<std::uint32_t>(frame.size());
    context.ingress_ifindex = skeleton_->bss->bench_config.out;
    bpf_test_run_opts run{};
    run.sz = sizeof run;
    run.data_in = frame.data();
    run.data_size_in = static_cast<std::uint32_t>(frame.size());
    run.ctx_in = &context;
    run.ctx_size_in = sizeof context;
    run.repeat = static_cast<int>(count);
    run.batch_size = 64;
    run.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.bench_generator), &run) != 0)
      skip("the kernel runs no live frames (before 5.18): " + std::string(std::strerror(errno)));
  }
  static Layers sample() {
    return Eth().src("02:00:00:00:00:0a").dst("02:00:00:00:00:0b") / Ipv4("10.0.0.0", "198.51.100.80") / Udp(1024, 9000) / std::string(22, 'x');
  }
  /// Millions of frames a second that arrive, in one run of this program on p0.
  double once(int program_fd, std::uint32_t flows) {
    bpf_xdp_attach(index("p0"), program_fd, XDP_FLAGS_DRV_MODE, nullptr);
    const std::uint64_t before = sunk();
    const Nanoseconds begin = monotonic_ns();
    send(kFrames, flows);
    return static_cast<double>(sunk() - before) * 1e3 / static_cast<double>(monotonic_ns() - begin);
  }
  /// Millions of frames a second that this program on p0 takes, one address a frame, so many addresses in turn.
  double taken(int program_fd, std::uint32_t addresses) {
    bpf_xdp_attach(index("p0"), program_fd, XDP_FLAGS_DRV_MODE, nullptr);
    skeleton_->bss->bench_config.shift = 0;
    const Nanoseconds begin = monotonic_ns();
    send(kFrames, addresses);
    const double mpps = kFrames * 1e3 / static_cast<double>(monotonic_ns() - begin);
    skeleton_->bss->bench_config.shift = 14;
    return mpps;
  }
  int drop_fd() const { return bpf_program__fd(skeleton_->progs.bench_sink); }
  int floor_fd() const { return bpf_program__fd(skeleton_->progs.bench_floor); }

 private:
  weir_bench* skeleton_;
};

void line(const char* what, double mpps) {
  std::printf("%-62s %6.3f Mpps\n", what, mpps);
  std::fflush(stdout);
}

/// Entries as a running filter makes them, one a client.
void install(datapath::XdpFlows& flows, datapath::XdpProgram& program, std::uint32_t count) {
  const std::string frame = Wires::sample().bytes();
  for (std::uint32_t i = 0; i < count; ++i) {
    engine::SettledFlow flow;
    flow.flow = i;
    flow.frame = 1;
    flow.ends = {.client = ip_of("10.0.0." + std::to_string(i >> 14)), .server = ip_of("198.51.100.80"),
                 .client_port = static_cast<std::uint16_t>(1024 + (i & 0x3fff)), .server_port = 9000, .protocol = 17};
    flow.generation = 1;
    flows.install(flow, as_bytes(frame), {0, 1, Wires::index("p0"), Wires::index("p1")});
  }
  usleep(2000);
  program.drained(monotonic_ns());
}

double median(std::vector<double> of) {
  std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
  return of[of.size() / 2];
}

/// In turn with the floor, so that what else the machine does meets both: medians.
void settled(Wires& wires, std::uint32_t hot, int runs) {
  datapath::XdpOptions options{.flows_max = std::max<std::uint32_t>(hot, 131072), .force = datapath::Attach::XdpNative};
  options.pins = own_pins();
  auto program = datapath::XdpProgram::load(options);
  if (!program) skip(program.error().message);
  datapath::XdpProgram& p = **program;
  p.config().frame_max = 1518;
  p.config().beat_max_ms = 0;
  p.beat(monotonic_ns());
  if (auto attached = p.attach(1, "p1", Wires::index("p1")); !attached) skip(attached.error().message);
  datapath::XdpFlows flows(p, hot, hot);
  install(flows, p, hot);
  std::vector<double> floor, weir, ratio;
  for (int i = 0; i < runs + 1; ++i) {
    const double bare = wires.once(wires.floor_fd(), hot), settled = wires.once(p.program_fd(), hot);
    if (i == 0) continue;  // Handover, and caches.
    floor.push_back(bare);
    weir.push_back(settled);
    ratio.push_back(settled / bare);
  }
  bpf_xdp_attach(Wires::index("p0"), -1, XDP_FLAGS_DRV_MODE, nullptr);
  std::printf("%9u flows   bare redirect %6.3f   Weir, settled %6.3f Mpps   %5.1f %% (best of each: %.3f, %.3f: %.1f %%)\n", hot, median(floor),
              median(weir), median(ratio) * 100, *std::max_element(floor.begin(), floor.end()), *std::max_element(weir.begin(), weir.end()),
              *std::max_element(weir.begin(), weir.end()) * 100 / *std::max_element(floor.begin(), floor.end()));
  const std::uint64_t missed = p.count(WEIR_COUNT_TO_ENGINE) + p.count(WEIR_COUNT_FAIL_CLOSED) + p.count(WEIR_COUNT_NOT_OURS);
  if (missed > hot) std::printf("  (%llu frames missed their entry)\n", static_cast<unsigned long long>(missed));
  std::fflush(stdout);
  p.remove();
}

/// A flood of sources that were denied, stopped in front of the engine; beside a program that drops each frame unread.
void stopped(Wires& wires, std::uint32_t sources, int runs) {
  datapath::XdpOptions options{.force = datapath::Attach::XdpNative};
  options.pins = own_pins();
  auto program = datapath::XdpProgram::load(options);
  if (!program) skip(program.error().message);
  datapath::XdpProgram& p = **program;
  p.config().frame_max = 1518;
  p.config().beat_max_ms = 0;
  p.beat(monotonic_ns());
  p.front().sources = 1;
  for (std::uint32_t i = 0; i < sources; ++i) {
    const Ip ip = Ip::v4(0x0a000000U + i);
    weir_source entry{};
    entry.generation = 1;
    entry.until_ms = static_cast<weir_u32>((monotonic_ns() + kHour) >> 20);
    entry.what = WEIR_STOP_ALL;
    bpf_map_update_elem(p.sources_fd(), &ip, &entry, BPF_ANY);
  }
  std::vector<double> floor, weir, ratio;
  for (int i = 0; i < runs + 1; ++i) {
    const double bare = wires.taken(wires.drop_fd(), sources), front = wires.taken(p.program_fd(), sources);
    if (i == 0) continue;
    floor.push_back(bare);
    weir.push_back(front);
    ratio.push_back(front / bare);
  }
  bpf_xdp_attach(Wires::index("p0"), -1, XDP_FLAGS_DRV_MODE, nullptr);
  std::printf("%9u denied    bare drop     %6.3f   Weir, stopped %6.3f Mpps   %5.1f %%\n", sources, median(floor), median(weir), median(ratio) * 100);
  const std::uint64_t missed = p.count(WEIR_COUNT_TO_ENGINE) + p.count(WEIR_COUNT_FAIL_CLOSED) + p.count(WEIR_COUNT_NOT_OURS);
  if (missed != 0) std::printf("  (%llu frames were not stopped there)\n", static_cast<unsigned long long>(missed));
  std::fflush(stdout);
  p.remove();
}

/// Every frame begins a flow: through the engine. The lane has a core of its own; what arrives in two seconds.
double fresh(Wires& wires, bool xdp) {
  datapath::BridgeOptions bridge{.ports = {"p0", "p1"}};
  std::unique_ptr<datapath::Datapath> path;
  engine::EngineOptions engine;
  engine.flows_max = 1 << 20;
  engine.checksums = engine::Checksums::Ignore;
  if (xdp) {
    datapath::XdpOptions options{.force = datapath::Attach::XdpNative};
    options.pins = own_pins();
    auto opened = datapath::XdpBridge::open(bridge, options, engine.flows_max);
    if (!opened) skip(opened.error().message);
    engine.carrier = (*opened)->carrier();
    path = std::move(*opened);
  } else {
    auto opened = datapath::PacketBridge::open(bridge);
    if (!opened) skip(opened.error().message);
    path = std::move(*opened);
  }
  struct None final : engine::EventSink {
    void on_alert(const engine::AlertRecord&) override {}
    void on_flow(const engine::FlowRecord&) override {}
    void on_transaction(const View&, std::uint64_t) override {}
    void on_released(const Decision&) override {}
  } none;
  std::atomic<bool> over{false};
  double mpps = 0;
  service::Service service({.engine = engine, .wait_ns = kMillisecond}, rules_of("weir: 1\n"), *path, &none);
  std::thread lane([&] {
    pin_to(1);
    while (!over.load(std::memory_order_relaxed)) service.turn();
  });
  pin_to(0);
  const std::uint64_t before = wires.sunk();
  const Nanoseconds begin = monotonic_ns();
  // In bursts that its queue holds, the next as soon as the lane has taken the last: what is measured is the lane.
  std::uint64_t offered = 0;
  while (monotonic_ns() - begin < 2 * kSecond) {
    wires.send(2048, 1 << 30);
    offered += 2048;
    const Nanoseconds patience = monotonic_ns() + 50 * kMillisecond;
    while (service.path().counters().received + 512 < offered && monotonic_ns() < patience) sched_yield();
  }
  mpps = static_cast<double>(wires.sunk() - before) * 1e3 / static_cast<double>(monotonic_ns() - begin);
  over = true;
  lane.join();
  path->close();
  return mpps;
}

int run() {
  if (const std::string why = Lab::enter(); !why.empty()) skip(why);
  Wires wires;
  pin_to(0);
  std::printf("64-byte datagrams over veth, one core; medians of runs in turn\n");
  wires.open_floor();
  settled(wires, 1, 20);
  settled(wires, 1'000, 20);
  settled(wires, kHotFlows, 20);
  settled(wires, 1'000'000, 8);
  stopped(wires, 1'000, 10);
  stopped(wires, 32'000, 10);
  line("every frame a new flow, packet sockets, a core for the lane", fresh(wires, false));
  line("every frame a new flow, XDP attached, a core for the lane", fresh(wires, true));
  return 0;
}

}  // namespace
}  // namespace weir

int main() { return weir::run(); }
