// SPDX-License-Identifier: Apache-2.0
// The bridge's program in the kernel, frame by frame, under BPF_PROG_TEST_RUN: what it does with each, and what it counts. Entries come into its
// maps as they do in a running filter, so that the key made there and the key made in the kernel are seen to be the same.

#include <gtest/gtest.h>

#include "tests/live/xdp_bench.h"

namespace weir::datapath {
namespace {

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

}  // namespace
}  // namespace weir::datapath
