// SPDX-License-Identifier: Apache-2.0
// Lists of URLs in three formats (lists.h says what each line means).

#include "policy/list_lines.h"

namespace weir::policy {
namespace {

void take(std::string_view url, UrlSet::Reach reach, ListLines& lines, UrlSet::Builder& urls) {
  const std::string_view wrong = urls.add(url, reach, lines.number());
  if (wrong.empty()) ++lines.report().taken;
  else lines.bad(wrong);
}

/// The next column of a line of quoted values with commas between; a quote inside is written twice (RFC 4180).
std::string_view next_column(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    const std::string_view column = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), column.size() + 1));
    return column;
  }
  std::size_t end = 1;
  while (end < rest.size() && (rest[end] != '"' || (end + 1 < rest.size() && rest[end + 1] == '"')))
    end += rest[end] == '"' ? 2U : 1U;
  const std::string_view column = rest.substr(1, std::min(end, rest.size()) - 1);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  if (rest.starts_with(',')) rest.remove_prefix(1);
  return column;
}

}  // namespace

void take_urls(ListLines& lines, UrlFormat format, UrlSet::Builder& urls) {
  for (std::string_view line; lines.next(line);) {
    line = trim(format == UrlFormat::Urlhaus ? line : without_comment(line, "#"));
    if (line.empty() || line.front() == '#') continue;
    if (std::any_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; })) {
      lines.bad("a control byte in a URL");
      continue;
    }
    std::string_view rest = line;
    if (format == UrlFormat::Urlhaus) {
      for (int column = 0; column < 2; ++column) next_column(rest);
      take(next_column(rest), UrlSet::Reach::Written, lines, urls);
      continue;
    }
    const std::string_view url = next_word(rest);
    if (trim(rest).empty())
      take(url, format == UrlFormat::SquidGuard ? UrlSet::Reach::Below : UrlSet::Reach::Written, lines, urls);
    else lines.bad("a blank in a URL");
  }
}

}  // namespace weir::policy
