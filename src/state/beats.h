// SPDX-License-Identifier: Apache-2.0
#pragma once

// Beats: whether a client opens flows to one server's port at regular intervals (`flow.beacon`).
//
// Rule of thumb: the last kIntervals (10) intervals, each at least kShortest (2 s: what is quicker is a page with its parts, or a
// retry) and at most kLongest (a day), of which the median absolute deviation is at most a fifth of the median. Intervals with a jitter
// of a third either way, which is what implants come with, lie at a sixth; the arrivals of people at two thirds. Clocks, mail
// programs and monitors beat too: a rule says whose.
//
// Not seen: a beacon inside one long connection, and one that calls in turn at many addresses.

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "facts/flow.h"
#include "state/bounded_map.h"

namespace weir::state {

class Beats {
 public:
  explicit Beats(std::size_t capacity) : table_(capacity) {}

  /// The client opens a flow. True if its flows to that server are a beat now.
  bool open(const FlowEnds& ends, Nanoseconds now_ns) {
    const Key key = key_of(ends);
    const std::uint64_t h = hash(key);
    Beat* beat = table_.find(key, h, now_ns, kLongest);
    if (beat == nullptr) {
      beat = table_.insert(key, h, now_ns, kLongest);
      beat->last_ms = now_ns / kMillisecond;
      return false;
    }
    table_.touch(beat, now_ns);
    const Nanoseconds interval_ms = now_ns / kMillisecond - beat->last_ms;
    // Flows that open together are one call.
    if (interval_ms < kTogether / kMillisecond) return beat->regular;
    beat->last_ms = now_ns / kMillisecond;
    beat->intervals_ms[beat->next++ % kIntervals] = static_cast<std::uint32_t>(interval_ms);
    if (beat->next < kIntervals) return false;
    if (beat->next == 2 * kIntervals) beat->next = kIntervals;
    return beat->regular = is_regular(*beat);
  }
  bool beats(const FlowEnds& ends, Nanoseconds now_ns) {
    const Key key = key_of(ends);
    const Beat* beat = table_.find(key, hash(key), now_ns, kLongest);
    return beat != nullptr && beat->regular;
  }
  std::uint64_t evicted() const { return table_.evicted(); }

 private:
  static constexpr std::size_t kIntervals = 10;
  static constexpr Nanoseconds kTogether = 100 * kMillisecond, kShortest = 2 * kSecond, kLongest = 24 * kHour;
  static constexpr std::uint32_t kDeviationPart = 5;  ///< The deviation is at most one part in so many of the median.

  struct Key {
    Ip client, server;
    std::uint16_t port;
    std::uint16_t protocol;
    bool operator==(const Key&) const = default;
  };
  struct Beat {
    Nanoseconds last_ms;
    std::uint32_t intervals_ms[kIntervals];
    std::uint8_t next;  ///< Counts on from kIntervals to twice that: the ring is full from then on.
    bool regular;
  };
  static Key key_of(const FlowEnds& e) { return {e.client, e.server, e.server_port, e.protocol}; }
  static std::uint64_t hash(const Key& k) {
    return hash_ip(k.client, hash_ip(k.server, std::uint64_t{k.port} << 16 | k.protocol));
  }
  static bool is_regular(const Beat& beat) {
    std::array<std::uint32_t, kIntervals> sorted;
    std::copy(std::begin(beat.intervals_ms), std::end(beat.intervals_ms), sorted.begin());
    const auto median_of = [&] {
      std::sort(sorted.begin(), sorted.end());
      return (sorted[kIntervals / 2] + sorted[(kIntervals - 1) / 2]) / 2;
    };
    const std::uint32_t median = median_of();
    if (sorted[0] < kShortest / kMillisecond) return false;
    for (std::uint32_t& interval : sorted) interval = interval > median ? interval - median : median - interval;
    return median_of() <= median / kDeviationPart;
  }

  BoundedMap<Key, Beat> table_;
};

}  // namespace weir::state
