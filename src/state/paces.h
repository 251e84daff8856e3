// SPDX-License-Identifier: Apache-2.0
#pragma once

// Paces: how fast a client brings its request and takes its answer, a connection each (guard `slow-client`, `flow.slow`).
//
// Rule of thumb, with the guard's two numbers:
//  - head: from the request's first byte to the end of its head it takes longer than `headers_within`;
//  - body: in some stretch of `headers_within` after that, while the body is not whole, it comes slower than `body_rate`;
//  - read: for `headers_within` the client keeps its window shut (below kWindowLeast bytes), and over the whole life of the
//    connection the server could not even send `body_rate`: a player that paused has taken its megabytes before.
// It is judged when a packet of the client comes: one that stays silent is the idle time's business.

#include "state/bounded_map.h"
#include "state/connection_key.h"

namespace weir::state {

class Paces {
 public:
  struct Bounds {
    Nanoseconds headers_within_ns = 10 * kSecond;
    double body_bytes_per_s = 500;
  };
  /// How far the request is, as its parser sees it after the packet.
  enum class Request : std::uint8_t { Head, Body, Whole };

  Paces(const Bounds& bounds, std::size_t capacity) : bounds_(bounds), table_(capacity) {}

  /// A packet of the client arrived. `window`: what it can take, scaled; UINT32_MAX where that is not known. `answered_bytes`: of the
  /// server, since the connection began.
  bool arrive(const FlowEnds& ends, std::size_t payload_bytes, std::uint32_t window, std::uint64_t answered_bytes, Nanoseconds start_ns,
              Nanoseconds now_ns) {
    Pace* pace = find(ConnectionKey(ends), now_ns);
    if (pace == nullptr) return false;
    table_.touch(pace, now_ns);
    if (pace->slow) return true;
    const Nanoseconds took = now_ns - pace->since_ns;
    if (pace->stage == Request::Head) pace->slow = took > bounds_.headers_within_ns;
    if (pace->stage == Request::Body) {
      pace->bytes += payload_bytes;
      if (took >= bounds_.headers_within_ns) {
        pace->slow = static_cast<double>(pace->bytes) < rate_over(took);
        pace->since_ns = now_ns;
        pace->bytes = 0;
      }
    }
    if (window >= kWindowLeast) pace->shut_ns = 0;
    else if (pace->shut_ns == 0) pace->shut_ns = now_ns + 1;
    else if (now_ns - pace->shut_ns >= bounds_.headers_within_ns) pace->slow = pace->slow || static_cast<double>(answered_bytes) < rate_over(now_ns - start_ns);
    return pace->slow;
  }
  /// Bytes of the client were read: so far the request is now. What is not read (a bad checksum, another protocol) begins none.
  void read(const FlowEnds& ends, Request request, Nanoseconds now_ns) {
    const ConnectionKey key(ends);
    Pace* pace = find(key, now_ns);
    if (pace == nullptr) {
      pace = table_.insert(key, key.hash(), now_ns, kForgottenAfter);
      pace->stage = Request::Whole;
    }
    if (pace->stage == request) return;
    pace->stage = request;
    pace->since_ns = now_ns;
    pace->bytes = 0;
  }
  std::uint64_t evicted() const { return table_.evicted(); }

 private:
  static constexpr Nanoseconds kForgottenAfter = kHour;
  static constexpr std::uint32_t kWindowLeast = 512;  ///< Less than a segment of the smallest network (RFC 9293, 3.7.1: 536).
  struct Pace {
    Nanoseconds since_ns;  ///< Of the head's first byte, or of the stretch of the body.
    Nanoseconds shut_ns;   ///< When the window was first seen shut, plus one; 0: it is open.
    std::uint64_t bytes;   ///< Of the stretch.
    Request stage;
    bool slow;
  };
  Pace* find(const ConnectionKey& key, Nanoseconds now_ns) { return table_.find(key, key.hash(), now_ns, kForgottenAfter); }
  double rate_over(Nanoseconds time_ns) const { return bounds_.body_bytes_per_s * static_cast<double>(time_ns) / kSecond; }

  Bounds bounds_;
  BoundedMap<ConnectionKey, Pace> table_;
};

}  // namespace weir::state
