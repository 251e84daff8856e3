// SPDX-License-Identifier: Apache-2.0
// The bridge with a program in the kernel, on wires of a namespace of its own, native and generic: settled flows cross without the engine, in order
// and whole; whatever rules stop is stopped; counts stay true; the fail modes hold; nothing is left behind.

#include "datapath/bridge/xdp_bridge.h"

#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <net/if.h>

#include <algorithm>
#include <set>
#include <vector>

#include "service/service.h"
#include "tests/kit/filter.h"
#include "tests/live/xdp_lab.h"
#include "tests/kit/talk.h"

namespace weir::datapath {
namespace {

using namespace kit;

constexpr std::string_view kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b";

std::shared_ptr<const policy::RuleSet> live_rules(std::string_view yaml, int ports) {
  policy::LoadOptions load;
  for (int i = 0; i < ports; ++i) load.ports.push_back("p" + std::to_string(i));
  auto loaded = policy::load_policy_text("live.yaml", yaml, engine::vocabulary(), load);
  if (!loaded.policy) {
    ADD_FAILURE() << policy::render(loaded.diagnostics);
    std::abort();
  }
  return std::make_shared<policy::RuleSet>(std::make_shared<policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
}

/// Flow events of a running filter.
struct Flows final : engine::EventSink {
  std::vector<engine::FlowRecord> flows;
  void on_alert(const engine::AlertRecord&) override {}
  void on_flow(const engine::FlowRecord& record) override { flows.push_back(record); }
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision&) override {}
};

/// A running filter over XDP; A is behind p0 and B behind p1.
struct Running {
  std::unique_ptr<XdpBridge> bridge;
  std::shared_ptr<const policy::RuleSet> rules;
  Flows events;
  std::unique_ptr<service::Service> service;
  std::vector<std::unique_ptr<FarEnd>> ends;
  bool offloads = false;  ///< The far ends leave work to hardware.

