// SPDX-License-Identifier: Apache-2.0
#pragma once

// The classic capture format (draft-ietf-opsawg-pcap): a file header of 24 bytes, then records. Both byte orders, times in
// micro- and nanoseconds, and the variant of Kuznetzov's patched libpcap (magic a1b2cd34), whose record headers are 8 bytes
// longer. Other magics of the family are named, not read.
//
//   file header   magic:4  major:2  minor:2  zone:4  accuracy:4  snaplen:4  flags and link type:4
//   record        seconds:4  fraction:4  bytes captured:4  bytes on the wire:4  [index:4 protocol:2 kind:1 pad:1]  bytes

#include <string>

#include "base/result.h"
#include "datapath/capture/record.h"

namespace weir::datapath {

class PcapFormat {
 public:
  static constexpr std::size_t kHeaderBytes = 24;

  /// Whether the first bytes (4 suffice) are a pcap's.
  static bool begins(Bytes first);
  /// Reads the file header from at least kHeaderBytes; an error if this kind of pcap, or its link type, is not read.
  static Result<PcapFormat> parse(Bytes header);

  Step step(Bytes ahead, Record& record);
  bool inside_block() const { return false; }
  bool nanoseconds() const { return nanoseconds_; }
  std::uint32_t link_number() const { return link_number_; }
  std::uint32_t packet_bytes_max() const { return bound_; }
  const std::string& problem() const { return problem_; }

 private:
  Order order_ = Order::Little;
  bool nanoseconds_ = false;
  bool lengths_swapped_ = false;
  std::uint32_t header_bytes_ = 16;
  std::uint32_t bound_ = kPacketBytesMax;
  LinkType link_ = LinkType::Ethernet;
  std::uint32_t link_number_ = 1;
  std::string problem_;
};

}  // namespace weir::datapath
