// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one DHCP message says about who has which address, for the tables of bindings: read by itself, from the datagram's bytes,
// so that a flow whose verdict has long settled still teaches. Says nothing about whether it may be believed.
//
// RFC 2131 (ack, offer, release, decline), RFC 8415 (reply, release, decline; addresses of IA_NA and IA_TA; prefixes are left out).

#include <array>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"

namespace weir::proto::dhcp {

struct Lease {
  static constexpr std::size_t kAddressesMax = 8;
  enum class Kind : std::uint8_t { Asks, Offers, Leases, GivesBack };
  struct Address {
    Ip ip;
    std::uint32_t lifetime_s = 0;
  };

  Kind kind = Kind::Asks;
  std::uint64_t transaction = 0;  ///< Alike in the question and its answer.
  bool relayed = false;           ///< Its sender is a relay, not the client.
  std::optional<Mac> client;      ///< As the message names it; where it does not, the sender of the question is it.
  std::optional<Ip> server;       ///< Of DHCPv4, by its identifier.
  std::uint8_t prefix_bits = 0;   ///< Of DHCPv4's subnet mask; 0 if it is not there.
  std::uint8_t addresses_count = 0;
  std::array<Address, kAddressesMax> addresses;
};

/// Nothing if the bytes are no such message, or one that says nothing about addresses.
std::optional<Lease> parse_lease_v4(Bytes datagram);
std::optional<Lease> parse_lease_v6(Bytes datagram);

}  // namespace weir::proto::dhcp
