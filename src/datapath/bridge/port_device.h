// SPDX-License-Identifier: Apache-2.0
#pragma once

// PortDevice: what the system says about the device behind a port's name, and the settings that a bridge asks of it. All by
// socket calls, which see the network namespace of this process; /sys may show another's.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace weir::datapath {

struct PortDevice {
  int index = 0;
  bool up = false;         ///< Up, and with a carrier.
  bool is_ethernet = false;
  bool enslaved = false;   ///< Part of a bond or a bridge of the kernel.
  std::uint32_t mtu = 0;
  Mac mac;
};

/// What is there by this name now; nothing if there is none.
std::optional<PortDevice> find_device(const std::string& name);
/// Addresses that this machine has on the device, as text.
std::vector<std::string> addresses_of(const std::string& name);
/// Whether this machine answers ARP on the device for addresses that it has on others: Linux' way unless arp_ignore says otherwise.
bool answers_for_other_devices(const std::string& name);
/// Large receive offload joins segments for good: it is turned off. True: it was on.
Result<bool> turn_off_lro(const std::string& name);
void turn_on_lro(const std::string& name);

/// The kernel takes VLAN tags out of frames before a program of XDP sees them: turned off. True: it was on.
Result<bool> turn_off_vlan_stripping(const std::string& name);
void turn_on_vlan_stripping(const std::string& name);
/// Frames are coalesced on receipt no more. True: they were.
Result<bool> turn_off_gro(const std::string& name);
void turn_on_gro(const std::string& name);
/// The sum of the driver's own counters whose names end so, over its queues; nothing if it has none.
std::optional<std::uint64_t> counted_by_driver(const std::string& name, std::string_view counter);
/// How many queues receive.
std::uint32_t receive_queues(const std::string& name);

/// A descriptor that becomes readable when a device comes, goes or changes; drain_device_events() empties it.
Result<int> open_device_events();
void drain_device_events(int fd);

}  // namespace weir::datapath
