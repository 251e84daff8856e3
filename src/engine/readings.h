// SPDX-License-Identifier: Apache-2.0
#pragma once

// Readings: facts that always have a value now and may read differently later (rates, bindings, detectors). Only those that
// some rule asks for are made. Arrivals are counted before the rules run, stopped or not; bindings learn after a packet passed.

#include <memory>

#include "facts/view.h"
#include "policy/compile.h"

namespace weir::engine {

class Readings {
 public:
  Readings(const policy::RuleSet& rules, std::size_t entries, SlabPool& pool);
  ~Readings();

  /// A frame arrived. Before any layer of it is judged, once.
  void arrive(const Packet& packet, Nanoseconds now_ns);
  /// Makes the readings of this packet's headers. `opens`: it would begin a flow.
  void make(const View& view, bool opens);
  /// Makes those of the transaction that was just described.
  void make_for_transaction(const View& view, bool answer, bool first_time);
  /// The packet passed: bindings learn from it.
  void commit(const View& view);

  const Facts& facts() const;

 private:
  struct Tables;
  void make_bindings(const View& view);
  void make_rates(const View& view, bool opens);
  void make_echo(const View& view);
  void make_spoofing(const View& view);
  std::unique_ptr<Tables> tables_;
};

}  // namespace weir::engine
