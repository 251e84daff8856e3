// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lab: a network namespace of the test's own, with veth pairs: pN is a port for the bridge under test, hN its far end, where the test puts frames
// on the wire and takes them off again. Nothing outside of the namespace is touched, and it ends with the process.
//
// As root a namespace is made at once; otherwise a user namespace around it. Where neither is allowed, enter() says why, and the
// test is skipped with that sentence.

#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "datapath/bridge/packet_port.h"

namespace weir::kit {

/// A command of the machine, inside the namespace. True if it went well.
inline bool sh(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

/// One end of the wire, driven by a test.
class FarEnd {
 public:
  explicit FarEnd(const std::string& name) : port_(name) {
    if (auto error = port_.open()) ADD_FAILURE() << error->message;
    port_.refresh();
  }
  void send(std::string_view bytes) { send(bytes, {}); }
  /// As one frame that the system is to cut into segments, or whose checksum it is to finish.
  void send(std::string_view bytes, const datapath::Offload& offload) {
    port_.send(as_bytes(bytes), {}, offload, counters_);
    port_.flush(counters_);
  }
  /// What has come by now. Waits up to `wait_ms` for the first.
  std::vector<std::string> take(int wait_ms = 0) {
    std::vector<std::string> out;
    pollfd ready{port_.fd(), POLLIN, 0};
    if (wait_ms != 0) poll(&ready, 1, wait_ms);
    for (;;) {
      std::size_t slot = 0;
      std::array<datapath::Received, 64> received;
      const std::size_t count = port_.receive(slots_, slot, received, counters_);
      if (count == 0) return out;
      for (std::size_t i = 0; i < count; ++i) {
        out.emplace_back(as_text(received[i].bytes));
        last_offload_ = received[i].offload;
      }
    }
  }
  const datapath::Offload& last_offload() const { return last_offload_; }
  const datapath::DatapathCounters& counters() const { return counters_; }
  datapath::PacketPort& port() { return port_; }

 private:
  datapath::PacketPort port_;
  datapath::ReceiveSlots slots_;
  datapath::DatapathCounters counters_;
  datapath::Offload last_offload_;
};

class Lab {
 public:
  /// Makes a new namespace for this thread; empty, or why that cannot be.
  static std::string enter() {
    const bool root = geteuid() == 0;
    const unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWNET) != 0) {
      if (root && errno != EPERM) return std::string("no network namespace can be made: ") + std::strerror(errno);
      if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return std::string("neither a network namespace nor a user namespace can be made: ") + std::strerror(errno);
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
      std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
    }
    if (!sh("ip link set lo up")) return "the program `ip` is missing, or may not be used";
    // No host of the namespace is to speak by itself.
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << "1";
    std::ofstream("/proc/sys/net/ipv6/conf/all/disable_ipv6") << "1";
    return {};
  }
  /// p0–h0, p1–h1, …
  static void wires(int count, int mtu = 1500) {
    for (int i = 0; i < count; ++i) wire(i, mtu);
  }
  static void wire(int i, int mtu = 1500) { wire("p" + std::to_string(i), "h" + std::to_string(i), mtu); }
  static void wire(const std::string& port, const std::string& far, int mtu = 1500) {
    const std::string m = std::to_string(mtu);
    EXPECT_TRUE(sh("ip link add " + port + " mtu " + m + " type veth peer name " + far + " mtu " + m));
    EXPECT_TRUE(sh("ip link set " + port + " up && ip link set " + far + " up"));
  }
  /// What this end sends is cut and summed by software: the other end sees frames as a wire would carry them.
  static bool no_offloads(const std::string& name) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = true;
    for (const unsigned what : {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM}) {
      ethtool_value value{.cmd = what, .data = 0};
      ifreq request{};
      std::memcpy(request.ifr_name, name.data(), name.size());
      request.ifr_data = reinterpret_cast<char*>(&value);
      done = ioctl(fd, SIOCETHTOOL, &request) == 0 && done;
    }
    ::close(fd);
    return done;
  }
};

/// First line of a live test.
#define WEIR_ENTER_LAB()                                                   \
  do {                                                                     \
    if (const std::string why = ::weir::kit::Lab::enter(); !why.empty()) { \
      GTEST_SKIP() << why;                                                 \
    }                                                                      \
  } while (false)

}  // namespace weir::kit
