// SPDX-License-Identifier: Apache-2.0
#pragma once

// Decision: what the engine answers for a frame. A datapath carries it out and decides nothing.

#include <cstdint>

#include "base/bytes.h"
#include "facts/frame.h"

namespace weir {

enum class Verdict : std::uint8_t { Pass, Drop, Hold };

/// Place of a rule in the policy in force: guards first, then the essential rules, then the policy's own.
using RuleId = std::uint32_t;
inline constexpr RuleId kNoRule = 0xffffffff;       ///< No rule decided: the default passed it.
inline constexpr RuleId kDefaultRule = 0xfffffffe;  ///< `default` stopped it.
inline constexpr RuleId kOperatorRule = 0xfffffffd; ///< Nobody's rule: a person banned it (`weir ban`).

/// Why a frame was stopped where no rule of the policy did it: never unnamed, each with a counter.
enum class Reason : std::uint8_t {
  Rule,             ///< A rule or guard decided.
  Default,          ///< What no rule decided.
  Tombstone,        ///< The flow was denied before; the rule is the one that did it.
  Answer,           ///< The answer to a denied request.
  Related,          ///< Its parent flow was denied.
  Banned,           ///< An earlier match banned it.
  FragmentLost,     ///< Later fragments whose first one did not come.
  HoldOverflow,     ///< The pool for held frames was full.
  UndecidedBudget,  ///< guard.undecided: a client that lives off undecided payload.
  TableFull,        ///< A table was full and its answer is to stop.
  Conflict,         ///< A retransmission that differs from what was read and passed: it would say something else than what was judged.
  Overlap,          ///< A fragment that overlaps others (RFC 5722).
  Refused,          ///< A host: the call that would have sent it was refused, so there was no packet.
};

struct Emit {
  Bytes bytes;  ///< Lives until the next call into the engine.
  PortIndex port = kNoPort;  ///< Goes out of this one; kNoPort: the way that the frame it belongs to would have gone.
};

struct Decision {
  std::uint64_t frame = 0;  ///< Number of the frame.
  Verdict verdict = Verdict::Pass;
  Reason reason = Reason::Default;
  RuleId rule = kNoRule;
  bool settled = false;   ///< Nothing later can change the verdict of the flow, and it teaches nothing that other flows' verdicts need.
  std::uint8_t emits_count = 0;
  Emit emits[2];
  Bytes rewrite;          ///< If not empty: the frame goes out with these bytes.
};

}  // namespace weir
