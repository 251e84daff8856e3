// SPDX-License-Identifier: Apache-2.0
#include "facts/facts.h"

#include <cstring>

namespace weir {
namespace {

constexpr std::uint32_t kEntriesFirst = 8;
constexpr std::uint32_t kEntriesMax = 512;
constexpr std::size_t kTextKeptMax = 4096;  ///< A longer value does not outlive its frame: hidden then.

}  // namespace

void Facts::want(const FieldSet& wanted) {
  const FieldSet before = *wanted_;
  wanted_ = &wanted;
  for (std::size_t f = 0; f < kFieldsMax; ++f)
    if ((known_.test(f) || closed_.test(f)) && wanted.test(f) && !before.test(f)) known_.reset(f), hidden_.set(f), ++version_;
}

void Facts::release(Entry& entry) {
  if (!entry.owned) return;
  const std::string_view text = entry.value.text();
  pool_->release(const_cast<char*>(text.data()), text.size());  // The pool's own block: owned says so.
  entry.owned = false;
}

void Facts::drop(FieldId field) {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (entries_[i].field == field) {
      release(entries_[i]);
    } else {
      entries_[kept++] = entries_[i];
    }
  }
  count_ = kept;
}

bool Facts::append(FieldId field, Scope scope, Value value, bool is_text) {
  if (count_ == capacity_) {
    const std::uint32_t capacity = capacity_ == 0 ? kEntriesFirst : capacity_ * 2;
    auto* grown = capacity > kEntriesMax ? nullptr : static_cast<Entry*>(pool_->take(capacity * sizeof(Entry)));
    if (grown == nullptr) {
      ++lost_;
      return false;
    }
    if (count_ != 0) std::memcpy(static_cast<void*>(grown), entries_, count_ * sizeof(Entry));
    if (entries_ != nullptr) pool_->release(entries_, capacity_ * sizeof(Entry));
    entries_ = grown;
    capacity_ = capacity;
  }
  entries_[count_++] = Entry{field, scope, is_text, false, value};
  borrowed_ |= is_text;
  return true;
}

void Facts::set(FieldId field, Scope scope, Value value, bool is_text) {
  if (known_.test(field) && wanted_->test(field)) drop(field);
  ++version_;
  hidden_.reset(field);
  closed_.set(field);
  known_.set(field);
  if (scope == Scope::Transaction) transaction_.set(field);
  if (!wanted_->test(field)) return;
  if (!append(field, scope, value, is_text)) known_.reset(field), hidden_.set(field);
}

void Facts::grow(FieldId field, Scope scope, std::uint64_t least) {
  set(field, scope, Value::of_number(least));
  closed_.reset(field);
}

void Facts::add(FieldId field, Scope scope, Value value, bool is_text) {
  if (scope == Scope::Transaction) transaction_.set(field);
  if (!wanted_->test(field)) {
    if (!known_.test(field)) known_.set(field), ++version_;
    return;
  }
  if (!is_text && any_value(field, [&](const Value& v) { return std::memcmp(&v, &value, sizeof v) == 0; })) return;
  ++version_;
  if (append(field, scope, value, is_text)) {
    known_.set(field);
  } else {
    hidden_.set(field);
  }
}

void Facts::hide(FieldId field, Scope scope) {
  if (known_.test(field)) drop(field);
  known_.reset(field);
  hidden_.set(field);
  if (scope == Scope::Transaction) transaction_.set(field);
  ++version_;
}

void Facts::close(FieldId field, Scope scope) {
  if (closed_.test(field)) return;
  closed_.set(field);
  if (scope == Scope::Transaction) transaction_.set(field);
  ++version_;
}

void Facts::reset(Scope scope) {
  if (scope == Scope::Transaction) {
    if (transaction_.none()) return;
    known_ &= ~transaction_;
    closed_ &= ~transaction_;
    hidden_ &= ~transaction_;
    transaction_.reset();
  }
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (entries_[i].scope == scope) {
      if (scope != Scope::Transaction) {
        known_.reset(entries_[i].field);
        closed_.reset(entries_[i].field);
      }
      release(entries_[i]);
    } else {
      entries_[kept++] = entries_[i];
    }
  }
  count_ = kept;
  ++version_;
}

void Facts::clear() {
  for (std::uint32_t i = 0; i < count_; ++i) release(entries_[i]);
  if (entries_ != nullptr) pool_->release(entries_, capacity_ * sizeof(Entry));
  entries_ = nullptr;
  count_ = capacity_ = 0;
  known_.reset();
  closed_.reset();
  hidden_.reset();
  transaction_.reset();
  ++version_;
}

void Facts::persist() {
  if (!borrowed_) return;
  borrowed_ = false;
  for (std::uint32_t i = 0; i < count_; ++i) {
    Entry& entry = entries_[i];
    if (!entry.is_text || entry.owned) continue;
    const std::string_view text = entry.value.text();
    if (text.empty()) {
      entry.value = Value::of_text({});
      continue;
    }
    void* copy = text.size() > kTextKeptMax ? nullptr : pool_->take(text.size());
    if (copy == nullptr) {
      ++lost_;
      const FieldId field = entry.field;
      drop(field);
      known_.reset(field);
      hidden_.set(field);
      ++version_;
      borrowed_ = true;
      return persist();
    }
    std::memcpy(copy, text.data(), text.size());
    entry.value = Value::of_text({static_cast<const char*>(copy), text.size()});
    entry.owned = true;
  }
}

}  // namespace weir
