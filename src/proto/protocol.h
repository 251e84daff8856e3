// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a protocol is to the engine: one constexpr row. A row says its name and ports, how its first bytes are
// recognised, and (for those that are read deeply) how its bytes are parsed. proto/registry.cc lists all rows; adding a
// protocol is one folder (or one row in identify/) and one line there.
//
// Identification is by content; ports only order the work. identify() sees the first bytes of both sides as they
// come, and answers No as soon as the bytes cannot be this protocol, Yes as soon as they can be nothing else, Maybe between.
//
// Parsing is incremental and bounded. The engine gives in-order bytes of one side; parse() says how many it consumed; what
// it did not consume is given again, with more behind it, when more has come (at most kUnconsumedMax bytes are kept: a
// parser that wants more must consume, skip or keep()). The facts must not depend on how a stream was cut: consume
// whole elements, or remember where you are in the state. State is plain memory, zeroed at the start of the flow.

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "facts/describer.h"

namespace weir::proto {

enum class Match : std::uint8_t { No, Maybe, Yes };

inline constexpr std::size_t kEvidenceMax = 1024;      ///< Bytes of each side that identify() is shown.
inline constexpr std::size_t kUnconsumedMax = 65535;   ///< Bytes that the engine keeps for a parser that waits.

/// What identify() is shown.
struct Evidence {
  Bytes client;  ///< First bytes that the client sent (TCP: in order; UDP: its latest datagram).
  Bytes server;  ///< Likewise of the server. Either may be empty.
  Bytes before;  ///< UDP: the datagram before the newest, of the same side; of both sides only kEvidenceMax bytes are remembered.
  std::uint16_t client_port = 0, server_port = 0;
  std::uint8_t ip_protocol = 6;
  bool server_first = false;    ///< The server's bytes came before any of the client's.
  bool group_destination = false;  ///< Sent to a multicast or broadcast address.
  /// UDP, and TCP picked up in its middle: the roles are a guess, so a row should try the bytes of either as either.
  bool roles_unsure = false;

  bool is_udp() const { return ip_protocol == 17; }
};

struct Input {
  Side side = Side::Client;
  Bytes bytes;             ///< In order, from the first byte not yet consumed. UDP: one datagram.
  bool end = false;        ///< Nothing follows on this side (FIN), or the flow ends.
  bool datagram = false;   ///< One datagram: what is not in it will not come.
  bool truncated = false;  ///< The capture was snapped inside: bytes after these are missing for good.
  Time now;
};

struct Progress {
  std::size_t consumed = 0;  ///< Bytes of input that are done with, at most input.bytes.size().
  std::uint64_t skip = 0;    ///< Bytes after those that are of no interest (a body): the engine passes over them.
  bool done = false;         ///< Nothing later on this flow is of interest, on both sides: parse() is not called again.
};

/// What is said in a protocol and remembered for other flows. A flow that may still teach what rules need is read on.
enum class Teaches : std::uint8_t { Nothing, Names, Flows };

struct Protocol {
  std::string_view name;
  std::span<const std::uint16_t> tcp_ports = {};
  std::span<const std::uint16_t> udp_ports = {};
  bool tcp = false, udp = false, sctp = false;

  Match (*identify)(const Evidence&) = nullptr;
  /// UDP: the bytes are an answer (false: a request or not to be told). May be nullptr.
  bool (*is_answer)(Bytes datagram) = nullptr;
  /// A use of this protocol that its first bytes show, which is a layer above it: its name, else empty. May be nullptr.
  std::string_view (*use)(const Evidence&) = nullptr;
  /// UDP datagrams after which an unidentified flow may still become this protocol (1: decided at the first).
  std::uint8_t datagrams_max = 1;

  std::span<const FieldRow> fields = {};        ///< Facts of its own.
  std::span<const FieldId> shared = {};         ///< Facts of the core that it writes (auth.user, server.name, file.name).
  std::size_t state_bytes = 0;                  ///< Of parse()'s state, at most 4096, zeroed at the start.
  Progress (*parse)(void* state, const Input&, Describer&) = nullptr;
  /// The bytes between `input` and later ones of this side are lost (a gap that will not be filled). May be nullptr: parsing ends,
  /// what is not yet known is hidden.
  bool (*resync)(void* state, Side side, std::uint64_t lost_bytes) = nullptr;
  bool interleaved = false;  ///< Many transactions in one segment are ordinary, and no Flaw::TooManyTransactions.
  bool may_extend = false;  ///< Another protocol may follow on the same stream (STARTTLS, CONNECT, SOCKS).
  Teaches teaches = Teaches::Nothing;  ///< Which of Describer::learn_name and expect it calls.

  /// The protocol's own refusal of a request (DNS REFUSED): writes the payload of the answer, gives its size, 0 if there is none.
  std::size_t (*refuse)(Bytes request, std::span<std::uint8_t> out) = nullptr;
  /// The answer that sends the client to `address` (DNS).
  std::size_t (*sinkhole)(Bytes request, const Ip& address, std::span<std::uint8_t> out) = nullptr;
};

/// Makes the parse function of a typed one: `Progress parse(MyState&, const Input&, Describer&)`.
template <typename State, Progress (*Parse)(State&, const Input&, Describer&)>
Progress parse_as(void* state, const Input& input, Describer& describer) {
  static_assert(std::is_trivially_copyable_v<State> && sizeof(State) <= 4096);
  return Parse(*static_cast<State*>(state), input, describer);
}

}  // namespace weir::proto
