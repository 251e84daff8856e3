// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys of Initial packets (RFC 9001 section 5, RFC 9369 section 3.3), which anyone who sees the client's first connection id can
// derive: they protect against accident, not against reading. Cipher and digest contexts are made once a thread.

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "facts/flow.h"
#include "proto/quic/packet.h"

namespace weir::proto::quic {

struct Keys {
  std::array<std::uint8_t, 16> key;
  std::array<std::uint8_t, 12> iv;
  std::array<std::uint8_t, 16> header;
};

/// Keys of what `sender` sends, from the connection id that the client chose first. The version must have a salt.
Keys derive_keys(const Version& version, Bytes dcid, Side sender);

/// Takes header protection away, decrypts and checks: the payload, in memory of the thread until the next call. Empty with
/// data() == nullptr if the tag does not fit or the packet is too short. Packet numbers are taken as they are sent: an Initial
/// that is of interest is among the first 256.
Bytes open_packet(const Keys& keys, const LongPacket& packet);

}  // namespace weir::proto::quic
