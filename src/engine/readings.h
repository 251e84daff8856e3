// SPDX-License-Identifier: Apache-2.0
#pragma once

// Readings: facts that always have a value now and may read differently later (rates, bindings, detectors). They are made
// before the rules run, only those that some rule asks for, from tables that have counted what arrived before.

#include "facts/view.h"
#include "policy/compile.h"

namespace weir::engine {

class Readings {
 public:
  Readings(const policy::RuleSet& rules, std::size_t entries, SlabPool& pool);
  ~Readings();

  /// A packet arrived, stopped or not: rates, floods, scans and knocks count it. `opens`: it begins a flow.
  void count_packet(const Packet& packet, const IpLayer* layer, bool opens, Nanoseconds now_ns);
  /// Makes the readings of headers for this packet.
  const Facts& make(const View& view);
  /// Makes those of the transaction at hand (dns.tunnel, auth.binding …), beside the ones made for the packet.
  void make_for_transaction(const View& view, bool answer);
  /// The packet passed: bindings and names learn from it.
  void commit(const View& view);

  const Facts& facts() const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace weir::engine
