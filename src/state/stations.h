// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stations: which Ethernet addresses are behind each port (guard `port-security`). The first `macs_max` that pass are let in; one
// that was silent for kSilent makes room, unless they are sticky. Where ports have no names (a capture), all frames came by one port.
//
// A port's addresses lie in a row that is searched: more than kMacsMax are not kept, and `macs_max` beyond it means kMacsMax.

#include <algorithm>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "facts/frame.h"

namespace weir::state {

class Stations {
 public:
  static constexpr std::size_t kMacsMax = 1024, kPortsMax = 256;

  Stations(std::uint32_t macs_max, bool sticky) : macs_max_(std::min<std::size_t>(macs_max, kMacsMax)), sticky_(sticky) {}

  /// One more than allowed: the port is full and this is none of its addresses.
  bool exceeds(PortIndex port, const Mac& mac, Nanoseconds now_ns) {
    const Port* p = find(port);
    if (p == nullptr || mac.is_group()) return false;
    std::size_t live = 0;
    for (const Station& s : p->stations) {
      if (s.mac == mac.value()) return false;
      live += is_live(s, now_ns) ? 1 : 0;
    }
    return live >= macs_max_;
  }
  /// A frame of that source passed.
  void learn(PortIndex port, const Mac& mac, Nanoseconds now_ns) {
    if (mac.is_group()) return;
    Port* p = find(port);
    if (p == nullptr) {
      if (ports_.size() == kPortsMax) return;
      p = &ports_.emplace_back(Port{port, {}});
      p->stations.reserve(macs_max_);
    }
    Station* free = nullptr;
    for (Station& s : p->stations) {
      if (s.mac == mac.value()) return void(s.last_ns = now_ns);
      if (!is_live(s, now_ns)) free = &s;
    }
    if (free != nullptr) *free = {mac.value(), now_ns};
    else if (p->stations.size() < macs_max_) p->stations.push_back({mac.value(), now_ns});
  }

  /// Those that stay for good: calls with port and address.
  template <typename F>
  void for_each_sticky(F&& call) const {
    if (!sticky_) return;
    for (const Port& port : ports_)
      for (const Station& station : port.stations) call(port.port, Mac::from_value(station.mac));
  }
  bool sticky() const { return sticky_; }

 private:
  static constexpr Nanoseconds kSilent = 5 * kMinute;  ///< As bridges forget them (IEEE 802.1Q, 8.8.3: 300 s).
  struct Station {
    std::uint64_t mac;
    Nanoseconds last_ns;
  };
  struct Port {
    PortIndex port;
    std::vector<Station> stations;
  };
  bool is_live(const Station& s, Nanoseconds now_ns) const { return sticky_ || now_ns - s.last_ns < kSilent; }
  Port* find(PortIndex port) {
    for (Port& p : ports_)
      if (p.port == port) return &p;
    return nullptr;
  }

  std::size_t macs_max_;
  bool sticky_;
  std::vector<Port> ports_;
};

}  // namespace weir::state
