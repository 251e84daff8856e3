// SPDX-License-Identifier: Apache-2.0
#pragma once

// EarlyRules: rules lowered for the program in front of a host's packet sockets (bpf/host.bpf.c, bpf/host_abi.h). What is lowered says of no
// packet anything that the engine would not: a condition that the program cannot ask makes its rule unsure, a rule that may let a packet
// by ends the asking, and one that may stop it changes nothing. What does not fit (64 conditions of a kind, 256 rules, long lists of
// addresses) is unsure too.

#include <string>
#include <utility>
#include <vector>

#include "bpf/host_abi.h"
#include "policy/compile.h"

namespace weir::datapath {

struct EarlyRules {
  std::vector<weir_early_rule> rules;
  /// Every address is in exactly one of these.
  std::vector<std::pair<Prefix, weir_early_bits>> addresses;
  std::vector<std::uint64_t> ports;  ///< By port.
  weir_early_other other{};
  /// Some packet may be stopped by them.
  bool any = false;
  std::size_t left_out = 0;  ///< Rules that would stop packets and ask for what cannot be asked here.
};

EarlyRules lower_early_rules(const policy::RuleSet& rules);


}  // namespace weir::datapath
