// SPDX-License-Identifier: Apache-2.0
#include "policy/prefix_set.h"

#include <algorithm>
#include <bit>

namespace weir::policy {

namespace {

using Key6 = std::pair<std::uint64_t, std::uint64_t>;
constexpr Key6 kMappedFirst{0, 0x0000ffff00000000ULL}, kMappedLast{0, 0x0000ffffffffffffULL};
constexpr unsigned kIndexBitsMax = 18;  // 1 MiB, for lists of 100,000 entries and more.

std::uint32_t mask4(unsigned length) { return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length); }

Key6 mask6(unsigned length) {
  if (length <= 64) return {length == 0 ? 0 : ~std::uint64_t{0} << (64 - length), 0};
  return {~std::uint64_t{0}, ~std::uint64_t{0} << (128 - length)};
}

Key6 key_of(const Ip& ip) { return {ip.high(), ip.low()}; }
Key6 before(const Key6& key) { return {key.first - (key.second == 0 ? 1 : 0), key.second - 1}; }
Key6 after(const Key6& key) { return {key.first + (key.second == UINT64_MAX ? 1 : 0), key.second + 1}; }

}  // namespace

struct PrefixSet::Row4 {
  std::uint32_t network, line;
  std::uint8_t length;
  std::uint64_t order() const { return std::uint64_t{network} << 8 | length; }
};

bool PrefixSet::contains(const Ip& ip) const {
  if (ip.is_v4()) {
    if (ranges4_.empty()) return false;
    const std::uint32_t address = ip.v4_value();
    const std::size_t slot = address >> index4_shift_;
    std::size_t low = index4_[slot], high = index4_[slot + 1];
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (ranges4_[middle].last < address) low = middle + 1;
      else high = middle;
    }
    return low < ranges4_.size() && ranges4_[low].first <= address;
  }
  const Key6 address = key_of(ip);
  const auto at = std::partition_point(ranges6_.begin(), ranges6_.end(), [&](const Range6& range) { return range.last < address; });
  return at != ranges6_.end() && at->first <= address;
}

std::optional<PrefixSet::Entry> PrefixSet::find(const Ip& ip) const {
  if (!contains(ip)) return std::nullopt;
  return ip.is_v4() ? find4(ip.v4_value()) : find6(ip);
}

std::optional<PrefixSet::Entry> PrefixSet::find4(std::uint32_t address) const {
  for (unsigned length = 33; length-- > 0;) {
    if ((lengths4_present_ >> length & 1) == 0) continue;
    const std::uint32_t network = address & mask4(length);
    auto at = static_cast<std::size_t>(std::lower_bound(networks4_.begin(), networks4_.end(), network) - networks4_.begin());
    for (; at < networks4_.size() && networks4_[at] == network; ++at)
      if (lengths4_[at] == length)
        return Entry{.prefix = {Ip::v4(network), static_cast<std::uint8_t>(length + 96)}, .line = lines4_[at]};
  }
  return std::nullopt;
}

std::optional<PrefixSet::Entry> PrefixSet::find6(const Ip& ip) const {
  for (unsigned length = 129; length-- > 0;) {
    if ((lengths6_present_[length / 64] >> (length % 64) & 1) == 0) continue;
    const Key6 mask = mask6(length);
    const Prefix sought{ip_of({ip.high() & mask.first, ip.low() & mask.second}), static_cast<std::uint8_t>(length)};
    const auto at = std::partition_point(entries6_.begin(), entries6_.end(), [&](const Entry& e) { return e.prefix < sought; });
    if (at != entries6_.end() && at->prefix == sought) return *at;
  }
  return std::nullopt;
}

PrefixSet PrefixSet::build(std::vector<Entry> entries) {
  std::vector<Row4> rows4;
  std::vector<Entry> rows6;
  rows4.reserve(entries.size());
  for (const Entry& entry : entries) {
    const unsigned length = std::min<unsigned>(entry.prefix.length, 128);
    if (entry.prefix.network.is_v4() && length >= 96) {
      const std::uint32_t network = entry.prefix.network.v4_value() & mask4(length - 96);
      rows4.push_back({network, entry.line, static_cast<std::uint8_t>(length - 96)});
    } else {
      const Key6 mask = mask6(length), key = key_of(entry.prefix.network);
      const Prefix prefix{ip_of({key.first & mask.first, key.second & mask.second}), static_cast<std::uint8_t>(length)};
      rows6.push_back({prefix, entry.line});
    }
  }
  entries = {};
  PrefixSet set;
  set.build4(rows4);
  set.build6(rows6);
  return set;
}

