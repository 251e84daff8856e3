// SPDX-License-Identifier: Apache-2.0
#include "policy/reading.h"

#include <algorithm>

#include "base/text.h"
#include "policy/scalars.h"
#include "policy/techniques.h"

namespace weir::policy {
namespace {

std::string_view kind_name(const Node& node) {
  if (node.is_map()) return "a map";
  if (node.is_list()) return "a list";
  return node.is_empty() ? "nothing" : "a text";
}

}  // namespace

std::string shown(std::string_view text) { return text.size() <= 80 ? std::string(text) : sentence(text.substr(0, 77), "..."); }

bool Reading::error(const Node& at, std::string message) {
  out.add(Severity::Error, policy.files[at.file], at.line, at.column, std::move(message));
  return false;
}

void Reading::warning(const Node& at, std::string message) {
  out.add(Severity::Warning, policy.files[at.file], at.line, at.column, std::move(message));
}

std::string Reading::hint(std::string_view word, std::span<const std::string_view> known) const {
  if (out.errors_full() || word.size() > 100) return {};
  const std::string_view near = nearest(word, known);
  return near.empty() ? std::string() : sentence("; did you mean `", near, "`?");
}

bool Reading::wants_text(const Node& node, std::string_view what) {
  if (node.is_scalar() && !node.is_empty()) return true;
  return error(node, sentence("expected ", what, ", found ", kind_name(node)));
}

bool Reading::wants_map(const Node& node, std::string_view what) {
  if (node.is_map()) return true;
  return error(node, sentence("expected ", what, ", found ", kind_name(node)));
}

bool Reading::each(const Node& node, std::string_view what, const std::function<void(const Node&)>& call) {
  if (node.is_empty()) return error(node, sentence("expected ", what, ", found nothing"));
  if (!node.is_list()) {
    call(node);
    return true;
  }
  if (node.count == 0) return error(node, sentence("an empty list; expected ", what));
  node.for_each_item(call);
  return true;
}

std::optional<std::size_t> Reading::choice(const Node& node, std::string_view what, std::span<const std::string_view> allowed) {
  if (node.is_scalar())
    for (std::size_t i = 0; i < allowed.size(); ++i)
      if (allowed[i] == node.text) return i;
  std::string list;
  for (std::size_t i = 0; i < allowed.size(); ++i)
    list += sentence(i == 0 ? "" : i + 1 == allowed.size() ? " or " : ", ", allowed[i]);
  if (node.is_scalar() && !node.is_empty()) {
    error(node, sentence(what, " is ", list, ", not `", shown(node.text), "`"));
  } else {
    error(node, sentence(what, " is ", list, ", found ", kind_name(node)));
  }
  return std::nullopt;
}

std::optional<bool> Reading::boolean(const Node& node, std::string_view what) {
  constexpr std::string_view kWords[] = {"false", "true"};
  const auto place = choice(node, what, kWords);
  if (!place) return std::nullopt;
  return *place == 1;
}

std::optional<std::uint32_t> Reading::number(const Node& node, std::string_view what, std::uint64_t min, std::uint64_t max) {
  if (!wants_text(node, sentence("a number for ", what))) return std::nullopt;
  const auto value = parse_number(node.text);
  if (value && *value >= min && *value <= max) return static_cast<std::uint32_t>(*value);
  error(node, sentence(what, " is a number from ", min, " to ", max, ", not `", shown(node.text), "`"));
  return std::nullopt;
}

std::optional<Nanoseconds> Reading::duration(const Node& node, std::string_view what) {
  if (!wants_text(node, sentence("a time for ", what, ", such as `10m`"))) return std::nullopt;
  const auto value = parse_duration(node.text);
  if (!value) error(node, sentence(what, " is a time such as `500ms`, `30s`, `10m`, `1h` or `2d`, not `", shown(node.text), "`"));
  return value;
}

std::optional<Ip> Reading::ip(const Node& node, std::string_view what) {
  if (!wants_text(node, sentence("an address for ", what))) return std::nullopt;
  const auto value = parse_ip(node.text);
  if (!value) error(node, sentence("`", shown(node.text), "` is no address"));
  return value;
}

std::optional<Prefix> Reading::prefix(const Node& node, std::string_view what) {
  if (!wants_text(node, sentence("a prefix or an address for ", what))) return std::nullopt;
  const auto value = parse_prefix(node.text);
  if (!value) {
    error(node, sentence("`", shown(node.text), "` is no prefix or address"));
    return std::nullopt;
  }
  if (value->has_host_bits) {
    error(node, sentence("`", node.text, "` has host bits set; the network is `", render(value->prefix), "`"));
    return std::nullopt;
  }
  return value->prefix;
}

std::optional<Mac> Reading::mac(const Node& node) {
  if (!wants_text(node, "a MAC address such as `\"00:11:22:33:44:55\"`")) return std::nullopt;
  const auto value = parse_mac(node.text);
  if (!value) error(node, sentence("`", shown(node.text), "` is no MAC address such as `00:11:22:33:44:55`"));
  return value;
}

std::vector<std::string> Reading::techniques(const Node& node) {
  std::vector<std::string> ids;
  each(node, "technique ids such as `[T1071.004]`", [&](const Node& item) {
    if (!wants_text(item, "a technique id such as `T1071.004`")) return;
    if (!is_technique_id(item.text)) {
      error(item,
            sentence("`", shown(item.text), "` is no technique id such as `T1071` or `T1071.004`", hint(item.text, kTechniques)));
      return;
    }
    if (std::find(ids.begin(), ids.end(), item.text) == ids.end()) ids.emplace_back(item.text);
  });
  return ids;
}

ZoneId Reading::zone(const Node& node) {
  if (!wants_text(node, "the name of a zone")) return kNoZone;
  if (const auto found = find_zone(node.text)) return *found;
  error(node, sentence("unknown zone `", shown(node.text), "`", hint(node.text, zone_names_)));
  return kNoZone;
}

std::optional<ZoneId> Reading::find_zone(std::string_view name) const {
  const auto found = zones_.find(std::string(name));
  if (found == zones_.end()) return std::nullopt;
  return found->second;
}

void Reading::add_zone(const std::string& name, ZoneId id) {
  const auto [at, fresh] = zones_.emplace(name, id);
  if (fresh) zone_names_.push_back(at->first);
}

const Reading::SetEntry* Reading::set(const Node& node) {
  const std::string_view name = node.text.substr(1);
  const auto found = sets_.find(std::string(name));
  if (found == sets_.end()) {
    error(node, sentence("unknown set `@", shown(name), "`", hint(name, set_names_)));
    return nullptr;
  }
  found->second.used = true;
  return &found->second;
}

const Reading::SetEntry* Reading::find_set(std::string_view name) {
  const auto found = sets_.find(std::string(name));
  if (found == sets_.end()) return nullptr;
  found->second.used = true;
  return &found->second;
}

std::shared_ptr<const PrefixSet> Reading::address_set(const Node& node) {
  const SetEntry* entry = set(node);
  if (entry == nullptr || !entry->set) return nullptr;
  if (!entry->set->addresses) error(node, sentence("`", node.text, "` is no set of addresses"));
  return entry->set->addresses;
}

void Reading::add_set(const std::string& name, SetEntry entry) {
  const auto [at, fresh] = sets_.emplace(name, std::move(entry));
  if (fresh) set_names_.push_back(at->first);
}

void Reading::warn_unused() {
  for (const auto& [name, entry] : sets_)
    if (!entry.used && entry.at != nullptr) warning(*entry.at, sentence("nothing names the set `", name, "`"));
}

Keys::Keys(Reading& reading, const Node& map, const MapRow& row) : map_(map) {
  if (!map.is_map()) return;
  map.for_each_pair([&](const Node& key, const Node&) {
    if (std::any_of(row.keys.begin(), row.keys.end(), [&](const KeyRow& known) { return known.name == key.text; })) return;
    std::vector<std::string_view> names;
    for (const KeyRow& known : row.keys) names.push_back(known.name);
    reading.error(key, sentence("unknown key `", shown(key.text), "` in ", row.title, reading.hint(key.text, names)));
  });
}

}  // namespace weir::policy
