// SPDX-License-Identifier: Apache-2.0
#pragma once

// lower: which rules' denials the kernel can repeat by itself, and how. Nothing is lowered that the engine might decide otherwise, save that of
// a flood other packets may be the few that pass:
//
//   budgets     `limit` in packets, bytes or bits over SYNs, UDP, echo requests or fragments, by source, destination, port, protocol
//               or several of them (guards `flood`). A rule in front that lets such packets through, counts or reports them keeps it here.
//   by source   `drop` whose conditions are all about the source: then one packet's denial is that of all. Rules in front must drop
//               too, or be certain not to match that source, which is seen from the packet at hand.
//   bans        by source. A detector that counts what a ban stops (scan, knock) must have seen enough of it when the ban ends.
//
// Rates of arrivals that rules ask for (rate.…) count every packet: then nothing is lowered. Nor is it in `mode: monitor`.

#include <array>
#include <vector>

#include "bpf/abi.h"
#include "policy/compile.h"

namespace weir::datapath {

struct LoweredBudget {
  RuleId rule = kNoRule;
  weir_row row{};
};

struct LoweredSource {
  struct Earlier {
    RuleId rule = kNoRule;
    std::uint8_t what = 0;        ///< Of WEIR_STOP_…: it may match such a packet, unless it is certain not to match the source.
  };
  RuleId rule = kNoRule;
  std::vector<Earlier> earlier;
};
using PortBits = std::array<std::uint64_t, 1024>;

struct Lowered {
  static constexpr std::size_t kEarlierMax = 32;
  std::vector<LoweredBudget> budgets;  ///< In the policy's order: a packet takes from each until one is over.
  std::vector<LoweredSource> sources;  ///< By rule.
  bool bans = false;
  Nanoseconds ban_margin_ns = 0;       ///< So long before a ban ends its packets come to the engine again.
  bool silent = false;                 ///< No rule counts or reports: packets whose direction is a guess may be stopped too.
  PortBits free_syn{}, free_udp{};     ///< Ports at which a rule in front may let something pass.

  const LoweredSource* source_of(RuleId rule) const;
};

/// How far the kernel's budgets lie above the engine's, which judges what comes through: as much passes as the policy says, though not always the
/// same packets (a packet that the engine refuses took from the kernel's bucket and not from its own).
inline constexpr double kBudgetMargin = 0.125;
inline constexpr Nanoseconds kBudgetSlack = 20 * kMillisecond;

Lowered lower(const policy::RuleSet& rules);

/// Some rule wants to know of flaws that the program does not look for in what a settled flow carries.
bool asks_for_sound_options(const policy::RuleSet& rules);

/// Of WEIR_STOP_…: packets of these kinds meet the rule whenever this source sends them. `view` is of one that did; its sender is the
/// flow's client.
std::uint8_t decided_by_source(const policy::RuleSet& rules, const LoweredSource& source, const View& view);

}  // namespace weir::datapath
