// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host's own file of names (`/etc/hosts`, hosts(5)): an address and its names a line, `#` begins a comment. An address with several names
// goes by all of them. Loopback and wildcard addresses are no other machine's and name nothing. A line that is none is skipped and counted.
//
// HostsWatch reads it, and the addresses that this machine has, on a thread of its own, and tells when either changed. It never changes them.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "state/host_names.h"

namespace weir::datapath {

inline constexpr std::size_t kHostsListedMax = 65536;        ///< Names of addresses; lines beyond are skipped.
inline constexpr std::size_t kHostsBytesMax = std::size_t{8} << 20;  ///< Nothing is read beyond.

/// Puts what the text lists into `names`, sorted, and counts the lines that it skipped.
void parse_hosts(std::string_view text, state::HostNames& names);

class HostsWatch {
 public:
  struct Options {
    std::string path = "/etc/hosts";
    Nanoseconds look_ns = kSecond;
    /// What is known, each time it changed; called by the watching thread.
    std::function<void(std::shared_ptr<const state::HostNames> names)> tell;
  };
  explicit HostsWatch(Options options);
  ~HostsWatch();
  HostsWatch(const HostsWatch&) = delete;
  HostsWatch& operator=(const HostsWatch&) = delete;

  /// What is known now; call it before start().
  std::shared_ptr<const state::HostNames> look();
  /// Watches from here on.
  void start();

 private:
  struct Stamp {
    std::int64_t changed_ns = 0, size = -1;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  Stamp stamp() const;
  bool look_again();
  void run();

  Options options_;
  Stamp seen_;
  state::HostNames now_;
  std::mutex mutex_;
  std::condition_variable bell_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace weir::datapath
