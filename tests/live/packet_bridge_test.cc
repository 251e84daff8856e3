// SPDX-License-Identifier: Apache-2.0
// The bridge over packet sockets, on wires of a namespace of its own: each frame that passes comes out whole at the right end.

#include "datapath/bridge/packet_bridge.h"

#include <gtest/gtest.h>

#include "service/service.h"
#include "tests/kit/filter.h"
#include "tests/kit/lab.h"
#include "tests/kit/talk.h"

namespace weir::datapath {
namespace {

using namespace kit;

constexpr std::string_view kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b";
constexpr std::string_view kNothing = "weir: 1\n";

/// A running filter between the ports of a lab; turned by hand.
struct Running {
  explicit Running(int ports, std::string_view yaml = kNothing, BridgeOptions options = {}) {
    for (int i = 0; i < ports; ++i) options.ports.push_back("p" + std::to_string(i));
    auto opened = PacketBridge::open(std::move(options));
    if (!opened.ok()) {
      ADD_FAILURE() << opened.error().message;
      std::abort();
    }
    bridge = std::move(*opened);
    policy::LoadOptions load;
    for (int i = 0; i < ports; ++i) load.ports.push_back("p" + std::to_string(i));
    auto loaded = policy::load_policy_text("live.yaml", yaml, engine::vocabulary(), load);
    if (!loaded.policy) {
      ADD_FAILURE() << policy::render(loaded.diagnostics);
      std::abort();
    }
    rules = std::make_shared<policy::RuleSet>(std::make_shared<policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
    service = std::make_unique<service::Service>(service::ServiceOptions{.engine = small_engine(), .wait_ns = 3 * kMillisecond}, rules, *bridge, nullptr);
    for (int i = 0; i < ports; ++i) ends.push_back(std::make_unique<FarEnd>("h" + std::to_string(i)));
  }
  /// Turns until nothing has come for a while.
  void settle() {
    for (std::uint64_t seen = bridge->counters().received, quiet = 0; quiet < 2;) {
      service->turn();
      quiet = bridge->counters().received == seen ? quiet + 1 : 0;
      seen = bridge->counters().received;
    }
  }
  void send(int end, const Layers& layers) { ends[static_cast<std::size_t>(end)]->send(layers.bytes()); }
  std::vector<std::string> take(int end) { return ends[static_cast<std::size_t>(end)]->take(); }
  std::uint64_t lost(Loss loss) const { return bridge->counters().of(loss); }

  std::unique_ptr<PacketBridge> bridge;
  std::shared_ptr<const policy::RuleSet> rules;
  std::unique_ptr<service::Service> service;
  std::vector<std::unique_ptr<FarEnd>> ends;
};

Layers datagram(std::string_view from, std::string_view to, std::string_view payload = "hello") {
  return Eth().src(from).dst(to) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(40000, 4000) / payload;
}

TEST(PacketBridge, CarriesFramesAsTheyAreAndLearnsWhoIsWhere) {
  WEIR_ENTER_LAB();
  Lab::wires(3);
  Running r(3);
  const Layers first = datagram(kA, kB), answer = datagram(kB, kA);
  r.send(0, first);
  r.settle();
  EXPECT_EQ(r.take(1), std::vector{first.bytes()}) << "b is not known: to all";
  EXPECT_EQ(r.take(2), std::vector{first.bytes()});
  EXPECT_TRUE(r.take(0).empty()) << "never back";
  r.send(1, answer);
  r.settle();
  EXPECT_EQ(r.take(0), std::vector{answer.bytes()}) << "a is known";
  EXPECT_TRUE(r.take(2).empty());
  r.send(0, first);
  r.settle();
  EXPECT_EQ(r.take(1), std::vector{first.bytes()});
  EXPECT_TRUE(r.take(2).empty()) << "now b is known too";
  EXPECT_EQ(r.bridge->counters().received, 3U);
  EXPECT_EQ(r.bridge->counters().sent, 4U);
}

TEST(PacketBridge, KeepsTagsWithTheirPriorityAndType) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2);
  std::vector<std::string> sent;
  const auto tagged = [](const Vlan& tag) { return (Eth().src(kA).dst(kB) / tag / Ipv4("10.0.0.1", "10.0.0.2") / Udp(1, 2) / "x").bytes(); };
  sent.push_back(tagged(Vlan(7)));
  sent.push_back(tagged(Vlan(0xa007)));             // Priority 5.
  sent.push_back(tagged(Vlan(0)));                  // A priority tag alone.
  sent.push_back(tagged(Vlan(100, 0x88a8)));        // IEEE 802.1ad.
  sent.push_back((Eth().src(kA).dst(kB) / Vlan(100, 0x88a8) / Vlan(7) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(1, 2) / "x").bytes());
  for (const std::string& bytes : sent) r.ends[0]->send(bytes);
  r.settle();
  EXPECT_EQ(r.take(1), sent);
}

TEST(PacketBridge, CarriesWhatIsNoIp) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2);
  std::vector<std::string> sent;
  const auto to = [](std::string_view group) { return Eth().src(kA).dst(group); };
  sent.push_back((to("01:80:c2:00:00:00").type(0x0026) / std::string_view("\x42\x42\x03 a spanning tree's message, as long as it has to be.")).bytes());
  sent.push_back((to("ff:ff:ff:ff:ff:ff").type(0x88b5) / std::string_view("an experiment of somebody's, padded to be sixty bytes")).bytes());
  for (const std::string& bytes : sent) r.ends[0]->send(bytes);
  r.ends[0]->send((to("01:80:c2:00:00:0e").type(0x88cc) / std::string_view("LLDP is for the next station, and this is one")).bytes());
  r.settle();
  EXPECT_EQ(r.take(1), sent);
  EXPECT_EQ(r.lost(Loss::LinkLocal), 1U);
}

