// SPDX-License-Identifier: Apache-2.0
#pragma once

// TLS over a stream: SSLv2's hello, SSLv3 to TLS 1.3. The record layer (RFC 8446 section 5.1) is walked, handshake messages are put
// together over records and segments, the two hellos and (up to TLS 1.2) the server's certificate become facts. Once both
// sides encrypt, nothing more is of interest, unless a rule asks for tls.record: then record headers are walked to the end.
// Nothing is decrypted or verified.
//
// Streams reach it by identify() or through carry("tls") from a protocol with STARTTLS.

#include "proto/protocol.h"
#include "proto/tls/fields.h"

namespace weir::proto::tls {

struct SideState {
  std::uint32_t message_left;  ///< Bytes of a handshake message that is passed over.
  std::uint16_t record_left;   ///< Bytes of the current record that are still to come.
  std::uint8_t record_type;
  bool encrypted;              ///< It changed to encryption: its records are opaque.
  bool framed;                 ///< Its first record header is read: it speaks the record layer.
  bool begun;                  ///< Its first message is read.
};

struct State {
  SideState sides[2];
  std::uint8_t records;        ///< Content types described, a bit each.
  std::uint8_t offered;        ///< The client's highest version plus one.
  bool client_hello, server_hello, certificate;  ///< Settled: read, or known not to come.
  bool is_v13;                 ///< The server chose 1.3: what follows is encrypted, whatever the records say.
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& out);

inline constexpr std::uint16_t kPorts[] = {443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 8443};
inline constexpr std::uint16_t kDotPorts[] = {853};

inline constexpr Protocol kTls = {
    .name = "tls",
    .tcp_ports = kPorts,
    .tcp = true,
    .identify = identify,
    .fields = kFields,
    .shared = kShared,
    .state_bytes = sizeof(State),
    .parse = parse_as<State, parse>,
    .may_extend = true,  // into dot, until the client's hello is read
};

/// DNS over TLS (RFC 7858): a name for the layer inside, never told by content alone.
inline constexpr Protocol kDot = {.name = "dot", .tcp_ports = kDotPorts, .tcp = true};

}  // namespace weir::proto::tls