void PrefixSet::build4(std::vector<Row4>& rows) {
  std::sort(rows.begin(), rows.end(), [](const Row4& a, const Row4& b) {
    return a.order() != b.order() ? a.order() < b.order() : a.line < b.line;
  });
  rows.erase(std::unique(rows.begin(), rows.end(), [](const Row4& a, const Row4& b) { return a.order() == b.order(); }), rows.end());
  networks4_.reserve(rows.size());
  lengths4_.reserve(rows.size());
  lines4_.reserve(rows.size());
  for (const Row4& row : rows) {
    networks4_.push_back(row.network);
    lengths4_.push_back(row.length);
    lines4_.push_back(row.line);
    lengths4_present_ |= std::uint64_t{1} << row.length;
    const std::uint32_t last = row.network | ~mask4(row.length);
    if (!ranges4_.empty() && (ranges4_.back().last == UINT32_MAX || row.network <= ranges4_.back().last + 1))
      ranges4_.back().last = std::max(ranges4_.back().last, last);
    else
      ranges4_.push_back({row.network, last});
  }
  ranges4_.shrink_to_fit();
  index4();
}

void PrefixSet::index4() {
  if (ranges4_.empty()) return;
  const auto bits = std::clamp<unsigned>(static_cast<unsigned>(std::bit_width(ranges4_.size())), 1, kIndexBitsMax);
  index4_shift_ = 32 - bits;
  const std::size_t slots = std::size_t{1} << bits;
  index4_.resize(slots + 1);
  std::size_t range = 0;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    const auto first = static_cast<std::uint32_t>(slot << index4_shift_);
    while (range < ranges4_.size() && ranges4_[range].last < first) ++range;
    index4_[slot] = static_cast<std::uint32_t>(range);
  }
  index4_[slots] = static_cast<std::uint32_t>(ranges4_.size());
}

void PrefixSet::build6(std::vector<Entry>& rows) {
  std::sort(rows.begin(), rows.end(), [](const Entry& a, const Entry& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : a.line < b.line;
  });
  rows.erase(std::unique(rows.begin(), rows.end(), [](const Entry& a, const Entry& b) { return a.prefix == b.prefix; }), rows.end());
  rows.shrink_to_fit();
  entries6_ = std::move(rows);
  std::vector<Range6> merged;
  for (const Entry& entry : entries6_) {
    lengths6_present_[entry.prefix.length / 64U] |= std::uint64_t{1} << (entry.prefix.length % 64U);
    const Key6 first = key_of(entry.prefix.network), mask = mask6(entry.prefix.length);
    const Key6 last{first.first | ~mask.first, first.second | ~mask.second};
    if (!merged.empty() && (merged.back().last == Key6{UINT64_MAX, UINT64_MAX} || first <= after(merged.back().last)))
      merged.back().last = std::max(merged.back().last, last);
    else
      merged.push_back({first, last});
  }
  // The IPv4 block is cut out: `::/0` holds no IPv4 address.
  for (const Range6& range : merged) {
    if (range.last < kMappedFirst || range.first > kMappedLast) {
      ranges6_.push_back(range);
      continue;
    }
    if (range.first < kMappedFirst) ranges6_.push_back({range.first, before(kMappedFirst)});
    if (range.last > kMappedLast) ranges6_.push_back({after(kMappedLast), range.last});
  }
  ranges6_.shrink_to_fit();
}

Ip PrefixSet::ip_of(const Key6& key) {
  Ip ip;
  store_be32(&ip.bytes[0], static_cast<std::uint32_t>(key.first >> 32));
  store_be32(&ip.bytes[4], static_cast<std::uint32_t>(key.first));
  store_be32(&ip.bytes[8], static_cast<std::uint32_t>(key.second >> 32));
  store_be32(&ip.bytes[12], static_cast<std::uint32_t>(key.second));
  return ip;
}

std::size_t PrefixSet::bytes() const {
  const auto of = [](const auto& v) { return v.capacity() * sizeof v[0]; };
  return sizeof *this + of(ranges4_) + of(index4_) + of(networks4_) + of(lengths4_) + of(lines4_) + of(ranges6_) + of(entries6_);
}

}  // namespace weir::policy
