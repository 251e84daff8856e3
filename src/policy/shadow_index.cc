// SPDX-License-Identifier: Apache-2.0
#include "policy/shadow_index.h"

#include <bit>
#include <functional>
#include <string>

#include "base/hash.h"

namespace weir::policy {
namespace {

constexpr std::size_t kKeysMax = 16;  // a condition with more alternatives is too wide to be filed under

enum Kind : std::uint64_t { kNumber = 1, kApp, kZone, kSet, kPrefix, kWritten };

std::uint64_t key_of(FieldId field, Kind kind, std::uint64_t value) { return mix64(mix64(field, kind), value); }

unsigned common_bits(const Ip& a, const Ip& b) {
  const std::uint64_t high = a.high() ^ b.high(), low = a.low() ^ b.low();
  return static_cast<unsigned>(high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(low));
}

std::uint64_t prefix_key(FieldId field, const Ip& ip, unsigned length) {
  const std::uint64_t high = length >= 64 ? ip.high() : length == 0 ? 0 : ip.high() >> (64 - length);
  const std::uint64_t low = length <= 64 ? 0 : ip.low() >> (128 - length);
  return key_of(field, kPrefix, mix64(mix64(length, high), low));
}

}  // namespace

/// All alternatives; none if there are too many, or the condition is of a kind that does not name them.
std::vector<std::uint64_t> ShadowIndex::keys(const Condition& c, std::vector<unsigned>& lengths) const {
  const Values& v = c.values;
  std::vector<std::uint64_t> out;
  if (c.negated || v.absent || v.present || v.hidden || !v.macs.empty() || !v.flags.empty()) return {};
  for (const NumberRange& range : v.numbers) {
    if (range.last - range.first >= kKeysMax || out.size() > kKeysMax) return {};
    for (std::uint64_t n = 0; n <= range.last - range.first; ++n) out.push_back(key_of(c.field, kNumber, range.first + n));
  }
  v.apps.for_each([&](AppId app) { out.push_back(key_of(c.field, kApp, app)); });
  for (ZoneId zone : v.zones) out.push_back(key_of(c.field, kZone, zone));
  for (const auto& set : v.sets) out.push_back(key_of(c.field, kSet, reinterpret_cast<std::uintptr_t>(set.get())));
  if (v.prefixes) {
    if (v.prefixes->size() > kKeysMax) return {};
    v.prefixes->for_each_range([&](const Ip& first, const Ip& last) {
      lengths.push_back(common_bits(first, last));
      out.push_back(prefix_key(c.field, first, lengths.back()));
    });
  }
  if (v.names || v.texts)
    for (const std::string& written : v.written) out.push_back(key_of(c.field, kWritten, std::hash<std::string>()(written)));
  if (out.size() > kKeysMax) return {};
  return out;
}

void ShadowIndex::add(const Rule& rule) {
  std::vector<std::uint64_t> best;
  std::vector<unsigned> best_lengths;
  std::size_t least = SIZE_MAX;
  for (const Condition& c : rule.match) {
    std::vector<unsigned> lengths;
    std::vector<std::uint64_t> own = keys(c, lengths);
    if (own.empty()) continue;
    std::size_t filed = 0;
    for (std::uint64_t key : own) {
      const auto shelf = shelves_.find(key);
      if (shelf != shelves_.end()) filed += shelf->second.size();
    }
    if (filed >= least) continue;
    least = filed;
    best = std::move(own);
    best_lengths = std::move(lengths);
  }
  if (best.empty()) return everywhere_.push_back(&rule);
  for (std::uint64_t key : best) shelves_[key].push_back(&rule);
  lengths_.insert(best_lengths.begin(), best_lengths.end());
}

/// The first alternative of each kind in each condition: a rule that covers this one names it, or something around it.
std::vector<std::uint64_t> ShadowIndex::probes(const Rule& rule) const {
  std::vector<std::uint64_t> out;
  for (const Condition& c : rule.match) {
    if (c.negated) continue;
    const Values& v = c.values;
    if (!v.numbers.empty()) out.push_back(key_of(c.field, kNumber, v.numbers.front().first));
    if (!v.apps.empty()) out.push_back(key_of(c.field, kApp, v.apps.first()));
    if (!v.zones.empty()) out.push_back(key_of(c.field, kZone, v.zones.front()));
    if (!v.sets.empty()) out.push_back(key_of(c.field, kSet, reinterpret_cast<std::uintptr_t>(v.sets.front().get())));
    if ((v.names || v.texts) && !v.written.empty()) out.push_back(key_of(c.field, kWritten, std::hash<std::string>()(v.written.front())));
    if (!v.prefixes) continue;
    bool first_range = true;
    v.prefixes->for_each_range([&](const Ip& first, const Ip&) {
      if (first_range)
        for (unsigned length : lengths_) out.push_back(prefix_key(c.field, first, length));
      first_range = false;
    });
  }
  return out;
}

}  // namespace weir::policy
