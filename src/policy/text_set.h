// SPDX-License-Identifier: Apache-2.0
#pragma once

// TextSet: strings, globs and regular expressions that one key asks for, compiled together. Globs match the whole value,
// regular expressions search. Matching allocates nothing; regular expressions are matched in one pass over the value, globs as
// GlobSet says.
//
// Everything is bytes: `.` and `?` stand for any one byte, also a line end; folding is of ASCII letters. Regular expressions are
// those of vectorscan (PCRE without back-references, lookaround, atomic groups and possessive repeats). An expression that
// matches the empty text is allowed, and so matches everything.
//
// Threads: contains and find use working memory that belongs to the set, so one engine lane uses a set at a time. A second lane
// needs a second set (or a clone of the scratch for each lane, which is the change to make then).

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

class TextSet {
 public:
  struct Source {
    std::vector<std::string> exact, globs, regexes;  ///< Regular expressions without the slashes around them.
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
  /// Which pattern, as in the Source (an exact one before a glob, a glob before a regular expression, else the first);
  /// empty if none. The empty string may itself be an exact entry: ask contains. Lives as long as the set.
  std::string_view find(std::string_view text) const;
  bool has_regexes() const;
  void for_each_exact(const std::function<void(std::string_view)>& call) const;
  void for_each_glob(const std::function<void(std::string_view)>& call) const;
  /// Made of the same strings and patterns, in the same order.
  bool same_as(const TextSet& other) const;
  std::size_t size() const;   ///< Different strings and all patterns that were compiled.
  std::size_t bytes() const;  ///< Memory that it takes.

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace weir::policy
