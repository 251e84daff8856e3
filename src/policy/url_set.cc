// SPDX-License-Identifier: Apache-2.0
#include "policy/url_set.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/url_path.h"

namespace weir::policy {
namespace {

constexpr std::size_t kUrlBytesMax = 4096;
constexpr std::size_t kHostBytesMax = 253;  // RFC 1035, 2.3.4

/// A URL in its parts, as written.
struct Parts {
  std::string_view host, path, query;  ///< Path with its slash, or empty; query with its mark, or empty.
  std::uint16_t port = 0;
  bool bad_port = false;
};

Parts split(std::string_view url) {
  Parts out;
  const std::size_t scheme = url.substr(0, 32).find("://");
  if (scheme != url.npos && url.find_first_of("/?") > scheme) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find('#'));
  const std::size_t authority_bytes = std::min(url.find_first_of("/?"), url.size());
  std::string_view authority = url.substr(0, authority_bytes);
  url.remove_prefix(authority_bytes);
  const std::size_t mark = std::min(url.find('?'), url.size());
  out.path = url.substr(0, mark);
  out.query = url.substr(mark);
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) authority.remove_prefix(at + 1);
  const std::size_t bracket = authority.rfind(']'), colon = authority.rfind(':');
  if (colon != authority.npos && (bracket == authority.npos || colon > bracket)) {
    const auto port = parse_number(authority.substr(colon + 1));
    out.bad_port = !port || *port == 0 || *port > 65535;
    out.port = out.bad_port ? std::uint16_t{0} : static_cast<std::uint16_t>(*port);
    authority = authority.substr(0, colon);
  }
  if (authority.size() > 1 && authority.ends_with('.')) authority.remove_suffix(1);
  out.host = authority;
  return out;
}

bool is_host_byte(char c) {
  return static_cast<unsigned char>(c) > ' ' && c != '/' && c != '\\' && c != '"' && c != '<' && c != '>' && c != '\x7f';
}

std::string_view without_last_slash(std::string_view path) {
  return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

}  // namespace

/// A request's URL: host in lower case, path as http.path.
struct UrlSet::Asked {
  std::string_view host, path, query;
  std::uint16_t port = 0;
};

std::uint64_t UrlSet::hash_of(std::string_view host, std::string_view path) const {
  return mix64(hash_folded(host, seed_, true), hash_folded(path, seed_, false));
}

std::uint32_t UrlSet::find_at(std::string_view host, std::string_view path, std::uint16_t port, std::uint8_t any_of,
                              std::uint8_t all_of) const {
  const std::uint64_t hash = hash_of(host, path);
  auto at = std::lower_bound(entries_.begin(), entries_.end(), hash, [](const Entry& e, std::uint64_t h) { return e.hash < h; });
  for (; at != entries_.end() && at->hash == hash; ++at) {
    if ((at->flags & any_of) == 0 || (at->flags & all_of) != all_of || (at->port != 0 && at->port != port)) continue;
    const std::string_view text = std::string_view(arena_).substr(at->at, std::size_t{at->host_bytes} + at->path_bytes);
    if (equals_nocase(text.substr(0, at->host_bytes), host) && text.substr(at->host_bytes) == path)
      return static_cast<std::uint32_t>(at - entries_.begin());
  }
  return kNone;
}

/// The path itself, then what is above it, the nearest first.
std::uint32_t UrlSet::find_on_host(std::string_view host, const Asked& asked, std::uint8_t all_of) const {
  if (has_queries_ && !asked.query.empty()) {
    std::array<char, kUrlBytesMax> whole;
    const std::string_view path = without_last_slash(asked.path);
    if (path.size() + asked.query.size() <= whole.size()) {
      std::copy(path.begin(), path.end(), whole.begin());
      std::copy(asked.query.begin(), asked.query.end(), whole.begin() + static_cast<std::ptrdiff_t>(path.size()));
      const std::uint32_t found = find_at(host, {whole.data(), path.size() + asked.query.size()}, asked.port, kQuery, all_of);
      if (found != kNone) return found;
    }
  }
  const std::string_view path = without_last_slash(asked.path);
  const auto any_of = static_cast<std::uint8_t>(asked.path.ends_with('/') ? kPrefix : kExact | kPrefix);
  if (const std::uint32_t found = find_at(host, path, asked.port, any_of, all_of); found != kNone) return found;
  std::uint32_t depth = 0;
  for (std::size_t slash = path.find('/'); slash != path.npos && depth <= depth_max_; slash = path.find('/', slash + 1), ++depth)
    if (const std::uint32_t found = find_at(host, path.substr(0, slash), asked.port, kPrefix, all_of); found != kNone)
      return found;
  return kNone;
}

std::uint32_t UrlSet::find_glob(const Asked& asked) const {
  std::array<char, kUrlBytesMax + kHostBytesMax + 1> text;
  const std::size_t size = asked.host.size() + asked.path.size(), whole = size + asked.query.size();
  if (whole > text.size()) return kNone;
  auto end = std::copy(asked.host.begin(), asked.host.end(), text.begin());
  end = std::copy(asked.path.begin(), asked.path.end(), end);
  std::copy(asked.query.begin(), asked.query.end(), end);
  const std::uint32_t found = globs_.first({text.data(), size});
  if (found != GlobSet::kNone || whole == size) return found;
  return globs_.first({text.data(), whole});
}

