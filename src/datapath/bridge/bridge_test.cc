// SPDX-License-Identifier: Apache-2.0
// What of the bridge needs no system: frames that wait, and where frames go.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "datapath/bridge/forwarder.h"
#include "datapath/bridge/held_frames.h"
#include "tests/kit/packet.h"

namespace weir::datapath {
namespace {

using namespace kit;

// ---- Held frames

std::string text_of(const HeldFrames::Held& held) {
  return std::string(as_text(held.first())) + std::string(as_text(held.rest()));
}

TEST(HeldFrames, GiveBackWhatWasPutByNumber) {
  HeldFrames held(8, 1 << 20);
  EXPECT_TRUE(held.put(7, 1, as_bytes("seven"), {}));
  EXPECT_TRUE(held.put(9, 0, as_bytes("nine"), {}));
  EXPECT_EQ(held.count(), 2U);
  HeldFrames::Held* seven = held.take(7);
  ASSERT_NE(seven, nullptr);
  EXPECT_EQ(text_of(*seven), "seven");
  EXPECT_EQ(seven->port, 1);
  EXPECT_EQ(held.take(7), nullptr) << "it is no longer held";
  EXPECT_EQ(held.take(8), nullptr);
  held.free(seven);
  EXPECT_EQ(held.count(), 1U);
}

TEST(HeldFrames, AreBoundedInCountAndInBytes) {
  HeldFrames few(2, 1 << 20);
  EXPECT_TRUE(few.put(1, 0, as_bytes("a"), {}));
  EXPECT_TRUE(few.put(2, 0, as_bytes("b"), {}));
  EXPECT_FALSE(few.put(3, 0, as_bytes("c"), {}));
  few.free(few.take(1));
  EXPECT_TRUE(few.put(3, 0, as_bytes("c"), {}));

  HeldFrames small(1024, std::size_t{4} << 20);
  const std::string jumbo(60'000, 'x');
  std::uint64_t n = 0;
  while (small.put(n + 1, 0, as_bytes(jumbo), {})) ++n;
  EXPECT_GT(n, 0U);
  EXPECT_LE(n, 64U);
  while (n > 0) small.free(small.take(n--));
  EXPECT_EQ(small.bytes(), 0U);
}

TEST(HeldFrames, KeepACoalescedFrameThatIsLongerThanABlock) {
  HeldFrames held(4, std::size_t{1} << 20);
  std::string giant(65'550, 'a');
  giant.back() = 'z';
  Offload offload;
  offload.bytes[0] = 1;
  ASSERT_TRUE(held.put(5, 0, as_bytes(giant), offload));
  HeldFrames::Held* back = held.take(5);
  EXPECT_EQ(text_of(*back), giant);
  EXPECT_EQ(back->offload.bytes[0], 1);
  held.free(back);
  EXPECT_EQ(held.bytes(), 0U);
}

TEST(HeldFrames, AreTheSameAsAMapOverManySteps) {
  HeldFrames held(64, 1 << 20);
  std::map<std::uint64_t, std::string> model;
  std::uint64_t random = 1, number = 0;
  for (int step = 0; step < 20'000; ++step) {
    random = mix64(random, static_cast<std::uint64_t>(step));
    if (random % 2 == 0) {
      const std::string bytes = "frame " + std::to_string(++number);
      const bool put = held.put(number, 0, as_bytes(bytes), {});
      EXPECT_EQ(put, model.size() < 64);
      if (put) model[number] = bytes;
    } else if (number != 0) {
      const std::uint64_t wanted = number - std::min<std::uint64_t>(number - 1, random / 2 % 100);
      HeldFrames::Held* found = held.take(wanted);
      ASSERT_EQ(found != nullptr, model.contains(wanted)) << wanted;
      if (found == nullptr) continue;
      EXPECT_EQ(text_of(*found), model[wanted]);
      held.free(found);
      model.erase(wanted);
    }
    EXPECT_EQ(held.count(), model.size());
  }
  held.clear();
  EXPECT_EQ(held.count(), 0U);
  EXPECT_EQ(held.bytes(), 0U);
}

// ---- Where frames go. Stations a, b, c are behind the ports 0, 1, 2.

constexpr std::string_view kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b", kC = "02:00:00:00:00:0c";

std::string frame(std::string_view from, std::string_view to, int vlan = 0) {
  const Layers bare = vlan == 0 ? Eth().src(from).dst(to) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(1, 2)
                                : Eth().src(from).dst(to) / Vlan(static_cast<std::uint16_t>(vlan)) / Ipv4("10.0.0.1", "10.0.0.2") / Udp(1, 2);
  return bare.bytes();
}

struct Bridge {
  Bridge() { f.ports(0b111); }
  PortMask out(const std::string& bytes, PortIndex in) { return f.ways(as_bytes(bytes), in, now).out; }
  Loss loss(const std::string& bytes, PortIndex in) { return f.ways(as_bytes(bytes), in, now).loss; }
  void pass(const std::string& bytes, PortIndex in) { f.learn(as_bytes(bytes), in, now); }
  Forwarder f{64};
  Nanoseconds now = kSecond;
};

TEST(Forwarder, FloodsWhatItDoesNotKnowAndSendsToOnePortWhatItDoes) {
  Bridge b;
  EXPECT_EQ(b.out(frame(kA, kB), 0), 0b110U) << "never heard of b";
  b.pass(frame(kB, kA), 1);
  EXPECT_EQ(b.out(frame(kA, kB), 0), 0b010U);
  EXPECT_EQ(b.out(frame(kA, "ff:ff:ff:ff:ff:ff"), 0), 0b110U);
  EXPECT_EQ(b.out(frame(kA, "01:00:5e:00:00:fb"), 0), 0b110U);
}

TEST(Forwarder, SendsNothingBackToWhereItCameFrom) {
  Bridge b;
  b.pass(frame(kB, kA), 0);
  EXPECT_EQ(b.out(frame(kA, kB), 0), 0U);
  EXPECT_EQ(b.loss(frame(kA, kB), 0), Loss::SamePort);
}

TEST(Forwarder, KeepsVlansApart) {
  Bridge b;
  b.pass(frame(kB, kA, 10), 1);
  EXPECT_EQ(b.out(frame(kA, kB, 10), 0), 0b010U);
  EXPECT_EQ(b.out(frame(kA, kB, 20), 0), 0b110U);
  EXPECT_EQ(b.out(frame(kA, kB), 0), 0b110U);
  b.pass(frame(kB, kA, 20), 2);
  EXPECT_EQ(b.out(frame(kA, kB, 20), 0), 0b100U);
  EXPECT_EQ(b.out(frame(kA, kB, 10), 0), 0b010U);
}

TEST(Forwarder, FollowsAStationThatMoves) {
  Bridge b;
  b.pass(frame(kB, kA), 1);
  b.pass(frame(kB, kA), 2);
  EXPECT_EQ(b.out(frame(kA, kB), 0), 0b100U);
  EXPECT_EQ(b.f.moved(), 1U);
}

TEST(Forwarder, ForgetsAfterFiveMinutesOfSilence) {
  Bridge b;
  b.pass(frame(kB, kA), 1);
  b.now += 4 * kMinute;
  b.pass(frame(kB, kA), 1);
  b.now += 4 * kMinute;
  EXPECT_EQ(b.out(frame(kA, kB), 0), 0b010U);
  b.now += 2 * kMinute;
  EXPECT_EQ(b.out(frame(kA, kB), 0), 0b110U);
}

TEST(Forwarder, FloodsToAStationWhosePortIsGone) {
  Bridge b;
  b.pass(frame(kC, kA), 2);
  b.f.ports(0b011);
  EXPECT_EQ(b.out(frame(kA, kC), 0), 0b010U);
  b.f.ports(0b001);
  EXPECT_EQ(b.out(frame(kA, kC), 0), 0U);
  EXPECT_EQ(b.loss(frame(kA, kC), 0), Loss::NoPort);
}

TEST(Forwarder, CarriesTheSpanningTreeOfOthersAndNothingElseOfTheLink) {
  Bridge b;
  EXPECT_EQ(b.out(frame(kA, "01:80:c2:00:00:00"), 0), 0b110U);
  for (const std::string_view of_link : {"01:80:c2:00:00:01", "01:80:c2:00:00:03", "01:80:c2:00:00:0e"}) {
    EXPECT_EQ(b.out(frame(kA, of_link), 0), 0U) << of_link;
    EXPECT_EQ(b.loss(frame(kA, of_link), 0), Loss::LinkLocal) << of_link;
  }
  EXPECT_EQ(b.out(frame(kA, "01:80:c2:00:00:10"), 0), 0b110U);
}

TEST(Forwarder, LearnsNoGroupAddress) {
  Bridge b;
  b.pass(frame("03:00:00:00:00:01", kA), 1);
  EXPECT_EQ(b.f.port_of(*parse_mac("03:00:00:00:00:01"), 0, b.now), kNoPort);
  EXPECT_EQ(b.out(frame("03:00:00:00:00:01", kA), 1), 0U);
  EXPECT_EQ(b.loss(frame("03:00:00:00:00:01", kA), 1), Loss::BadSource);
}

TEST(Forwarder, StaysWithinItsTable) {
  Bridge b;
  for (unsigned i = 0; i < 10'000; ++i) {
    char mac[18];
    std::snprintf(mac, sizeof mac, "02:00:00:00:%02x:%02x", i >> 8 & 255, i & 255);
    b.pass(frame(mac, kA), 1);
  }
  EXPECT_GT(b.f.evicted(), 9'000U);
}

}  // namespace
}  // namespace weir::datapath
