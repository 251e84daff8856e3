// SPDX-License-Identifier: Apache-2.0
#include "proto/dhcp/lease.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"
#include "proto/dhcp/dhcp.h"

namespace weir::proto::dhcp {
namespace {

constexpr std::size_t kOptionsOffset = 240;
constexpr unsigned kRelaysMax = 8;
constexpr std::uint32_t kForever = 0xffffffff;  ///< RFC 2131 3.3, RFC 8415 7.7: infinity.

struct V4Options {
  std::uint8_t type = 0, prefix_bits = 0;
  std::uint32_t lifetime_s = kForever;
  std::optional<Ip> server;
};

V4Options read_v4_options(Bytes area) {
  V4Options out;
  Reader in(area);
  while (!in.at_end()) {
    const std::uint8_t code = in.u8();
    if (code == 0) continue;
    if (code == 255) break;
    const Bytes value = in.bytes(in.u8());
    if (!in.ok()) break;
    if (code == 53 && value.size() == 1 && out.type == 0) out.type = value[0];
    if (code == 51 && value.size() == 4) out.lifetime_s = load_be32(value.data());
    if (code == 54 && value.size() == 4 && !out.server) out.server = Ip::v4_bytes(value.data());
    if (code == 1 && value.size() == 4) {
      const std::uint32_t mask = load_be32(value.data());
      if (mask != 0 && std::has_single_bit(std::uint64_t{~mask} + 1)) out.prefix_bits = static_cast<std::uint8_t>(std::popcount(mask));
    }
  }
  return out;
}

}  // namespace

std::optional<Lease> parse_lease_v4(Bytes bytes) {
  if (bytes.size() < kOptionsOffset || load_be32(&bytes[236]) != 0x63825363) return std::nullopt;
  if (identify_v4({.client = bytes, .ip_protocol = 17}) != Match::Yes) return std::nullopt;
  const V4Options options = read_v4_options(bytes.subspan(kOptionsOffset));
  Lease out;
  out.transaction = mix64(load_be32(&bytes[4]), hash_bytes(bytes.subspan(28, 16)));
  out.relayed = load_be32(&bytes[24]) != 0;
  out.server = options.server;
  out.prefix_bits = options.prefix_bits;
  if (bytes[1] == 1 && bytes[2] == 6) out.client = Mac::from_bytes(&bytes[28]);
  const auto add = [&](std::size_t at) {
    const Ip ip = Ip::v4_bytes(&bytes[at]);
    if (!ip.is_unspecified() && !ip.is_broadcast() && !ip.is_multicast()) out.addresses[out.addresses_count++] = {ip, options.lifetime_s};
  };
  switch (options.type) {
    case 1: case 3: case 8: out.kind = Lease::Kind::Asks; break;
    case 2: out.kind = Lease::Kind::Offers, add(16); break;
    case 5: out.kind = Lease::Kind::Leases, add(16); break;  // An answer to `inform` gives no address (RFC 2131 4.3.5).
    case 4: case 7: out.kind = Lease::Kind::GivesBack, add(12); break;
    default: return std::nullopt;
  }
  const bool answer = options.type == 2 || options.type == 5;
  if (answer != (bytes[0] == 2)) return std::nullopt;
  return out;
}

namespace {

constexpr std::uint16_t kClientId = 1, kNonTemporary = 3, kTemporary = 4, kAddress = 5, kRelayMessage = 9, kStatus = 13;

/// RFC 8415 11: the hardware address that some kinds of identifier carry, of Ethernet.
std::optional<Mac> mac_of_duid(Bytes duid) {
  if (duid.size() < 4 || load_be16(&duid[2]) != 1) return std::nullopt;
  const std::uint16_t kind = load_be16(duid.data());
  if (kind == 1 && duid.size() == 14) return Mac::from_bytes(&duid[8]);  // With a time.
  if (kind == 3 && duid.size() == 10) return Mac::from_bytes(&duid[4]);
  return std::nullopt;
}

/// The addresses of one IA; none if it says that it failed.
void add_addresses(Bytes options, Lease& out) {
  Reader in(options);
  while (!in.at_end() && out.addresses_count < Lease::kAddressesMax) {
    const std::uint16_t code = in.be16();
    const Bytes value = in.bytes(in.be16());
    if (!in.ok()) return;
    if (code == kStatus && value.size() >= 2 && load_be16(value.data()) != 0) return;
    if (code != kAddress || value.size() < 24) continue;
    const std::uint32_t lifetime_s = load_be32(&value[20]);  // The valid lifetime; 0 takes the address away (RFC 8415 18.2.10.1).
    if (lifetime_s != 0 || out.kind != Lease::Kind::Leases) out.addresses[out.addresses_count++] = {Ip::v6_bytes(value.data()), lifetime_s};
  }
}

}  // namespace

std::optional<Lease> parse_lease_v6(Bytes bytes) {
  if (identify_v6({.client = bytes, .ip_protocol = 17}) != Match::Yes) return std::nullopt;
  Lease out;
  for (unsigned depth = 0; bytes[0] == 12 || bytes[0] == 13; ++depth) {
    out.relayed = true;
    if (depth > kRelaysMax || bytes.size() < 34) return std::nullopt;
    Reader in(bytes.subspan(34));
    Bytes inner;
    while (!in.at_end() && inner.empty()) {
      const std::uint16_t code = in.be16();
      const Bytes value = in.bytes(in.be16());
      if (!in.ok()) return std::nullopt;
      if (code == kRelayMessage) inner = value;
    }
    if (inner.size() < 4) return std::nullopt;
    bytes = inner;
  }
  switch (bytes[0]) {
    case 1: case 3: case 4: case 5: case 6: out.kind = Lease::Kind::Asks; break;
    case 7: out.kind = Lease::Kind::Leases; break;
    case 8: case 9: out.kind = Lease::Kind::GivesBack; break;
    default: return std::nullopt;
  }
  Reader in(bytes.subspan(4));
  Bytes duid;
  while (!in.at_end()) {
    const std::uint16_t code = in.be16();
    const Bytes value = in.bytes(in.be16());
    if (!in.ok()) return std::nullopt;
    if (code == kClientId && duid.empty()) duid = value;
    if (out.kind == Lease::Kind::Asks) continue;
    if (code == kNonTemporary && value.size() >= 12) add_addresses(value.subspan(12), out);
    if (code == kTemporary && value.size() >= 4) add_addresses(value.subspan(4), out);
  }
  if (duid.empty()) return std::nullopt;
  // An identifier keeps the address of whichever card made it: who asked is told by the frame that asked.
  if (out.relayed) out.client = mac_of_duid(duid);
  out.transaction = mix64(load_be32(bytes.data()) & 0xffffffU, hash_bytes(duid, 6));
  return out;
}

}  // namespace weir::proto::dhcp
