// SPDX-License-Identifier: Apache-2.0
#pragma once

// EventWriter: lines of events on their way from the lane to a file, over a ring of fixed size. The lane puts whole lines in and never
// waits; a thread of its own writes them. Where the ring is full, lines are dropped and counted: reporting never changes a
// verdict, and never delays one.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"

namespace weir::service {

class EventWriter {
 public:
  struct Options {
    std::string path;                    ///< "-": standard output; empty: nowhere (then only `follow` sees lines). Appended to.
    std::size_t ring_bytes = 8 << 20;
    /// Sees each piece of whole lines, on the writer's thread.
    std::function<void(std::string_view lines)> follow;
  };
  static Result<std::unique_ptr<EventWriter>> open(Options options);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  /// The lane. Whole lines, at most half a ring; false: there was no room, and they are counted as dropped.
  bool put(std::string_view lines);
  /// From any thread: the file is opened anew before the next write (it was moved away).
  void reopen() { reopen_.store(true, std::memory_order_relaxed); }
  /// Writes what is left. Nothing, or what the file said when it refused a line the first time.
  std::optional<Error> close();

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }  ///< Lines.
  std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }  ///< Bytes.
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }  ///< Bytes that the file did not take.

 private:
  EventWriter(Options options, int fd);
  void run();
  void write(std::string_view lines);

  Options options_;
  int fd_ = -1;
  int fault_ = 0;
  std::vector<char> ring_;
  // Counted in bytes since the start; the lane owns head_, the thread tail_.
  std::atomic<std::uint64_t> head_{0}, tail_{0};
  std::atomic<std::uint32_t> rings_{0};  ///< The bell: rung after each put(), and to end.
  std::atomic<bool> ending_{false}, reopen_{false};
  std::atomic<std::uint64_t> dropped_{0}, written_{0}, refused_{0};
  std::thread thread_;
};

}  // namespace weir::service
