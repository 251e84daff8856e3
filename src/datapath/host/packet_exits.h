// SPDX-License-Identifier: Apache-2.0
#pragma once

// PacketExits: the program that asks about frames of packet sockets (bpf/packet_sockets.h), on the way out of each device. Attached by a link
// of its own where the kernel has them (tcx, Linux 6.6): beside others' programs, and gone with the process. Else as a filter of traffic
// control, priority 0xe1a: that one stays when the process is killed, with the rules it had, until the next start or clean stop.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weir::datapath {

class PacketExits {
 public:
  /// Programs for devices whose frames begin with Ethernet, and with IP. `links` false: filters alone (for tests).
  PacketExits(int ethernet_fd, int bare_fd, bool links = true) : ethernet_fd_(ethernet_fd), bare_fd_(bare_fd), links_(links) {}
  ~PacketExits();
  PacketExits(const PacketExits&) = delete;
  PacketExits& operator=(const PacketExits&) = delete;

  struct Device {
    int index = 0;
    std::string name;
    bool ethernet = true;  ///< Loopback's frames begin with Ethernet too.
  };
  /// These are there now: new ones get the program, and those that are gone are forgotten. What kept it from a device is told once.
  void attend(const std::vector<Device>& devices);
  /// Devices that did not take it: "NAME: why".
  const std::vector<std::string>& refused_by() const { return refused_by_; }

 private:
  struct Exit {
    int device = 0;
    int link_fd = -1;
    bool filter = false, made_hook = false;
  };
  std::optional<Error> attach(const Device& device, Exit& exit);
  static void detach(Exit& exit);

  int ethernet_fd_, bare_fd_;
  bool links_;
  std::vector<Exit> exits_;
  std::vector<std::string> refused_by_;
};

}  // namespace weir::datapath
