// SPDX-License-Identifier: Apache-2.0
// What people ask of a running filter: bans by hand, flows, events as they come, captures, why an alert came about.

#include "service/control.h"

#include <gtest/gtest.h>

#include "tests/kit/running.h"

namespace weir::service {
namespace {

using namespace kit;
using nlohmann::json;

TEST(Bans, ByHandAreListedAndLifted) {
  Running r(kOpen);
  EXPECT_EQ(r.ask({{"verb", "ban"}, {"address", "10.0.0.5"}, {"for_seconds", 60.0}}).status(), 0);
  EXPECT_FALSE(r.passes(syn(1, 80)));
  EXPECT_TRUE(r.passes(syn(1, 80, "10.0.0.6")));
  const Answer list = r.ask({{"verb", "ban"}});
  ASSERT_EQ(list.items.size(), 1U);
  EXPECT_EQ(list.items[0]["ban"]["address"], "10.0.0.5");
  EXPECT_EQ(list.items[0]["ban"]["rule"], "operator");
  EXPECT_EQ(r.ask({{"verb", "unban"}, {"address", "10.0.0.5"}}).status(), 0);
  EXPECT_EQ(r.ask({{"verb", "unban"}, {"address", "10.0.0.5"}}).status(), 1);
  EXPECT_TRUE(r.passes(syn(2, 80)));
}

TEST(Flows, AllOfThemInSlices) {
  engine::EngineOptions options = Running::reloading();
  options.flows_max = 16384;
  Running r(kOpen, options);
  std::vector<std::string> frames;
  for (std::uint16_t i = 0; i < 5000; ++i) frames.push_back(syn(static_cast<std::uint16_t>(1000 + i), 80));
  r.put(frames);
  for (int i = 0; i < 500 && r.sent() < 5000; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Answer a = r.ask({{"verb", "flows"}});
  EXPECT_EQ(a.status(), 0);
  EXPECT_EQ(a.items.size(), 5000U);
  EXPECT_EQ(r.ask({{"verb", "flows"}, {"limit", 7}}).items.size(), 7U);
  EXPECT_EQ(r.ask({{"verb", "flows"}, {"address", "10.0.0.9"}}).items.size(), 0U);
  EXPECT_EQ(r.ask({{"verb", "top"}, {"count", 5}}).result()["flows"].size(), 5U);
}

TEST(FollowedEvents, ComeAsTheyAreWrittenAndAreKeptForLater) {
  Running r(kNoTelnet);
  Client follower(r.socket_path());
  follower.send("{\"weir\":1,\"verb\":\"events\",\"follow\":true}\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  r.put({syn(1, 23)});
  const auto line = follower.line();
  ASSERT_TRUE(line);
  EXPECT_EQ(json::parse(*line)["alert"]["signature"], "no-telnet");
  const Answer later = r.ask({{"verb", "events"}, {"last", 10}});
  ASSERT_EQ(later.items.size(), 1U);
  EXPECT_EQ(later.items[0]["event_type"], "alert");
  // After a reload they name the new rules.
  r.write("weir: 1\nrules: [ { name: a, match: { port: 7 }, action: drop }, { name: other-name, match: { port: 23 }, action: drop } ]\n");
  ASSERT_EQ(r.ask({{"verb", "reload"}}).status(), 0);
  r.put({syn(2, 23)});
  const auto next = follower.line();
  ASSERT_TRUE(next);
  EXPECT_EQ(json::parse(*next)["alert"]["signature"], "other-name");
}

TEST(FollowedEvents, WhoDoesNotReadIsLetGo) {
  Running r(kOpen);
  Client follower(r.socket_path());
  follower.send("{\"weir\":1,\"verb\":\"events\",\"follow\":true}\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::string line(100'000, 'x');
  for (int i = 0; i < 120; ++i) {
    r.control->publish(line + "\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const json s = r.ask({{"verb", "status"}}).result();
  EXPECT_EQ(s["events"]["followers"], 0);
  EXPECT_GE(s["control"]["let_go"], 1);
}

TEST(Capturing, SelectsByTheLanguageOfRulesAndTellsVerdicts) {
  Running r(kNoTelnet);
  Client client(r.socket_path());
  client.send("{\"weir\":1,\"verb\":\"capture\",\"match\":\"{ to: 198.51.100.0/24, port: [23, 80] }\",\"count\":2,\"seconds\":20}\n");
  const auto begun = client.line();
  ASSERT_TRUE(begun);
  EXPECT_TRUE(json::parse(*begun).contains("capturing")) << *begun;
  EXPECT_EQ(r.ask({{"verb", "capture"}}).status(), 1) << "one at a time";
  r.put({syn(1, 443), syn(2, 23), syn(3, 80)});
  const Answer a = client.answer();
  ASSERT_EQ(a.status(), 0) << a.last.dump();
  ASSERT_EQ(a.items.size(), 2U);
  EXPECT_EQ(a.items[0]["packet"]["verdict"], "drop");
  EXPECT_EQ(a.items[0]["packet"]["rule"], "no-telnet");
  EXPECT_EQ(a.items[0]["packet"]["port"], "p0");
  EXPECT_EQ(a.items[1]["packet"]["verdict"], "pass");
  EXPECT_EQ(r.ask({{"verb", "capture"}, {"match", "{ prot: 1 }"}}).status(), 2);
  EXPECT_EQ(r.ask({{"verb", "capture"}, {"seconds", 0.1}}).status(), 0) << "time ends it too";
}

TEST(Explaining, AnAlertOfTheRunningFilter) {
  Running r("weir: 1\nrules: [ { name: bad, match: { dns.qname: evil.example }, action: drop } ]\n");
  r.put({(Eth() / Ipv4("10.0.0.5", "198.51.100.53") / Udp(40000, 53) / dns_query("evil.example")).bytes()});
  const Answer a = r.ask({{"verb", "explain"}, {"event", 1}});
  ASSERT_EQ(a.status(), 0) << a.last.dump();
  EXPECT_EQ(a.result()["rule"], "bad");
  EXPECT_NE(a.result()["text"].get<std::string>().find("evil.example"), std::string::npos) << a.result()["text"];
  EXPECT_EQ(r.ask({{"verb", "explain"}, {"event", 999}}).status(), 1);
}

}  // namespace
}  // namespace weir::service
