// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all list formats share: lines with their numbers, comments, words, and the report of what was left out.

#include <string_view>

#include "base/text.h"
#include "policy/lists.h"
#include "policy/mapped_file.h"

namespace weir::policy {

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

/// The next word of `rest`, taken from it; empty at the end.
inline std::string_view next_word(std::string_view& rest) {
  std::size_t start = 0;
  while (start < rest.size() && is_blank(rest[start])) ++start;
  std::size_t end = start;
  while (end < rest.size() && !is_blank(rest[end])) ++end;
  const std::string_view word = rest.substr(start, end - start);
  rest.remove_prefix(end);
  return word;
}

/// The line without its comment: a mark at the beginning or after a blank.
inline std::string_view without_comment(std::string_view line, std::string_view marks) {
  for (std::size_t at = line.find_first_of(marks); at != line.npos; at = line.find_first_of(marks, at + 1))
    if (at == 0 || is_blank(line[at - 1])) return line.substr(0, at);
  return line;
}

/// Walks over the lines of a list and keeps its report.
class ListLines {
 public:
  /// `file`, if there is one, is told what has been read.
  ListLines(std::string_view text, MappedFile* file, ListReport& report) : text_(text), file_(file), report_(report) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
  }
  bool next(std::string_view& line) {
    if (at_ >= text_.size() || report_.lines == UINT32_MAX) return false;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    line = line_ = text_.substr(at_, end - at_);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    at_ = end + 1;
    ++report_.lines;
    if (file_ != nullptr) file_->release_before(end);
    return true;
  }
  std::uint32_t number() const { return report_.lines; }
  void skip(Skip why) { ++report_.skipped[static_cast<std::size_t>(why)]; }
  void bad(std::string_view reason) {
    ++report_.bad;
    if (report_.samples.size() >= ListReport::kSamplesMax) return;
    std::string shown(trim(line_).substr(0, ListReport::kSampleBytesMax));
    for (char& c : shown)
      if (c < ' ' || c > '~') c = '?';
    report_.samples.push_back({number(), std::string(reason), std::move(shown)});
  }
  ListReport& report() { return report_; }

 private:
  std::string_view text_, line_;
  std::size_t at_ = 0;
  MappedFile* file_;
  ListReport& report_;
};

/// The formats of names; each reads all lines.
void take_list(ListLines& lines, NameSet::Builder& names);
void take_hosts(ListLines& lines, NameSet::Builder& names);
void take_adblock(ListLines& lines, NameSet::Builder& names);
void take_rpz(ListLines& lines, NameSet::Builder& names);

void take_urls(ListLines& lines, UrlFormat format, UrlSet::Builder& urls);

/// Why a word is no name to be listed, or empty. Cheap: names of the right form are the common case.
std::string_view why_no_name(std::string_view word);

}  // namespace weir::policy
