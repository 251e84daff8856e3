// SPDX-License-Identifier: Apache-2.0
#pragma once

// Progress of work that takes more than a second: one line on standard error that is written over, if that is a terminal; nothing
// in a pipe.

#include <chrono>
#include <cstdint>
#include <string>

namespace weir::cli {

class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// `done` so far; cheap where nothing is shown.
  void step(std::uint64_t done) {
    if (shows_ && done >= next_) show(done);
  }

 private:
  void show(std::uint64_t done);

  std::string what_;
  bool shows_;
  bool written_ = false;
  std::uint64_t next_ = 4096;
  std::chrono::steady_clock::time_point started_, last_;
};

}  // namespace weir::cli