TEST(PacketBridge, StopsWhatTheRulesStopAndAnswersForIt) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2, R"(weir: 1
zones: { inside: { ports: [p0], networks: [10.0.0.1/32] }, outside: { ports: [p1] } }
rules:
  - { name: no-dns, match: { from: inside, port: 53 }, action: reject }
  - { name: no-web, match: { to: outside, port: 80 }, action: drop })");
  r.send(1, datagram(kB, kA));
  r.settle();
  r.take(0);
  r.send(0, Eth().src(kA).dst(kB) / Vlan(9) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(40000, 53) / dns_query("x.example"));
  r.send(0, Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Tcp(40000, 80).flags("S"));
  r.settle();
  EXPECT_TRUE(r.take(1).empty());
  const auto answers = r.take(0);
  ASSERT_EQ(answers.size(), 1U) << "a refusal for the reject, nothing for the drop";
  EXPECT_EQ(answers[0].substr(12, 4), std::string("\x81\x00\x00\x09", 4)) << "in the VLAN of the question";
  EXPECT_EQ(r.bridge->counters().emitted, 1U);
}

TEST(PacketBridge, LearnsNothingFromWhatIsStopped) {
  WEIR_ENTER_LAB();
  Lab::wires(3);
  Running r(3, R"(weir: 1
rules: [ { name: no, match: { port: 6666 }, action: drop } ])");
  r.send(1, datagram(kB, kA));
  r.settle();
  // Someone at h2 says to be b, with a packet that is stopped.
  r.send(2, Eth().src(kB).dst(kA) / Ipv4("10.0.0.2", "10.0.0.1") / Udp(40000, 6666));
  r.settle();
  r.take(0), r.take(1), r.take(2);
  r.send(0, datagram(kA, kB));
  r.settle();
  EXPECT_EQ(r.take(1).size(), 1U);
  EXPECT_TRUE(r.take(2).empty());
}

TEST(PacketBridge, SendsHeldFramesInOrder) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2, R"(weir: 1
default: drop
rules: [ { name: web, match: { tls.sni: good.example }, action: allow } ])", {.clock = [] { return Time{kSecond, kSecond}; }});
  const std::string hello = tls_hello("good.example");
  const auto client = [](std::string_view flags, std::uint32_t seq, std::string_view payload) {
    return Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Tcp(40000, 443).flags(flags).seq(seq).ack(flags == "S" ? 0 : 1001) / payload;
  };
  r.send(0, client("S", 0, ""));
  r.settle();
  r.send(1, Eth().src(kB).dst(kA) / Ipv4("10.0.0.2", "10.0.0.1") / Tcp(443, 40000).flags("SA").seq(1000).ack(1));
  r.settle();
  EXPECT_EQ(r.take(1).size(), 1U);
  std::vector<std::string> sent;
  for (std::uint32_t at = 0; at < hello.size(); at += 9) sent.push_back(client("PA", 1 + at, hello.substr(at, 9)).bytes());
  for (std::size_t i = 0; i + 1 < sent.size(); ++i) {
    r.ends[0]->send(sent[i]);
    r.settle();
    if (i == 2) {
      EXPECT_TRUE(r.take(1).empty()) << "it waits";
      EXPECT_EQ(r.bridge->counters().held_now, 3U);
    }
  }
  r.ends[0]->send(sent.back());
  r.settle();
  EXPECT_EQ(r.take(1), sent);
  EXPECT_EQ(r.bridge->counters().held_now, 0U);
}

