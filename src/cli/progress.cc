// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace weir::cli {

Progress::Progress(std::string what)
    : what_(std::move(what)), shows_(isatty(STDERR_FILENO) == 1), started_(std::chrono::steady_clock::now()), last_(started_) {}

Progress::~Progress() {
  if (written_) std::fprintf(stderr, "\r\033[K");
}

void Progress::show(std::uint64_t done) {
  const auto now = std::chrono::steady_clock::now();
  next_ = done + 4096;
  if (now - started_ < std::chrono::seconds(1) || now - last_ < std::chrono::milliseconds(250)) return;
  last_ = now;
  written_ = true;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  std::fprintf(stderr, "\r\033[K%s: %llu packets, %.0f a second", what_.c_str(), static_cast<unsigned long long>(done),
               static_cast<double>(done) / seconds);
}

}  // namespace weir::cli
