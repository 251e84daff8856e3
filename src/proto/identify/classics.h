// SPDX-License-Identifier: Apache-2.0
#pragma once

// Services that are older than most networks they are met in, and some that stayed: rows in the manner of rows.h. Each function in classics.cc names
// its specification. Where a request is a plain line, its answer must confirm it.

#include "proto/protocol.h"

namespace weir::proto::identify {

Match chargen(const Evidence& evidence);
Match finger(const Evidence& evidence);
Match gopher(const Evidence& evidence);
Match gtp_prime(const Evidence& evidence);
Match ident(const Evidence& evidence);
Match lotus_notes(const Evidence& evidence);
Match nmea(const Evidence& evidence);
Match rlogin(const Evidence& evidence);
/// By the client's bytes alone.
Match rlogin_opening(Bytes client);
Match rwho(const Evidence& evidence);
Match uucp(const Evidence& evidence);

namespace ports {
inline constexpr std::uint16_t kChargenTcp[] = {19};
inline constexpr std::uint16_t kChargenUdp[] = {19};
inline constexpr std::uint16_t kFingerTcp[] = {79};
inline constexpr std::uint16_t kGopherTcp[] = {70};
inline constexpr std::uint16_t kIdentTcp[] = {113};
inline constexpr std::uint16_t kLotusNotesTcp[] = {1352};
inline constexpr std::uint16_t kNmeaTcp[] = {10110};
inline constexpr std::uint16_t kNmeaUdp[] = {10110};
inline constexpr std::uint16_t kRloginTcp[] = {513};
inline constexpr std::uint16_t kRwhoUdp[] = {513};
inline constexpr std::uint16_t kUucpTcp[] = {540};
}  // namespace ports

inline constexpr Protocol kChargen = {.name = "chargen", .tcp_ports = ports::kChargenTcp, .udp_ports = ports::kChargenUdp,
    .tcp = true, .udp = true, .identify = chargen, .datagrams_max = 3};
inline constexpr Protocol kFinger = {.name = "finger", .tcp_ports = ports::kFingerTcp, .tcp = true, .identify = finger};
inline constexpr Protocol kGopher = {.name = "gopher", .tcp_ports = ports::kGopherTcp, .tcp = true, .identify = gopher};
inline constexpr Protocol kGtpPrime = {.name = "gtp-prime", .udp = true, .identify = gtp_prime};
inline constexpr Protocol kIdent = {.name = "ident", .tcp_ports = ports::kIdentTcp, .tcp = true, .identify = ident};
inline constexpr Protocol kLotusNotes = {.name = "lotusnotes", .tcp_ports = ports::kLotusNotesTcp, .tcp = true,
    .identify = lotus_notes};
inline constexpr Protocol kNmea = {.name = "nmea-0183", .tcp_ports = ports::kNmeaTcp, .udp_ports = ports::kNmeaUdp,
    .tcp = true, .udp = true, .identify = nmea};
inline constexpr Protocol kRlogin = {.name = "rlogin", .tcp_ports = ports::kRloginTcp, .tcp = true, .identify = rlogin};
inline constexpr Protocol kRwho = {.name = "rwho", .udp_ports = ports::kRwhoUdp, .udp = true, .identify = rwho};
inline constexpr Protocol kUucp = {.name = "uucp", .tcp_ports = ports::kUucpTcp, .tcp = true, .identify = uucp};

}  // namespace weir::proto::identify
