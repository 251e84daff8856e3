// SPDX-License-Identifier: Apache-2.0
#include "service/watchdog.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

namespace weir::service {

Watchdog::Watchdog(Service& service, Options options) : service_(service), options_(std::move(options)), thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  bell_.notify_all();
  thread_.join();
}

void Watchdog::run() {
  using Clock = std::chrono::steady_clock;
  std::uint64_t seen = service_.turns();
  Clock::time_point since = Clock::now(), told = since;
  std::unique_lock lock(mutex_);
  while (!bell_.wait_for(lock, std::chrono::nanoseconds(options_.look_ns), [this] { return ending_; })) {
    const Clock::time_point now = Clock::now();
    if (const std::uint64_t turns = service_.turns(); turns != seen) {
      seen = turns;
      since = now;
      if (now - told >= std::chrono::seconds(1) && !failed_.load(std::memory_order_relaxed)) {
        told = now;
        notify_supervisor(options_.notify, "WATCHDOG=1");
      }
      continue;
    }
    if (failed_.load(std::memory_order_relaxed) || now - since < std::chrono::nanoseconds(options_.hung_ns)) continue;
    lock.unlock();
    fail();
    lock.lock();
  }
}

void Watchdog::fail() {
  const datapath::FailMode mode = service_.options().fail;
  failed_.store(true, std::memory_order_relaxed);
  const std::optional<Error> refused = service_.path().fail(mode);
  service_.stop();
  if (!options_.say) return;
  const std::string mode_name(datapath::name_of(mode));
  if (refused) options_.say("the lane hangs, and it cannot fail " + mode_name + ": " + refused->message);
  else options_.say("the lane hangs: the bridge fails " + mode_name + " from now on");
}

void notify_supervisor(const std::string& path, std::string_view state) {
  if (path.empty() || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = path.size();
  if (size >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path.data(), size);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  (void)!::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address),
                  static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
  ::close(fd);
}

}  // namespace weir::service
