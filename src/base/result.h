// SPDX-License-Identifier: Apache-2.0
#pragma once

// Result<T>: a value, or what the world said instead (errno and a sentence for a person). For system calls and files;
// broken bytes of the network are facts, mistakes in a policy are Diagnostics.

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace weir {

struct Error {
  std::string message;
  int code = 0;  ///< errno, or 0 where the system was not asked.
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() {
    CHECK(ok());
    return *std::get_if<0>(&held_);
  }
  const T& value() const {
    CHECK(ok());
    return *std::get_if<0>(&held_);
  }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }
  const Error& error() const {
    CHECK(!ok());
    return *std::get_if<1>(&held_);
  }

 private:
  std::variant<T, Error> held_;
};

}  // namespace weir
