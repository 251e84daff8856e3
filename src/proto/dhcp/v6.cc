// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "proto/dhcp/dhcp.h"

namespace weir::proto::dhcp {
namespace {

constexpr std::size_t kMessageHeaderBytes = 4, kRelayHeaderBytes = 34;
constexpr std::uint8_t kRelayForward = 12, kRelayReply = 13, kTypeMax = 23;
constexpr std::uint16_t kClientId = 1, kServerId = 2, kOptionRequest = 6, kElapsedTime = 8, kRelayMessage = 9, kOptionMax = 160;
constexpr unsigned kRelaysMax = 8;  ///< RFC 8415 7.6 lets hops reach 8 (HOP_COUNT_LIMIT).

bool is_relay(std::uint8_t type) { return type == kRelayForward || type == kRelayReply; }
std::size_t header_bytes(std::uint8_t type) { return is_relay(type) ? kRelayHeaderBytes : kMessageHeaderBytes; }
bool is_answer_type(std::uint8_t type) {
  return type == 2 || type == 7 || type == 10 || type == kRelayReply || type == 15 || type == 16 || type == 17;
}

// RFC 8415 11: the kinds of DUID.
bool is_duid(Bytes value) {
  if (value.size() < 3 || value.size() > 130) return false;
  const std::uint16_t kind = load_be16(value.data());
  return kind >= 1 && kind <= 4;
}

// The options must chain to the very end, and one of them must be one that such a message has.
bool has_plausible_options(Bytes area, std::uint8_t type, bool cut) {
  Reader in(area);
  bool telling = false;
  while (!in.at_end()) {
    const std::uint16_t code = in.be16(), size = in.be16();
    if (in.ok() && (code == 0 || code > kOptionMax)) return false;
    const Bytes value = in.bytes(size);
    if (!in.ok()) return cut && telling;
    if (code == kClientId || code == kServerId) {
      if (!is_duid(value)) return false;
      telling |= !is_relay(type);
    }
    if (code == kElapsedTime && size != 2) return false;
    if (code == kRelayMessage) {
      if (!is_relay(type) || size < kMessageHeaderBytes) return false;
      telling = true;
    }
    if (type == 11 && ((code == kOptionRequest && size % 2 == 0 && size != 0) || code == kElapsedTime)) telling = true;
  }
  return telling;
}

}  // namespace

Match identify_v6(const Evidence& e) {
  if (!e.is_udp()) return Match::No;
  const Bytes bytes = e.client.empty() ? e.server : e.client;
  if (bytes.empty() || bytes[0] == 0 || bytes[0] > kTypeMax) return Match::No;
  const std::size_t header = header_bytes(bytes[0]);
  if (bytes.size() <= header) return Match::No;
  if (is_relay(bytes[0]) && bytes[1] > 32) return Match::No;
  return has_plausible_options(bytes.subspan(header), bytes[0], bytes.size() >= kEvidenceMax) ? Match::Yes : Match::No;
}

bool is_answer_v6(Bytes datagram) { return !datagram.empty() && is_answer_type(datagram[0]); }

namespace {

// The message that a relay's carries; empty if there is none.
Bytes carried(Bytes options, bool snapped, Describer& describer) {
  Reader in(options);
  Bytes found;
  while (!in.at_end()) {
    const std::uint16_t code = in.be16(), size = in.be16();
    const Bytes value = in.bytes(size);
    if (!in.ok()) {
      if (!snapped) describer.flaw(Flaw::BadOption);
      break;
    }
    if (code == kRelayMessage && found.empty()) found = value;
  }
  return found;
}

}  // namespace

Progress parse_v6(State&, const Input& input, Describer& describer) {
  Bytes bytes = input.bytes;
  const Progress all{.consumed = bytes.size()};
  if (bytes.empty() || bytes.size() < header_bytes(bytes[0])) {
    if (!input.truncated) describer.flaw(Flaw::Truncated);
    return all;
  }
  // Relays carry the client's id of the transaction to the server and back; they have none of their own.
  const std::uint64_t key = is_relay(bytes[0]) ? hash_bytes(bytes.subspan(2, 32)) : load_be32(bytes.data()) & 0xffffffU;
  describer.begin_transaction(key, is_answer_type(bytes[0]));
  for (unsigned depth = 0;; ++depth) {
    describer.add_number(field::kV6Type, bytes[0]);
    if (!is_relay(bytes[0])) {
      (void)carried(bytes.subspan(kMessageHeaderBytes), input.truncated, describer);  // For its flaws.
      break;
    }
    if (depth > kRelaysMax) {
      describer.flaw(Flaw::TooDeep);
      break;
    }
    bytes = carried(bytes.subspan(kRelayHeaderBytes), input.truncated, describer);
    if (bytes.empty() || bytes.size() < header_bytes(bytes[0])) {
      if (!input.truncated) describer.flaw(Flaw::BadMessage);
      break;
    }
  }
  describer.reach(milestone::kTransaction);
  describer.described();
  describer.end_transaction();
  return all;
}

}  // namespace weir::proto::dhcp
