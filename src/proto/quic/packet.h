// SPDX-License-Identifier: Apache-2.0
#pragma once

// Long headers of QUIC (RFC 8999, RFC 9000 section 17.2, RFC 9369 section 3.2) and the public header of Google's QUIC up to Q043: bytes to
// struct, without keys. What is protected stays so.
//
//   |1|1|type 2|xxxx| version 4 | n | DCID n | n | SCID n | Initial: token length, token | length | packet number, payload …

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace weir::proto::quic {

inline constexpr std::size_t kCidBytesMax = 20;
inline constexpr std::size_t kInitialDatagramBytesMin = 1200;  ///< RFC 9000 section 14.1, of a client.

/// What a version number means for reading a packet.
struct Version {
  enum class Kind : std::uint8_t { Negotiation, V1, V2, Draft, Google, Greased, Unknown };
  Kind kind = Kind::Unknown;
  const std::uint8_t* salt = nullptr;  ///< 20 bytes for Initial keys, or nullptr.
  bool v2_labels = false;

  bool is_ietf() const { return kind == Kind::V1 || kind == Kind::V2 || kind == Kind::Draft; }
};
Version version_of(std::uint32_t wire);

enum class PacketType : std::uint8_t { Initial, ZeroRtt, Handshake, Retry, Negotiation };

struct LongPacket {
  std::uint32_t version = 0;
  Version meaning;
  PacketType type = PacketType::Initial;
  Bytes dcid, scid;
  std::size_t number_at = 0;  ///< Offset of the packet number in `all`.
  Bytes all;                  ///< The packet, by its length field; Retry and negotiation: the rest of the datagram.
};

/// The packet at the beginning of `bytes` if it has a long header of a version whose form we know. `cut`: `bytes` is the beginning of a
/// datagram that may be longer, so a length past the end is believed.
std::optional<LongPacket> parse_long_packet(Bytes bytes, bool cut = false);

/// A variable-length integer (RFC 9000 section 16); past the end reader.ok() is false.
std::uint64_t read_varint(Reader& reader);

/// The version in the public header of Google's QUIC before Q046, which clients send until the server has answered.
std::optional<std::uint32_t> google_public_version(Bytes bytes);

}  // namespace weir::proto::quic
