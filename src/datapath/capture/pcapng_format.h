// SPDX-License-Identifier: Apache-2.0
#pragma once

// The block-structured capture format (draft-ietf-opsawg-pcapng): sections of either byte order, each with interfaces of
// their own. Read are the three blocks that carry packets: enhanced (6), simple (3) and the old packet block (2); all
// others are passed over, of any size, without being held in memory. Every block's length stands at both of its ends, and
// both must agree.
//
//   block        type:4  length:4  body  length:4            lengths are multiples of 4, the whole block's
//   section      0a0d0d0a  length  1a2b3c4d:4 (tells the order)  major:2  minor:2  section length:8  options
//   interface    1  length  link type:2  reserved:2  snaplen:4  options
//   enhanced     6  length  interface:4  time:4+4  captured:4  wire:4  bytes  options
//   simple       3  length  wire:4  bytes
//   old packet   2  length  interface:2  drops:2  time:4+4  captured:4  wire:4  bytes  options
//
// A simple packet has no time: it takes that of the packet before it. An interface of a link type that we do not read is a
// fault when its first packet comes, not before.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "datapath/capture/record.h"

namespace weir::datapath {

/// The port for an interface's name, or kNoPort. Called once for each interface block that has a name.
using PortOfName = std::function<PortIndex(std::string_view name)>;

class PcapngFormat {
 public:
  static constexpr std::size_t kHeaderBytes = 12;

  static bool begins(Bytes first);
  explicit PcapngFormat(PortOfName port_of) : port_of_(std::move(port_of)) {}

  Step step(Bytes ahead, Record& record);
  /// Between a block's body and its second length; a stream that ends here is cut short.
  bool inside_block() const { return trailing_ != 0; }
  /// Whether an interface so far has times finer than microseconds.
  bool nanoseconds() const { return nanoseconds_; }
  /// Of the first interface that we read; Ethernet before it was seen.
  std::uint32_t link_number() const { return link_number_; }
  /// The most that a packet of the interfaces so far may have.
  std::uint32_t packet_bytes_max() const { return bound_; }
  const std::string& problem() const { return problem_; }

 private:
  struct Interface {
    std::uint32_t link_number;
    LinkType link;
    bool readable;
    std::uint8_t resolution;  ///< if_tsresol as it stands in the file.
    PortIndex port;
    std::uint32_t snaplen;
    std::int64_t offset_seconds;
  };
  struct PacketFields {
    std::uint32_t interface;
    std::uint32_t captured;
    std::uint32_t wire;
    std::size_t at;  ///< Where the packet's bytes begin in the block.
    bool timed;
    std::uint64_t ticks;
  };

  Step section(Bytes ahead);
  Step interface(Bytes block);
  Step packet(Bytes block, std::uint32_t type, Record& record);
  bool packet_fields(Bytes block, std::uint32_t type, PacketFields& fields);
  bool ends_agree(Bytes block);
  Step broken(std::string why);
  static Nanoseconds wall(const Interface& interface, std::uint64_t ticks);

  PortOfName port_of_;
  std::vector<Interface> interfaces_;
  Order order_ = Order::Little;
  std::uint32_t trailing_ = 0;  ///< The length that the end of the block being passed over must repeat.
  bool nanoseconds_ = false;
  bool link_seen_ = false;
  std::uint32_t link_number_ = 1;
  std::uint32_t bound_ = kPacketBytesMax;
  Nanoseconds last_wall_ns_ = 0;
  std::string problem_;
};

}  // namespace weir::datapath
