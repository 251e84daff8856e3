// SPDX-License-Identifier: Apache-2.0
// The bridge's program in the kernel, frame by frame, under BPF_PROG_TEST_RUN: what it does with each, and what it counts. Entries come into its
// maps as they do in a running filter, so that the key made there and the key made in the kernel are seen to be the same.

#include "datapath/bridge/xdp_program.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <time.h>

#include "datapath/bridge/xdp_flows.h"
#include "tests/kit/packet.h"
#include "tests/live/xdp_lab.h"

namespace weir::datapath {
namespace {

using namespace kit;
using engine::Carried;
using engine::SettledFlow;

constexpr std::string_view kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b";

/// What the program answers, in words.
std::string word_of(std::uint32_t action) {
  constexpr const char* kWords[] = {"aborted", "drop", "engine", "tx", "out"};
  return action < 5 ? kWords[action] : "?";
}

void pause_us(long us) {
  const timespec t{0, us * 1000};
  nanosleep(&t, nullptr);
}

/// The program, attached to p0 and p1 of a lab, and frames between client A behind p0 and server B behind p1.
struct Bench {
  explicit Bench(XdpProgram& loaded, std::uint32_t carried_max = 1024) : program(loaded), flows(loaded, 4096, carried_max) {
    Lab::wires(2);
    for (PortIndex i = 0; i < 2; ++i) {
      const std::string name = "p" + std::to_string(i);
      device[i] = static_cast<int>(if_nametoindex(name.c_str()));
      const auto attached = program.attach(i, name, device[i]);
      EXPECT_TRUE(attached.ok()) << (attached.ok() ? "" : attached.error().message);
    }
    program.config().frame_max = 1518;
    program.config().beat_max_ms = 0;
    program.beat(now_ns());
  }
  ~Bench() { program.remove(); }

  std::string run(const Layers& layers, PortIndex in) { return run(layers.bytes(), in); }
  std::string run(std::string bytes, PortIndex in) {
    if (bytes.size() < 60) bytes.resize(60, '\0');  // As a wire pads it.
    xdp_md context{};
    context.data_end = static_cast<std::uint32_t>(bytes.size());
    context.ingress_ifindex = static_cast<std::uint32_t>(device[in]);
    bpf_test_run_opts run{};
    run.sz = sizeof run;
    run.data_in = bytes.data();
    run.data_size_in = static_cast<std::uint32_t>(bytes.size());
    run.ctx_in = &context;
    run.ctx_size_in = sizeof context;
    run.repeat = 1;
    if (bpf_prog_test_run_opts(program.program_fd(), &run) != 0) return std::string("refused: ") + std::strerror(errno);
    return word_of(run.retval);
  }

  SettledFlow flow(Side side, bool pass = true, std::uint8_t protocol = 17) {
    SettledFlow out;
    out.flow = 7;
    out.frame = 1;
    out.ends = {.client = ip_of(client), .server = ip_of(server), .client_port = 40000, .server_port = 9000, .protocol = protocol};
    out.side = side;
    out.pass = pass;
    out.generation = 1;
    return out;
  }
  bool v6() const { return client.find(':') != std::string::npos; }
  template <typename Transport>
  Layers from(Side side, const Transport& transport) const {
    const std::string& a = side == Side::Client ? client : server;
    const std::string& b = side == Side::Client ? server : client;
    const Eth eth = side == Side::Client ? Eth().src(kA).dst(kB) : Eth().src(kB).dst(kA);
    if (v6()) return eth / Ipv6(a, b) / transport / "some bytes";
    return eth / Ipv4(a, b) / transport / "some bytes";
  }
  Layers udp(Side side) const { return from(side, side == Side::Client ? Udp(40000, 9000) : Udp(9000, 40000)); }
  Tcp tcp(Side side) const {
    return (side == Side::Client ? Tcp(40000, 9000).seq(1000).ack(5000) : Tcp(9000, 40000).seq(5000).ack(1000)).flags("A").window(1000);
  }
  static PortIndex port(Side side) { return side == Side::Client ? 0 : 1; }
  std::string run(Side side) { return run(udp(side), port(side)); }
  std::string run(Side side, const Tcp& header) { return run(from(side, header), port(side)); }

