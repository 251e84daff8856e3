// SPDX-License-Identifier: Apache-2.0
#pragma once

// A filter that runs, in a folder of its own, over a datapath without a system behind it; and a client of its socket.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "service/control.h"
#include "service/events.h"
#include "service/watchdog.h"
#include "tests/kit/fake_datapath.h"
#include "tests/kit/talk.h"

namespace weir::kit {

using namespace service;  // NOLINT: this header is about one room.
using nlohmann::json;

inline constexpr std::string_view kOpen = "weir: 1\n";
inline constexpr std::string_view kNoTelnet = "weir: 1\nrules: [ { name: no-telnet, match: { port: 23 }, action: drop } ]\n";

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

inline std::string syn(std::uint16_t from, std::uint16_t to, std::string_view client = "10.0.0.5") {
  return (Eth() / Ipv4(client, "198.51.100.80") / Tcp(from, to).flags("S")).bytes();
}
inline std::string ack(std::uint16_t from, std::uint16_t to) { return (Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Tcp(from, to).flags("A").seq(1).ack(1)).bytes(); }

}  // namespace weir::kit
