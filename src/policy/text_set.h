// SPDX-License-Identifier: Apache-2.0
#pragma once

// TextSet: strings, globs and regular expressions that one key asks for, compiled together. Globs match the whole value,
// regular expressions search. Matching is linear in the value and allocates nothing.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

class TextSet {
 public:
  struct Source {
    std::vector<std::string> exact, globs, regexes;
    bool fold_case = false;
  };
  struct Problem {
    std::string pattern, message;
  };

  TextSet();
  TextSet(TextSet&&) noexcept;
  TextSet& operator=(TextSet&&) noexcept;
  ~TextSet();

  /// Patterns that cannot be compiled go to `problems`; the set then holds the rest.
  static TextSet build(Source source, std::vector<Problem>& problems);
  bool contains(std::string_view text) const;
  /// Which pattern, as written; empty if none.
  std::string_view find(std::string_view text) const;
  std::size_t size() const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace weir::policy
