// SPDX-License-Identifier: Apache-2.0
#pragma once

// ControlSocket: lines of JSON between the running filter and the people who run it, over a unix socket, on a thread of its own. It knows
// sockets, clients and their limits; what a line means is its owner's.
//
// Who may speak: root, the user that the filter runs as, and the members of a group if one is given (the kernel tells who the other
// end is, not the other end). Everything is bounded: clients, a request's size, what waits for a client that reads slowly (such a
// client is let go), how long one may be silent before its first request.
//
// The thread runs, in order: lines as they come, what other threads post(), timers. Nothing here is called by the lane but post().

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weir::service {

using ClientId = std::uint64_t;

class ControlSocket {
 public:
  static constexpr std::size_t kClientsMax = 32;
  static constexpr std::size_t kRequestBytesMax = 256 * 1024;
  static constexpr std::size_t kWaitingBytesMax = 4 << 20;
  static constexpr Nanoseconds kSilenceMax = 10 * kSecond;

  struct Options {
    std::string path;
    std::optional<gid_t> group;  ///< Whose members may speak too.
  };
  struct Calls {
    std::function<void(ClientId client, std::string_view line)> on_line;
    std::function<void(ClientId client)> on_gone;
  };
  /// Takes the place of a socket that a dead filter left; refuses where a living one answers. Missing directories are made.
  static Result<std::unique_ptr<ControlSocket>> open(Options options);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  /// Begins to listen to clients. `calls` are made on the socket's thread.
  void start(Calls calls);
  /// Ends the thread, lets all clients go (what waits for them is written if they take it at once), removes the socket.
  void close();

  // From any thread.
  /// Runs `task` on the socket's thread, soon.
  void post(std::function<void()> task);

  // On the socket's thread.
  /// A line without its end. False: the client is gone, or was let go because it does not read.
  bool send(ClientId client, std::string_view line);
  /// Bytes that the client has not taken yet.
  std::size_t waiting(ClientId client) const;
  /// Lets the client go once it has what waits for it.
  void finish(ClientId client);
  /// Runs `task` then; replaces the timer of that name.
  void at(const std::string& name, Nanoseconds mono_ns, std::function<void()> task);
  void cancel(const std::string& name) { timers_.erase(name); }
  static Nanoseconds now_ns();
  std::size_t clients() const { return clients_.size(); }
  std::uint64_t refused() const { return refused_; }   ///< Clients without leave, or one too many.
  std::uint64_t let_go() const { return let_go_; }     ///< Clients that did not read, or sent too much.

 private:
  struct Client {
    int fd = -1;
    std::string in, out;
    std::size_t sent = 0;
    Nanoseconds since_ns = 0;
    bool spoke = false, finished = false, over = false;
  };
  struct Timer {
    Nanoseconds due_ns;
    std::function<void()> task;
  };
  ControlSocket(Options options, int listener, int bell) : options_(std::move(options)), listener_(listener), bell_(bell) {}

  void run();
  void accept_client();
  bool may_speak(int fd) const;
  void read_from(ClientId id, Client& client);
  void write_to(Client& client);
  void sweep();
  void run_posted();
  void run_timers();

  Options options_;
  int listener_, bell_;
  Calls calls_;
  std::thread thread_;
  std::atomic<bool> ending_{false};
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::map<ClientId, Client> clients_;
  std::map<std::string, Timer> timers_;
  ClientId next_client_ = 1;
  std::uint64_t refused_ = 0, let_go_ = 0;
};

}  // namespace weir::service
