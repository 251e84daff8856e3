// SPDX-License-Identifier: Apache-2.0
#include "base/url_path.h"

#include <cstring>

#include "base/text.h"

namespace weir {

std::size_t decode_percent(std::string_view raw, std::span<char> out) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%' && i + 2 < raw.size() && hex_value(raw[i + 1]) >= 0 && hex_value(raw[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(raw[i + 1]) * 16 + hex_value(raw[i + 2]));
      i += 2;
    }
    out[size++] = c;
  }
  return size;
}

std::size_t remove_dot_segments(std::span<char> path) {
  std::size_t out = 0;
  for (std::size_t in = 0; in < path.size();) {
    // A segment begins with its slash.
    std::size_t end = in + 1;
    while (end < path.size() && path[end] != '/') ++end;
    const std::string_view segment(path.data() + in, end - in);
    const bool last = end == path.size();
    if (segment == "/.") {
      if (last) path[out++] = '/';
    } else if (segment == "/..") {
      while (out > 0 && path[--out] != '/') {}
      if (last) path[out++] = '/';
    } else {
      std::memmove(path.data() + out, segment.data(), segment.size());
      out += segment.size();
    }
    in = end;
  }
  return out;
}

}  // namespace weir
