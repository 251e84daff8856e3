// SPDX-License-Identifier: Apache-2.0
// What a running filter does where something fails: a lane that hangs, full tables, no memory, a full ring.

#include "service/watchdog.h"

#include <gtest/gtest.h>

#include "tests/kit/running.h"

namespace weir::service {
namespace {

using namespace kit;
using nlohmann::json;

TEST(Failing, AHungLaneIsSeenAndItsFailModeCarriedOut) {
  Running r(kOpen);
  std::string said;
  {
    Watchdog watchdog(*r.service, {.hung_ns = 100 * kMillisecond, .look_ns = 10 * kMillisecond, .say = [&](const std::string& s) {
                                     said = s;
                                     r.control->tell_failed();
                                   }});
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    EXPECT_FALSE(watchdog.failed()) << "a lane that turns is left alone";
    r.hang.store(true);
    for (int i = 0; i < 300 && !watchdog.failed(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(watchdog.failed());
    const Answer a = r.ask({{"verb", "status"}});
    EXPECT_EQ(a.status(), 3);
    EXPECT_NE(a.last["error"].get<std::string>().find("hangs"), std::string::npos);
    r.hang.store(false);
  }
  EXPECT_EQ(r.path->failed, datapath::FailMode::Closed);
  EXPECT_NE(said.find("fails closed"), std::string::npos);
}

TEST(Failing, FullTablesAnswerAsTheyDeclare) {
  engine::EngineOptions options = Running::reloading();
  options.flows_max = 64;
  Running r(kOpen, options);
  std::vector<std::string> frames;
  for (std::uint16_t i = 0; i < 200; ++i) frames.push_back(syn(static_cast<std::uint16_t>(1000 + i), 80));
  r.put(frames);
  for (int i = 0; i < 500 && r.sent() < 200; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(r.sent(), 200U) << "new flows go on: the youngest unanswered one goes for each";
  const json tables = r.ask({{"verb", "status"}}).result()["tables"];
  EXPECT_EQ(tables[0]["used"], 64);
  EXPECT_EQ(tables[0]["overflowed"], 136);
}

TEST(Failing, WithoutMemoryContentIsJudgedAsAtTheBoundAndCounted) {
  engine::EngineOptions options = Running::reloading();
  options.pool_bytes = 64 * 1024;
  Running r("weir: 1\ndefault: drop\nrules: [ { name: web, match: { tls.sni: good.example }, action: allow } ]\n", options);
  std::vector<std::string> frames;
  for (std::uint16_t i = 0; i < 200; ++i) {
    frames.push_back(syn(static_cast<std::uint16_t>(1000 + i), 443));
    frames.push_back((Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(static_cast<std::uint16_t>(1000 + i), 443).flags("PA").seq(1).ack(1) / tls_hello("good.example").substr(0, 9)).bytes());
  }
  r.put(frames);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const json s = r.ask({{"verb", "status"}}).result();
  EXPECT_GT(s["tables"][1]["overflowed"], 0);
  EXPECT_GT(s["counters"]["dropped"], 0) << "what cannot be known does not pass where the default denies";
}

TEST(Failing, FramesLostToAFullRingAreCountedApartFromPolicy) {
  Running r(kOpen);
  r.on_lane([&] { r.path->counted.lost[static_cast<std::size_t>(datapath::Loss::RingFull)] = 5; });
  const json s = r.ask({{"verb", "status"}}).result();
  EXPECT_EQ(s["datapath"]["lost"]["ring-full"], 5);
  EXPECT_EQ(s["counters"]["dropped"], 0);
}

}  // namespace
}  // namespace weir::service
