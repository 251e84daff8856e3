// SPDX-License-Identifier: Apache-2.0
#pragma once

// The path of a URL in one form, so that what a client writes and what a list writes compare: %XX decoded once, without dot
// segments (RFC 3986, 2.1 and 5.2.4). Case stays.

#include <span>
#include <string_view>

namespace weir {

/// Decodes %XX once, in one pass; what is no escape stays. `out` has room for `raw`. The bytes written.
std::size_t decode_percent(std::string_view raw, std::span<char> out);

/// In place; what is left. A path that climbs above its root stays at the root.
std::size_t remove_dot_segments(std::span<char> path);

/// Both, for a path that begins with a slash.
inline std::size_t normalise_path(std::string_view raw, std::span<char> out) {
  const std::size_t size = decode_percent(raw, out);
  return size != 0 && out[0] == '/' ? remove_dot_segments(out.first(size)) : size;
}

/// The same inside a URL, whose first `?` begins the query: one that stood encoded in the path is written DEL.
inline std::size_t normalise_path_of_url(std::string_view raw, std::span<char> out) {
  const std::size_t size = normalise_path(raw, out);
  for (char& c : out.first(size))
    if (c == '?') c = '\x7f';
  return size;
}

}  // namespace weir
