// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bypass: the bridge without the filter, on a thread and sockets of its own. What FailMode::Open means where the lane hangs and
// nothing in the kernel forwards: everything passes.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace weir::datapath {

class Bypass {
 public:
  ~Bypass() { stop(); }
  /// Opens the ports that are there and forwards between them until stop().
  void start(const std::vector<std::string>& ports);
  void stop();
  std::uint64_t carried() const { return carried_.load(std::memory_order_relaxed); }

 private:
  void run(const std::vector<std::string>& names);

  std::thread thread_;
  std::atomic<bool> ending_{false};
  std::atomic<std::uint64_t> carried_{0};
};

}  // namespace weir::datapath
