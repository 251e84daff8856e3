// SPDX-License-Identifier: Apache-2.0
#pragma once

// Addresses: Ip (both versions in 16 bytes; IPv4 as ::ffff:a.b.c.d, so one table holds both), Prefix, Mac.
// parse_* read the text forms that users write; they reject what is not one, and say nothing else.

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/hash.h"

namespace weir {

struct Ip {
  std::array<std::uint8_t, 16> bytes{};

  /// Two whole words: bytes written singly and read as words would stall the packet path.
  static Ip v4(std::uint32_t host_order) {
    return std::bit_cast<Ip>(std::array<std::uint64_t, 2>{0, __builtin_bswap64(0xffff00000000ULL | host_order)});
  }
  /// `at` has 4 bytes.
  static Ip v4_bytes(const std::uint8_t* at) { return v4(load_be32(at)); }
  /// `at` has 16 bytes.
  static Ip v6_bytes(const std::uint8_t* at) {
    Ip ip;
    std::memcpy(ip.bytes.data(), at, 16);
    return ip;
  }

  std::uint64_t high() const { return load_be64(bytes.data()); }
  std::uint64_t low() const { return load_be64(bytes.data() + 8); }
  /// True for what an IPv4 header carried. An IPv6 header with a mapped address is told apart by ip.version.
  bool is_v4() const { return high() == 0 && (low() >> 32) == 0xffff; }
  std::uint32_t v4_value() const { return load_be32(&bytes[12]); }

  bool is_unspecified() const { return is_v4() ? v4_value() == 0 : high() == 0 && low() == 0; }
  bool is_loopback() const { return is_v4() ? bytes[12] == 127 : high() == 0 && low() == 1; }
  bool is_multicast() const { return is_v4() ? (bytes[12] & 0xf0) == 0xe0 : bytes[0] == 0xff; }
  bool is_link_local() const {
    return is_v4() ? bytes[12] == 169 && bytes[13] == 254 : bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  }
  /// 255.255.255.255; a network's own broadcast address needs the network to be told.
  bool is_broadcast() const { return is_v4() && v4_value() == 0xffffffffU; }

  bool operator==(const Ip& other) const { return high() == other.high() && low() == other.low(); }
  auto operator<=>(const Ip&) const = default;
};

inline std::uint64_t hash_ip(const Ip& ip, std::uint64_t seed) { return mix64(mix64(seed, ip.high()), ip.low()); }

struct Prefix {
  Ip network;
  std::uint8_t length = 128;  ///< In the 128-bit form: an IPv4 /24 is 120 here.

  /// A prefix of IPv6 never holds an IPv4 address.
  bool contains(const Ip& ip) const;
  /// The length as a user writes it: 24 for an IPv4 /24.
  int written_length() const { return network.is_v4() && length >= 96 ? length - 96 : length; }
  auto operator<=>(const Prefix&) const = default;
};

struct Mac {
  std::array<std::uint8_t, 6> bytes{};

  static Mac from_bytes(const std::uint8_t* at) {
    Mac mac;
    std::memcpy(mac.bytes.data(), at, 6);
    return mac;
  }
  std::uint64_t value() const {
    std::uint64_t v = 0;
    for (std::uint8_t b : bytes) v = v << 8 | b;
    return v;
  }
  static Mac from_value(std::uint64_t value) {
    Mac mac;
    for (int i = 5; i >= 0; --i, value >>= 8) mac.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value);
    return mac;
  }
  bool is_group() const { return (bytes[0] & 1) != 0; }
  auto operator<=>(const Mac&) const = default;
};

/// "10.0.0.1", "2001:db8::1". Nothing else: no zone ids, no octal, no short IPv4.
std::optional<Ip> parse_ip(std::string_view text);

struct ParsedPrefix {
  Prefix prefix;           ///< Host bits cleared.
  bool has_host_bits = false;  ///< "10.0.0.1/8": the policy calls it an error.
};
/// "10.0.0.0/8", or a bare address as its own prefix.
std::optional<ParsedPrefix> parse_prefix(std::string_view text);
/// "00:11:22:33:44:55" (also with '-').
std::optional<Mac> parse_mac(std::string_view text);

/// RFC 5952 for IPv6, dotted quads for IPv4.
std::string render(const Ip& ip);
std::string render(const Prefix& prefix);
std::string render(const Mac& mac);
/// Writes the text to `out` (46 bytes at least) and gives its length; no allocation.
std::size_t render_to(const Ip& ip, char* out);

}  // namespace weir
