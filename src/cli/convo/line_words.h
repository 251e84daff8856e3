// SPDX-License-Identifier: Apache-2.0
#pragma once

// A line of a conversation cut into words. A word in double quotes keeps its spaces and has its escapes resolved; `#` at the
// beginning of a word starts a comment. DATA words (quoted text, hex:…, zeros:N) become bytes.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::cli {

struct LineWord {
  std::string text;
  bool quoted = false;
  bool is(std::string_view word) const { return !quoted && text == word; }
};

Result<std::vector<LineWord>> words_of_line(std::string_view line);
bool is_data(const LineWord& word);
/// The bytes that a DATA word stands for; nothing if it is none, or a bad one.
std::optional<std::string> data_of(const LineWord& word);

}  // namespace weir::cli
