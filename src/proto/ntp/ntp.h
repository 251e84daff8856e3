// SPDX-License-Identifier: Apache-2.0
#pragma once

// NTP (RFC 5905 7.3, mode 6 RFC 9327, and the private mode 7 of ntpd). Only the mode is read: it tells time service from
// the queries that amplify. A client's or server's packet has no magic, so it is recognised strictly: 48 bytes (or extension
// fields and a code behind them), a known version, and fields that go together with the mode; modes 6 and 7 by their counts.
//
//   first byte: leap indicator 2 bits, version 3 bits, mode 3 bits

#include "proto/protocol.h"

namespace weir::proto::ntp {

namespace field {
enum : FieldId { kMode = 304 };
}  // namespace field

/// The mode bits, and the words of `ntp.mode`.
enum class Mode : std::uint8_t { Reserved, SymmetricActive, SymmetricPassive, Client, Server, Broadcast, Control, Private };

inline constexpr Word kModes[] = {{"reserved", 0}, {"symmetric-active", 1}, {"symmetric-passive", 2}, {"client", 3}, {"server", 4},
                                  {"broadcast", 5}, {"control", 6}, {"private", 7}};
// clang-format off
inline constexpr FieldRow kFields[] = {
    {field::kMode, "ntp.mode", FieldType::Word, Scope::Transaction, milestone::kTransaction, false, on::kAll, kModes, "Association mode (RFC 5905 7.3); control and private are for management."},
};
// clang-format on

struct State {};

Match identify(const Evidence&);
bool is_answer(Bytes datagram);
Progress parse(State&, const Input&, Describer&);

inline constexpr std::uint16_t kPorts[] = {123};

}  // namespace weir::proto::ntp

namespace weir::proto {

inline constexpr Protocol kNtp = {.name = "ntp", .udp_ports = ntp::kPorts, .udp = true,
                                  .identify = ntp::identify, .is_answer = ntp::is_answer,
                                  .fields = ntp::kFields, .state_bytes = sizeof(ntp::State),
                                  .parse = parse_as<ntp::State, ntp::parse>};

}  // namespace weir::proto
