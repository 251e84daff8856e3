// SPDX-License-Identifier: Apache-2.0
#include "cli/convo/line_words.h"

#include "base/text.h"

namespace weir::cli {
namespace {

constexpr std::size_t kZerosMax = 65000;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// The quoted word that begins at line[at] == '"'; `at` goes behind its end.
Result<LineWord> quoted_word(std::string_view line, std::size_t& at) {
  LineWord word{.text = {}, .quoted = true};
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] != '\\') {
      word.text += line[at];
      continue;
    }
    if (++at >= line.size()) break;
    switch (line[at]) {
      case 'n': word.text += '\n'; break;
      case 'r': word.text += '\r'; break;
      case 't': word.text += '\t'; break;
      case '0': word.text += '\0'; break;
      case '"':
      case '\\': word.text += line[at]; break;
      case 'x': {
        const int high = at + 1 < line.size() ? hex_value(line[at + 1]) : -1,
                  low = at + 2 < line.size() ? hex_value(line[at + 2]) : -1;
        if (high < 0 || low < 0) return Error{"\\x is followed by two hexadecimal digits"};
        word.text += static_cast<char>(high << 4 | low);
        at += 2;
        break;
      }
      default: return Error{std::string("no such escape: \\") + line[at] + " (there are \\n \\r \\t \\0 \\\" \\\\ \\xHH)"};
    }
  }
  if (at >= line.size()) return Error{"a quoted text without its closing quote"};
  ++at;
  return word;
}

}  // namespace

Result<std::vector<LineWord>> words_of_line(std::string_view line) {
  std::vector<LineWord> words;
  for (std::size_t at = 0; at < line.size();) {
    if (is_space(line[at])) {
      ++at;
    } else if (line[at] == '#') {
      break;
    } else if (line[at] == '"') {
      auto word = quoted_word(line, at);
      if (!word) return word.error();
      words.push_back(std::move(*word));
    } else {
      const std::size_t start = at;
      while (at < line.size() && !is_space(line[at])) ++at;
      words.push_back({std::string(line.substr(start, at - start)), false});
    }
  }
  return words;
}

bool is_data(const LineWord& word) { return word.quoted || word.text.starts_with("hex:") || word.text.starts_with("zeros:"); }

std::optional<std::string> data_of(const LineWord& word) {
  if (word.quoted) return word.text;
  const std::string_view text = word.text;
  if (text.starts_with("zeros:")) {
    const auto size = parse_number(text.substr(6));
    if (!size || *size > kZerosMax) return std::nullopt;
    return std::string(*size, '\0');
  }
  if (!text.starts_with("hex:") || text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 4; i < text.size(); i += 2) {
    const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

}  // namespace weir::cli
