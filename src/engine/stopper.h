// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stopper: a datapath that can stop by itself what the engine would stop for its headers alone (the bridge's program in the kernel): what a
// banned source sends, what a rule denies by its source, what is over a flood's budget. The engine tells it what was stopped and why; the
// datapath knows of which rules more of the same can be told from headers, and stops that. What it stopped is read back, so that
// counters and events name the rule as if the engine had done it. All calls come from the lane.
//
// The promise that makes it sound: a source is given up to the stopper only while it is the server of no flow, and is taken back before the
// first packet to it goes out. Answers to what was asked for therefore always reach the engine.

#include <cstdint>
#include <memory>
#include <span>

#include "base/siphash.h"
#include "facts/decision.h"
#include "facts/view.h"
#include "policy/compile.h"

namespace weir::engine {

/// A frame that was stopped, not for its content and not for its flow.
struct Stopped {
  RuleId rule = kNoRule;
  Reason reason = Reason::Rule;  ///< Rule or Banned.
  std::uint32_t generation = 0;
  const View* view = nullptr;    ///< Its packet and outermost layer. The flow is there only where a rule decided.
  bool serves = true;            ///< Its source may be the server of a flow that lives.
  Nanoseconds until_ns = 0;      ///< Monotonic: as long as the source is banned; 0: it is not.
};

/// What was stopped of one kind since it was last told.
struct StoppedCount {
  RuleId rule = kNoRule;         ///< Of that generation.
  std::uint32_t generation = 0;
  Reason reason = Reason::Rule;
  std::uint64_t packets = 0, bytes = 0;  ///< Bytes of IP packets.
  // Of the packet with which it began:
  std::uint64_t frame = 0;
  Ip src, dst;
  std::uint16_t src_port = 0, dst_port = 0;
  std::uint8_t protocol = 0;
  PortIndex port = kNoPort;
};

class Stopper {
 public:
  virtual ~Stopper() = default;
  /// The rules from now on, at the start and after each reload. What was stopped under others comes to the engine again.
  virtual void on_rules(std::shared_ptr<const policy::RuleSet> rules, std::uint32_t generation) = 0;
  /// Once, before the rules: with what senders of SYNs are asked (state/syn_cookies.h), so that the engine knows answers to what the stopper asked.
  virtual void on_cookie_key(const SipKey& key) = 0;
  virtual void on_stopped(const Stopped& stopped) = 0;
  /// Packets of this source come to the engine again, from now on: it serves a flow, or its ban was lifted.
  virtual void on_wanted(const Ip& source) = 0;
  /// A client that finished a handshake: for budgets that spare those.
  virtual void on_known(const Ip& client) = 0;
  /// Some of what was stopped, fewer than asked for if nothing more is due now. Paced by the stopper.
  virtual std::size_t read_stopped(Nanoseconds now_ns, std::span<StoppedCount> out) = 0;
};

}  // namespace weir::engine
