// SPDX-License-Identifier: Apache-2.0
#pragma once

// RuleSet: a policy compiled for matching. Immutable; a reload makes another.
//
// Each key belongs to one of four kinds, which say when it can change on a flow:
//   Fixed    headers that are the same for the whole flow (ends, zones, port, the flow's IP protocol)
//   Packet   headers that differ from packet to packet
//   Content  what the flow says once (application protocol, TLS hello)
//   Passing  what returns with each transaction, or reads differently later (dns.qname, rates, bindings)
// Stage A turns the Fixed keys into a list of candidate rules, by bit vectors: for each dimension a value has a class, each class
// a set of rules that hold for it, and the candidates are the intersection (Lakshman and Stiliadis 1998). Lists are cut after the
// first rule that is unconditional, and remembered by their classes.
//
// Where many rules ask one fact for texts (`http.path: /x*y?.php`, `dns.qname: .evil.example`), a TextIndex tells in one look
// which of them a value may concern. Candidates therefore come as one list and, beside it, split into those that are asked one by
// one and groups that an index answers; what the split gives is what the one list would (match.cc).

#include <memory>
#include <vector>

#include "facts/view.h"
#include "policy/rule.h"
#include "policy/text_index.h"
#include "policy/zone.h"

namespace weir::policy {

enum class KeyKind : std::uint8_t { Fixed, Packet, Content, Passing };
KeyKind kind_of(const FieldRow& row);
/// `ip.protocol: tcp` is the same for each packet of a TCP flow; asked for an extension header (AH before TCP) it may differ.
bool asks_extension_headers(const Condition& condition);
/// What a settled flow's ordinary packet never is, and what is judged by itself where it comes: a flaw that no content can bring
/// (`flaw: bad-flags`), a SYN (`tcp.flags: S`), a fragment.
bool asks_apart(const Condition& condition);

struct CompiledCondition {
  const Condition* condition = nullptr;
  const FieldRow* row = nullptr;
  KeyKind kind = KeyKind::Fixed;
  bool extension_headers = false;  ///< ip.protocol, and it asks for one that may stand before the last.
  bool apart = false;              ///< asks_apart(): it can still come to hold, and does not keep a flow from settling.
};

/// What a rule comes to while it is unknown.
enum class AnswerClass : std::uint8_t { Pass, Deny, Report };

struct CompiledRule {
  static constexpr std::uint16_t kNoGroup = 0xffff;

  const Rule* rule = nullptr;
  std::vector<CompiledCondition> match;     ///< All of them, cheap ones first.
  std::vector<CompiledCondition> residual;  ///< Those that stage A does not answer.
  std::vector<std::vector<CompiledCondition>> unless;
  bool packet = false, content = false, transaction = false, reading = false;  ///< Kinds of its keys, `unless` included.
  bool header_only = false;    ///< Certain from header facts alone.
  bool unconditional = false;  ///< Nothing is left after stage A, and it ends the asking.
  std::uint16_t group = kNoGroup;  ///< An index answers one of its conditions.
  bool is_pass() const { return rule->action == Action::Allow; }
  AnswerClass answer_class() const {
    if (rule->monitor || rule->action == Action::Alert) return AnswerClass::Report;
    return is_pass() ? AnswerClass::Pass : AnswerClass::Deny;
  }
};

/// Rules of one class whose condition on one field an index answers.
struct IndexedField {
  CompiledCondition sample;  ///< Of any of them: row and kind are those of all.
  TextIndex index;
};
inline constexpr std::size_t kIndexedGroupsMax = 64;
struct IndexedGroup {
  std::uint16_t field = 0;  ///< Place among the indexed fields.
  AnswerClass answer = AnswerClass::Pass;
};

/// The indexed rules that the value at hand may concern: working memory of one question.
struct IndexedHits {
  std::vector<RuleId> rules;         ///< Sorted, each once.
  std::vector<std::uint32_t> marks;  ///< By rule: the question that named it last.
  std::uint32_t question = 0;
  bool has(RuleId id) const { return marks[id] == question; }
};

/// Where candidates come from, and what they can still ask.
struct Candidates {
  const RuleId* first = nullptr;
  std::uint32_t count = 0;
  bool packet = false, content = false, transaction = false, reading = false;
  // The same rules split: those asked one by one, and by group (`group_ends`: one a group of the rule set, counted from
  // `grouped`). nullptr: no rule is indexed.
  const RuleId* single = nullptr;
  std::uint32_t single_count = 0;
  const RuleId* grouped = nullptr;
  const std::uint32_t* group_ends = nullptr;
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

  const std::vector<IndexedField>& indexed_fields() const { return indexed_fields_; }
  const std::vector<IndexedGroup>& groups() const { return groups_; }
  IndexedHits& hits() const { return *hits_; }

  /// Stage A for a flow's ends. Valid until the next call that misses the cache (copy what must live longer).
  Candidates candidates(const FlowFacts& flow) const;
  /// Candidates for a frame without IP (ARP and others): those that ask for nothing else.
  Candidates without_ip() const;

 private:
  struct Stages;
  void index_texts();

  std::shared_ptr<const Policy> policy_;
  const Vocabulary* vocabulary_;
  ZoneMap zones_;
  std::vector<CompiledRule> rules_;
  std::vector<RuleId> without_ip_;
  std::vector<IndexedField> indexed_fields_;
  std::vector<IndexedGroup> groups_;
  std::unique_ptr<IndexedHits> hits_;
  FieldSet wanted_;
  bool counts_requests_ = false;
  std::unique_ptr<Stages> stages_;
};

}  // namespace weir::policy
