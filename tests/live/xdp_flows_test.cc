// SPDX-License-Identifier: Apache-2.0
// What the maps of the bridge's program hold, and what is told of it; loading, attaching, pinning.

#include <gtest/gtest.h>

#include "tests/live/xdp_bench.h"

namespace weir::datapath {
namespace {

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
