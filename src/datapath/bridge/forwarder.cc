// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/forwarder.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace weir::datapath {
namespace {

constexpr std::size_t kHeaderBytes = 14;
constexpr std::uint8_t kLinkGroup[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

/// VID of the outermost tag, 0 if there is none (a priority tag, VID 0, is none: 802.1Q, 6.9).
std::uint16_t vlan_of(Bytes frame) {
  if (frame.size() < kHeaderBytes + 4) return 0;
  const std::uint16_t type = load_be16(frame.data() + 12);
  return type == 0x8100 || type == 0x88a8 ? load_be16(frame.data() + 14) & 0x0fff : std::uint16_t{0};
}

}  // namespace

std::uint64_t Forwarder::key_of(const std::uint8_t* mac, std::uint16_t vlan) {
  return Mac::from_bytes(mac).value() | std::uint64_t{vlan} << 48;
}

void Forwarder::learn(Bytes frame, PortIndex in, Nanoseconds now_ns) {
  if (frame.size() < kHeaderBytes || (frame[6] & 1) != 0) return;
  const std::uint64_t key = key_of(frame.data() + 6, vlan_of(frame)), hash = mix64(seed_, key);
  Station* station = stations_.find(key, hash, now_ns, idle_ns_);
  if (station == nullptr) {
    station = stations_.insert(key, hash, now_ns, idle_ns_);
    station->port = in;
    return;
  }
  if (station->port != in) {
    station->port = in;
    ++moved_;
  }
  stations_.touch(station, now_ns);
}

Ways Forwarder::ways(Bytes frame, PortIndex in, Nanoseconds now_ns) {
  if (frame.size() < kHeaderBytes) return {0, Loss::Truncated};
  if ((frame[6] & 1) != 0) return {0, Loss::BadSource};
  const PortMask others = usable_ & ~(in < kPortsMax ? PortMask{1} << in : PortMask{0});
  const Ways flood{others, Loss::NoPort};
  if ((frame[0] & 1) != 0) {
    const bool of_link = std::memcmp(frame.data(), kLinkGroup, sizeof kLinkGroup) == 0 && (frame[5] & 0xf0) == 0;
    if (of_link && frame[5] != 0) return {0, Loss::LinkLocal};
    return flood;
  }
  const std::uint64_t key = key_of(frame.data(), vlan_of(frame));
  const Station* station = stations_.find(key, mix64(seed_, key), now_ns, idle_ns_);
  if (station == nullptr) return flood;
  if (station->port == in) return {0, Loss::SamePort};
  const PortMask way = PortMask{1} << station->port;
  // Its port is gone: it may have come back elsewhere.
  return (usable_ & way) == 0 ? flood : Ways{way, Loss::NoPort};
}

PortIndex Forwarder::port_of(Mac station, std::uint16_t vlan, Nanoseconds now_ns) {
  const std::uint64_t key = key_of(station.bytes.data(), vlan);
  const Station* found = stations_.find(key, mix64(seed_, key), now_ns, idle_ns_);
  return found == nullptr ? kNoPort : found->port;
}

}  // namespace weir::datapath
