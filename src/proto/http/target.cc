// SPDX-License-Identifier: Apache-2.0
// Where a request goes: http.uri, http.path, http.host, server.name.

#include <cstring>

#include "base/hash.h"
#include "base/text.h"
#include "proto/http/http.h"

namespace weir::proto::http {
namespace {

constexpr std::uint8_t kNamesMax = 16;  ///< Different values of server.name in a row that are written down for a flow.

/// Decodes %XX once, in one pass; what is no escape stays. Empty data() if it does not fit.
std::size_t decode_path(std::string_view raw, std::span<char> out) {
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

/// RFC 3986, 5.2.4, in place. A path that climbs above its root stays at the root.
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

void describe_path(State& s, Describer& d, std::string_view raw) {
  raw = raw.substr(0, raw.find('?'));
  const bool plain = raw.find('%') == std::string_view::npos && raw.find("/.") == std::string_view::npos;
  if (plain || !d.wanted(kPath)) return put(d, kPath, raw);
  if (raw.size() > s.arena.rest().size()) return d.hide(kPath);
  const std::span<char> room = s.arena.rest();
  std::size_t size = decode_path(raw, room);
  if (size != 0 && room[0] == '/') size = remove_dot_segments(room.first(size));
  d.text(kPath, s.arena.commit(size));
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

void describe_host(State& s, Describer& d, std::string_view authority) {
  const std::string_view host = host_of(trim(authority));
  if (host.empty()) return;
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

}  // namespace weir::proto::http
