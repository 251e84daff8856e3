// SPDX-License-Identifier: Apache-2.0
#pragma once

// Readings: facts that always have a value now and may read differently later (rates, bindings, detectors). Only those that
// some rule asks for are made. Arrivals are counted before the rules run, stopped or not; bindings learn after a packet passed.

#include <functional>
#include <memory>
#include <span>

#include "facts/view.h"
#include "policy/compile.h"

namespace weir::engine {

struct Learned;

class Readings {
 public:
  Readings(const policy::RuleSet& rules, std::size_t entries, SlabPool& pool);
  ~Readings();

  /// Other rules: what they still ask for is kept as far as it is asked for in the same way.
  void reload(const policy::RuleSet& rules);

  /// A frame arrived. Before any layer of it is judged, once.
  void arrive(const Packet& packet, Nanoseconds now_ns);
  /// Makes the readings of this packet's headers. `opens`: it would begin a flow. `window`: what the client that sent it can take.
  void make(const View& view, bool opens, std::uint32_t window = UINT32_MAX);
  /// Makes those of what is known after its bytes were read. `inside_body`: the client's request goes on behind them.
  void make_of_content(const View& view, bool inside_body);
  bool of_content() const { return of_content_; }
  /// Makes those of the transaction that was just described.
  void make_for_transaction(const View& view, bool answer, bool first_time);
  /// The packet passed: bindings learn from it.
  void commit(const View& view);
  /// Likewise what learns from every packet, also of flows that have settled.
  void passed(const Packet& packet, Nanoseconds now_ns);
  bool learns_from_all() const { return learns_from_all_; }

  // As in engine.h.
  std::uint32_t walk_learned(std::uint32_t first, std::uint32_t slots, Nanoseconds now_ns, const std::function<void(const Learned&)>& call);
  std::size_t recall(std::span<const Learned> learned, Nanoseconds now_ns);

  const Facts& facts() const;

 private:
  struct Tables;
  void make_bindings(const View& view);
  void make_rates(const View& view, bool opens);
  void make_echo(const View& view);
  void make_spoofing(const View& view);
  std::size_t entries_;
  SlabPool& pool_;
  std::unique_ptr<Tables> tables_;
  bool of_content_ = false, learns_from_all_ = false;
};

}  // namespace weir::engine
