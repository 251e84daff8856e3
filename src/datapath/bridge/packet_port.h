// SPDX-License-Identifier: Apache-2.0
#pragma once

// PacketPort: one port of the bridge over a packet socket (packet(7)): receives in batches, sends in batches.
//
// Frames come as the kernel has them. What hardware, or the sender's stack on the same machine, put off (segmentation, checksums) is told
// in a header in front of each frame (PACKET_VNET_HDR) and is put off again on the way out: a coalesced frame stays one frame
// here, and leaves the machine in the segments that it was made of. A VLAN tag, which the kernel takes out of the frame, is put back.
//
// Layout of a slot that a frame is received into; a tag goes between the addresses and the rest:
//
//   0      4                12      16
//   |      | addresses (12)         | the rest …        without a tag: the frame begins at 4
//   | addresses (12)        | tag   | the rest …        with one: at 0

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "datapath/bridge/held_frames.h"
#include "datapath/bridge/port_device.h"
#include "datapath/datapath.h"

namespace weir::datapath {

/// A frame as a port received it.
struct Received {
  Bytes bytes;
  Offload offload;
  bool checksum_partial = false;
};

/// Memory for the frames of one batch, of all ports together.
class ReceiveSlots {
 public:
  static constexpr std::size_t kSlots = 64;
  static constexpr std::size_t kSlotBytes = 65536 + 512;
  ReceiveSlots();
  std::uint8_t* at(std::size_t slot) const { return memory_.get() + slot * kSlotBytes; }

 private:
  struct Unmap {
    void operator()(std::uint8_t* memory) const;
  };
  std::unique_ptr<std::uint8_t, Unmap> memory_;
};

class PacketPort {
 public:
  explicit PacketPort(std::string name);
  ~PacketPort();
  PacketPort(PacketPort&& other) noexcept;
  PacketPort(const PacketPort&) = delete;
  PacketPort& operator=(const PacketPort&) = delete;

  const std::string& name() const { return name_; }
  const PortDevice& device() const { return device_; }
  bool is_open() const { return fd_ >= 0; }
  bool usable() const { return is_open() && device_.up; }
  int fd() const { return fd_; }
  bool lro_was_on() const { return lro_was_on_; }

  /// Opens the socket on the device as it is there now. It must be Ethernet and of no bridge or bond of the kernel.
  std::optional<Error> open();
  void close();
  /// Looks at the device again: closes the socket if it is gone or another, opens it if it has come back. True: something changed.
  bool refresh();

  /// Receives into slots from `slot` on, which goes on by those taken; gives how many frames came. Counts what was cut as
  /// Loss::Truncated.
  std::size_t receive(const ReceiveSlots& slots, std::size_t& slot, std::span<Received> out, DatapathCounters& counters);

  /// Queues a frame in one or two parts, which must live until flush().
  void send(Bytes first, Bytes rest, const Offload& offload, DatapathCounters& counters);
  void flush(DatapathCounters& counters);
  /// Frames that the kernel had no room for since last asked.
  std::uint64_t ring_lost();

  std::uint64_t frames_in = 0, bytes_in = 0, frames_out = 0, bytes_out = 0;

 private:
  static constexpr std::size_t kSendMax = 128;
  bool too_long(Bytes first, Bytes rest, const Offload& offload) const;

  std::string name_;
  PortDevice device_;
  int fd_ = -1;
  bool lro_was_on_ = false;

  struct Outgoing {
    Offload offload;
    iovec parts[3];
  };
  std::array<Outgoing, kSendMax> outgoing_;
  std::array<mmsghdr, kSendMax> messages_;
  std::size_t outgoing_count_ = 0;
};

}  // namespace weir::datapath
