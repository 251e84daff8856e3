// SPDX-License-Identifier: Apache-2.0
// Where a request goes: http.uri, http.path, http.host, server.name.

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/hash.h"
#include "base/text.h"
#include "base/url_path.h"
#include "proto/http/http.h"

namespace weir::proto::http {
namespace {

constexpr std::uint8_t kNamesMax = 16;  ///< Different values of server.name in a row that are written down for a flow.

/// The path as http.path has it, with room for an authority before it and for the query behind: the makings of http.url.
void keep_url(State& s, Describer& d, std::string_view path, std::string_view query) {
  const std::span<char> room = s.arena.rest();
  if (!path.starts_with('/')) return;
  if (kAuthorityRoom + path.size() > room.size()) return d.hide(kUrl), void();
  const std::size_t size = kAuthorityRoom + normalise_path_of_url(path, room.subspan(kAuthorityRoom));
  query = query.substr(0, room.size() - size);  // Who pads a query does not hide the path before it.
  if (!query.empty()) std::memcpy(room.data() + size, query.data(), query.size());
  const std::string_view kept = s.arena.commit(size + query.size());
  s.url_at = static_cast<std::uint16_t>(kept.data() - s.arena.bytes + kAuthorityRoom);
  s.url_bytes = static_cast<std::uint16_t>(kept.size() - kAuthorityRoom);
}

void describe_path(State& s, Describer& d, std::string_view raw) {
  const std::size_t mark = std::min(raw.find('?'), raw.size());
  if (d.wanted(kUrl)) keep_url(s, d, raw.substr(0, mark), raw.substr(mark));
  raw = raw.substr(0, mark);
  const bool plain = raw.find('%') == std::string_view::npos && raw.find("/.") == std::string_view::npos;
  if (plain || !d.wanted(kPath)) return put(d, kPath, raw);
  if (raw.size() > s.arena.rest().size()) return d.hide(kPath);
  const std::span<char> room = s.arena.rest();
  d.text(kPath, s.arena.commit(normalise_path(raw, room)));
}

/// The host of an authority: no user, no port, no final dot.
std::string_view host_of(std::string_view authority) {
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') == std::string_view::npos ? authority.size() : authority.find(']') + 1);
  authority = authority.substr(0, authority.find(':'));
  if (authority.size() > 1 && authority.ends_with('.')) authority.remove_suffix(1);
  return authority;
}

}  // namespace

void put(Describer& d, FieldId field, std::string_view value) {
  if (value.size() > kTextBytesMax) d.hide(field);
  else d.text(field, value);
}

/// host or host:port, in lower case; port 80 does not count.
void keep_authority(State& s, std::string_view host, std::string_view authority) {
  std::string_view port = authority.substr(authority.rfind(':') == std::string_view::npos ? authority.size() : authority.rfind(':'));
  if (port.size() < 2 || port.size() > 6 || port == ":80" || !std::all_of(port.begin() + 1, port.end(), is_digit)) port = {};
  if (host.size() + port.size() > sizeof s.authority) return void(s.url_bytes = 0);  // No name is as long (RFC 1035, 2.3.4).
  std::transform(host.begin(), host.end(), s.authority, to_lower);
  std::copy(port.begin(), port.end(), s.authority + host.size());
  s.authority_bytes = static_cast<std::uint16_t>(host.size() + port.size());
}

void describe_host(State& s, Describer& d, std::string_view authority) {
  authority = trim(authority);
  const std::string_view host = host_of(authority);
  if (host.empty()) return;
  if (d.wanted(kUrl)) keep_authority(s, host, authority);
  if (host.size() > 1024) return d.hide(kHost), d.hide(field::kServerName);
  bool has_upper = false;
  for (const char c : host) has_upper |= c >= 'A' && c <= 'Z';
  if (!has_upper) {
    d.text(kHost, host);
  } else if (const std::span<char> room = s.arena.rest(); host.size() <= room.size()) {
    for (std::size_t i = 0; i < host.size(); ++i) room[i] = to_lower(host[i]);
    d.text(kHost, s.arena.commit(host.size()));
  } else {
    d.hide(kHost);
  }
  // server.name outlives the transaction, so it must not point into the arena; it compares without case anyway.
  const std::uint64_t hash = hash_text(host, 1);
  if (hash == s.names_seen || s.names_count == kNamesMax) return;
  s.names_seen = hash;
  ++s.names_count;
  d.add_text(field::kServerName, host);
}

void describe_target(State& s, Describer& d, std::string_view method, std::string_view target) {
  put(d, kUri, target);
  if (method == "CONNECT") {  // RFC 9112, 3.2.3: authority-form; there is no path.
    s.absolute = true;
    d.close(kPath);
    return describe_host(s, d, target);
  }
  std::string_view path = target;
  if (!target.starts_with('/')) {
    const std::size_t scheme = target.substr(0, 32).find("://");
    if (scheme != std::string_view::npos) {  // RFC 9112, 3.2.2: absolute-form; its authority wins over Host.
      const std::string_view rest = target.substr(scheme + 3);
      const std::size_t authority_bytes = std::min(rest.find_first_of("/?#"), rest.size());
      s.absolute = true;
      describe_host(s, d, rest.substr(0, authority_bytes));
      path = rest.substr(authority_bytes);
      if (path.empty() || path[0] != '/') path = "/";
    }
  }
  describe_signed_query(s, d, target);
  s.doh_path = path.starts_with("/dns-query");
  s.wsman_path = path.starts_with("/wsman");
  describe_path(s, d, path);
}

/// What stands before the path goes into the room that was left for it.
void describe_url(State& s, Describer& d) {
  constexpr std::string_view kScheme = "http://";
  static_assert(kScheme.size() + sizeof s.authority <= kAuthorityRoom);
  if (s.url_bytes == 0) return;
  if (s.authority_bytes == 0) {  // RFC 9112, 3.3: without Host the connection says which server is meant.
    const FlowEnds& ends = d.ends();
    char* const begin = s.authority;
    std::size_t size = 0;
    if (!ends.server.is_v4()) begin[size++] = '[';
    size += render_to(ends.server, begin + size);
    if (!ends.server.is_v4()) begin[size++] = ']';
    if (ends.server_port != 80) {
      begin[size++] = ':';
      size = static_cast<std::size_t>(std::to_chars(begin + size, begin + size + 5, ends.server_port).ptr - begin);
    }
    s.authority_bytes = static_cast<std::uint16_t>(size);
  }
  char* at = s.arena.bytes + s.url_at - s.authority_bytes;
  std::memcpy(at, s.authority, s.authority_bytes);
  std::memcpy(at -= kScheme.size(), kScheme.data(), kScheme.size());
  d.text(kUrl, {at, kScheme.size() + s.authority_bytes + s.url_bytes});
}

}  // namespace weir::proto::http
