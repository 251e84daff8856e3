// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bindings: which Ethernet address (and port) an IP address belongs to. Static ones come from the policy and are never
// replaced; learned ones (from DHCP, or from the first claim that passed) have an end and live in a bounded table.

#include <algorithm>
#include <vector>

#include "base/address.h"
#include "base/hash.h"
#include "facts/frame.h"
#include "state/bounded_map.h"

namespace weir::state {

enum class Claim : std::uint8_t { Holds, Contradicts, Unlisted };

class Bindings {
 public:
  struct Static {
    Ip ip;
    Mac mac;
    PortIndex port;
  };
  Bindings(std::vector<Static> fixed, std::size_t capacity) : fixed_(std::move(fixed)), learned_(capacity) {
    std::sort(fixed_.begin(), fixed_.end(), [](const Static& a, const Static& b) { return a.ip < b.ip; });
  }

  /// `port` kNoPort: not looked at.
  Claim judge(const Ip& ip, const Mac& mac, PortIndex port, Nanoseconds now_ns) {
    const auto [first, last] = std::equal_range(fixed_.begin(), fixed_.end(), Static{ip, {}, 0}, [](const Static& a, const Static& b) { return a.ip < b.ip; });
    if (first != last) {  // An address may have several stations (a cluster): any of them holds.
      for (auto at = first; at != last; ++at)
        if (at->mac == mac && (at->port == kNoPort || port == kNoPort || at->port == port)) return Claim::Holds;
      return Claim::Contradicts;
    }
    const Learned* learned = learned_.find(ip, hash_ip(ip, 3), now_ns, INT64_MAX);
    if (learned == nullptr || learned->until_ns <= now_ns) return Claim::Unlisted;
    return Mac::from_value(learned->mac) == mac && (learned->port == kNoPort || port == kNoPort || learned->port == port) ? Claim::Holds : Claim::Contradicts;
  }
  /// From a lease or a first claim; static bindings stand.
  void learn(const Ip& ip, const Mac& mac, PortIndex port, Nanoseconds until_ns, Nanoseconds now_ns) {
    *learned_.insert(ip, hash_ip(ip, 3), now_ns, INT64_MAX) = {mac.value(), until_ns, port};
  }
  /// A release: the binding ends if this station holds it.
  void forget(const Ip& ip, const Mac& mac, Nanoseconds now_ns) {
    Learned* learned = learned_.find(ip, hash_ip(ip, 3), now_ns, INT64_MAX);
    if (learned != nullptr && learned->mac == mac.value()) learned_.erase(learned);
  }
  /// Learned ones among `count` places from `first` on that last beyond `now_ns`: calls with address, station, port and end.
  template <typename F>
  void walk(std::size_t first, std::size_t count, Nanoseconds now_ns, F&& call) {
    learned_.walk(first, count, [&](const Ip& ip, const Learned& learned) {
      if (learned.until_ns > now_ns) call(ip, Mac::from_value(learned.mac), learned.port, learned.until_ns);
    });
  }
  std::size_t places() const { return learned_.places(); }
  /// Goes on with what the other has learned.
  void take_learned(Bindings& other) { learned_ = std::move(other.learned_); }
  std::uint64_t evicted() const { return learned_.evicted(); }

 private:
  struct Learned {
    std::uint64_t mac;
    Nanoseconds until_ns;
    PortIndex port;
  };
  std::vector<Static> fixed_;
  BoundedMap<Ip, Learned> learned_;
};

}  // namespace weir::state
