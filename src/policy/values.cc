// SPDX-License-Identifier: Apache-2.0
#include "policy/values.h"

#include <algorithm>
#include <string>

#include "facts/field_ids.h"

namespace weir::policy {
namespace {

bool in_ranges(const std::vector<NumberRange>& ranges, std::uint64_t number) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), number, [](std::uint64_t n, const NumberRange& r) { return n < r.first; });
  return after != ranges.begin() && number <= std::prev(after)->last;
}

bool flags_match(const Condition& condition, std::uint8_t flags) {
  const auto& wanted = condition.values.flags;
  if (condition.field == field::kTcpFlagsAny)
    return std::any_of(wanted.begin(), wanted.end(), [&](std::uint8_t f) { return (f & flags) != 0; });
  return std::find(wanted.begin(), wanted.end(), flags) != wanted.end();
}

bool set_has_text(const NamedSet& set, std::string_view text) {
  return (set.domains && set.domains->contains(text)) || (set.urls && set.urls->contains(text));
}

bool address_matches(const Values& values, const Ip& ip, ZoneId zone) {
  if (zone != kNoZone && std::find(values.zones.begin(), values.zones.end(), zone) != values.zones.end()) return true;
  if (values.prefixes && values.prefixes->contains(ip)) return true;
  return std::any_of(values.sets.begin(), values.sets.end(),
                     [&](const auto& set) { return set->addresses && set->addresses->contains(ip); });
}

bool text_matches(const Values& values, std::string_view text) {
  if (values.names && values.names->contains(text)) return true;
  if (values.texts && values.texts->contains(text)) return true;
  return std::any_of(values.sets.begin(), values.sets.end(), [&](const auto& set) { return set_has_text(*set, text); });
}

std::string from_line(const NamedSet& set, std::uint32_t line) {
  return line == 0 ? "@" + set.name : "@" + set.name + ", line " + std::to_string(line);
}

}  // namespace

bool value_matches(const Condition& condition, const FieldRow& row, const Value& value, ZoneId zone) {
  const Values& values = condition.values;
  switch (row.type) {
    case FieldType::Number:
    case FieldType::Boolean:
    case FieldType::Word:
    case FieldType::Zone:
    case FieldType::Port: return in_ranges(values.numbers, value.number());
    case FieldType::App: return value.number() < kAppsMax && values.apps.has(static_cast<AppId>(value.number()));
    case FieldType::Text:
    case FieldType::TextFold:
    case FieldType::Domain: return text_matches(values, value.text());
    case FieldType::Address: return address_matches(values, value.ip(), zone);
    case FieldType::Mac:
      return std::any_of(values.macs.begin(), values.macs.end(),
                         [&](const auto& mac) { return (value.number() & mac.second) == mac.first; });
    case FieldType::Flags: return flags_match(condition, static_cast<std::uint8_t>(value.number()));
  }
  return false;
}

std::string which_matched(const Condition& condition, const FieldRow& row, const Value& value, ZoneId zone) {
  const Values& values = condition.values;
  if (!value_matches(condition, row, value, zone)) return {};
  if (row.type == FieldType::Address) {
    if (values.prefixes)
      if (const auto entry = values.prefixes->find(value.ip())) return render(entry->prefix);
    for (const auto& set : values.sets)
      if (set->addresses)
        if (const auto entry = set->addresses->find(value.ip()))
          return from_line(*set, entry->line) + " (" + render(entry->prefix) + ")";
    return values.written.size() == 1 ? values.written.front() : "its zone";
  }
  if (row.type == FieldType::Text || row.type == FieldType::TextFold || row.type == FieldType::Domain) {
    const std::string_view text = value.text();
    if (values.names)
      if (const auto hit = values.names->find(text)) return hit->name;
    if (values.texts && values.texts->contains(text)) return std::string(values.texts->find(text));
    for (const auto& set : values.sets) {
      if (set->domains)
        if (const auto hit = set->domains->find(text)) return from_line(*set, hit->line) + " (" + hit->name + ")";
      if (set->urls)
        if (const auto hit = set->urls->find(text)) return from_line(*set, hit->line) + " (" + hit->url + ")";
    }
    return {};
  }
  if (values.written.size() == 1) return values.written.front();
  // Names of words are as they were written; else the range that holds the number.
  for (const Word& word : row.words)
    if (word.value == value.number() &&
        std::find(values.written.begin(), values.written.end(), word.name) != values.written.end())
      return std::string(word.name);
  for (const NumberRange& range : values.numbers)
    if (value.number() >= range.first && value.number() <= range.last && row.type == FieldType::Number)
      return range.first == range.last ? std::to_string(range.first)
                                       : std::to_string(range.first) + "-" + std::to_string(range.last);
  std::string all;
  for (const std::string& written : values.written) all += (all.empty() ? "" : ", ") + written;
  return all;
}

}  // namespace weir::policy
