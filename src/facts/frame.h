// SPDX-License-Identifier: Apache-2.0
#pragma once

// A frame as a datapath brings it: bytes, time, port. Borrowed: the bytes live until the engine returns from the batch.

#include <cstdint>

#include "base/bytes.h"
#include "base/clock.h"
#include "facts/sender.h"

namespace weir {

/// How the first header is to be read. Values are ours; the capture readers map LINKTYPE_ numbers to them.
enum class LinkType : std::uint8_t { Ethernet, RawIp, Null, Sll, Sll2, CiscoHdlc, Ppi };

/// Index into the names of ports that the policy and the datapath agreed on at start.
using PortIndex = std::uint16_t;
inline constexpr PortIndex kNoPort = 0xffff;

struct Frame {
  Bytes bytes;                   ///< What was captured; may be fewer than were on the wire.
  std::uint32_t wire_bytes = 0;  ///< Length on the wire.
  PortIndex port = kNoPort;      ///< The port it came in by.
  LinkType link = LinkType::Ethernet;
  bool checksum_partial = false;  ///< The datapath knows that the sender's stack left the checksum to hardware.
  std::uint64_t number = 0;       ///< Its place in the input, from 1.
  Time time;
  const Sender* sender = nullptr;  ///< Who has its socket, where the datapath knows (EngineOptions::senders); lives as the bytes do.
};

}  // namespace weir
