// SPDX-License-Identifier: Apache-2.0
#pragma once

// XdpStops: what the program in the kernel stops in front of the engine: put into its maps, read back, taken out.
//
//   on_rules     the budgets of the policy that can be lowered become rows; what was stopped under other rules is a miss
//   on_stopped   the source, or the budget's bucket, goes into a map
//   on_wanted    the source comes out again
//   read_stopped what the kernel stopped since, by rule, with the packet with which it began
//
// Invariants: each entry in the kernel has its copy here, which knows what was told already. Entries that stop nothing for a minute go. A
// full table leaves the rest to the engine, counted.

#include <vector>

#include "base/hash.h"
#include "datapath/bridge/lower.h"
#include "engine/stopper.h"
#include "state/bounded_map.h"

namespace weir::datapath {

class XdpProgram;

class XdpStops final : public engine::Stopper {
 public:
  explicit XdpStops(XdpProgram& program, std::size_t sources_max = WEIR_SOURCES_MAX / 2, std::size_t budgets_max = WEIR_BUDGETS_MAX / 2);

  void on_rules(std::shared_ptr<const policy::RuleSet> rules, std::uint32_t generation) override;
  void on_cookie_key(const SipKey& key) override;
  void on_stopped(const engine::Stopped& stopped) override;
  void on_wanted(const Ip& source) override;
  void on_known(const Ip& client) override;
  std::size_t read_stopped(Nanoseconds now_ns, std::span<engine::StoppedCount> out) override;

  const Lowered& lowered() const { return lowered_; }
  bool asks_senders() const { return asks_senders_; }
  std::size_t sources_now() const { return sources_now_; }
  std::size_t budgets_now() const { return budgets_now_; }
  std::uint64_t full() const { return full_; }         ///< Not taken: there was no room.
  std::uint64_t stopped() const { return stopped_; }   ///< Packets, as read back.
  /// Index of the port to the device it is now; where a source must come in.
  std::vector<int> devices;

 private:
  struct Source {
    Ip ip;
    engine::StoppedCount told;           ///< The first packet; packets and bytes: of the entry, already told.
    std::uint64_t owed_packets, owed_bytes;
    Nanoseconds seen_ns;
    bool in_kernel;
  };
  struct Budget {
    weir_budget_key key;
    engine::StoppedCount told;
    Nanoseconds seen_ns;
  };
  struct BudgetKey {
    weir_budget_key key;
    bool operator==(const BudgetKey& other) const { return std::memcmp(&key, &other.key, sizeof key) == 0; }
  };

  void stop_source(const engine::Stopped& stopped, std::uint8_t what, Nanoseconds until_ns);
  void stop_budget(const engine::Stopped& stopped, std::size_t row);
  engine::StoppedCount first_of(const engine::Stopped& stopped) const;
  bool settle_source(Source& source, Nanoseconds now_ns, engine::StoppedCount& out);
  bool settle_budget(Budget& budget, Nanoseconds now_ns, engine::StoppedCount& out);
  static std::uint64_t hash(const Ip& ip) { return hash_ip(ip, 0x73746f70); }
  static std::uint64_t hash(const weir_budget_key& key);

  XdpProgram& program_;
  std::shared_ptr<const policy::RuleSet> rules_;
  Lowered lowered_;
  std::uint32_t generation_ = 0;
  bool asks_senders_ = false;
  state::BoundedMap<Ip, Source> sources_;
  state::BoundedMap<BudgetKey, Budget> budgets_;
  std::size_t sources_now_ = 0, budgets_now_ = 0;
  std::size_t noted_ = 0;                ///< Sources in the table: those in the kernel, and those that owe something.
  std::size_t cursor_ = 0;               ///< Over the places of both tables.
  Nanoseconds slice_ns_ = 0, sweep_ns_ = 0;
  std::uint64_t full_ = 0, stopped_ = 0;
};

}  // namespace weir::datapath
