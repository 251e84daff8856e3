// SPDX-License-Identifier: Apache-2.0
#pragma once

// Probes: sources that knock (the ports of the guard `knock`, in order) and sources that scan (many ports in a short time).
// They count what arrives, stopped or not.

#include <cmath>
#include <vector>

#include "base/address.h"
#include "base/hash.h"
#include "state/bounded_map.h"

namespace weir::state {

class Knocks {
 public:
  Knocks(std::vector<std::uint16_t> ports, Nanoseconds within_ns, std::size_t capacity)
      : ports_(std::move(ports)), within_ns_(within_ns), table_(capacity) {}

  /// A SYN or a datagram to a port. True from the second probe of the sequence on.
  bool probe(const Ip& source, std::uint16_t port, Nanoseconds now_ns) {
    const std::uint64_t h = hash_ip(source, 11);
    Progress* p = table_.find(source, h, now_ns, within_ns_);
    if (p != nullptr && now_ns - p->since_ns >= within_ns_) p->next = 0;
    const std::uint32_t next = p == nullptr ? 0 : p->next;
    if (next < ports_.size() && port == ports_[next]) {
      if (p == nullptr) p = table_.insert(source, h, now_ns, within_ns_);
      if (next == 0) p->since_ns = now_ns;
      table_.touch(p, now_ns);
      p->next = next + 1;
      return p->next >= 2;
    }
    // The last probe once more (a resent SYN) belongs to it; the first one again begins anew.
    if (next >= 2 && port == ports_[next - 1]) return true;
    if (p != nullptr && port == ports_[0]) *p = {1, now_ns};
    return false;
  }

 private:
  struct Progress {
    std::uint32_t next;
    Nanoseconds since_ns;
  };
  std::vector<std::uint16_t> ports_;
  Nanoseconds within_ns_;
  BoundedMap<Ip, Progress> table_;
};

class Scans {
 public:
  Scans(std::uint32_t ports, Nanoseconds within_ns, std::size_t capacity) : ports_(ports), within_ns_(within_ns), table_(capacity) {}

  /// A probe of a port: true once the source has probed as many as a scan does; stays so while it goes on.
  bool probe(const Ip& source, std::uint16_t port, Nanoseconds now_ns) {
    Seen& s = *place(source, now_ns);
    if (now_ns - s.since_ns >= within_ns_ && !s.scanning) s = {.since_ns = now_ns, .scanning = false, .words = {}};
    const std::uint64_t bit = mix64(port, 0x5ca9) % (kWords * 64);
    s.words[bit / 64] |= std::uint64_t{1} << (bit % 64);
    std::size_t set = 0;
    for (const std::uint64_t w : s.words) set += static_cast<std::size_t>(__builtin_popcountll(w));
    // Linear counting: exact for few, within a few percent up to several hundred.
    const double m = kWords * 64;
    const double distinct = set >= kWords * 64 ? m * 8 : -m * std::log(1 - static_cast<double>(set) / m);
    if (distinct + 0.5 >= ports_) s.scanning = true;
    return s.scanning;
  }
  bool scans(const Ip& source, Nanoseconds now_ns) {
    const Seen* s = table_.find(source, hash_ip(source, 12), now_ns, within_ns_);
    return s != nullptr && s->scanning;
  }

 private:
  static constexpr std::size_t kWords = 16;
  struct Seen {
    Nanoseconds since_ns;
    bool scanning;
    std::uint64_t words[kWords];
  };
  Seen* place(const Ip& source, Nanoseconds now_ns) {
    const std::uint64_t h = hash_ip(source, 12);
    Seen* s = table_.find(source, h, now_ns, within_ns_);
    if (s == nullptr) {
      s = table_.insert(source, h, now_ns, within_ns_);
      s->since_ns = now_ns;
    }
    table_.touch(s, now_ns);
    return s;
  }
  std::uint32_t ports_;
  Nanoseconds within_ns_;
  BoundedMap<Ip, Seen> table_;
};

}  // namespace weir::state
