// SPDX-License-Identifier: Apache-2.0
#pragma once

// RuleSet: a policy compiled for matching. Immutable; a reload makes another.
//
// Each key belongs to one of four kinds, which say when it can change on a flow:
//   Fixed    headers that are the same for the whole flow (ends, zones, port, the flow's IP protocol)
//   Packet   headers that differ from packet to packet
//   Content  what the flow says once (application protocol, TLS hello)
//   Passing  what returns with each transaction, or reads differently later (dns.qname, rates, bindings)
// Stage A turns the Fixed keys into a list of candidate rules, by bit vectors: for each dimension a value has a class, each class a
// set of rules that hold for it, and the candidates are the intersection (Lakshman and Stiliadis 1998). Lists are cut
// after the first rule that is unconditional, and remembered by their classes.

#include <memory>
#include <vector>

#include "facts/view.h"
#include "policy/rule.h"
#include "policy/zone.h"

namespace weir::policy {

enum class KeyKind : std::uint8_t { Fixed, Packet, Content, Passing };
KeyKind kind_of(const FieldRow& row);
/// `ip.protocol: tcp` is the same for each packet of a TCP flow; asked for an extension header (AH before TCP) it may differ.
bool asks_extension_headers(const Condition& condition);
/// `flaw: bad-flags` and others that no content can bring.
bool asks_headers_flaw(const Condition& condition);

struct CompiledCondition {
  const Condition* condition = nullptr;
  const FieldRow* row = nullptr;
  KeyKind kind = KeyKind::Fixed;
  bool extension_headers = false;  ///< ip.protocol, and it asks for one that may stand before the last.
  bool headers_flaw = false;       ///< flaw, and it asks only for what headers alone show: a settled flow's
                                   ///< packet that has one is judged by itself.
};

struct CompiledRule {
  const Rule* rule = nullptr;
  std::vector<CompiledCondition> match;     ///< All of them, cheap ones first.
  std::vector<CompiledCondition> residual;  ///< Those that stage A does not answer.
  std::vector<std::vector<CompiledCondition>> unless;
  bool packet = false, content = false, transaction = false, reading = false;  ///< Kinds of its keys, `unless` included.
  bool header_only = false;    ///< Certain from header facts alone.
  bool unconditional = false;  ///< Nothing is left after stage A, and it ends the asking.
  bool is_pass() const { return rule->action == Action::Allow; }
};

/// Where candidates come from, and what they can still ask.
struct Candidates {
  const RuleId* first = nullptr;
  std::uint32_t count = 0;
  bool packet = false, content = false, transaction = false, reading = false;
  const RuleId* begin() const { return first; }
  const RuleId* end() const { return first + count; }
};

class RuleSet {
 public:
  RuleSet(std::shared_ptr<const Policy> policy, const Vocabulary& vocabulary);
  ~RuleSet();

  const Policy& policy() const { return *policy_; }
  const Vocabulary& vocabulary() const { return *vocabulary_; }
  const ZoneMap& zones() const { return zones_; }
  const std::vector<CompiledRule>& rules() const { return rules_; }
  const CompiledRule& rule(RuleId id) const { return rules_[id]; }
  /// Fields that any rule asks for: parsers and readings need make no others.
  const FieldSet& wanted() const { return wanted_; }
  bool wants(FieldId field) const { return wanted_.test(field); }
  /// Some rule counts requests: protocols are read for their transactions, whatever facts are asked for.
  bool counts_requests() const { return counts_requests_; }

  /// Stage A for a flow's ends. Valid until the next call that misses the cache (copy what must live longer).
  Candidates candidates(const FlowFacts& flow) const;
  /// Candidates for a frame without IP (ARP and others): those that ask for nothing else.
  Candidates without_ip() const;

 private:
  struct Stages;
  std::shared_ptr<const Policy> policy_;
  const Vocabulary* vocabulary_;
  ZoneMap zones_;
  std::vector<CompiledRule> rules_;
  std::vector<RuleId> without_ip_;
  FieldSet wanted_;
  bool counts_requests_ = false;
  std::unique_ptr<Stages> stages_;
};

}  // namespace weir::policy
