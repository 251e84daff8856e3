// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two hello messages of TLS (RFC 8446 section 4.1, RFC 5246 section 7.4.1), DTLS (RFC 6347) and of QUIC's CRYPTO stream: bytes
// to struct. Views point into the message. What could be read stays readable where the rest is malformed; the flaw says so.
// Cryptographic contents are of no interest here and are not looked at.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "facts/flaw.h"
#include "proto/tls/fields.h"

namespace weir::proto::tls {

/// What carries the hello. It decides the shape (DTLS has a cookie) and the first letter of JA4.
enum class Carrier : std::uint8_t { Stream, Quic, Datagram };

namespace extension {
inline constexpr std::uint16_t kServerName = 0, kGroups = 10, kPointFormats = 11, kSignatureAlgorithms = 13, kAlpn = 16,
                               kSupportedVersions = 43, kEncryptedClientHello = 0xfe0d;
}

struct ClientHello {
  std::uint16_t legacy_version = 0;
  bool complete = false;  ///< All up to the extensions could be read.
  Bytes ciphers;          ///< Two bytes each.
  Bytes extensions;       ///< Type, length, body; whole extensions only.
  bool has_sni = false, has_versions = false, ech = false;
  std::string_view sni;         ///< Of the first host_name entry, as it stands.
  Bytes alpn;                   ///< One length byte and a name each; checked.
  Bytes versions;               ///< Of supported_versions, two bytes each.
  Bytes groups, signature_algorithms, point_formats;

  /// The highest version offered, the newest that we know; no value for something that is not TLS.
  std::optional<field::TlsVersion> offered() const;
};

struct ServerHello {
  bool complete = false;
  std::uint16_t version = 0;  ///< The choice, from supported_versions where that is there.
  std::string_view alpn;
};

/// The body of the message, without its four bytes of header.
std::optional<Flaw> parse_client_hello(Bytes body, Carrier carrier, ClientHello& hello);
std::optional<Flaw> parse_server_hello(Bytes body, ServerHello& hello);

std::optional<field::TlsVersion> version_of(std::uint16_t wire);
/// RFC 8701: values that mean nothing.
inline bool is_grease(std::uint16_t v) { return (v & 0x0f0f) == 0x0a0a && (v >> 8) == (v & 0xff); }

/// Calls with the type and body of each extension.
template <typename F>
void for_each_extension(Bytes extensions, F&& call) {
  Reader reader(extensions);
  while (!reader.at_end()) {
    const std::uint16_t type = reader.be16();
    const Bytes body = reader.bytes(reader.be16());
    if (!reader.ok()) return;
    call(type, body);
  }
}
/// Calls with each two-byte number that is not GREASE.
template <typename F>
void for_each_number(Bytes numbers, F&& call) {
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
    const std::uint16_t v = load_be16(&numbers[i]);
    if (!is_grease(v)) call(v);
  }
}

}  // namespace weir::proto::tls