TEST(PacketBridge, CountsWhatHasNoRoomToWait) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2, R"(weir: 1
default: drop
rules: [ { name: web, match: { tls.sni: good.example }, action: allow } ])", {.held_frames_max = 4});
  for (std::uint16_t i = 0; i < 10; ++i) {
    const auto port = static_cast<std::uint16_t>(40000 + i);
    r.send(0, Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Tcp(port, 443).flags("S").seq(0));
    r.send(0, Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Tcp(port, 443).flags("PA").seq(1).ack(1) / tls_hello("good.example").substr(0, 9));
  }
  r.service->turn();
  EXPECT_EQ(r.lost(Loss::HeldFull), 6U);
}

/// TCP over IPv4 as a local stack hands it on: one frame, to be cut at 1,448 bytes of payload, its checksum left open.
struct Giant {
  Giant() {
    bytes = (Eth().src(kA).dst(kB) / Ipv4("10.0.0.1", "10.0.0.2") / Tcp(40000, 4000).flags("A").seq(1).ack(1) / payload).bytes();
    offload.bytes[0] = 1;                               // The checksum is open,
    offload.bytes[1] = 1;                               // TCP over IPv4 is to be cut,
    put(2, 54), put(4, 1'448), put(6, 34), put(8, 16);  // headers' length, payload's, where the sum begins and where it goes.
  }
  void put(std::size_t at, std::uint16_t value) { std::memcpy(&offload.bytes[at], &value, 2); }
  std::string payload = std::string(8'000, 'p'), bytes;
  Offload offload;
};

TEST(PacketBridge, CarriesACoalescedFrameWhole) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2);
  const Giant giant;
  r.ends[0]->send(giant.bytes, giant.offload);
  r.settle();
  const auto out = r.take(1);
  ASSERT_EQ(out.size(), 1U) << "longer than the MTU, and not lost";
  EXPECT_EQ(out[0].size(), giant.bytes.size());
  EXPECT_EQ(out[0].substr(54), giant.payload);
  EXPECT_EQ(r.ends[1]->last_offload().bytes[1], 1) << "the next one still knows how to cut it";
  EXPECT_EQ(r.ends[1]->last_offload().bytes[4], 0xa8);
}

TEST(PacketBridge, CutsACoalescedFrameForAWayOutThatCannot) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  ASSERT_TRUE(Lab::no_offloads("p1"));
  Running r(2);
  const Giant giant;
  r.ends[0]->send(giant.bytes, giant.offload);
  r.settle();
  std::string together;
  const auto out = r.take(1);
  EXPECT_EQ(out.size(), 6U);
  for (const std::string& bytes : out) together += bytes.substr(54);
  EXPECT_EQ(together, giant.payload);
}

