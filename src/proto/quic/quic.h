// SPDX-License-Identifier: Apache-2.0
#pragma once

// QUIC: version 1 (RFC 9000), 2 (RFC 9369), the drafts from 21 on, and Google's own versions. The client's Initial packets are opened
// with the keys that anyone can derive, its hello is put together from CRYPTO frames and read by the parser of TLS. All behind
// it is encrypted and of no interest. A packet that does not open is no flaw; what it would have said is hidden.
//
// A flow of short headers alone cannot be told from other UDP and is never identified.

#include "proto/protocol.h"
#include "proto/quic/frames.h"
#include "proto/quic/keys.h"
#include "proto/tls/fields.h"

namespace weir::proto::quic {

struct State {
  CryptoStream crypto;
  Keys keys;
  std::uint32_t keys_version;               ///< Of `keys`; 0: there are none yet.
  std::array<std::uint8_t, kCidBytesMax> dcid;  ///< That the keys are from.
  std::uint8_t dcid_bytes;
  std::uint32_t version;                    ///< Last described.
  std::uint8_t client_datagrams;
  bool hidden;                              ///< The hello's facts were hidden for the time being.
};

Match identify(const Evidence& evidence);
bool is_answer(Bytes datagram);
Progress parse(State& state, const Input& input, Describer& out);

inline constexpr std::uint16_t kPorts[] = {443, 784, 853};
inline constexpr std::uint16_t kDoqPorts[] = {784, 853};

inline constexpr Protocol kQuic = {
    .name = "quic",
    .udp_ports = kPorts,
    .udp = true,
    .identify = identify,
    .is_answer = is_answer,
    .datagrams_max = 4,
    .fields = tls::kFields,
    .shared = tls::kShared,
    .state_bytes = sizeof(State),
    .parse = parse_as<State, parse>,
    .may_extend = true,  // into doq, until the client's hello is read
};

/// DNS over QUIC (RFC 9250; port 784 in its drafts): a name for the layer inside, never told by content alone.
inline constexpr Protocol kDoq = {.name = "doq", .udp_ports = kDoqPorts, .udp = true};

}  // namespace weir::proto::quic
