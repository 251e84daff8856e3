// SPDX-License-Identifier: Apache-2.0
// The running filter over a datapath without a system behind it: batches, holds, answers, tasks, the end.

#include "service/service.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/kit/fake_datapath.h"
#include "tests/kit/talk.h"

namespace weir::service {
namespace {

using namespace kit;

constexpr std::string_view kHold = R"(weir: 1
default: drop
rules: [ { name: web, match: { tls.sni: good.example }, action: allow } ])";

struct Running {
  explicit Running(std::string_view yaml) : service({.engine = small_engine()}, rules_of(yaml), path, nullptr) {}
  std::uint64_t put(const Layers& layers, PortIndex port = 0) {
    const std::string bytes = layers.bytes();
    return path.put(port, as_bytes(bytes));
  }
  /// Numbers of what went out since, in order; 0 for what the engine made.
  std::vector<std::uint64_t> out() {
    std::vector<std::uint64_t> numbers;
    for (const auto& sent : path.sent) numbers.push_back(sent.number);
    path.sent.clear();
    return numbers;
  }
  FakeDatapath path;
  Service service;
};

Layers segment(std::string_view flags, std::uint32_t seq, std::string_view payload = {}, bool from_client = true) {
  const auto eth = Eth();
  if (from_client) return eth / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(40000, 443).flags(flags).seq(seq).ack(flags == "S" ? 0 : 1001) / payload;
  return eth / Ipv4("198.51.100.80", "10.0.0.5") / Tcp(443, 40000).flags(flags).seq(seq).ack(1) / payload;
}

TEST(Service, HeldFramesGoOutInOrderWithinABatchAndAcrossBatches) {
  const std::string hello = tls_hello("good.example");
  for (const bool together : {true, false}) {
    Running r(kHold);
    const auto turn = [&] {
      if (!together) r.service.turn();
    };
    r.put(segment("S", 0)), turn();
    r.put(segment("SA", 1000, {}, false), 1), turn();
    r.put(segment("A", 1)), turn();
    r.put(segment("PA", 1, hello.substr(0, 9))), turn();
    r.put(segment("PA", 10, hello.substr(9))), turn();
    if (together) r.service.turn();
    EXPECT_EQ(r.out(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5})) << together;
    EXPECT_TRUE(r.path.held.empty());
  }
}

TEST(Service, HoldsEndByTimeThoughNothingComes) {
  Running r(kHold);
  r.put(segment("S", 0));
  r.put(segment("PA", 1, tls_hello("good.example").substr(0, 9)));
  r.service.turn();
  EXPECT_EQ(r.out(), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(r.path.held.size(), 1U);
  r.path.pass_time(kSecond);
  r.service.turn();
  EXPECT_TRUE(r.path.held.empty());
  EXPECT_EQ(r.path.dropped.size(), 1U);
}

TEST(Service, EachRefusalOfABatchKeepsItsOwnAnswer) {
  Running r(R"(weir: 1
rules: [ { name: no, match: { port: 53 }, action: reject } ])");
  for (std::uint16_t i = 0; i < 10; ++i)
    r.put(Eth() / Ipv4("10.0.0.5", "10.0.0.53") / Udp(static_cast<std::uint16_t>(40000 + i), 53) / dns_query("evil.example", static_cast<std::uint16_t>(100 + i)));
  r.service.turn();
  ASSERT_EQ(r.path.sent.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(r.path.sent[i].out, 0) << "back to where it came from";
    const auto& bytes = r.path.sent[i].bytes;
    EXPECT_EQ(load_be16(bytes.data() + 14 + 20 + 8 + 20), 40000 + i) << "the packet that \"prohibited\" quotes";
  }
}

TEST(Service, AResetTowardTheServerGoesTheWayOfTheFrame) {
  Running r(R"(weir: 1
undecided: pass
rules: [ { name: no, match: { http.host: evil.example }, action: reject } ])");
  const auto web = [](std::string_view flags, std::uint32_t seq, std::string_view payload, bool from_client) {
    if (from_client) return Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(40000, 80).flags(flags).seq(seq).ack(1001) / payload;
    return Eth() / Ipv4("198.51.100.80", "10.0.0.5") / Tcp(80, 40000).flags(flags).seq(seq).ack(1) / payload;
  };
  r.put(web("S", 0, "", true));
  r.put(web("SA", 1000, "", false), 1);
  r.put(web("A", 1, "", true));
  r.service.turn();
  r.out();
  r.put(web("PA", 1, http_get("evil.example", "/"), true));
  r.service.turn();
  ASSERT_EQ(r.path.sent.size(), 2U);
  EXPECT_EQ(r.path.sent[0].out, 0);
  EXPECT_EQ(r.path.sent[1].out, kNoPort);
}

TEST(Service, TasksOfOtherThreadsRunOnTheLaneBetweenBatches) {
  Running r(kHold);
  const auto lane = std::this_thread::get_id();
  int ran = 0;
  std::thread other([&] {
    for (int i = 0; i < 3; ++i)
      r.service.submit([&, i](Service&) {
        EXPECT_EQ(std::this_thread::get_id(), lane);
        EXPECT_EQ(ran++, i) << "in the order given";
      });
  });
  other.join();
  r.service.turn();
  EXPECT_EQ(ran, 3);
}

TEST(Service, AReloadIsAskedOnceASignal) {
  Running r(kHold);
  int asked = 0;
  r.service.on_reload = [&](Service&) { ++asked; };
  r.service.ask_reload();
  r.service.turn();
  r.service.turn();
  EXPECT_EQ(asked, 1);
}

TEST(Service, EndsCleanlyAndWithTheFaultOfItsDatapath) {
  Running r(kHold);
  r.put(segment("S", 0));
  r.path.while_polling = [&] {
    if (r.service.turns() == 3) r.service.stop();
  };
  EXPECT_FALSE(r.service.run().has_value());
  EXPECT_EQ(r.service.engine().counters().flows, 1U);

  Running broken(kHold);
  broken.path.end_with({"the ring is gone", 5});
  const auto fault = broken.service.run();
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->message, "the ring is gone");
}

TEST(Service, FramesHeldAtTheEndAreDropped) {
  Running r(kHold);
  r.put(segment("S", 0));
  r.put(segment("PA", 1, tls_hello("good.example").substr(0, 9)));
  r.service.turn();
  r.service.stop();
  EXPECT_FALSE(r.service.run().has_value());
  EXPECT_TRUE(r.path.held.empty());
}

}  // namespace
}  // namespace weir::service
