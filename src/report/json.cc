// SPDX-License-Identifier: Apache-2.0
#include "report/json.h"

namespace weir::report {
namespace {

/// Bytes of the UTF-8 sequence that begins here, 0 if none does (RFC 3629).
std::size_t sequence(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) { return i < s.size() && at(i) >= low && at(i) <= high; };
  const unsigned c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return follows(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) return follows(1, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
  if (c >= 0xf0 && c <= 0xf4) return follows(1, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

}  // namespace

void Json::quote(std::string_view value) {
  out_.push_back('"');
  while (!value.empty()) {
    const char c = value[0];
    std::size_t n = 1;
    if (c == '"' || c == '\\') {
      out_.push_back('\\');
      out_.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(fmt::appender(out_), "\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else if (n = sequence(value); n != 0) {
      append(value.substr(0, n));
    } else {
      append("\xef\xbf\xbd");
      n = 1;
    }
    value.remove_prefix(n);
  }
  out_.push_back('"');
}

}  // namespace weir::report
