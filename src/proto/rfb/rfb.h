// SPDX-License-Identifier: Apache-2.0
#pragma once

// RFB, the protocol of VNC, as far as its two version messages (RFC 6143, 7.1.1): "RFB 003.008\n" from the server, then from the client.

#include "facts/field_ids.h"
#include "proto/protocol.h"

namespace weir::proto {

namespace rfb {

enum : FieldId { kVersion = 302 };
inline constexpr std::uint8_t kVersions = milestone::kOwn;

inline constexpr FieldRow kFields[] = {
    {kVersion, "rfb.version", FieldType::Text, Scope::Flow, kVersions, false, on::kAll, {},
     "Protocol version as on the wire, such as 003.008: the server's, then the client's choice (RFC 6143, 7.1.1)."},
};

struct State {
  bool seen[2];
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kPorts[] = {5500, 5800, 5900, 5901, 5902, 5903};

}  // namespace rfb

inline constexpr Protocol kRfb = {.name = "rfb",
                                  .tcp_ports = rfb::kPorts,
                                  .tcp = true,
                                  .identify = rfb::identify,
                                  .fields = rfb::kFields,
                                  .state_bytes = sizeof(rfb::State),
                                  .parse = parse_as<rfb::State, rfb::parse>};

}  // namespace weir::proto
