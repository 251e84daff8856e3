// SPDX-License-Identifier: Apache-2.0
#pragma once

// CHECK: a condition that only a mistake of ours can break. Always on; it prints the condition and aborts.
// Hostile input is never a reason for CHECK: it is described as a fact (see facts/flaw.h).

#include <cstdio>
#include <cstdlib>

namespace weir {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: this must hold: %s\n", file, line, condition);
  std::abort();
}

}  // namespace weir

#define CHECK(condition) \
  (__builtin_expect(static_cast<bool>(condition), 1) ? void(0) : ::weir::check_failed(#condition, __FILE__, __LINE__))
