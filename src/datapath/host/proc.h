// SPDX-License-Identifier: Apache-2.0
#pragma once

// Proc: what /proc tells of processes, for those that ran before the start and for systems where the kernel takes no program of ours.
// Anything may be gone or replaced between two reads: an answer is what was there at one moment, and empty where nothing was.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::datapath {

struct ProcProcess {
  std::uint32_t pid = 0, parent = 0;
  std::uint64_t start_ticks = 0;      ///< Since boot, in 1/100 s: with the pid, which process it is.
  std::uint32_t uid = 0, gid = 0;     ///< Effective.
  std::string path;                   ///< Of the executable, also where the file is gone; empty: not to be read (a kernel's thread).
  bool rootless = false;              ///< It never had a path: a memfd.
  std::uint64_t inode = 0, device = 0;
  std::string cmdline;                ///< Arguments, each ended by a zero.
  std::string cgroup;                 ///< Path in the unified hierarchy.
};

class Proc {
 public:
  explicit Proc(std::string root = "/proc") : root_(std::move(root)) {}

  std::vector<std::uint32_t> pids() const;
  std::optional<ProcProcess> process(std::uint32_t pid) const;
  /// Calls with the inode of each socket that the process has open.
  void for_each_socket(std::uint32_t pid, const std::function<void(std::uint64_t inode)>& call) const;
  std::string cgroup_of(std::uint32_t pid) const;
  std::string folder(std::uint32_t pid) const { return root_ + "/" + std::to_string(pid); }

 private:
  std::string root_;
};

/// A whole small file; nothing if it cannot be read.
std::optional<std::string> read_small_file(const std::string& path, std::size_t bytes_max = 1 << 20);

/// "/usr/bin/x (deleted)" as the kernel shows an executable whose file is gone; `gone`: it is (a file may be called so).
std::string plain_path(std::string_view shown, bool gone, bool& rootless);

}  // namespace weir::datapath