  /// Empty, or why not.
  std::string start(int ports, Attach mode, std::string_view yaml, XdpOptions xdp = {}, bool identify = false) {
    BridgeOptions options;
    for (int i = 0; i < ports; ++i) {
      options.ports.push_back("p" + std::to_string(i));
      ends.push_back(std::make_unique<FarEnd>("h" + std::to_string(i)));
      if (!offloads) Lab::no_offloads("h" + std::to_string(i));
      turn_on_gro("h" + std::to_string(i));  // Else native XDP cannot send to it.
    }
    xdp.force = mode;
    if (xdp.pins.empty()) xdp.pins = own_pins();
    auto opened = XdpBridge::open(options, xdp, 4096);
    if (!opened.ok()) return opened.error().message;
    bridge = std::move(*opened);
    usleep(2000);
    for (const auto& end : ends) end->take();  // Each port was probed with a frame.
    rules = live_rules(yaml, ports);
    engine::EngineOptions engine = small_engine();
    engine.identify = identify;
    engine.checksums = engine::Checksums::Ignore;
    engine.carrier = bridge->carrier();
    service = std::make_unique<service::Service>(service::ServiceOptions{.engine = engine, .wait_ns = 3 * kMillisecond}, rules, *bridge, &events);
    return {};
  }
  void turn(int times = 3) {
    for (int i = 0; i < times; ++i) service->turn();
  }
  void send(int end, const Layers& layers) { ends[static_cast<std::size_t>(end)]->send(layers.bytes()); }
  std::size_t came(int end, int wait_ms = 5) { return ends[static_cast<std::size_t>(end)]->take(wait_ms).size(); }
  /// A datagram from A (end 0) to B or back, taken at the other end. True: it came.
  bool ask(std::string_view text = "?") { return cross(0, datagram(kA, kB, text)); }
  bool answer(std::string_view text = "!") { return cross(1, datagram(kB, kA, text)); }
  bool cross(int from, const Layers& layers) {
    send(from, layers);
    turn();
    return came(1 - from) == 1;
  }
  static Layers datagram(std::string_view from, std::string_view to, std::string_view text) {
    const bool client = from == kA;
    if (client) return Eth().src(from).dst(to) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(40000, 4000) / text;
    return Eth().src(from).dst(to) / Ipv4("10.0.0.2", "10.0.0.1") / Udp(4000, 40000) / text;
  }
  std::uint64_t through_engine() const { return bridge->counters().received; }
};

class XdpBridgeIn : public testing::TestWithParam<Attach> {};
INSTANTIATE_TEST_SUITE_P(Modes, XdpBridgeIn, testing::Values(Attach::XdpNative, Attach::XdpGeneric),
                         [](const auto& tested) { return tested.param == Attach::XdpNative ? "Native" : "Generic"; });

#define RUNNING(r, ports, ...)                                                                         \
  WEIR_ENTER_LAB();                                                                                    \
  Lab::wires(ports);                                                                                   \
  Running r;                                                                                           \
  if (const std::string why = r.start(ports, GetParam(), __VA_ARGS__); !why.empty()) GTEST_SKIP() << why

TEST_P(XdpBridgeIn, ASettledFlowCrossesWithoutTheEngine) {
  RUNNING(r, 2, "weir: 1\n");
  EXPECT_EQ(r.bridge->ports()[0].attach, GetParam());
  EXPECT_TRUE(r.ask());
  EXPECT_TRUE(r.answer());
  EXPECT_TRUE(r.ask());  // Both stations are known by now, and the flow is settled.
  EXPECT_TRUE(r.answer());
  const std::uint64_t before = r.through_engine();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(r.ask(std::to_string(i)));
    EXPECT_TRUE(r.answer(std::to_string(i)));
  }
  EXPECT_EQ(r.through_engine(), before);
  r.service->stop();
  r.service->run();
  ASSERT_EQ(r.events.flows.size(), 1U);
  EXPECT_EQ(r.events.flows[0].packets[0], 12U) << "what the kernel carried is counted";
  EXPECT_EQ(r.events.flows[0].packets[1], 12U);
}

TEST_P(XdpBridgeIn, WhatRulesStopIsStoppedAndThenDroppedInTheKernel) {
  RUNNING(r, 2, "weir: 1\nrules: [ { name: no-dns, match: { app.protocol: dns }, action: drop } ]\n");
  EXPECT_TRUE(r.cross(1, Eth().src(kB).dst(kA) / Ipv4("10.0.0.2", "10.0.0.1") / Udp(5000, 5001) / "x"));
  const Layers question = Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(40000, 4000) / dns_query("a.example");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(r.cross(0, question)) << i;
  const std::uint64_t before = r.through_engine();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(r.cross(0, question)) << i;
  EXPECT_EQ(r.through_engine(), before);
  r.service->stop();
  r.service->run();
  EXPECT_EQ(r.service->engine().counters().dropped, 8U) << "each is counted";
}

TEST_P(XdpBridgeIn, AFlowThatIsReadThroughoutStaysWithTheEngine) {
  RUNNING(r, 2, "weir: 1\nrules: [ { name: bad, match: { dns.qname: evil.example }, action: drop } ]\n");
  r.answer();
  const auto ask = [&](std::string_view name, std::uint16_t id) {
    return r.cross(0, Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(40000, 53) / dns_query(name, id));
  };
  for (std::uint16_t i = 0; i < 10; ++i) EXPECT_TRUE(ask("good.example", i));
  EXPECT_FALSE(ask("evil.example", 20));
  EXPECT_EQ(r.bridge->flows().installed(), 0U);
}

TEST_P(XdpBridgeIn, NothingIsLostAndNothingOvertakesWhenAFlowIsHandedOver) {
  RUNNING(r, 2, "weir: 1\n");
  r.answer();
  // Bursts without a pause, the lane turning between: the flow goes over to the kernel somewhere inside.
  std::vector<std::string> got;
  int sent = 0;
  for (int burst = 0; burst < 60; ++burst) {
    for (int i = 0; i < 20; ++i) r.send(0, Running::datagram(kA, kB, std::to_string(100'000 + sent++)));
    r.service->turn();
    if (burst == 30) usleep(2'000), r.turn(2);  // A breath, as any stream takes one.
    for (std::string& frame : r.ends[1]->take()) got.push_back(frame.substr(42));
  }
  r.turn(5);
  for (std::string& frame : r.ends[1]->take(20)) got.push_back(frame.substr(42));
  ASSERT_EQ(got.size(), static_cast<std::size_t>(sent));
  EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
  EXPECT_GT(r.bridge->flows().installed(), 0U);
  EXPECT_LT(r.through_engine(), static_cast<std::uint64_t>(sent)) << "some crossed in the kernel";
}

TEST_P(XdpBridgeIn, AStationThatMovesIsFollowed) {
  RUNNING(r, 3, "weir: 1\n");
  r.ask(), r.answer(), r.ask(), r.answer();
  EXPECT_TRUE(r.ask());
  r.came(2);  // What was flooded.
  r.send(2, Running::datagram(kB, kA, "from elsewhere"));  // B is now behind p2.
  r.turn();
  EXPECT_EQ(r.came(0), 1U);
  r.send(0, Running::datagram(kA, kB, "?"));
  r.turn();
  EXPECT_EQ(r.came(2), 1U);
  EXPECT_EQ(r.came(1), 0U);
}

TEST_P(XdpBridgeIn, ABanReachesSettledFlows) {
  RUNNING(r, 2, "weir: 1\nrules: [ { name: knock, match: { port: 23 }, action: { ban: source, for: 60s } } ]\n");
  r.ask(), r.answer(), r.ask(), r.answer();
  EXPECT_TRUE(r.ask());
  r.cross(0, Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Tcp(40001, 23).flags("S"));
  EXPECT_FALSE(r.ask());
}

TEST_P(XdpBridgeIn, TcpStateHoldsInTheKernelToo) {
  RUNNING(r, 2, "weir: 1\nguards: { tcp-state: true }\n");
  const auto client = [&](std::uint32_t seq, std::uint32_t ack, const char* flags, std::string_view text = {}) {
    return r.cross(0, Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Tcp(40000, 4000).flags(flags).seq(seq).ack(ack).window(1000) / text);
  };
  const auto server = [&](std::uint32_t seq, std::uint32_t ack, const char* flags, std::string_view text = {}) {
    return r.cross(1, Eth().src(kB).dst(kA) / Ipv4("10.0.0.2", "10.0.0.1") / Tcp(4000, 40000).flags(flags).seq(seq).ack(ack).window(1000) / text);
  };
  EXPECT_TRUE(client(100, 0, "S"));
  EXPECT_TRUE(server(900, 101, "SA"));
  EXPECT_TRUE(client(101, 901, "A"));
  std::uint32_t at = 101, answered = 901;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(client(at, answered, "PA", "0123456789")) << i;
    at += 10;
    EXPECT_TRUE(server(answered, at, "PA", "01234")) << i;
    answered += 5;
  }
  EXPECT_GT(r.bridge->flows().carried_now(), 0U);
  const std::uint64_t before = r.through_engine();
  EXPECT_TRUE(client(at, answered, "PA", "0123456789"));
  EXPECT_EQ(r.through_engine(), before) << "in the kernel";
  at += 10;
  EXPECT_FALSE(client(at + 1'000'000, answered, "PA", "from nowhere"));
  EXPECT_FALSE(server(answered - 200, at, "RA")) << "a forged reset";
  EXPECT_TRUE(server(answered, at, "PA", "still here"));
}

TEST_P(XdpBridgeIn, ClosedHoldsWhenTheLaneHangs) {
  RUNNING(r, 2, "weir: 1\n", {.fail = FailMode::Closed, .hang_ns = 100 * kMillisecond});
  r.ask(), r.answer(), r.ask(), r.answer();
  EXPECT_TRUE(r.ask());
  usleep(300'000);  // Nobody turns.
  r.send(0, Running::datagram(kA, kB, "settled"));
  EXPECT_EQ(r.came(1), 1U) << "settled flows live";
  r.send(0, Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(1234, 1234) / "new");
  EXPECT_EQ(r.came(1), 0U);
  EXPECT_GT(r.bridge->program().count(WEIR_COUNT_FAIL_CLOSED), 0U);
}

TEST_P(XdpBridgeIn, OpenHoldsWhenTheWatchdogSaysSo) {
  RUNNING(r, 2, "weir: 1\nrules: [ { name: none, match: { port: 1234 }, action: drop } ]\n", {.fail = FailMode::Closed});
  const Layers denied = Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(1234, 1234) / "new";
  EXPECT_FALSE(r.cross(0, denied));
  EXPECT_FALSE(r.bridge->fail(FailMode::Open)) << "it holds";
  r.send(0, denied);
  EXPECT_EQ(r.came(1), 1U);
}

TEST_P(XdpBridgeIn, TheFailModeOutlivesTheProcessAndTheNextOneTakesOver) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  XdpOptions xdp{.fail = FailMode::Open};
  xdp.pins = own_pins();
  if (xdp.pins.empty()) GTEST_SKIP() << "no BPF file system may be mounted here";
  const Layers denied = Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(1234, 1234) / "new";
  constexpr std::string_view kPolicy = "weir: 1\nrules: [ { name: none, match: { port: 1234 }, action: drop } ]\n";
  {
    Running killed;
    if (const std::string why = killed.start(2, GetParam(), kPolicy, xdp); !why.empty()) GTEST_SKIP() << why;
    EXPECT_TRUE(killed.bridge->capabilities().outlives);
    EXPECT_FALSE(killed.cross(0, denied));
    killed.bridge.reset();  // Without close(): all descriptors go, as when it is killed.
    killed.send(0, denied);
    EXPECT_EQ(killed.came(1), 1U) << "open";
    static auto* const left = new std::vector<void*>;  // Its datapath is gone: it is not ended, and reachable for good, which is no leak.
    left->push_back(killed.service.release());
  }
  Running next;
  ASSERT_EQ(next.start(2, GetParam(), kPolicy, xdp), "");
  EXPECT_EQ(next.bridge->program().taken_over(), 2U);
  EXPECT_FALSE(next.cross(0, denied));
  next.bridge->close();
  EXPECT_FALSE(sh("ip link show p0 | grep -q xdp")) << "a clean stop leaves no program";
  EXPECT_FALSE(sh("ls " + xdp.pins + "/net-*")) << "and no pin";
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(if_nametoindex("p0"));
  hook.attach_point = BPF_TC_INGRESS;
  EXPECT_EQ(bpf_tc_hook_create(&hook), 0) << "nor the hook that the killed one made";
}

TEST_P(XdpBridgeIn, APortThatVanishesTakesItsFlowsAlongAndIsAttachedAgain) {
  RUNNING(r, 2, "weir: 1\n");
  r.ask(), r.answer(), r.ask(), r.answer();
  EXPECT_GT(r.bridge->flows().carried_now(), 0U);
  ASSERT_TRUE(sh("ip link del p1"));
  r.turn(5);
  EXPECT_EQ(r.bridge->flows().carried_now(), 0U);
  EXPECT_FALSE(r.bridge->ports()[1].present);
  Lab::wire(1);
  turn_on_gro("h1");
  r.turn(5);
  r.ends[1] = std::make_unique<FarEnd>("h1");
  EXPECT_EQ(r.bridge->ports()[1].attach, GetParam());
  EXPECT_TRUE(r.ask());
  EXPECT_TRUE(r.answer());
}

TEST(XdpBridge, WhereTheOtherEndTakesNoNativeFramesItIsGeneric) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  XdpOptions xdp;
  xdp.pins = own_pins();
  auto opened = XdpBridge::open({.ports = {"p0", "p1"}}, xdp, 4096);
  if (!opened.ok()) GTEST_SKIP() << opened.error().message;
  if (!counted_by_driver("p0", "xdp_xmit")) GTEST_SKIP() << "this kernel's veth does not count what it sends for XDP";
  for (const PortState& port : (*opened)->ports()) {
    EXPECT_EQ(port.attach, Attach::XdpGeneric) << port.name;
    EXPECT_NE(port.why.find("gro on"), std::string::npos) << port.why;
  }
  (*opened)->close();
}

TEST(XdpBridge, FramesWithChecksumsLeftToHardwareStayWithTheEngine) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r;
  r.offloads = true;
  if (const std::string why = r.start(2, Attach::XdpNative, "weir: 1\n"); !why.empty()) GTEST_SKIP() << why;
  r.answer();
  // As a stack on this machine hands a datagram to a veth: the sum of the pseudo-header, and where the rest belongs.
  Offload partial;
  partial.bytes[0] = 1;
  partial.bytes[6] = 34;
  partial.bytes[8] = 6;
  for (int i = 0; i < 10; ++i) {
    r.ends[0]->send(Running::datagram(kA, kB, "?").bytes(), partial);
    r.turn();
    EXPECT_EQ(r.came(1), 1U);
  }
  EXPECT_EQ(r.bridge->flows().installed(), 0U);
  EXPECT_NE(r.bridge->ports()[0].why.find("tx off"), std::string::npos) << r.bridge->ports()[0].why;
}

}  // namespace
}  // namespace weir::datapath
