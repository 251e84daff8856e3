// SPDX-License-Identifier: Apache-2.0
#pragma once

// EarlyProgram: the program in front of a host's packet sockets (bpf/host.bpf.c): loaded, given its rules, attached to the devices that
// packets come in by, taken away. What it stops comes back as a copy for the engine.
//
// It needs the kernel's lookup of connections from XDP (Linux 5.18 with BTF). Where destinations are translated on their way in (DNAT, as
// Docker does), a packet's address is not yet the one that rules ask about, so that the rules are taken out while that is so.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "datapath/datapath.h"
#include "datapath/host/early_rules.h"

struct weir_host;
struct ring_buffer;

namespace weir::datapath {

class EarlyProgram {
 public:
  static constexpr std::size_t kCopies = 64;
  struct Copy {
    Bytes bytes;  ///< From the IP header on. Lives until the next take().
    std::uint32_t whole_bytes = 0, device = 0;
  };

  /// The error says what the kernel lacks.
  static Result<std::unique_ptr<EarlyProgram>> load();
  ~EarlyProgram();
  EarlyProgram(const EarlyProgram&) = delete;
  EarlyProgram& operator=(const EarlyProgram&) = delete;

  /// Native where a device of its own drives it, generic for those that only join machines (veth) and where the driver has no native.
  Result<Attach> attach(const std::string& name, int device);
  /// A device that is gone.
  void detach(int device);

  /// For a moment nothing is stopped, then by these rules.
  void use(const EarlyRules& rules);
  /// True: nothing is stopped here.
  void pause(bool paused);
  bool stops_any() const { return any_ && !paused_; }
  /// The engine expects this flow: the policy's default does not stop its first packet.
  void expect(const Ip& client, const Ip& server, std::uint16_t port, std::uint8_t protocol);

  int program_fd() const;
  /// Readable when something was stopped.
  int fd() const;
  /// Copies of what was stopped, at most kCopies.
  std::span<const Copy> take(std::size_t most);
  std::uint64_t stopped() const { return count(WEIR_EARLY_STOPPED); }
  std::uint64_t untold() const { return count(WEIR_EARLY_UNTOLD); }

 private:
  EarlyProgram() = default;
  std::uint64_t count(weir_early_counter which) const;
  void put_addresses(const EarlyRules& rules);
  void set_on() const;
  static int keep(void* context, void* record, unsigned long size);

  struct Close {
    void operator()(weir_host* skeleton) const;
    void operator()(ring_buffer* ring) const;
  };
  struct Link {
    int device = 0, fd = -1;
  };
  std::unique_ptr<weir_host, Close> skeleton_;
  std::unique_ptr<ring_buffer, Close> ring_;
  std::vector<Link> links_;
  std::vector<Copy> copies_;
  std::vector<std::uint8_t> copied_;
  std::size_t most_ = 0;
  int cpus_ = 1;
  bool any_ = false, paused_ = false;
};

/// The device has its packets from others: a bridge, a bond, a VLAN, what is made of one device for a container.
bool is_built_on_others(const std::string& name);
/// Something here translates destinations of what comes in.
bool translates_destinations();

}  // namespace weir::datapath
