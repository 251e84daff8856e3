// SPDX-License-Identifier: Apache-2.0
#pragma once

// Facts: what is known about one unsettled flow and its current transaction, beyond the headers (those are Packet).
//
// A fact is not yet there, absent (it will not come in this scope), hidden (it exists but cannot be read), or known with
// one or more values. A list may be known and still open: more values may come.
//
// Invariants:
//  1. A field that nobody wants (no rule, no event) keeps its state but no value.
//  2. Text that was set while a frame is read is borrowed from the frame; persist() copies what must outlive it. After
//     persist() no value points into a frame.
//  3. Memory comes from the pool given at construction; where it is exhausted the fact becomes hidden, and it is counted.

#include <bitset>
#include <cstdint>
#include <string_view>

#include "base/slab_pool.h"
#include "facts/field.h"
#include "facts/value.h"

namespace weir {

enum class FactState : std::uint8_t { NotYet, Absent, Hidden, Known };

using FieldSet = std::bitset<kFieldsMax>;

class Facts {
 public:
  /// `wanted` outlives the facts (it belongs to the policy in force and to the reporter).
  Facts(SlabPool& pool, const FieldSet& wanted) : pool_(&pool), wanted_(&wanted) {}
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;
  ~Facts() { clear(); }

  bool wanted(FieldId field) const { return wanted_->test(field); }
  /// Points the filter elsewhere: a reload wants other fields. What was not kept is hidden from then on.
  void want(const FieldSet& wanted);

  /// The one value of a fact: replaces what was there.
  void set(FieldId field, Scope scope, Value value, bool is_text = false);
  /// A number as far as it is known: it may still grow until it is closed or set.
  void grow(FieldId field, Scope scope, std::uint64_t least);
  /// One more value of a list; the same value twice is kept once for numbers.
  void add(FieldId field, Scope scope, Value value, bool is_text = false);
  void hide(FieldId field, Scope scope);
  /// Nothing (more) comes: not yet there becomes absent, a list is complete.
  void close(FieldId field, Scope scope);
  /// Everything of that scope is not yet there again, as at the start of a transaction.
  void reset(Scope scope);
  void clear();

  FactState state(FieldId field) const {
    if (known_.test(field)) return FactState::Known;
    if (hidden_.test(field)) return FactState::Hidden;
    return closed_.test(field) ? FactState::Absent : FactState::NotYet;
  }
  /// No further value will come in this scope.
  bool complete(FieldId field) const { return closed_.test(field) || hidden_.test(field); }

  /// Calls with each value until it answers true; true if one did.
  template <typename F>
  bool any_value(FieldId field, F&& call) const {
    for (std::uint32_t i = 0; i < count_; ++i)
      if (entries_[i].field == field && call(entries_[i].value)) return true;
    return false;
  }
  /// The first value, or nullptr (also if nobody wanted it).
  const Value* value(FieldId field) const {
    for (std::uint32_t i = 0; i < count_; ++i)
      if (entries_[i].field == field) return &entries_[i].value;
    return nullptr;
  }

  /// Calls with field, scope and value of all that is known and wanted.
  template <typename F>
  void for_each(F&& call) const {
    for (std::uint32_t i = 0; i < count_; ++i) call(entries_[i].field, entries_[i].scope, entries_[i].value);
  }

  /// Copies borrowed text into memory of the flow. Call before the frame's bytes go away.
  void persist();

  /// Rises with every change: a decision made at the same version need not be made again.
  std::uint32_t version() const { return version_; }
  /// Values that were not kept for lack of memory, since construction.
  std::uint32_t lost() const { return lost_; }

 private:
  struct Entry {
    FieldId field;
    Scope scope;
    bool is_text;
    bool owned;  ///< The text lies in a block of the pool.
    Value value;
  };

  void drop(FieldId field);
  bool append(FieldId field, Scope scope, Value value, bool is_text);
  void release(Entry& entry);

  SlabPool* pool_;
  const FieldSet* wanted_;
  FieldSet known_, closed_, hidden_, transaction_;
  Entry* entries_ = nullptr;
  std::uint32_t count_ = 0, capacity_ = 0;
  std::uint32_t version_ = 0, lost_ = 0;
  bool borrowed_ = false;
};

}  // namespace weir
