// SPDX-License-Identifier: Apache-2.0
#pragma once

// UrlSet: many URLs, asked with the one that a request is for (`http.url`). Built once; asking allocates nothing.
//
// An entry is `[scheme://][user@]host[:port][/path][?query]`:
//   - the scheme, the user and `#fragment` do not count; the host is compared without case, and `.host` is it and all hosts below
//   it
//   - a port must be the same; an entry without one holds for every port
//   - the path is compared with case, after %XX and dot segments are resolved on both sides. An entry without a path, or whose
//   path ends
//     in `/`, holds for all below it; any other for that path alone
//   - an entry with a query holds for that query alone; one without for every query
//   - with `*` anywhere an entry is a glob over `host/path`, or over `host/path?query` if it has a `?`
// Reach::Below holds for the path and all below it whether or not it ends in `/`, and for the host with `www.` before it too:
// what SquidGuard's files mean.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/glob_set.h"

namespace weir::policy {

class UrlSet {
 public:
  enum class Reach : std::uint8_t { Written, Below };
  struct Hit {
    std::string url;         ///< The entry in its one form: `host/path`.
    std::uint32_t line = 0;  ///< Of the list that brought it; 0 if written in the policy.
  };
  class Builder;

  bool contains(std::string_view url) const { return find_entry(url) != kNone; }
  std::optional<Hit> find(std::string_view url) const;
  /// Made of the same URLs, in the same order.
  bool same_as(const UrlSet& other) const;
  std::size_t size() const { return entries_.size() + globs_.size(); }
  std::size_t bytes() const;

 private:
  friend class Builder;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  enum Flag : std::uint8_t { kExact = 1, kPrefix = 2, kHostsBelow = 4, kWww = 8, kQuery = 16 };
  struct Entry {
    std::uint64_t hash = 0;   ///< Of host and path; entries lie in its order.
    std::uint32_t at = 0;     ///< In the arena: host, then path without a slash at its end, then `?query`.
    std::uint32_t line = 0;
    std::uint16_t path_bytes = 0, port = 0;  ///< Path and query. Port 0: every port.
    std::uint8_t host_bytes = 0, flags = 0;
  };
  struct Asked;
  std::uint64_t hash_of(std::string_view host, std::string_view path) const;
  std::uint32_t find_at(std::string_view host, std::string_view path, std::uint16_t port, std::uint8_t any_of,
                        std::uint8_t all_of) const;
  std::uint32_t find_on_host(std::string_view host, const Asked& asked, std::uint8_t all_of) const;
  std::uint32_t find_glob(const Asked& asked) const;
  /// A place among the entries, and beyond them among the globs.
  std::uint32_t find_entry(std::string_view url) const;

  std::uint64_t seed_ = 0;
  std::uint32_t depth_max_ = 0;       ///< Slashes in the deepest path that holds for what is below it.
  bool has_hosts_below_ = false, has_www_ = false, has_queries_ = false;
  std::string arena_;
  std::vector<Entry> entries_;
  GlobSet globs_;
  std::vector<std::uint32_t> glob_lines_;
};

class UrlSet::Builder {
 public:
  Builder();
  /// Why not, or empty.
  std::string_view add(std::string_view url, Reach reach, std::uint32_t line);
  UrlSet build();

 private:
  UrlSet set_;
  std::vector<std::string> globs_;
};

}  // namespace weir::policy
