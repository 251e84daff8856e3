// SPDX-License-Identifier: Apache-2.0
// What people ask of a running filter: over a real socket, with a datapath without a system behind it.

#include "service/control.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "service/events.h"
#include "service/watchdog.h"
#include "tests/kit/fake_datapath.h"
#include "tests/kit/talk.h"

namespace weir::service {
namespace {

using namespace kit;
using nlohmann::json;

constexpr std::string_view kOpen = "weir: 1\n";
constexpr std::string_view kNoTelnet = "weir: 1\nrules: [ { name: no-telnet, match: { port: 23 }, action: drop } ]\n";

struct Answer {
  std::vector<json> items;
  json last;
  int status() const { return last.is_object() ? last.value("status", -1) : -1; }
  json result() const { return last.is_object() ? last.value("result", json()) : json(); }
};

/// One client of the filter, with a deadline so that a test that fails does not hang.
class Client {
 public:
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
    connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const timeval wait{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  bool send(const std::string& text) { return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()); }
  /// Nothing: the other end closed, or said nothing in time.
  std::optional<std::string> line() {
    for (;;) {
      if (const std::size_t end = in_.find('\n'); end != std::string::npos) {
        std::string out = in_.substr(0, end);
        in_.erase(0, end + 1);
        return out;
      }
      char chunk[65536];
      const ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
      if (n <= 0) return std::nullopt;
      in_.append(chunk, static_cast<std::size_t>(n));
    }
  }
  Answer answer() {
    Answer out;
    while (const auto text = line()) {
      const json parsed = json::parse(*text, nullptr, false);
      if (parsed.is_object() && parsed.contains("status")) return out.last = parsed, out;
      out.items.push_back(parsed);
    }
    return out;
  }
  bool connected = false;

 private:
  int fd_;
  std::string in_;
};

/// A filter that runs, in a folder of its own.
class Running {
 public:
  explicit Running(std::string_view policy, engine::EngineOptions options = reloading(), const std::string& folder = {}) : options_(options) {
    char name[] = "/tmp/weir-control-XXXXXX";
    owns_ = folder.empty();
    folder_ = owns_ ? std::string(::mkdtemp(name)) : folder;
    if (!policy.empty()) write(policy);
    start();
  }
  ~Running() {
    stop();
    if (owns_) std::filesystem::remove_all(folder_);
  }
  static engine::EngineOptions reloading() {
    engine::EngineOptions options = small_engine();
    options.reloads = true;
    return options;
  }
  void write(std::string_view policy) { std::ofstream(policy_path()) << policy; }
  std::string policy_path() const { return folder_ + "/policy.yaml"; }
  std::string socket_path() const { return folder_ + "/weir.sock"; }
  const std::string& folder() const { return folder_; }

  void start() {
    ControlOptions options;
    options.socket.path = socket_path();
    options.policy = policy_path();
    options.ports = {"p0", "p1"};
    options.load = [](const std::string& path, const policy::LoadOptions& o) { return policy::load_policy(path, engine::vocabulary(), o); };
    options.on_rules = [this](std::shared_ptr<const policy::RuleSet> rules) { events->use(std::move(rules)); };
    options.say = [this](const std::string& sentence) {
      const std::lock_guard lock(said_mutex_);
      said_ += sentence + "\n";
    };
    auto store = PolicyStore::open(folder_ + "/state");
    ASSERT_TRUE(store.ok());
    control = std::make_unique<Control>(std::move(options), std::move(*store), nullptr);
    const Ready ready = control->begin();
    ASSERT_NE(ready.rules, nullptr) << policy::render(ready.diagnostics);
    writer = std::move(*EventWriter::open({.path = "", .ring_bytes = 1 << 20, .follow = [this](std::string_view lines) { control->publish(lines); }}));
    events = std::make_unique<Events>(*writer, ready.rules, report::EveOptions{.flows = true});
    control->tell(events.get());
    path = std::make_unique<FakeDatapath>();
    path->while_polling = [this] {
      if (hang.load()) {
        while (hang.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      path->pass_time(kMillisecond);
    };
    service = std::make_unique<Service>(ServiceOptions{.engine = options_}, ready.rules, *path, control.get());
    service->on_turn = [this](Service&) { events->flush(); };
    service->on_reload = [this](Service&) { control->ask_reload(); };
    ASSERT_FALSE(control->attach(*service));
    lane_ = std::thread([this] { service->run(); });
  }
  void stop() {
    if (!lane_.joinable()) return;
    service->stop();
    lane_.join();
    (void)writer->close();
    control->close();
  }
  /// As a kill would: nothing is tidied up but what the test needs of memory.
  void kill_and_start() {
    stop();
    start();
  }

  Answer ask(json request) {
    request["weir"] = 1;
    return ask_raw(request.dump() + "\n");
  }
  Answer ask_raw(const std::string& text) {
    Client client(socket_path());
    client.send(text);
    return client.answer();
  }
  /// Runs on the lane, and waits for it.
  void on_lane(const std::function<void()>& task) {
    std::atomic<bool> done{false};
    service->submit([&](Service&) {
      task();
      done.store(true);
    });
    while (!done.load()) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  /// Puts frames in and waits until they are decided.
  void put(const std::vector<std::string>& frames, PortIndex port = 0) {
    on_lane([&] {
      for (const std::string& frame : frames) path->put(port, as_bytes(frame));
    });
    on_lane([] {});
    on_lane([] {});
  }
  std::size_t sent() {
    std::size_t count = 0;
    on_lane([&] { count = path->sent.size(); });
    return count;
  }
  bool passes(const std::string& frame) {
    const std::size_t before = sent();
    put({frame});
    return sent() > before;
  }
  std::string said() {
    const std::lock_guard lock(said_mutex_);
    return said_;
  }

  std::unique_ptr<FakeDatapath> path;
  std::unique_ptr<Control> control;
  std::unique_ptr<EventWriter> writer;
  std::unique_ptr<Events> events;
  std::unique_ptr<Service> service;
  std::atomic<bool> hang{false};

 private:
  engine::EngineOptions options_;
  std::string folder_;
  bool owns_ = true;
  std::thread lane_;
  std::mutex said_mutex_;
  std::string said_;
};

std::string syn(std::uint16_t from, std::uint16_t to, std::string_view client = "10.0.0.5") {
  return (Eth() / Ipv4(client, "198.51.100.80") / Tcp(from, to).flags("S")).bytes();
}
std::string ack(std::uint16_t from, std::uint16_t to) { return (Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(from, to).flags("A").seq(1).ack(1)).bytes(); }

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

// ---- Failing

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
