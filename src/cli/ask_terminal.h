// SPDX-License-Identifier: Apache-2.0
#pragma once

// AskTerminal: the answers that a person types where `weir run --ask` has a terminal: a line each, `allow`, `deny always`, `7 allow session`.
// Without a number the oldest question is meant. A thread of its own reads them.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "service/ask_book.h"

namespace weir::cli {

struct TypedAnswer {
  std::uint64_t id = 0;  ///< 0: the oldest.
  service::AskAnswer answer;
};
std::optional<TypedAnswer> parse_typed(std::string_view line);

class AskTerminal {
 public:
  /// Reads standard input where it is a terminal, and nothing elsewhere. Both are called by the reading thread.
  AskTerminal(std::function<void(const TypedAnswer& typed)> answer, std::function<void(const std::string& sentence)> say);
  ~AskTerminal();
  AskTerminal(const AskTerminal&) = delete;
  AskTerminal& operator=(const AskTerminal&) = delete;

 private:
  void run();
  std::function<void(const TypedAnswer&)> answer_;
  std::function<void(const std::string&)> say_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace weir::cli
