// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/packet.h"

#include <algorithm>

namespace weir::proto::quic {
namespace {

// Salts of the Initial secret. RFC 9001 section 5.2, RFC 9369 section 3.3.1, and the drafts of RFC 9001 by number.
constexpr std::uint8_t kSaltV1[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
constexpr std::uint8_t kSaltV2[20] = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                                      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};
constexpr std::uint8_t kSaltDraft29[20] = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
                                           0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
constexpr std::uint8_t kSaltDraft23[20] = {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
                                           0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02};
constexpr std::uint8_t kSaltDraft22[20] = {0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a,
                                           0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a};
// Google's versions that wear IETF headers.
constexpr std::uint8_t kSaltQ050[20] = {0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94,
                                        0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45};
constexpr std::uint8_t kSaltT050[20] = {0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
                                        0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10};
constexpr std::uint8_t kSaltT051[20] = {0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
                                        0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d};

constexpr std::uint32_t kV1 = 1, kV2 = 0x6b3343cf;

const std::uint8_t* salt_of_draft(std::uint32_t number) {
  if (number >= 33) return kSaltV1;
  if (number >= 29) return kSaltDraft29;
  if (number >= 23) return kSaltDraft23;
  return number >= 21 ? kSaltDraft22 : nullptr;
}

bool is_google(std::uint32_t wire) {
  const std::uint32_t letter = wire >> 24, zero = wire >> 16 & 0xff, tens = wire >> 8 & 0xff, ones = wire & 0xff;
  const auto digit = [](std::uint32_t c) { return c >= '0' && c <= '9'; };
  return (letter == 'Q' || letter == 'T') && zero == '0' && digit(tens) && digit(ones);
}

PacketType type_of(std::uint8_t bits, bool v2) {
  // RFC 9369 section 3.2 turns the numbers by one.
  const auto v1_bits = static_cast<std::uint8_t>(v2 ? (bits + 3) & 3 : bits);
  return static_cast<PacketType>(v1_bits);
}

}  // namespace

Version version_of(std::uint32_t wire) {
  using enum Version::Kind;
  if (wire == 0) return {Negotiation};
  if (wire == kV1) return {V1, kSaltV1};
  if (wire == kV2) return {V2, kSaltV2, true};
  if (wire >> 8 == 0xff0000 && (wire & 0xff) >= 21 && (wire & 0xff) <= 34) return {Draft, salt_of_draft(wire & 0xff)};
  if (wire == 0xfaceb001) return {Draft, kSaltDraft22};  // Facebook's mvfst, of draft 22 and of draft 27
  if (wire == 0xfaceb002) return {Draft, kSaltDraft23};
  if (wire == 0x51303530) return {Google, kSaltQ050};
  if (wire == 0x54303530) return {Google, kSaltT050};
  if (wire == 0x54303531) return {Google, kSaltT051};
  if (is_google(wire)) return {Google};
  if ((wire & 0x0f0f0f0f) == 0x0a0a0a0a) return {Greased};
  return {Unknown};
}

std::uint64_t read_varint(Reader& reader) {
  const int first = reader.peek();
  switch (first < 0 ? 0 : first >> 6) {
    case 0: return reader.u8();
    case 1: return reader.be16() & 0x3fffU;
    case 2: return reader.be32() & 0x3fffffffU;
    default: return reader.be64() & 0x3fffffffffffffffULL;
  }
}

std::optional<LongPacket> parse_long_packet(Bytes bytes, bool cut) {
  Reader reader(bytes);
  LongPacket packet;
  const std::uint8_t first = reader.u8();
  packet.version = reader.be32();
  packet.meaning = version_of(packet.version);
  if (!reader.ok() || (first & 0x80) == 0 || packet.meaning.kind == Version::Kind::Unknown) return std::nullopt;
  packet.all = bytes;
  if (packet.meaning.kind == Version::Kind::Google && packet.version < 0x51303530) {
    // Q046 to Q049: both lengths in one byte, then what Google's own frames are; nothing of them is read here.
    const std::uint8_t sizes = reader.u8();
    packet.dcid = reader.bytes((sizes >> 4) == 0 ? 0 : (sizes >> 4) + 3U);
    packet.scid = reader.bytes((sizes & 15) == 0 ? 0 : (sizes & 15) + 3U);
    packet.number_at = reader.offset();
    return reader.ok() ? std::optional(packet) : std::nullopt;
  }
  packet.dcid = reader.bytes(reader.u8());
  packet.scid = reader.bytes(reader.u8());
  if (!reader.ok() || packet.dcid.size() > kCidBytesMax || packet.scid.size() > kCidBytesMax) return std::nullopt;
  packet.number_at = reader.offset();
  if (packet.meaning.kind == Version::Kind::Negotiation) {
    packet.type = PacketType::Negotiation;
    return packet;
  }
  if (packet.meaning.kind == Version::Kind::Greased) return packet;  // only RFC 8999's part has a meaning
  if ((first & 0x40) == 0) return std::nullopt;
  packet.type = type_of(first >> 4 & 3, packet.meaning.v2_labels);
  if (packet.type == PacketType::Retry) return packet;
  if (packet.type == PacketType::Initial) reader.skip(static_cast<std::size_t>(std::min<std::uint64_t>(read_varint(reader), 65536)));
  const std::uint64_t length = read_varint(reader);
  if (!reader.ok()) return std::nullopt;
  packet.number_at = reader.offset();
  if (length < 20 || (length > reader.left() && !cut)) return std::nullopt;  // number and payload of 4, tag of 16: section 5.4.2 of RFC 9001
  packet.all = bytes.first(packet.number_at + static_cast<std::size_t>(std::min<std::uint64_t>(length, reader.left())));
  return packet;
}

std::optional<std::uint32_t> google_public_version(Bytes bytes) {
  // flags: 1 version, 2 reset, 8 connection id, 30 size of the packet number; the rest was never sent by a client's hello.
  Reader reader(bytes);
  const std::uint8_t flags = reader.u8();
  if ((flags & 0xc3) != 0x01) return std::nullopt;
  if ((flags & 0x08) != 0) reader.skip(8);
  const std::uint32_t version = reader.be32();
  if (!reader.ok() || !is_google(version) || reader.left() < 13) return std::nullopt;  // packet number, 12 bytes of hash
  return version;
}

}  // namespace weir::proto::quic
