// SPDX-License-Identifier: Apache-2.0
#pragma once

// Watchdog: a thread that sees whether the lane still turns. Where it does not for longer than it may, the declared fail mode is carried
// out through the datapath, once, and said; the filter then ends as soon as its lane comes back, if it ever does, so that a supervisor
// can start it anew. While all is well it tells a supervisor that asks (systemd's WATCHDOG=1), and nobody else.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "service/service.h"

namespace weir::service {

class Watchdog {
 public:
  struct Options {
    Nanoseconds hung_ns = 5 * kSecond;    ///< A lane that has not turned for so long hangs.
    Nanoseconds look_ns = 250 * kMillisecond;
    std::string notify;  ///< The supervisor's socket; empty: there is none.
    std::function<void(const std::string& sentence)> say;
  };
  /// `service` outlives it.
  Watchdog(Service& service, Options options);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// The lane hung, and the fail mode was carried out (or could not be: then it was said).
  bool failed() const { return failed_.load(std::memory_order_relaxed); }

 private:
  void run();
  void fail();

  Service& service_;
  Options options_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable bell_;
  bool ending_ = false;
  std::thread thread_;
};

/// Tells the supervisor that started this process (`READY=1`, `WATCHDOG=1`, `STOPPING=1`); nothing where `path` is empty.
void notify_supervisor(const std::string& path, std::string_view state);

}  // namespace weir::service
