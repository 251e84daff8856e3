// SPDX-License-Identifier: Apache-2.0
#pragma once

// Detectors: the readings that join what a protocol said with what is remembered, and cost nothing unless a rule asks for them:
//
//   dns.generated, dns.first_seen   of the names that a DNS message asks for
//   http.ssrf, http.fronting, http.tunnel, ssh.tunnel   of a request, an answer, a hello, and of what carries what
//   flow.slow, flow.beacon          of a client's packets and of its flows
//   port.macs_exceeded, dhcp.pool_free, and the leases that teach bindings
//
// Each header in state/, metadata_address.h and generated_name.h say their rule of thumb. Readings owns this and hands on the calls.

#include <memory>

#include "facts/view.h"
#include "policy/compile.h"
#include "state/bindings.h"

namespace weir::state {
class Stations;
}

namespace weir::engine {

class Detectors {
 public:
  Detectors(const policy::RuleSet& rules, std::size_t entries, const Vocabulary& words);
  ~Detectors();

  /// Some rule asks for one of them, or bindings learn from leases.
  bool any() const { return any_; }
  /// The facts that they are made of.
  static void also_wanted(const policy::RuleSet& rules, FieldSet& wanted);
  /// Protocols that a reading belongs to.
  static void own(Vocabulary& words);

  /// After a reload: what the one before remembers goes on where both ask for it in the same way.
  void go_on(Detectors& before);

  /// Of a packet's headers, before its content is read. `window`: what the client can take, where the packet is its.
  void make(const View& view, bool opens, bool from_client, std::uint32_t window, Facts& out);
  /// Of what is known after bytes were read: a hello, a layer more. `inside_body`: the client's request goes on behind them.
  void make_of_content(const View& view, bool from_client, bool inside_body, Facts& out);
  /// Of the transaction that was just described.
  void make_of_transaction(const View& view, Facts& out);

  struct BindingTables {
    state::Bindings *arp, *nd, *source;
  };
  /// The packet passed: stations and leases learn from it.
  void passed(const Packet& packet, Nanoseconds now_ns, const BindingTables& tables);
  bool learns() const { return learns_; }
  /// Addresses of ports that stay for good; nullptr: none do.
  state::Stations* sticky_stations();

 private:
  struct Tables;
  void make_of_layers(const View& view, Facts& out);
  std::unique_ptr<Tables> tables_;
  bool any_ = false, learns_ = false;
};

}  // namespace weir::engine
