// SPDX-License-Identifier: Apache-2.0
#pragma once

// TCP state: is this segment one that the connection can be sending (RFC 9293), judged before the verdict; and what the
// connection is after it passed, remembered after the verdict. Windows are judged only where the guard `tcp-state` asks.

#include "facts/packet.h"
#include "state/flow.h"

namespace weir::state {

inline bool seq_before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }
inline bool seq_at_or_before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) <= 0; }

enum class TcpJudgement : std::uint8_t { Fits, OutOfWindow, NotOfThisConnection };

/// `slack`: 1 where each packet is read, 2 for the relaxed window of settled flows.
TcpJudgement judge_tcp(const Flow& flow, Side side, const IpLayer& layer, std::uint32_t slack);
/// After the segment passed.
void commit_tcp(Flow& flow, Side side, const IpLayer& layer);
/// A SYN on a closed connection, or with another number on one that has not been answered: the ports are used again.
bool opens_anew(const Flow& flow, Side side, const IpLayer& layer);

}  // namespace weir::state
