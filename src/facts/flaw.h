// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flaw: why a packet or message is malformed. Hostile bytes are never an error of ours: they are a flaw, and policy
// (the guard `normalise`, or a rule on the fact `flaw`) decides what becomes of them.

#include <array>
#include <cstdint>
#include <string_view>

namespace weir {

enum class Flaw : std::uint8_t {
  Truncated,            ///< A header or message says more bytes than the packet holds.
  BadChecksum,          ///< IP, TCP, UDP or ICMP checksum is wrong and the sender is not seen to offload.
  BadLength,            ///< Two lengths of one packet contradict each other.
  Land,                 ///< Source and destination address (and port) are the same.
  Overlap,              ///< Fragments overlap (RFC 5722; for IPv4 too).
  TinyFragment,         ///< A first fragment that cuts the transport header (RFC 1858).
  PingOfDeath,          ///< Fragments that reach past 65,535 bytes.
  Teardrop,             ///< A fragment that lies inside another.
  BadFlags,             ///< TCP flags that no sound stack sends (none, SYN+FIN, SYN+RST, FIN without ACK, …).
  BadOption,            ///< An option whose length is wrong.
  DeepTunnel,           ///< More layers than are decoded.
  Conflict,             ///< A retransmission whose bytes differ from those first seen.
  TooManyTransactions,  ///< More than eight described transactions in one frame.
  BadHeartbeat,         ///< A TLS heartbeat that asks for more than it brought (CVE-2014-0160).
  TooDeep,              ///< Nested beyond the parser's bound.
  BadRequestLine,       ///< An HTTP request line that RFC 9112 does not allow.
  BadMessage,           ///< A message that breaks its protocol's grammar otherwise.
  BadName,              ///< A DNS name with a loop, an overlong label or an overlong whole.
  BadEncoding,          ///< A length or number encoding that is not allowed (BER, QUIC varint, chunk size).
  TooLarge,             ///< A message larger than its protocol allows or than the parser's budget.
  BadArp,               ///< ARP with wrong lengths, or whose sender is not the Ethernet source.
};
inline constexpr std::size_t kFlawsCount = 21;

/// In the order of the enumerators; the words of the fact `flaw`.
inline constexpr std::array<std::string_view, kFlawsCount> kFlawNames = {
    "truncated",     "bad-checksum", "bad-length",    "land",       "overlap",
    "tiny-fragment", "ping-of-death", "teardrop",     "bad-flags",  "bad-option",
    "deep-tunnel",   "conflict",     "too-many-transactions", "bad-heartbeat", "too-deep",
    "bad-request-line", "bad-message", "bad-name",    "bad-encoding", "too-large",
    "bad-arp"};

class FlawSet {
 public:
  void add(Flaw flaw) { bits_ |= 1U << static_cast<unsigned>(flaw); }
  void add(FlawSet other) { bits_ |= other.bits_; }
  bool has(Flaw flaw) const { return (bits_ >> static_cast<unsigned>(flaw) & 1) != 0; }
  bool any() const { return bits_ != 0; }
  std::uint32_t bits() const { return bits_; }

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace weir
