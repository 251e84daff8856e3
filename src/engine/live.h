// SPDX-License-Identifier: Apache-2.0
#pragma once

// Live: what a flow needs only while it is unsettled, or while its application is still sought: facts, streams, parser,
// and what was counted and reported. It lies in the pool and goes when the flow settles, is denied or ends.

#include "facts/facts.h"
#include "facts/flow.h"
#include "policy/match.h"
#include "proto/protocol.h"
#include "state/flow.h"
#include "state/stream.h"

namespace weir::state {

struct LiveBase {};

}  // namespace weir::state

namespace weir::engine {

/// Bytes that a parser keeps for itself, one block a side, grown in powers of two.
struct Kept {
  std::uint8_t* bytes = nullptr;
  std::uint32_t size = 0, capacity = 0;
};

struct HeldFrame {
  std::uint64_t frame = 0;
  PortIndex port = kNoPort;
  Nanoseconds wall_ns = 0;
};

struct Live : state::LiveBase {
  static constexpr std::size_t kHeldMax = 16;
  static constexpr std::size_t kCountedMax = 12;

  Live(SlabPool& pool, const FieldSet& wanted) : facts(pool, wanted) {}

  FlowFacts flow;
  Facts facts;
  state::Stream streams[2];
  Kept kept[2];
  void* parser_state = nullptr;
  AppId parser = kUnknownApp;        ///< Of the innermost layer, if it has one.
  bool parser_done = false;          ///< Wants no more bytes.
  bool parser_told = false;          ///< It made a transaction, or its flow facts were reported.
  bool reading = true;               ///< Streams and datagrams are still of interest.
  bool transaction_open = false, transaction_ended = false, transaction_answer = false;
  bool transaction_read = false;     ///< Its readings were made, its arrival counted.
  std::uint64_t transaction_key = 0;
  std::uint32_t transactions = 0;    ///< Begun so far.
  bool ended[2] = {false, false};    ///< FIN in order.
  bool server_first = false;
  bool settling = false;             ///< The verdict is final as soon as what was read up to settle_at is acknowledged.
  std::uint64_t settle_at[2] = {0, 0};
  bool lost[2] = {false, false};     ///< That side has a hole that its parser cannot pass: it is not read any more.
  bool gap = false;                  ///< Bytes were lost; what is parsed later is after them.
  bool bound_decided = false;        ///< The bound of undecided payload was reached and the flow let go.

  // For identification of the innermost layer.
  std::uint64_t client_payload_bytes = 0;
  std::uint8_t datagrams = 0;
  std::uint64_t identified_bytes[2] = {0, 0};  ///< Evidence sizes at the last attempt.
  // For the bounds of undecided payload.
  std::uint32_t undecided_frames = 0, undecided_bytes = 0, undecided_server_bytes = 0;
  Nanoseconds hold_since_ns = 0;
  std::uint8_t held_count = 0;
  std::uint32_t held_bytes = 0;
  HeldFrame* held = nullptr;  ///< kHeldMax of them, from the pool, while frames are held.

  bool renewed = false;              ///< Looked at again after a reload: the flow had begun before, and was counted then.
  RuleId pinned = kNoRule;           ///< Decided it before the reload, and is unchanged: it matches, whatever was kept.

  RuleId ban_rule = kNoRule;         ///< Counted last towards a ban, and
  std::uint64_t ban_key = 0;         ///< by which transaction: its answer is no match of its own.

  // Limits, bans and alerts are taken once a flow or transaction.
  struct Counted {
    RuleId rule;
    bool result;
    bool of_transaction;
  };
  std::uint8_t counted_count = 0;
  Counted counted[kCountedMax];

  // The last walk over the rules, and what it was made from.
  std::uint32_t matched_version = 0;
  bool matched = false;
  policy::Outcome outcome;
};

}  // namespace weir::engine
