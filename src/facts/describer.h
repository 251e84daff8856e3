// SPDX-License-Identifier: Apache-2.0
#pragma once

// Describer: what a protocol parser is given to write facts with. It never says what is allowed. The engine derives
// from it and answers the five virtual calls; the setters are plain.
//
// The life of a transaction: begin_transaction() → setters → described() as soon as what a rule may ask is complete
// (headers done), again when more is known (body, answer) → end_transaction(). Facts of transaction scope return to
// "not yet" at begin_transaction(); at end_transaction() those still missing are absent. For facts of flow scope
// reach(milestone) closes what that milestone should have brought (see FieldRow::closes), and described() lets rules run.
//
// Text may point into the bytes that parse() was given, or into kept(): the engine copies what must outlive the call.

#include <span>

#include "facts/facts.h"
#include "facts/flaw.h"
#include "facts/flow.h"

namespace weir {

/// A flow that this one announced (FTP data and its like): expected once, for 30 s, between the same two hosts.
struct Expectation {
  Side server = Side::Server;        ///< Which end of this flow will accept the connection …
  std::uint16_t server_port = 0;     ///< … on which port.
  std::uint8_t ip_protocol = 6;
  std::string_view app;              ///< Name of the protocol that it will speak ("ftp-data"), or empty.
};

class Describer {
 public:
  Describer(std::span<const FieldRow> fields, const FlowEnds& ends) : fields_(fields), ends_(&ends) {}
  virtual ~Describer() = default;

  const FlowEnds& ends() const { return *ends_; }
  bool wanted(FieldId field) const { return facts_->wanted(field); }

  // One value. The scope comes from the field's row.
  void text(FieldId field, std::string_view value) { facts_->set(field, scope(field), Value::of_text(value), true); }
  void number(FieldId field, std::uint64_t value) { facts_->set(field, scope(field), Value::of_number(value)); }
  /// At least so many; more may come until the field is closed. A rule that asks for a lower bound is certain at once, one that
  /// asks for an upper bound when it is closed or exceeded.
  void grow(FieldId field, std::uint64_t least) { facts_->grow(field, scope(field), least); }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void word(FieldId field, Enum value) {
    number(field, static_cast<std::uint64_t>(value));
  }
  void flag(FieldId field, bool value) { number(field, value ? 1 : 0); }
  void ip(FieldId field, const Ip& value) { facts_->set(field, scope(field), Value::of_ip(value)); }
  void mac(FieldId field, const Mac& value) { facts_->set(field, scope(field), Value::of_mac(value)); }
  // One more value of a list.
  void add_text(FieldId field, std::string_view value) { facts_->add(field, scope(field), Value::of_text(value), true); }
  void add_number(FieldId field, std::uint64_t value) { facts_->add(field, scope(field), Value::of_number(value)); }
  void add_ip(FieldId field, const Ip& value) { facts_->add(field, scope(field), Value::of_ip(value)); }
  /// It exists but cannot be read: encrypted, over budget, bytes missing.
  void hide(FieldId field) { facts_->hide(field, scope(field)); }
  /// Nothing (more) comes for this fact in its scope.
  void close(FieldId field) { facts_->close(field, scope(field)); }
  /// Closes every fact of this protocol whose row says `closes == milestone`.
  void reach(std::uint8_t milestone) {
    for (const FieldRow& row : fields_)
      if (row.closes == milestone) facts_->close(row.id, row.scope);
  }
  FactState state(FieldId field) const { return facts_->state(field); }

  /// A new transaction. `key` ties a request to its answer on UDP (the DNS id …): where the request was denied, the
  /// answer with that key is stopped under the same rule. `answer` says which of the two this is.
  virtual void begin_transaction(std::uint64_t key = 0, bool answer = false) = 0;
  /// Rules run now over what is known. True: go on. False: this frame is denied and nothing more need be described.
  virtual bool described() = 0;
  virtual void end_transaction() = 0;

  virtual void flaw(Flaw flaw) = 0;
  virtual void expect(const Expectation& expectation) = 0;
  /// A DNS answer told the flow's client that `name` has this address. Remembered only if the frame passes.
  virtual void learn_name(std::string_view name, const Ip& address, std::uint32_t ttl_s) = 0;
  /// Another protocol speaks on this stream from the first byte not consumed on, on both sides. Named ("tls"), or empty: to be
  /// identified. `both` false: only the bytes of `side` that sent the turn (a server's 101 or 200 answer) are awaited.
  virtual void carry(std::string_view app) = 0;
  /// The innermost layer may (or can no longer) hand over to another.
  virtual void may_extend(bool may) = 0;
  /// Replaces the innermost layer by a more exact name: `http` → adds a layer such as `websocket`, `doh`, `winrm`.
  virtual void refine(std::string_view app) = 0;

  /// Whether what this end says of whom it serves is believed: the policy's `trusted_proxies`. Without that list the flow's own client
  /// counts as a proxy, and nobody else.
  virtual bool trusts_proxy(const Ip& address) const { return address == ends_->client; }

  // Bytes kept beyond the call, by side, at most 64 KiB each: where a message is cut by records or datagrams.
  virtual Bytes kept(Side side) const = 0;
  /// Appends; false if over budget (then nothing was appended: say what is hidden).
  virtual bool keep(Side side, Bytes bytes) = 0;
  /// Writes at an offset (zeroes between); the caller remembers which ranges are filled. False if over budget.
  virtual bool keep_at(Side side, std::size_t offset, Bytes bytes) = 0;
  /// Forgets the first `size` kept bytes (all, if it is as large).
  virtual void forget(Side side, std::size_t size) = 0;

 protected:
  Scope scope(FieldId field) const {
    // Most protocols number their rows without gaps.
    if (const std::size_t at = fields_.empty() ? 0 : std::size_t{field} - fields_[0].id; at < fields_.size() && fields_[at].id == field) return fields_[at].scope;
    for (const FieldRow& row : fields_)
      if (row.id == field) return row.scope;
    return scope_of_shared(field);
  }
  /// auth.*, file.*, server.name: written by several protocols.
  static Scope scope_of_shared(FieldId field);

  Facts* facts_ = nullptr;
  std::span<const FieldRow> fields_;
  const FlowEnds* ends_;
};

}  // namespace weir
