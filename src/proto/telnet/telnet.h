// SPDX-License-Identifier: Apache-2.0
#pragma once

// Telnet, recognised by the option negotiation that either side begins with (RFC 854, 855), and not read further.

#include "proto/protocol.h"

namespace weir::proto {

namespace telnet {

Match identify(const Evidence& evidence);

inline constexpr std::uint16_t kPorts[] = {23, 992};

}  // namespace telnet

inline constexpr Protocol kTelnet = {.name = "telnet", .tcp_ports = telnet::kPorts, .tcp = true, .identify = telnet::identify};

}  // namespace weir::proto
