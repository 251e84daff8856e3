// SPDX-License-Identifier: Apache-2.0
#include "cli/export/space.h"

#include <bit>

namespace weir::cli {

Address number_of(const Ip& ip) { return static_cast<Address>(ip.high()) << 64 | ip.low(); }

Ip ip_of(Address number) {
  Ip ip;
  for (std::size_t i = 16; i-- > 0; number >>= 8) ip.bytes[i] = static_cast<std::uint8_t>(number);
  return ip;
}

namespace whole {

namespace {
constexpr Address kFirst4 = static_cast<Address>(0xffff00000000ULL), kLast4 = static_cast<Address>(0xffffffffffffULL);
}  // namespace

const AddressSet& v4() {
  static const AddressSet set(kFirst4, kLast4);
  return set;
}
const AddressSet& addresses() {
  static const AddressSet set(0, ~static_cast<Address>(0));
  return set;
}
const AddressSet& v6() {
  static const AddressSet set = addresses() - v4();
  return set;
}
const NumberSet& protocols() {
  static const NumberSet set(0, 255);
  return set;
}
const NumberSet& ports() {
  static const NumberSet set(0, 65535);
  return set;
}
const NumberSet& icmp() {
  static const NumberSet set(0, 511);
  return set;
}
const NumberSet& states() {
  static const NumberSet set(0, 3);
  return set;
}

}  // namespace whole

Box operator&(const Box& a, const Box& b) {
  return {a.from & b.from, a.to & b.to,        a.protocols & b.protocols, a.ports & b.ports, a.client_ports & b.client_ports,
          a.icmp & b.icmp, a.states & b.states};
}

Boxes meeting(const Boxes& a, const Boxes& b) {
  Boxes out;
  for (const Box& x : a)
    for (const Box& y : b)
      if (Box both = x & y; !both.empty()) out.push_back(std::move(both));
  return out;
}

bool meet(const Boxes& a, const Boxes& b) {
  for (const Box& x : a)
    for (const Box& y : b)
      if (!(x & y).empty()) return true;
  return false;
}

namespace {

/// Cuts `hole` out of `box`: key by key, what lies outside of the hole there and inside of it in the keys before.
void cut(Box box, const Box& hole, Boxes& out) {
  const auto slice = [&](auto Box::*key) {
    Box outside = box;
    outside.*key = box.*key - hole.*key;
    if (!outside.empty()) out.push_back(std::move(outside));
    box.*key = box.*key & hole.*key;
  };
  slice(&Box::protocols);
  slice(&Box::states);
  slice(&Box::ports);
  slice(&Box::client_ports);
  slice(&Box::icmp);
  slice(&Box::to);
  slice(&Box::from);
}

}  // namespace

std::optional<Boxes> without(const Boxes& a, const Boxes& b, std::size_t most) {
  Boxes left = a;
  for (const Box& hole : b) {
    Boxes next;
    for (const Box& box : left) {
      if ((box & hole).empty())
        next.push_back(box);
      else
        cut(box, hole, next);
      if (next.size() > most) return std::nullopt;
    }
    left = std::move(next);
  }
  return left;
}

Boxes of_version(const Boxes& boxes, bool v6) {
  Boxes out;
  const AddressSet& version = v6 ? whole::v6() : whole::v4();
  for (const Box& box : boxes) {
    Box part = box;
    part.from = box.from & version;
    part.to = box.to & version;
    if (!part.empty()) out.push_back(std::move(part));
  }
  return out;
}

AddressSet as_written(const AddressSet& set) {
  const auto& v4 = whole::v4().ranges()[0];
  AddressSet out = set;
  if ((set & whole::v4()).empty() && set.contains(v4.first - 1) && set.contains(v4.last + 1)) out.add(v4.first, v4.last);
  return out;
}

std::optional<std::vector<Prefix>> prefixes_of(const AddressSet& set, std::size_t most) {
  std::vector<Prefix> out;
  const AddressSet written = as_written(set);
  for (const auto& range : written.ranges()) {
    Address first = range.first;
    for (;;) {
      // The largest prefix that begins here and does not go beyond the range.
      unsigned bits = 0;
      while (bits < 128 && (first >> bits & 1) == 0) {
        const Address end = first + ((static_cast<Address>(2) << bits) - 1);
        if (end > range.last || (bits == 127 && range.last != ~static_cast<Address>(0))) break;
        ++bits;
      }
      out.push_back({ip_of(first), static_cast<std::uint8_t>(128 - bits)});
      if (out.size() > most) return std::nullopt;
      const Address last = bits == 128 ? ~static_cast<Address>(0) : first + ((static_cast<Address>(1) << bits) - 1);
      if (last >= range.last) break;
      first = last + 1;
    }
  }
  return out;
}

}  // namespace weir::cli