TEST(PacketBridge, CountsWhatIsTooLongForTheWayOut) {
  WEIR_ENTER_LAB();
  Lab::wire(0, 9000);
  Lab::wire(1, 1500);
  Running r(2);
  ASSERT_FALSE(r.bridge->remarks().empty());
  EXPECT_NE(r.bridge->remarks()[0].find("MTUs differ (1500 to 9000)"), std::string::npos) << r.bridge->remarks()[0];
  r.send(0, datagram(kA, kB, std::string(3'000, 'x')));
  r.send(0, datagram(kA, kB, std::string(1'472, 'x')));
  r.settle();
  EXPECT_EQ(r.take(1).size(), 1U) << "1,500 bytes of IP pass";
  EXPECT_EQ(r.lost(Loss::TooLong), 1U);
}

TEST(PacketBridge, TakesAPortBackThatWentAway) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2);
  r.send(0, datagram(kA, kB));
  r.settle();
  EXPECT_EQ(r.take(1).size(), 1U);
  r.ends[1].reset();
  ASSERT_TRUE(sh("ip link del p1"));
  r.settle();
  EXPECT_FALSE(r.bridge->ports()[1].present);
  r.send(0, datagram(kA, kB));
  r.settle();
  EXPECT_GE(r.lost(Loss::NoPort), 1U) << "counted, not silent";
  Lab::wire(1);
  r.settle();
  EXPECT_TRUE(r.bridge->ports()[1].present);
  r.ends[1] = std::make_unique<FarEnd>("h1");
  r.send(0, datagram(kA, kB));
  r.settle();
  EXPECT_EQ(r.take(1).size(), 1U);
}

TEST(PacketBridge, KnowsWhenALinkIsDown) {
  WEIR_ENTER_LAB();
  Lab::wires(3);
  Running r(3);
  ASSERT_TRUE(sh("ip link set h1 down"));
  r.settle();
  EXPECT_TRUE(r.bridge->ports()[1].present);
  EXPECT_FALSE(r.bridge->ports()[1].up);
  r.send(0, datagram(kA, "ff:ff:ff:ff:ff:ff"));
  r.settle();
  EXPECT_EQ(r.take(2).size(), 1U);
  EXPECT_EQ(r.lost(Loss::NoPort), 0U) << "it is not among the ways out";
}

TEST(PacketBridge, RefusesWhatItCannotUse) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  const auto why = [](std::vector<std::string> ports) {
    const auto bridge = PacketBridge::open({.ports = std::move(ports)});
    return bridge.ok() ? std::string() : bridge.error().message;
  };
  EXPECT_EQ(why({"p0"}), "a bridge needs two ports or more");
  EXPECT_EQ(why({"p0", "p0"}), "port p0 is named twice");
  EXPECT_EQ(why({"p0", "p7"}), "there is no port p7");
  EXPECT_NE(why({"p0", "lo"}).find("no Ethernet device"), std::string::npos);
  if (sh("ip link add br0 type bridge && ip link set p1 master br0")) {
    EXPECT_NE(why({"p0", "p1"}).find("belongs to a bridge"), std::string::npos);
  }
}

TEST(PacketBridge, SaysWhatAUserShouldKnow) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  ASSERT_TRUE(sh("ip addr add 192.0.2.1/24 dev p0"));
  const Running r(2);
  ASSERT_EQ(r.bridge->remarks().size(), 2U);
  EXPECT_NE(r.bridge->remarks()[0].find("port p0 has an address (192.0.2.1)"), std::string::npos);
  EXPECT_NE(r.bridge->remarks()[1].find("arp_ignore"), std::string::npos) << "and would answer for it at p1";
}

TEST(PacketBridge, CarriesNothingMoreOnceItFailedClosed) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2);
  EXPECT_FALSE(r.bridge->fail(FailMode::Closed).has_value());
  r.send(0, datagram(kA, kB));
  r.settle();
  EXPECT_TRUE(r.take(1).empty());
}

TEST(PacketBridge, CarriesEverythingOnceItFailedOpen) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2, R"(weir: 1
rules: [ { name: no, match: { port: 4000 }, action: drop } ])");
  r.send(0, datagram(kA, kB));
  r.settle();
  EXPECT_TRUE(r.take(1).empty());
  // The lane hangs from here on: nobody turns it.
  EXPECT_FALSE(r.bridge->fail(FailMode::Open).has_value());
  std::vector<std::string> got;
  for (int tries = 0; tries < 50 && got.empty(); ++tries) {
    r.send(0, datagram(kA, kB));
    got = r.ends[1]->take(100);
  }
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got[0], datagram(kA, kB).bytes());
  EXPECT_FALSE(r.service->turn()) << "a lane that comes back ends";
  r.bridge->close();
  r.send(0, datagram(kA, kB));
  EXPECT_TRUE(r.ends[1]->take(100).empty());
}

TEST(PacketBridge, LosesNothingInABurst) {
  WEIR_ENTER_LAB();
  Lab::wires(2);
  Running r(2);
  constexpr int kBurst = 3'000;
  std::vector<std::string> sent, got;
  for (int i = 0; i < kBurst; ++i) {
    sent.push_back(datagram(kA, kB, "datagram " + std::to_string(i)).bytes());
    r.ends[0]->send(sent.back());
  }
  r.settle();
  got = r.take(1);
  EXPECT_EQ(got, sent) << "all of them, in order";
  EXPECT_EQ(r.lost(Loss::RingFull), 0U);
}

}  // namespace
}  // namespace weir::datapath
