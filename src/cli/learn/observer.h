// SPDX-License-Identifier: Apache-2.0
#pragma once

// Observer: what passes an engine, told apart as finely as a policy could. It stands behind an engine that stops nothing, under observing():
// the rules of a base policy, a default that would drop and is only told, and one that asks for names so that flows are read for them.
// Flows of which no rule of the base speaks become atoms: process, client, application, name or address of the server, port. From these
// a proposal is made (proposal.h).
//
// Bounded: atoms beyond kAtomsMax are only counted.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/engine.h"

namespace weir::cli {

/// How closely an atom is described: each next one asks less of a flow's content, and the last nothing.
enum class Closeness : std::uint8_t {
  Inner,     ///< Innermost application and name.
  Outer,     ///< Outermost application, which is certain earlier, and name.
  Address,   ///< Outermost application and the server's address.
  Headers,   ///< Addresses, port, protocol.
  BothWays,  ///< The same with the ends exchanged, too: it was picked up in its middle.
};

struct Tally {
  std::uint64_t flows = 0, packets = 0, bytes = 0;
  Nanoseconds first_wall_ns = 0, last_wall_ns = 0;
  FlowEnds example;  ///< Of the flow that came first.

  void add(const Tally& more);
};

struct Atom {
  std::string process;     ///< Path; empty where nobody is known.
  bool own = false;        ///< This host opened it: the process tells who, not the address.
  Ip client, server;
  std::vector<AppId> chain;  ///< Outermost first; empty where it is not known.
  std::string name;        ///< Of the server, lower case; empty: it has none.
  std::uint16_t port = 0;  ///< The server's; 0: it has none.
  std::uint8_t protocol = 0;
  int icmp_type = -1;      ///< As rules number it (256 more for ICMPv6); -1: no ICMP.
  Closeness closeness = Closeness::Inner;
  Tally tally;
};

/// The rules under which an observer's engine runs. `base` may be nullptr.
std::shared_ptr<const policy::RuleSet> observing(const policy::Policy* base);

class Observer final : public engine::EventSink, public engine::Tap {
 public:
  static constexpr std::size_t kAtomsMax = 1 << 18, kFlowsMax = 1 << 22;

  struct Options {
    std::function<bool(const Ip&)> is_own = {};  ///< An address of this host; empty: none is.
    std::size_t ends_max = 1 << 22;              ///< Flows of which find() knows the atom.
    Closeness closeness = Closeness::Inner;      ///< Of new atoms.
  };
  explicit Observer(const policy::RuleSet& rules) : Observer(rules, Options()) {}
  Observer(const policy::RuleSet& rules, Options options);

  /// Told of frames that were decided late (fragments).
  std::function<void(const Decision&)> on_decided;

  std::vector<Atom>& atoms() { return atoms_; }
  /// The atom of flows with these ends, or -1.
  std::ptrdiff_t find(const FlowEnds& ends) const;
  /// For a packet of no flow: its ends as they are, by headers alone.
  std::size_t add_stray(const FlowEnds& ends, int icmp_type, std::uint64_t bytes, Nanoseconds wall_ns);

  std::uint64_t flows() const { return flows_; }
  std::uint64_t covered() const { return covered_; }      ///< Flows that a rule of the base lets pass, or that are essential.
  std::uint64_t denied() const { return denied_count_; }  ///< Flows that a rule of the base denies.
  std::uint64_t untold() const { return untold_; }        ///< Flows beyond the bound.
  const Tally& all() const { return all_; }

  void on_alert(const engine::AlertRecord& record) override;
  void on_flow(const engine::FlowRecord& record) override;
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision& decision) override {
    if (on_decided) on_decided(decision);
  }
  void on_frame(const View& view, const Decision& decision) override;

 private:
  struct EndsHash {
    std::size_t operator()(const FlowEnds& e) const {
      return static_cast<std::size_t>(hash_ip(e.client, hash_ip(e.server, std::uint64_t{e.client_port} << 24 | std::uint64_t{e.server_port} << 8 | e.protocol)));
    }
  };
  struct EndsEqual {
    bool operator()(const FlowEnds& a, const FlowEnds& b) const {
      return a.client == b.client && a.server == b.server && a.client_port == b.client_port && a.server_port == b.server_port && a.protocol == b.protocol;
    }
  };
  using Identity = std::tuple<std::string, bool, Ip, Ip, std::vector<AppId>, std::string, std::uint16_t, std::uint8_t, int>;
  std::ptrdiff_t atom_of(Atom atom);
  /// Flows of the layers of a tunnel begin with the same frame and have its number as their id.
  static std::uint64_t layer_of(std::uint64_t flow_id, const Ip& a, const Ip& b, std::uint8_t protocol);

  const Vocabulary& words_;
  FieldId sni_, server_name_;
  std::size_t learn_rule_;
  Options options_;
  std::vector<Atom> atoms_;
  std::map<Identity, std::size_t> by_identity_;
  std::unordered_map<FlowEnds, std::string, EndsHash, EndsEqual> names_;         ///< Of flows that live.
  std::unordered_map<FlowEnds, std::size_t, EndsHash, EndsEqual> atom_of_ends_;  ///< Of those that ended.
  std::unordered_set<std::uint64_t> defaulted_, denied_;                         ///< By layer_of(), of flows that live.
  std::uint64_t flows_ = 0, covered_ = 0, denied_count_ = 0, untold_ = 0;
  Tally all_;
};

}  // namespace weir::cli