  void install(const SettledFlow& settled, const Layers& frame) {
    const PortIndex in = port(settled.side), out = static_cast<PortIndex>(1 - in);
    flows.install(settled, as_bytes(frame.bytes()), {in, out, device[in], device[out]});
  }
  /// Both ways, and past the handover.
  void settle(std::uint8_t protocol = 17, bool tcp_checked = false) {
    for (const Side side : {Side::Client, Side::Server}) {
      SettledFlow settled = flow(side, true, protocol);
      settled.tcp_checked = tcp_checked;
      settled.tcp[0] = {1000, 6000 + 60000, 1000, 1000, 0};
      settled.tcp[1] = {5000, 5000 + 60000, 5000, 1000, 0};
      install(settled, protocol == 17 ? udp(side) : from(side, tcp(side)));
    }
    pass_handover();
  }
  /// As a lane does that found its queues empty.
  void pass_handover() {
    pause_us(1000);
    program.drained(now_ns());
  }
  static Nanoseconds now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * kSecond + t.tv_nsec;
  }
  Carried read() {
    Carried out;
    flows.read(7, out);
    return out;
  }

  XdpProgram& program;
  XdpFlows flows;
  int device[2] = {0, 0};
  std::string client = "10.0.0.5", server = "198.51.100.80";
};

#define BENCH(bench, ...)                                                             \
  WEIR_ENTER_LAB();                                                                   \
  XdpOptions options_##bench __VA_ARGS__;                                             \
  options_##bench.pins = own_pins();                                                  \
  WEIR_NEEDS_XDP(options_##bench, program_##bench);                                   \
  Bench bench(*program_##bench)

TEST(XdpProgram, WhatIsNotSettledIsForTheEngine) {
  BENCH(b);
  EXPECT_EQ(b.run(Side::Client), "engine");
  EXPECT_EQ(b.run(Eth() / ArpPacket(), 0), "engine");
  EXPECT_EQ(b.program.count(WEIR_COUNT_TO_ENGINE), 2U);
}

TEST(XdpProgram, TheKeyMadeHereIsTheKernelsKey) {
  struct Case {
    const char *client, *server;
  };
  // Whichever end is the smaller; and addresses that differ in one byte, first and last.
  for (const Case& c : {Case{"10.0.0.5", "198.51.100.80"}, Case{"198.51.100.80", "10.0.0.5"}, Case{"10.0.0.5", "10.0.0.5"},
                        Case{"10.255.0.1", "10.1.255.255"}, Case{"2001:db8::1", "2001:db8::2"}, Case{"fd00::1", "2001:db8::1"},
                        Case{"2001:db8:0:1::", "2001:db8::ffff"}}) {
    BENCH(b);
    b.client = c.client;
    b.server = c.server;
    b.settle();
    EXPECT_EQ(b.run(Side::Client), "out") << c.client;
    EXPECT_EQ(b.run(Side::Server), "out") << c.client;
    EXPECT_EQ(b.run(Side::Server), "out") << c.client;
    const Carried carried = b.read();
    EXPECT_EQ(carried.packets[0], 1U);
    EXPECT_EQ(carried.packets[1], 2U) << "counted by side, not by place in the key";
    EXPECT_EQ(carried.bytes[0], (b.v6() ? 40U : 20U) + 8 + 10);
    EXPECT_GT(carried.last_ns, 0);
    EXPECT_EQ(b.read().packets[1], 0U) << "told once";
  }
}

TEST(XdpProgram, OnlyTheWayThatWasSeenIsCarried) {
  BENCH(b);
  b.install(b.flow(Side::Client), b.udp(Side::Client));
  b.pass_handover();
  EXPECT_EQ(b.run(Side::Client), "out");
  EXPECT_EQ(b.run(Side::Server), "engine") << "its way was not seen";
}

TEST(XdpProgram, PacketsFollowThoseThatAreStillInTheEngine) {
  BENCH(b);
  b.program.drained(b.now_ns());
  pause_us(1000);
  b.install(b.flow(Side::Client), b.udp(Side::Client));
  EXPECT_EQ(b.run(Side::Client), "engine");
  pause_us(1000);
  EXPECT_EQ(b.run(Side::Client), "engine") << "the lane has not looked since";
  b.program.drained(b.now_ns());
  EXPECT_EQ(b.run(Side::Client), "engine") << "the last one may not have been in its queue yet";
  b.pass_handover();
  EXPECT_EQ(b.run(Side::Client), "out");
  EXPECT_EQ(b.run(Side::Client), "out") << "and it stays so";
  EXPECT_EQ(b.read().packets[0], 2U) << "those for the engine are not counted here";
}

TEST(XdpProgram, AStreamWithoutAGapIsHandedOverInTheEnd) {
  for (const bool drains : {true, false}) {
    BENCH(b);
    b.install(b.flow(Side::Client), b.udp(Side::Client));
    const Nanoseconds begin = b.now_ns();
    std::string last;
    do {
      last = b.run(Side::Client);
      if (drains) b.program.drained(b.now_ns());
    } while (last == "engine" && b.now_ns() - begin < 3 * kSecond);
    EXPECT_EQ(last, "out");
    const Nanoseconds took = b.now_ns() - begin;
    if (drains) {
      EXPECT_LT(took, kSecond) << "each was sent on before the next came";
    } else {
      EXPECT_GT(took, kSecond / 2);
    }
  }
}

TEST(XdpProgram, WhatDiffersFromTheEntryIsForTheEngine) {
  BENCH(b);
  b.settle();
  const auto ip = [&] { return Eth().src(kA).dst(kB) / Ipv4(b.client, b.server); };
  const Udp udp(40000, 9000);
  struct Case {
    const char* why;
    Layers frame;
    PortIndex in;
    const char* answer;
  };
  const Case cases[] = {
      {"as it was", ip() / udp / "x", 0, "out"},
      {"in by another port", ip() / udp / "x", 1, "engine"},
      {"from another station", Eth().src("02:00:00:00:00:0c").dst(kB) / Ipv4(b.client, b.server) / udp, 0, "engine"},
      {"to another station", Eth().src(kA).dst("02:00:00:00:00:0c") / Ipv4(b.client, b.server) / udp, 0, "engine"},
      {"in a VLAN", Eth().src(kA).dst(kB) / Vlan(5) / Ipv4(b.client, b.server) / udp, 0, "engine"},
      {"another port number", ip() / Udp(40001, 9000), 0, "engine"},
      {"another protocol", ip() / Tcp(40000, 9000).flags("A"), 0, "engine"},
      {"IP options", Eth().src(kA).dst(kB) / Ipv4(b.client, b.server).options("\x94\x04") / udp, 0, "engine"},
      {"a first fragment", Eth().src(kA).dst(kB) / Ipv4(b.client, b.server).more() / udp / "12345678", 0, "engine"},
      {"a later fragment", Eth().src(kA).dst(kB) / Ipv4(b.client, b.server).offset(8).protocol(17) / udp, 0, "engine"},
      {"IP says more than there is", Eth().src(kA).dst(kB) / Ipv4(b.client, b.server).length(2000) / udp, 0, "engine"},
      {"IP says less than a header", Eth().src(kA).dst(kB) / Ipv4(b.client, b.server).length(10) / udp, 0, "engine"},
      {"version 5", Eth().src(kA).dst(kB) / Ipv4(b.client, b.server).version(5) / udp, 0, "engine"},
  };
  for (const Case& c : cases) EXPECT_EQ(b.run(c.frame, c.in), c.answer) << c.why;
}

TEST(XdpProgram, VlansAreKeptApart) {
  BENCH(b);
  const auto tagged = [&](std::uint16_t vlan) { return Eth().src(kA).dst(kB) / Vlan(vlan) / Ipv4(b.client, b.server) / Udp(40000, 9000); };
  b.install(b.flow(Side::Client), tagged(5));
  b.pass_handover();
  EXPECT_EQ(b.run(tagged(5), 0), "out");
  EXPECT_EQ(b.run(tagged(6), 0), "engine");
  EXPECT_EQ(b.run(Side::Client), "engine");
}

TEST(XdpProgram, IpV6WithExtensionHeadersIsForTheEngine) {
  BENCH(b);
  b.client = "2001:db8::1";
  b.server = "2001:db8::2";
  b.settle();
  EXPECT_EQ(b.run(Side::Client), "out");
  EXPECT_EQ(b.run(Eth().src(kA).dst(kB) / Ipv6(b.client, b.server) / HopByHop() / Udp(40000, 9000), 0), "engine");
  EXPECT_EQ(b.run(Eth().src(kA).dst(kB) / Ipv6(b.client, b.server) / Fragment() / Udp(40000, 9000), 0), "engine");
}

TEST(XdpProgram, OtherRulesMakeEveryEntryAMiss) {
  BENCH(b);
  b.settle();
  EXPECT_EQ(b.run(Side::Client), "out");
  b.flows.on_generation(2);
  EXPECT_EQ(b.run(Side::Client), "engine");
  SettledFlow again = b.flow(Side::Client);
  again.generation = 2;
  b.install(again, b.udp(Side::Client));
  b.pass_handover();
  EXPECT_EQ(b.run(Side::Client), "out");
  EXPECT_EQ(b.read().packets[0], 2U) << "what the old entry carried is not lost";
}

TEST(XdpProgram, ADeniedFlowIsDroppedWhicheverWayItComes) {
  BENCH(b);
  b.install(b.flow(Side::Client, false), b.udp(Side::Client));
  EXPECT_EQ(b.run(Side::Client), "drop");
  EXPECT_EQ(b.run(Side::Server), "drop");
  EXPECT_EQ(b.run(b.udp(Side::Client), 1), "drop");
  const Carried carried = b.read();
  EXPECT_EQ(carried.packets[0] + carried.packets[1], 3U);
}

TEST(XdpProgram, BeginningsAndWhatIsNoSoundSegmentAreForTheEngine) {
  BENCH(b);
  b.settle(6);
  EXPECT_EQ(b.run(Side::Client, b.tcp(Side::Client)), "out");
  for (const char* flags : {"S", "SA", "", "F", "FPU", "R", "SF"}) EXPECT_EQ(b.run(Side::Client, b.tcp(Side::Client).flags(flags)), "engine") << flags;
  EXPECT_EQ(b.run(Side::Client, b.tcp(Side::Client).header_words(4)), "engine");
  EXPECT_EQ(b.run(Side::Client, b.tcp(Side::Client).flags("PA")), "out");
}

TEST(XdpProgram, TheEndOfAConnectionIsNoted) {
  BENCH(b);
  b.settle(6);
  EXPECT_EQ(b.run(Side::Client, b.tcp(Side::Client).flags("FA")), "out");
  Carried carried = b.read();
  EXPECT_TRUE(carried.fin[0]);
  EXPECT_FALSE(carried.fin[1] || carried.reset);
  EXPECT_EQ(b.run(Side::Server, b.tcp(Side::Server).flags("RA")), "out");
  EXPECT_TRUE(b.read().reset);
}

TEST(XdpProgram, WhereTcpStateAsksWindowsAreJudgedWithTwiceTheirSize) {
  BENCH(b);
  b.settle(6, true);
  const Tcp client = b.tcp(Side::Client);
  EXPECT_EQ(b.run(Side::Client, client), "out");
  EXPECT_EQ(b.run(Side::Client, Tcp(client).seq(1000 + 400'000)), "engine") << "far beyond the window";
  EXPECT_EQ(b.run(Side::Client, Tcp(client).seq(1000U - 400'000U)), "engine") << "far before it";
  EXPECT_EQ(b.run(Side::Client, Tcp(client).seq(1010).ack(9000)), "engine") << "acknowledges what was never sent";
  EXPECT_EQ(b.run(Side::Client, Tcp(client).seq(900).flags("RA")), "engine") << "a reset at an old number";
  EXPECT_EQ(b.run(Side::Client, Tcp(client).seq(1010)), "out") << "the next bytes";
  const Carried carried = b.read();
  EXPECT_TRUE(carried.has_tcp);
  EXPECT_EQ(carried.tcp[0].next, 1020U);
  EXPECT_EQ(carried.packets[0], 2U);
  EXPECT_EQ(b.run(Side::Server, b.tcp(Side::Server).ack(1020)), "out");
  EXPECT_EQ(b.read().tcp[0].acked, 1020U);
}

TEST(XdpProgram, TheLargestWindowThereIsDoesNotWrap) {
  BENCH(b);
  constexpr std::uint32_t kLargest = 65535U << 14;  // RFC 7323, 2.3.
  for (const Side side : {Side::Client, Side::Server}) {
    SettledFlow settled = b.flow(side, true, 6);
    settled.tcp_checked = true;
    settled.tcp[0] = {1000, 6000 + kLargest, 1000, kLargest, 14};
    settled.tcp[1] = {5000, 5000 + kLargest, 5000, kLargest, 14};
    b.install(settled, b.from(side, b.tcp(side)));
  }
  b.pass_handover();
  EXPECT_EQ(b.run(Side::Client, b.tcp(Side::Client)), "out");
  EXPECT_EQ(b.run(Side::Server, b.tcp(Side::Server).ack(1010)), "out");
  EXPECT_EQ(b.run(Side::Client, b.tcp(Side::Client).ack(9000)), "engine") << "acknowledges what was never sent";
}

TEST(XdpProgram, WithoutTcpStateNumbersAreNotLookedAt) {
  BENCH(b);
  b.settle(6);
  EXPECT_EQ(b.run(Side::Client, b.tcp(Side::Client).seq(1000 + 400'000)), "out");
}

TEST(XdpProgram, ClosedMeansThatOnlySettledFlowsLive) {
  BENCH(b);
  b.settle();
  b.program.config().failing = 1;
  EXPECT_EQ(b.run(Side::Client), "out");
  EXPECT_EQ(b.run(Eth() / ArpPacket(), 0), "drop");
  EXPECT_EQ(b.program.count(WEIR_COUNT_FAIL_CLOSED), 1U);
}

TEST(XdpProgram, OpenMeansThatFramesCross) {
  BENCH(b, {.fail = FailMode::Open, .stand_in = false});
  b.program.config().failing = 1;
  EXPECT_EQ(b.run(Side::Client), "out");
  EXPECT_EQ(b.run(Eth() / ArpPacket(), 0), "out");
  EXPECT_EQ(b.program.count(WEIR_COUNT_FAIL_OPEN), 2U);
  // What no bridge forwards, and what no redirect can send.
  EXPECT_EQ(b.run(Eth().dst("01:80:c2:00:00:03") / ArpPacket(), 0), "drop");
  EXPECT_EQ(b.program.count(WEIR_COUNT_LINK_LOCAL), 1U);
  EXPECT_EQ(b.run(b.from(Side::Client, Udp(1, 2)).bytes() + std::string(2000, 'x'), 0), "drop");
  EXPECT_EQ(b.program.count(WEIR_COUNT_TOO_LONG), 1U);
}

TEST(XdpProgram, ALaneThatGivesNoSignOfLifeHangs) {
  BENCH(b);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const Nanoseconds now_ns = now.tv_sec * kSecond + now.tv_nsec;
  b.program.config().beat_max_ms = 1000;
  b.program.beat(now_ns);
  EXPECT_EQ(b.run(Side::Client), "engine");
  b.program.beat(now_ns - 3 * kSecond);
  EXPECT_EQ(b.run(Side::Client), "drop");
  b.program.beat(now_ns);
  EXPECT_EQ(b.run(Side::Client), "engine") << "it is back";
}

TEST(XdpProgram, AProcessThatIsGoneIsSeenAtOnce) {
  BENCH(b);
  if (b.program.config().presence == 0) GTEST_SKIP() << "this kernel has no AF_XDP sockets";
  const std::uint32_t place = 0;
  EXPECT_EQ(b.run(Side::Client), "engine");
  ASSERT_EQ(bpf_map_delete_elem(b.program.presence_map_fd(), &place), 0);  // As the kernel does when the socket closes.
  EXPECT_EQ(b.run(Side::Client), "drop");
}

TEST(XdpProgram, ThreePortsForwardUndecidedByWhatTheyLearn) {
  WEIR_ENTER_LAB();
  XdpOptions options{.fail = FailMode::Open, .stand_in = false};
  options.pins = own_pins();
  WEIR_NEEDS_XDP(options, program);
  Bench b(*program);
  Lab::wire(2);
  ASSERT_TRUE(program->attach(2, "p2", static_cast<int>(if_nametoindex("p2"))).ok());
  program->config().failing = 1;
  EXPECT_EQ(b.run(b.udp(Side::Client), 0), "out") << "flooded";
  EXPECT_EQ(b.run(b.udp(Side::Server), 0), "drop") << "its destination is behind the port that it came in by";
  EXPECT_EQ(program->count(WEIR_COUNT_SAME_PORT), 1U);
}

// ---- What the maps hold, and what is told of it.

TEST(XdpFlows, ABannedFlowComesToTheEngineAgain) {
  BENCH(b);
  b.settle();
  EXPECT_EQ(b.run(Side::Client), "out");
  b.flows.on_banned({state::BanKind::Source, 0, 0, ip_of("192.0.2.1")});
  b.flows.end_batch();
  EXPECT_EQ(b.run(Side::Client), "out") << "a ban of another";
  b.flows.on_banned({state::BanKind::Port, 17, 9000, ip_of(b.server)});
  b.flows.end_batch();
  EXPECT_EQ(b.run(Side::Client), "engine");
  EXPECT_EQ(b.read().packets[0], 2U) << "what it carried before is told";
}

TEST(XdpFlows, AnEndedFlowIsOutOfTheKernelAndTellsWhatItCarriedLast) {
  BENCH(b);
  b.settle();
  b.run(Side::Client);
  Carried carried;
  EXPECT_TRUE(b.flows.on_ended(7, carried));
  EXPECT_EQ(carried.packets[0], 1U);
  EXPECT_EQ(b.run(Side::Client), "engine");
  EXPECT_EQ(b.flows.carried_now(), 0U);
  EXPECT_FALSE(b.flows.on_ended(7, carried));
}

TEST(XdpFlows, AFullMapLeavesTheFlowToTheEngine) {
  WEIR_ENTER_LAB();
  XdpOptions options{.flows_max = 16};
  options.pins = own_pins();
  WEIR_NEEDS_XDP(options, program);
  Bench b(*program, 64);
  for (std::uint32_t i = 0; i < 40; ++i) {
    SettledFlow flow = b.flow(Side::Client, false);
    flow.flow = i;
    flow.ends.client_port = static_cast<std::uint16_t>(1000 + i);
    b.install(flow, b.udp(Side::Client));
  }
  EXPECT_LE(b.flows.carried_now(), 32U);
  EXPECT_EQ(b.flows.carried_now() + b.flows.full(), 40U);
  EXPECT_GT(b.flows.full(), 0U);
}

TEST(XdpFlows, AMovedStationTakesItsFlowsOutOfTheKernel) {
  BENCH(b);
  b.settle();
  b.flows.recall_moved([](const Mac& mac, std::uint16_t) { return mac == mac_of(kB) ? PortIndex{1} : PortIndex{0}; });
  EXPECT_EQ(b.run(Side::Client), "out") << "nobody moved";
  b.flows.recall_moved([](const Mac&, std::uint16_t) { return PortIndex{0}; });
  EXPECT_EQ(b.run(Side::Client), "engine");
}

TEST(XdpFlows, CountersAreReadInSlicesAndNothingIsReadTwice) {
  BENCH(b);
  b.settle();
  for (int i = 0; i < 5; ++i) b.run(Side::Server);
  Carried due[64];
  EXPECT_EQ(b.flows.read_due(10 * kSecond, due), 1U);
  EXPECT_EQ(due[0].flow, 7U);
  EXPECT_EQ(due[0].packets[1], 5U);
  b.run(Side::Server);
  EXPECT_EQ(b.flows.read_due(10 * kSecond, due), 0U) << "not yet";
  EXPECT_EQ(b.flows.read_due(12 * kSecond, due), 1U);
  EXPECT_EQ(due[0].packets[1], 1U);
}

// ---- Loading, attaching, pinning.

TEST(XdpAttach, WhatWasLeftAttachedIsTakenOver) {
  WEIR_ENTER_LAB();
  XdpOptions options;
  options.pins = own_pins();
  if (options.pins.empty()) GTEST_SKIP() << "no BPF file system may be mounted here";
  Lab::wires(1);
  const int device = static_cast<int>(if_nametoindex("p0"));
  {
    WEIR_NEEDS_XDP(options, killed);
    EXPECT_TRUE(killed->outlives()) << killed->why_not();
    ASSERT_TRUE(killed->attach(0, "p0", device).ok());
  }  // As when a process is killed: nothing is taken away.
  EXPECT_TRUE(sh("ip link show p0 | grep -q xdp"));
  WEIR_NEEDS_XDP(options, next);
  ASSERT_TRUE(next->attach(0, "p0", device).ok());
  EXPECT_EQ(next->taken_over(), 1U);
  next->remove();
  EXPECT_FALSE(sh("ip link show p0 | grep -q xdp"));
}

TEST(XdpAttach, EachModeCanBeForced) {
  WEIR_ENTER_LAB();
  for (const Attach mode : {Attach::XdpNative, Attach::XdpGeneric}) {
    XdpOptions options{.force = mode};
    options.pins = own_pins();
    WEIR_NEEDS_XDP(options, program);
    const std::string name = mode == Attach::XdpNative ? "n0" : "g0";
    Lab::wire(name, name + "far");
    const auto attached = program->attach(0, name, static_cast<int>(if_nametoindex(name.c_str())));
    ASSERT_TRUE(attached.ok()) << attached.error().message;
    EXPECT_EQ(attached.value(), mode);
    program->remove();
  }
}

TEST(XdpAttach, WhatSomeoneElseAttachedStays) {
  WEIR_ENTER_LAB();
  XdpOptions options;
  options.pins = own_pins();
  Lab::wires(1);
  const int device = static_cast<int>(if_nametoindex("p0"));
  WEIR_NEEDS_XDP(options, other);
  ASSERT_TRUE(other->attach(0, "p0", device).ok());
  options.pins.clear();
  options.pins = own_pins();  // Another's pins are not ours.
  WEIR_NEEDS_XDP(options, program);
  const auto attached = program->attach(0, "p0", device);
  ASSERT_FALSE(attached.ok());
  EXPECT_NE(attached.error().message.find("of someone else"), std::string::npos) << attached.error().message;
  other->remove();
}

}  // namespace
}  // namespace weir::datapath
