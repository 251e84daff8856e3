// SPDX-License-Identifier: Apache-2.0
#pragma once

// Forwarder: which ports a frame leaves by, as a bridge decides it (IEEE 802.1D, 7.7; 802.1Q with a table for each VLAN).
//
//   1. A group address of the link itself (01-80-C2-00-00-0x) goes nowhere; save 00, the spanning tree's: this bridge does not
//      take part in it, so others must see each other through it, or would not find a loop.
//   2. A group address, and a station never heard of, goes to all ports but the one it came in by.
//   3. A station goes to the port where it was last heard; if that is where the frame came from, nowhere.
//
// A frame whose source is a group address goes nowhere. Stations are learned from frames that pass, and from no others: what was stopped moves nobody. The table is bounded; a station not heard
// for five minutes, or in a full table the one not heard for longest, is forgotten, and its frames are flooded.

#include <cstdint>

#include "base/address.h"
#include "base/clock.h"
#include "datapath/datapath.h"
#include "state/bounded_map.h"

namespace weir::datapath {

/// A bit a port.
using PortMask = std::uint32_t;
inline constexpr std::size_t kPortsMax = 32;

struct Ways {
  PortMask out = 0;
  Loss loss = Loss::SamePort;  ///< Why there are none, if there are none.
};

class Forwarder {
 public:
  explicit Forwarder(std::size_t stations_max = 16384, Nanoseconds idle_ns = 5 * kMinute, std::uint64_t seed = 0)
      : stations_(stations_max), idle_ns_(idle_ns), seed_(seed) {}

  /// Ports that there are and that carry.
  void ports(PortMask usable) { usable_ = usable; }
  PortMask ports() const { return usable_; }

  /// `frame` passed: its source is behind `in`.
  void learn(Bytes frame, PortIndex in, Nanoseconds now_ns);
  /// Where it goes.
  Ways ways(Bytes frame, PortIndex in, Nanoseconds now_ns);
  /// Where this station was heard last; kNoPort: nowhere.
  PortIndex port_of(Mac station, std::uint16_t vlan, Nanoseconds now_ns);

  /// Stations that had to be forgotten for others.
  std::uint64_t evicted() const { return stations_.evicted(); }
  /// Stations that were heard at another port than before.
  std::uint64_t moved() const { return moved_; }

 private:
  struct Station {
    PortIndex port;
  };
  static std::uint64_t key_of(const std::uint8_t* mac, std::uint16_t vlan);

  state::BoundedMap<std::uint64_t, Station> stations_;
  PortMask usable_ = 0;
  Nanoseconds idle_ns_;
  std::uint64_t seed_, moved_ = 0;
};

}  // namespace weir::datapath
