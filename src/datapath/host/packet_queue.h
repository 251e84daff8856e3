// SPDX-License-Identifier: Apache-2.0
#pragma once

// PacketQueue: the kernel's queue of packets that wait for a verdict (linux/netfilter/nfnetlink_queue.h). Packets come whole, coalesced
// ones too, with checksums that hardware would fill in left open; verdicts leave many in one call. A packet without a verdict waits in
// the kernel for as long as this socket lives, and is dropped when it closes.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "datapath/host/netlink.h"

namespace weir::datapath {

/// Where in the kernel the packet stands.
enum class Hook : std::uint8_t { Input, Forward, Output };

struct QueuedPacket {
  Bytes bytes;                    ///< From the IP header on. Live until the next receive().
  std::uint32_t id = 0;           ///< For its verdict.
  std::uint32_t whole_bytes = 0;  ///< Its length; more than `bytes` has if it is longer than the queue carries.
  Hook hook = Hook::Input;
  std::uint32_t in_device = 0, out_device = 0;  ///< 0: none.
  bool checksum_partial = false;
  std::uint32_t uid = 0xffffffff;  ///< Owner of its socket, where it has one.
};

struct PacketQueueOptions {
  bool fail_open = false;             ///< What finds the queue full passes instead of being dropped.
  std::uint32_t waiting_max = 65536;  ///< Packets without a verdict.
  std::uint32_t socket_bytes = 32U << 20;
};

class PacketQueue {
 public:
  static constexpr std::size_t kBatch = 64;

  /// The first free queue from `number` on.
  static Result<PacketQueue> open(std::uint16_t number, const PacketQueueOptions& options);
  PacketQueue(PacketQueue&&) noexcept = default;
  PacketQueue& operator=(PacketQueue&&) noexcept = default;

  std::uint16_t number() const { return number_; }
  int fd() const { return netlink_.fd(); }

  /// What is there now, without waiting. `emptied`: there was no more.
  Result<std::size_t> receive(std::span<QueuedPacket> out, bool& emptied);

  /// Kept until send(). A rewrite's bytes are copied.
  void accept(std::uint32_t id, Bytes rewrite = {});
  void drop(std::uint32_t id);
  void send();

  /// Packets that found the queue full, or this socket, since it was opened; nothing if the kernel does not tell.
  std::optional<std::uint64_t> lost() const;
  /// From another thread: nobody is here any more, what waits is dropped.
  std::optional<Error> leave();
  void close() { netlink_.close(); }

 private:
  PacketQueue() : verdicts_(kVerdictBytes) {}
  std::optional<Error> bind(std::uint16_t number, const PacketQueueOptions& options);
  void put(std::uint32_t id, std::uint32_t verdict, Bytes payload);

  static constexpr std::size_t kVerdictBytes = 256 * 1024, kMessageBytes = 72 * 1024;
  Netlink netlink_;
  std::uint16_t number_ = 0;
  NetlinkBatch verdicts_;
  std::vector<std::uint8_t> messages_;
};

}  // namespace weir::datapath
