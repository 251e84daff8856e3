// SPDX-License-Identifier: Apache-2.0
#pragma once

// CarriedNames: whether the names that a client asks for under one registered domain look like carried data rather than names
// of hosts: many queries, nearly all for different names, and long ones on average. (The guard `dns-tunnel`.)
//
// A name whose last label is no top-level domain (a tunnel without a domain of its own) counts under "no domain".

#include <string_view>

#include "base/address.h"
#include "base/hash.h"
#include "base/text.h"
#include "state/bounded_map.h"

#include <cmath>

namespace weir::state {

struct CarriedNamesBounds {
  std::uint32_t queries = 30;
  Nanoseconds within_ns = 60 * kSecond;
  double unique = 0.8;
  std::uint32_t name_bytes = 52, label_bytes = 40;
};

class CarriedNames {
 public:
  CarriedNames(const CarriedNamesBounds& bounds, std::size_t capacity) : bounds_(bounds), table_(capacity) {}

  /// A query arrived. True once the client's queries under that domain are past the bounds.
  bool query(const Ip& client, std::string_view domain, std::string_view name, Nanoseconds now_ns) {
    const Key key{client, hash_text(is_domain(domain) ? domain : std::string_view())};
    const std::uint64_t h = mix64(hash_ip(client, 13), key.domain);
    Asked* a = table_.find(key, h, now_ns, bounds_.within_ns);
    if (a == nullptr) {
      a = table_.insert(key, h, now_ns, bounds_.within_ns);
      a->since_ns = now_ns;
    }
    table_.touch(a, now_ns);
    if (now_ns - a->since_ns >= bounds_.within_ns) {
      // The next window begins with half of what the last one knew, so that a steady tunnel stays one.
      a->since_ns = now_ns;
      a->queries /= 2, a->name_bytes /= 2, a->label_bytes /= 2;
      const bool was = a->carries;
      for (std::uint64_t& w : a->seen) w = 0;
      a->fresh = a->queries;
      a->carries = was && a->queries >= bounds_.queries / 2;
    }
    ++a->queries;
    a->name_bytes += static_cast<std::uint32_t>(name.size());
    a->label_bytes += longest_label(name);
    const std::uint64_t bit = hash_text(name, 0x6e) % (kWords * 64);
    std::uint64_t& word = a->seen[bit / 64];
    if ((word >> (bit % 64) & 1) == 0) ++a->fresh;
    word |= std::uint64_t{1} << (bit % 64);
    const bool many = a->queries >= bounds_.queries;
    // Names that fall on a bit already set count as seen: with 512 bits and n names about n/1024 of them do.
    const double unique = static_cast<double>(a->fresh) * (1 + static_cast<double>(a->queries) / (2.0 * kWords * 64)) / a->queries;
    const bool is_long = a->name_bytes >= bounds_.name_bytes * a->queries || a->label_bytes >= bounds_.label_bytes * a->queries;
    if (many) a->carries = unique >= bounds_.unique && is_long;
    return a->carries;
  }
  bool carries(const Ip& client, std::string_view domain, Nanoseconds now_ns) {
    const Key key{client, hash_text(is_domain(domain) ? domain : std::string_view())};
    const Asked* a = table_.find(key, mix64(hash_ip(client, 13), key.domain), now_ns, bounds_.within_ns);
    return a != nullptr && a->carries;
  }

 private:
  static constexpr std::size_t kWords = 8;
  struct Key {
    Ip client;
    std::uint64_t domain;
    bool operator==(const Key&) const = default;
  };
  struct Asked {
    Nanoseconds since_ns;
    std::uint32_t queries, fresh, name_bytes, label_bytes;
    bool carries;
    std::uint64_t seen[kWords];
  };
  static bool is_domain(std::string_view domain) {
    const std::size_t dot = domain.rfind('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view top = domain.substr(dot + 1);
    if (top.size() < 2 || top.size() > 24) return false;
    if (top.starts_with("xn--")) return true;
    for (char c : top)
      if (!is_alpha(c)) return false;
    return true;
  }
  static std::uint32_t longest_label(std::string_view name) {
    std::uint32_t longest = 0, here = 0;
    for (char c : name) {
      here = c == '.' ? 0 : here + 1;
      if (here > longest) longest = here;
    }
    return longest;
  }

  CarriedNamesBounds bounds_;
  BoundedMap<Key, Asked> table_;
};

}  // namespace weir::state
