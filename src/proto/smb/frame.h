// SPDX-License-Identifier: Apache-2.0
#pragma once

// The frame of a NetBIOS session (RFC 1002, 4.3.1) and of SMB straight over TCP (MS-SMB2 2.1):
//
//   0 type | 1 length (24 bits over TCP; over NetBIOS 17) | 4 message
//
// A message is one of SMB 1, a compound of SMB 2, an encrypted or a compressed one; its first byte tells.

#include <cstdint>

#include "base/bytes.h"
#include "proto/smb/session.h"

namespace weir::proto::smb {

inline constexpr std::size_t kFrameBytes = 4;
inline constexpr std::uint8_t kMessage = 0x00, kRequest = 0x81, kPositive = 0x82, kNegative = 0x83, kRetarget = 0x84, kKeepAlive = 0x85;
inline constexpr std::size_t kControlBytesMax = 512;  // Of a session request: two names of at most 255 bytes (RFC 1002, 4.3.2).
inline constexpr std::uint8_t kBrokenMax = 4;
inline constexpr std::uint8_t kSmb1 = 0xff, kSmb2 = 0xfe, kTransform = 0xfd, kCompression = 0xfc;
inline constexpr std::size_t kTransformBytes = 52, kCompressionBytes = 16;

inline bool is_control(std::uint8_t type) { return type >= kRequest && type <= kKeepAlive; }

/// Smallest size of a message by its protocol byte; nought if it is none.
inline std::size_t header_bytes(std::uint8_t first) {
  switch (first) {
    case kSmb1: return kSmb1HeaderBytes + 3;
    case kSmb2: return kSmb2HeaderBytes;
    case kTransform: return kTransformBytes;
    case kCompression: return kCompressionBytes;
    default: return 0;
  }
}

inline bool is_smb(Bytes message) { return message.size() >= 4 && header_bytes(message[0]) != 0 && as_text(message).substr(1, 3) == "SMB"; }

}  // namespace weir::proto::smb