std::uint32_t UrlSet::find_entry(std::string_view url) const {
  const Parts parts = split(url);
  const Asked asked{parts.host, parts.path.empty() ? std::string_view("/") : parts.path, parts.query,
                    parts.port == 0 ? std::uint16_t{80} : parts.port};
  if (!entries_.empty()) {
    if (const std::uint32_t found = find_on_host(asked.host, asked, 0); found != kNone) return found;
    if (has_www_ && starts_nocase(asked.host, "www."))
      if (const std::uint32_t found = find_on_host(asked.host.substr(4), asked, kWww); found != kNone) return found;
    std::string_view host = asked.host;
    for (std::size_t dot = host.find('.'); has_hosts_below_ && dot != host.npos; dot = host.find('.')) {
      host.remove_prefix(dot + 1);
      if (const std::uint32_t found = find_on_host(host, asked, kHostsBelow); found != kNone) return found;
    }
  }
  if (globs_.size() == 0) return kNone;
  const std::uint32_t glob = find_glob(asked);
  return glob == GlobSet::kNone ? kNone : static_cast<std::uint32_t>(entries_.size()) + glob;
}

std::optional<UrlSet::Hit> UrlSet::find(std::string_view url) const {
  const std::uint32_t place = find_entry(url);
  if (place == kNone) return std::nullopt;
  if (place >= entries_.size())
    return Hit{globs_.glob(place - static_cast<std::uint32_t>(entries_.size())), glob_lines_[place - entries_.size()]};
  const Entry& e = entries_[place];
  std::string text = (e.flags & kHostsBelow) != 0 ? "." : "";
  text.append(arena_, e.at, e.host_bytes);
  if (e.port != 0) text += ":" + std::to_string(e.port);
  text.append(arena_, e.at + e.host_bytes, e.path_bytes);
  if ((e.flags & kPrefix) != 0) text += '/';
  return Hit{std::move(text), e.line};
}

/// Entries lie in the order of hashes that are seeded; the arena is in the order in which they came.
bool UrlSet::same_as(const UrlSet& other) const {
  if (arena_ != other.arena_ || entries_.size() != other.entries_.size() || !(globs_ == other.globs_)) return false;
  const auto in_order = [](std::vector<Entry> entries) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
    return entries;
  };
  const std::vector<Entry> a = in_order(entries_), b = in_order(other.entries_);
  return std::equal(a.begin(), a.end(), b.begin(), [](const Entry& x, const Entry& y) {
    return x.at == y.at && x.path_bytes == y.path_bytes && x.port == y.port && x.host_bytes == y.host_bytes && x.flags == y.flags;
  });
}

std::size_t UrlSet::bytes() const {
  return sizeof *this + arena_.capacity() + entries_.capacity() * sizeof(Entry) + globs_.bytes() +
         glob_lines_.capacity() * sizeof(std::uint32_t);
}

UrlSet::Builder::Builder() { set_.seed_ = fresh_seed(); }

std::string_view UrlSet::Builder::add(std::string_view url, Reach reach, std::uint32_t line) {
  if (url.size() > kUrlBytesMax) return "longer than 4,096 bytes";
  Parts parts = split(url);
  const bool hosts_below = parts.host.size() > 1 && parts.host.front() == '.';
  if (hosts_below) parts.host.remove_prefix(1);
  if (parts.bad_port) return "the port is none";
  if (parts.host.empty()) return "a URL without a host";
  if (parts.host.size() > kHostBytesMax || !std::all_of(parts.host.begin(), parts.host.end(), is_host_byte))
    return "the host is none";
  if (url.find('*') != url.npos) {
    if (parts.port != 0) return "a glob holds for every port; leave it out";
    const std::string glob = lower(parts.host) + (parts.path.empty() ? "/*" : std::string(parts.path)) + std::string(parts.query);
    globs_.push_back(glob);
    set_.glob_lines_.push_back(line);
    if (!hosts_below) return {};
    globs_.push_back("*." + glob);
    set_.glob_lines_.push_back(line);
    return {};
  }
  std::string path(parts.path.size(), '\0');
  path.resize(normalise_path_of_url(parts.path, path));
  const bool all_below = path.empty() || path.back() == '/';
  if (!path.empty() && path.back() == '/') path.pop_back();
  Entry e;
  if (!parts.query.empty()) e.flags = kQuery;
  else e.flags = static_cast<std::uint8_t>(all_below || reach == Reach::Below ? kPrefix : kExact);
  if ((e.flags & kPrefix) != 0)
    set_.depth_max_ = std::max(set_.depth_max_, static_cast<std::uint32_t>(std::count(path.begin(), path.end(), '/')));
  if (hosts_below) e.flags |= kHostsBelow, set_.has_hosts_below_ = true;
  if (reach == Reach::Below) e.flags |= kWww, set_.has_www_ = true;
  if (!parts.query.empty()) set_.has_queries_ = true;
  path += parts.query;
  if (set_.arena_.size() > UINT32_MAX - 2 * kUrlBytesMax) return "more URLs than fit";
  e.hash = set_.hash_of(parts.host, path);
  e.at = static_cast<std::uint32_t>(set_.arena_.size());
  e.line = line;
  e.port = parts.port;
  e.host_bytes = static_cast<std::uint8_t>(parts.host.size());
  e.path_bytes = static_cast<std::uint16_t>(path.size());
  set_.arena_ += lower(parts.host);
  set_.arena_ += path;
  set_.entries_.push_back(e);
  return {};
}

UrlSet UrlSet::Builder::build() {
  std::stable_sort(set_.entries_.begin(), set_.entries_.end(), [](const Entry& a, const Entry& b) { return a.hash < b.hash; });
  set_.globs_.build(std::move(globs_), false);
  set_.entries_.shrink_to_fit();
  set_.arena_.shrink_to_fit();
  return std::move(set_);
}

}  // namespace weir::policy
