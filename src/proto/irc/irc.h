// SPDX-License-Identifier: Apache-2.0
#pragma once

// IRC, recognised and not read further: the client's registration (RFC 2812, 3.1), or a server that speaks with its prefix.

#include "proto/protocol.h"

namespace weir::proto {

namespace irc {

Match identify(const Evidence& evidence);

inline constexpr std::uint16_t kPorts[] = {194, 994, 6665, 6666, 6667, 6668, 6669, 6697};

}  // namespace irc

inline constexpr Protocol kIrc = {.name = "irc", .tcp_ports = irc::kPorts, .tcp = true, .identify = irc::identify};

}  // namespace weir::proto
