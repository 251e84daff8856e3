// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rates: how many arrivals an address had over the last second. Two neighbouring seconds are kept and weighed (a sliding
// window counter): exact at whole seconds, off by at most the unevenness of the older second between them.

#include "base/hash.h"
#include "state/bounded_map.h"

#include "base/address.h"

namespace weir::state {

enum class RateKind : std::uint8_t { Syn, Packets, Flows, Requests, SynTo, PacketsTo, FlowsTo, RequestsTo };

class Rates {
 public:
  explicit Rates(std::size_t capacity) : table_(capacity) {}

  /// Counts one arrival and gives the rate with it.
  std::uint64_t arrive(RateKind kind, const Ip& ip, Nanoseconds now_ns) {
    Window* w = window(kind, ip, now_ns);
    ++w->now;
    return value(*w, now_ns);
  }
  std::uint64_t read(RateKind kind, const Ip& ip, Nanoseconds now_ns) { return value(*window(kind, ip, now_ns), now_ns); }
  std::uint64_t evicted() const { return table_.evicted(); }

 private:
  struct Key {
    Ip ip;
    RateKind kind;
    bool operator==(const Key&) const = default;
  };
  struct Window {
    std::int64_t second;
    std::uint32_t now, before;
  };
  Window* window(RateKind kind, const Ip& ip, Nanoseconds now_ns) {
    const Key key{ip, kind};
    const std::uint64_t h = hash_ip(ip, 100 + static_cast<std::uint64_t>(kind));
    Window* w = table_.find(key, h, now_ns, 2 * kSecond);
    if (w == nullptr) {
      w = table_.insert(key, h, now_ns, 2 * kSecond);
      w->second = now_ns / kSecond;
    }
    table_.touch(w, now_ns);
    const std::int64_t second = now_ns / kSecond;
    if (second != w->second) {
      w->before = second == w->second + 1 ? w->now : 0;
      w->now = 0;
      w->second = second;
    }
    return w;
  }
  static std::uint64_t value(const Window& w, Nanoseconds now_ns) {
    const auto into = static_cast<std::uint64_t>(now_ns % kSecond);
    return w.now + w.before * (static_cast<std::uint64_t>(kSecond) - into) / static_cast<std::uint64_t>(kSecond);
  }
  BoundedMap<Key, Window> table_;
};

}  // namespace weir::state
