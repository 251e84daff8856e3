// SPDX-License-Identifier: Apache-2.0
// What people ask of a running filter: its state, another policy, the way back.

#include "service/control.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/kit/running.h"

namespace weir::service {
namespace {

using namespace kit;
using nlohmann::json;

TEST(Control, StatusSaysWhatIsInForce) {
  Running r(kNoTelnet);
  r.put({syn(1, 23), syn(2, 80)});
  const Answer a = r.ask({{"verb", "status"}});
  ASSERT_EQ(a.status(), 0);
  const json s = a.result();
  EXPECT_EQ(s["policy"]["path"], r.policy_path());
  EXPECT_EQ(s["policy"]["generation"], 1);
  EXPECT_EQ(s["mode"], "enforce");
  EXPECT_EQ(s["fail"], "closed");
  EXPECT_EQ(s["ports"].size(), 2U);
  EXPECT_EQ(s["ports"][0]["name"], "p0");
  EXPECT_EQ(s["counters"]["packets"], 2);
  EXPECT_EQ(s["counters"]["dropped"], 1);
  bool counted = false;
  for (const json& rule : s["rules"]) counted = counted || (rule["name"] == "no-telnet" && rule["packets"] == 1);
  EXPECT_TRUE(counted);
  for (const json& table : s["tables"]) EXPECT_FALSE(table["when_full"].get<std::string>().empty());
}

TEST(Control, WhatIsNoRequestIsRefusedAndHarmsNothing) {
  Running r(kOpen);
  for (const char* bad : {"", "x", "[]", "{}", "{\"weir\":2,\"verb\":\"status\"}", "{\"weir\":1}", "{\"weir\":1,\"verb\":7}", "{\"weir\":1,\"verb\":\"halt\"}",
                          "{\"weir\":1,\"verb\":\"flows\",\"limit\":\"many\"}", "{\"weir\":1,\"verb\":\"flows\",\"address\":5}",
                          "{\"weir\":1,\"verb\":\"reload\",\"confirm_seconds\":-1}", "{\"weir\":1,\"verb\":\"reload\",\"confirm_seconds\":1e300}",
                          "{\"weir\":1,\"verb\":\"ban\",\"address\":\"nobody\"}", "{\"weir\":1,\"verb\":\"ban\",\"address\":\"10.0.0.1\",\"for_seconds\":0}",
                          "{\"weir\":1,\"verb\":\"capture\",\"count\":0}", "{\"weir\":1,\"verb\":\"explain\",\"event\":\"first\"}", "\xff\xfe{"})
    EXPECT_EQ(r.ask_raw(std::string(bad) + "\n").status(), 2) << bad;
  EXPECT_EQ(r.ask_raw(std::string(200, '[') + "\n").status(), 2);
  Client flood(r.socket_path());
  flood.send(std::string(ControlSocket::kRequestBytesMax + 100'000, 'x'));
  EXPECT_FALSE(flood.line()) << "it is let go";
  EXPECT_EQ(r.ask({{"verb", "status"}}).status(), 0);
}

TEST(Control, ClientsAreBounded) {
  Running r(kOpen);
  std::vector<std::unique_ptr<Client>> many;
  for (std::size_t i = 0; i < ControlSocket::kClientsMax; ++i) {
    many.push_back(std::make_unique<Client>(r.socket_path()));
    many.back()->send("{\"weir\":1,\"verb\":\"events\",\"follow\":true}\n");
  }
  // They are taken one after the other; the one too many is told.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  Client last(r.socket_path());
  EXPECT_EQ(last.answer().status(), 3);
  many.clear();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(r.ask({{"verb", "status"}}).status(), 0);
}

TEST(Control, StrangersMayNotSpeak) {
  if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  Running r(kOpen);
  std::filesystem::permissions(r.folder(), std::filesystem::perms::all);
  std::filesystem::permissions(r.socket_path(), std::filesystem::perms::all);  // As if someone had opened it: the kernel still tells who speaks.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(9);
    Client stranger(r.socket_path());
    stranger.send("{\"weir\":1,\"verb\":\"status\"}\n");
    ::_exit(stranger.answer().status());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(Control, ALivingFilterKeepsItsSocketAndADeadOneLeavesItsOwn) {
  Running r(kOpen);
  EXPECT_FALSE(ControlSocket::open({.path = r.socket_path()}).ok());
  r.stop();
  EXPECT_FALSE(std::filesystem::exists(r.socket_path())) << "a clean end removes it";
  // What a kill leaves: a socket that nobody listens at.
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", r.socket_path().c_str());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  EXPECT_TRUE(ControlSocket::open({.path = r.socket_path()}).ok());
}

TEST(Reloading, CutsWhatTheNewPolicyDeniesAndSaysSo) {
  Running r(kOpen);
  r.put({syn(1, 23), ack(1, 23), syn(2, 80), ack(2, 80)});
  r.write(kNoTelnet);
  const json foreseen = r.ask({{"verb", "reload"}, {"preview", true}}).result();
  EXPECT_EQ(foreseen["flows_cut"], 1);
  EXPECT_TRUE(r.passes(ack(1, 23))) << "nothing has changed yet";
  const Answer a = r.ask({{"verb", "reload"}});
  ASSERT_EQ(a.status(), 0) << a.last.dump();
  EXPECT_EQ(a.result()["generation"], 2);
  EXPECT_EQ(a.result()["flows_cut"], 1);
  EXPECT_EQ(a.result()["cut_by"]["no-telnet"], 1);
  EXPECT_EQ(a.result()["cut"][0]["dest_port"], 23);
  EXPECT_FALSE(r.passes(ack(1, 23)));
  EXPECT_TRUE(r.passes(ack(2, 80)));
  EXPECT_EQ(r.ask({{"verb", "reload"}}).result()["identical"], true);
}

TEST(Reloading, ABrokenPolicyIsRefusedWithAllItsErrorsAndTheOldOneStays) {
  Running r(kNoTelnet);
  r.write("weir: 1\nrulez: []\nmode: sometimes\n");
  const Answer a = r.ask({{"verb", "reload"}});
  EXPECT_EQ(a.status(), 2);
  ASSERT_EQ(a.last["diagnostics"].size(), 2U) << a.last.dump();
  EXPECT_NE(a.last["diagnostics"][0].get<std::string>().find("policy.yaml:2:"), std::string::npos);
  EXPECT_FALSE(r.passes(syn(3, 23)));
  EXPECT_EQ(r.ask({{"verb", "status"}}).result()["policy"]["generation"], 1);
}

TEST(Reloading, BySignal) {
  Running r(kOpen);
  r.write(kNoTelnet);
  r.service->ask_reload();
  for (int i = 0; i < 200 && r.passes(syn(static_cast<std::uint16_t>(100 + i), 23)); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(r.passes(syn(99, 23)));
  EXPECT_NE(r.said().find("SIGHUP"), std::string::npos);
}

TEST(Confirming, WithoutItTheFilterGoesBackByItself) {
  Running r(kOpen);
  r.write(kNoTelnet);
  ASSERT_EQ(r.ask({{"verb", "reload"}, {"confirm_seconds", 1.0}}).status(), 0);
  EXPECT_FALSE(r.passes(syn(1, 23)));
  EXPECT_EQ(r.ask({{"verb", "status"}}).result()["policy"]["confirmed"], false);
  EXPECT_EQ(r.ask({{"verb", "reload"}}).status(), 1) << "first that one";
  std::this_thread::sleep_for(std::chrono::milliseconds(1300));
  EXPECT_TRUE(r.passes(syn(2, 23)));
  EXPECT_EQ(r.ask({{"verb", "confirm"}}).status(), 1) << "too late";
}

TEST(Confirming, KeepsThePolicyOverTheTimeAndOverAStart) {
  Running r(kOpen);
  r.write(kNoTelnet);
  ASSERT_EQ(r.ask({{"verb", "reload"}, {"confirm_seconds", 1.0}}).status(), 0);
  ASSERT_EQ(r.ask({{"verb", "confirm"}}).status(), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(1300));
  EXPECT_FALSE(r.passes(syn(1, 23)));
  r.kill_and_start();
  EXPECT_FALSE(r.passes(syn(2, 23)));
}

TEST(Confirming, AKillMeanwhileGoesBackToo) {
  Running r(kOpen);
  r.write(kNoTelnet);
  ASSERT_EQ(r.ask({{"verb", "reload"}, {"confirm_seconds", 3600.0}}).status(), 0);
  EXPECT_FALSE(r.passes(syn(1, 23)));
  r.kill_and_start();
  EXPECT_TRUE(r.passes(syn(2, 23))) << "what nobody confirmed does not outlive the filter";
  r.kill_and_start();
  EXPECT_TRUE(r.passes(syn(3, 23))) << "nor later, while the file still says it";
  ASSERT_EQ(r.ask({{"verb", "reload"}}).status(), 0);
  EXPECT_FALSE(r.passes(syn(4, 23))) << "a plain reload takes the file";
  r.kill_and_start();
  EXPECT_FALSE(r.passes(syn(5, 23)));
}

TEST(Confirming, RollbackGoesBackAndIsRemembered) {
  Running r(kOpen);
  EXPECT_EQ(r.ask({{"verb", "rollback"}}).status(), 1) << "there is nothing before";
  r.write(kNoTelnet);
  ASSERT_EQ(r.ask({{"verb", "reload"}}).status(), 0);
  EXPECT_FALSE(r.passes(syn(1, 23)));
  ASSERT_EQ(r.ask({{"verb", "rollback"}}).status(), 0);
  EXPECT_TRUE(r.passes(syn(2, 23)));
  r.kill_and_start();
  EXPECT_TRUE(r.passes(syn(3, 23)));
}

}  // namespace
}  // namespace weir::service
