// SPDX-License-Identifier: Apache-2.0
#pragma once

// FrameQueue: frames on their way to the files of a replay, in the order of the capture. While a frame waits for its verdict
// those behind it wait too, as copies; where nothing waits nothing is copied.

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "facts/decision.h"
#include "facts/frame.h"

namespace weir::cli {

class FrameQueue {
 public:
  /// Calls write(frame, verdict) for this frame, or keeps it if it or one before it is held.
  template <typename Write>
  void put(const Frame& frame, Verdict verdict, Write&& write) {
    if (verdict != Verdict::Hold && waiting_.empty()) {
      write(frame, verdict);
      return;
    }
    Waiting& w = waiting_.emplace_back();
    w.bytes.assign(frame.bytes.begin(), frame.bytes.end());
    w.frame = frame;
    w.verdict = verdict;
  }
  /// A held frame is decided.
  void decide(std::uint64_t number, Verdict verdict) { decided_.emplace(number, verdict); }
  /// Writes what no longer waits.
  template <typename Write>
  void drain(Write&& write) {
    while (!waiting_.empty()) {
      Waiting& w = waiting_.front();
      if (w.verdict == Verdict::Hold) {
        const auto found = decided_.find(w.frame.number);
        if (found == decided_.end()) return;
        w.verdict = found->second;
        decided_.erase(found);
      }
      w.frame.bytes = w.bytes;
      write(w.frame, w.verdict);
      waiting_.pop_front();
    }
  }
  bool empty() const { return waiting_.empty(); }

 private:
  struct Waiting {
    std::vector<std::uint8_t> bytes;
    Frame frame;
    Verdict verdict;
  };
  std::deque<Waiting> waiting_;
  std::unordered_map<std::uint64_t, Verdict> decided_;
};

}  // namespace weir::cli
