// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flow: what is remembered of one conversation for as long as it lives, settled or not: its ends, verdict, counters and
// TCP windows. What is needed only while it is unsettled (facts, parser, streams) hangs on `live` and goes when it settles.

#include <cstddef>
#include <cstdint>

#include "facts/decision.h"
#include "facts/flow.h"

namespace weir::state {

/// TCP as seen from one side; sequence numbers are compared modulo 2^32 (RFC 9293, section 3.4).
struct TcpSide {
  std::uint32_t next = 0;        ///< One past the highest sequence number that it sent.
  std::uint32_t window_end = 0;  ///< One past the highest that its peer allowed it to send (ACK + window).
  std::uint32_t acked = 0;       ///< Highest that its peer acknowledged.
  std::uint32_t initial = 0;     ///< Number of its first data byte, where the SYN was seen; else of the first byte seen.
  std::uint32_t window_max = 0;  ///< Largest window that it ever offered, scaled.
  std::uint8_t scale = 0;
  bool seen = false;             ///< `next` is known.
  bool fin = false;              ///< A FIN passed; its number is below `next`.
  bool scale_offered = false;
};

enum class TcpPhase : std::uint8_t { None, SynSent, SynReceived, Established, Closing, Closed };

enum class FlowVerdict : std::uint8_t { Open, Passed, Denied };

struct LiveBase;  ///< Defined by the engine; owned by the flow's shard.

struct alignas(64) Flow {
  // Line 0: what every look-up and every packet touches.
  FlowEnds ends;               ///< 38 bytes
  FlowVerdict verdict = FlowVerdict::Open;
  bool settled = false;
  std::uint32_t domain = 0;    ///< VLAN, tunnel, outer flow: two overlays' 10.0.0.5 do not meet.
  RuleId rule = kNoRule;       ///< Decided the flow, where it is settled or denied.
  std::uint32_t generation = 0;
  TcpPhase phase = TcpPhase::None;
  bool picked_up = false;      ///< No handshake was seen.
  bool answered = false;       ///< The server sent something.
  bool named = false;          ///< Its application is known, or no longer sought.
  Nanoseconds last_ns = 0;     ///< Of the last packet that counts for its age.

  // Line 1: counters, and what hangs on it while it is unsettled.
  std::uint64_t packets[2] = {0, 0};
  std::uint64_t bytes[2] = {0, 0};
  LiveBase* live = nullptr;
  Nanoseconds last_wall_ns = 0;
  std::uint32_t parent = 0;    ///< Index + 1 of the flow that announced it, 0: none.
  bool right_checksum[2] = {false, false};  ///< A right one was seen from that side.
  bool unsolicited = false;
  bool related = false;
  bool confirmed = false;
  bool reset = false;
  bool logged = false;         ///< An alert for its denial is out.
  Reason denied_because = Reason::Rule;
  bool in_use = false;
  bool has_macs : 1 = false;
  bool carried : 1 = false;    ///< The datapath carries it by itself.
  bool icmp_by_server : 1 = false;  ///< It sent the flow's first packet, with
  std::uint8_t apps_count = 0;
  // One byte is free.

  // Line 2: TCP, and the flow as reports show it.
  TcpSide tcp[2];
  AppId apps[kChainMax] = {};
  ZoneId from = kNoZone, to = kNoZone;
  PortIndex port = kNoPort;    ///< Where its first packet came in.
  std::uint8_t icmp_type = 0, icmp_code = 0;  ///< these.

  // Line 3: what only beginnings and ends ask for.
  std::uint64_t first_frame = 0;  ///< Number of its first packet: with the seed, the flow's id.
  Nanoseconds start_ns = 0, start_wall_ns = 0;
  std::uint8_t* kept = nullptr;  ///< What a settled or denied flow keeps of its facts for a reload; the engine's own, from its pool.
  std::uint32_t parent_first_frame = 0;  ///< Its low half: enough to tell whether the index still names it.
  std::uint32_t dropped_packets = 0;     ///< At most what fits.
  Mac client_mac, server_mac;
  // The timer wheel's list.
  std::uint32_t timer_next = 0, timer_previous = 0;
  std::uint16_t timer_slot = 0;  ///< + 1; 0: in no list.
  std::uint16_t sender = 0;      ///< Who opened it: a place in the engine's table of senders, 0: nobody is known.

  AppId innermost() const { return apps_count == 0 ? kUnknownApp : apps[apps_count - 1U]; }
};
static_assert(sizeof(Flow) == 256 && offsetof(Flow, packets) == 64 && offsetof(Flow, tcp) == 128 && offsetof(Flow, first_frame) == 192,
              "a flow is four cache lines, by how often they are touched");

}  // namespace weir::state
