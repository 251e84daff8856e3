// SPDX-License-Identifier: Apache-2.0
#pragma once

// The flow part of the facts: who the ends are, what state the flow is in, which application speaks. Plain; state/
// keeps it, the engine updates it, policy and events read it.

#include <array>
#include <cstdint>

#include "base/address.h"
#include "base/clock.h"
#include "facts/app.h"

namespace weir {

/// Client opened the flow; server is the other end. The two never flip once chosen.
enum class Side : std::uint8_t { Client, Server };
inline Side other(Side side) { return side == Side::Client ? Side::Server : Side::Client; }
inline std::size_t index_of(Side side) { return static_cast<std::size_t>(side); }

struct FlowEnds {
  Ip client, server;
  std::uint16_t client_port = 0, server_port = 0;  ///< ICMP: zero.
  std::uint8_t protocol = 0;                       ///< IP protocol number.

  const Ip& ip(Side side) const { return side == Side::Client ? client : server; }
  std::uint16_t port(Side side) const { return side == Side::Client ? client_port : server_port; }
};

/// Words of `flow.state`, in this order.
enum class FlowState : std::uint8_t { New, Established, Related, Invalid };

/// Index of a zone in the policy in force.
using ZoneId = std::uint16_t;
inline constexpr ZoneId kNoZone = 0xffff;

inline constexpr std::size_t kChainMax = 4;  ///< smtp → tls is two; http CONNECT → tls → … stays below.

/// `app.protocol`: layers that are certain, outermost first, then the candidates of the innermost.
struct AppChain {
  std::array<AppId, kChainMax> layers{};
  std::uint8_t count = 0;        ///< Certain layers.
  bool open = true;              ///< A further layer is sought; its candidates are below. False: nothing more comes (yet).
  bool may_extend = false;       ///< The innermost certain layer may hand over to another later (STARTTLS, CONNECT).
  bool midstream = false;        ///< TCP picked up in its middle: what its first bytes are not proves nothing.
  bool hidden = false;           ///< Picked up in its middle, and the bytes say nothing.
  bool confirmed = false;        ///< Both sides spoke it.
  AppSet candidates;             ///< While open.

  AppId innermost() const { return count == 0 ? kUnknownApp : layers[count - 1U]; }
  bool has(AppId id) const {
    for (std::size_t i = 0; i < count; ++i)
      if (layers[i] == id) return true;
    return false;
  }
};

struct FlowFacts {
  FlowEnds ends;
  Mac client_mac, server_mac;
  bool has_macs = false;
  ZoneId from = kNoZone, to = kNoZone;
  FlowState state = FlowState::New;
  bool unsolicited = false;  ///< `udp.solicited: false`: the flow begins with an answer. Otherwise that fact is absent.
  AppChain app;
  std::uint64_t packets[2] = {0, 0};  ///< By the side that sent them.
  std::uint64_t bytes[2] = {0, 0};    ///< Of IP packets.
  Nanoseconds start_ns = 0;           ///< Monotonic.
};

}  // namespace weir
