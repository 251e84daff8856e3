// SPDX-License-Identifier: Apache-2.0
#include "policy/guard_reader.h"

#include <algorithm>

#include "base/text.h"
#include "policy/conditions.h"
#include "policy/scalars.h"

namespace weir::policy {

GuardReader::GuardReader(Reading& reading_in, std::string_view name, const Node& node_in, std::span<const KeyRow> parameters)
    : reading(reading_in), node(node_in), name_(name), monitor_(reading_in.policy.monitor) {
  if (!node.is_map()) return;
  std::vector<std::string_view> known;
  for (const KeyRow& key : parameters) known.push_back(key.name);
  for (const KeyRow& key : grammar::kGuardKeys) known.push_back(key.name);
  node.for_each_pair([&](const Node& key, const Node&) {
    if (std::find(known.begin(), known.end(), key.text) == known.end())
      reading.error(
          key, sentence("unknown key `", key.text.substr(0, 80), "` in the guard `", name_, "`", reading.hint(key.text, known)));
  });
  if (const Node* action = at("action"))
    if (const auto read = read_action(reading, *action, LimitUnit::Packets)) action_ = *read;
  if (const Node* unless = at("unless")) unless_ = read_unless(reading, *unless);
  if (const Node* technique = at("technique")) techniques_ = reading.techniques(*technique);
  if (const Node* mode = at("mode")) {
    constexpr std::string_view kModes[] = {"enforce", "monitor"};
    if (const auto place = reading.choice(*mode, "`mode`", kModes)) monitor_ = monitor_ || *place == 1;
  }
}

std::uint32_t GuardReader::number(std::string_view key, std::uint32_t otherwise, std::uint64_t min, std::uint64_t max) {
  const Node* value = at(key);
  return value == nullptr ? otherwise : reading.number(*value, sentence("`", key, "`"), min, max).value_or(otherwise);
}

double GuardReader::decimal(std::string_view key, double otherwise) {
  const Node* value = at(key);
  if (value == nullptr || !reading.wants_text(*value, "a number")) return otherwise;
  const auto read = parse_decimal(value->text);
  if (!read) reading.error(*value, sentence("`", key, "` is a number such as `0.8`, not `", value->text.substr(0, 80), "`"));
  return read.value_or(otherwise);
}

Nanoseconds GuardReader::duration(std::string_view key, Nanoseconds otherwise) {
  const Node* value = at(key);
  return value == nullptr ? otherwise : reading.duration(*value, sentence("`", key, "`")).value_or(otherwise);
}

bool GuardReader::boolean(std::string_view key, bool otherwise) {
  const Node* value = at(key);
  return value == nullptr ? otherwise : reading.boolean(*value, sentence("`", key, "`")).value_or(otherwise);
}

std::optional<std::pair<double, LimitUnit>> GuardReader::rate(std::string_view key, LimitUnit bare,
                                                              std::initializer_list<LimitUnit> allowed) {
  const Node* value = at(key);
  if (value == nullptr) return std::nullopt;
  const auto read = read_rate(reading, *value, bare);
  if (read && std::find(allowed.begin(), allowed.end(), read->second) == allowed.end()) {
    reading.error(*value,
                  sentence("`", key, "` of the guard `", name_, "` cannot be in this unit; write it bare, such as `10/s`"));
    return std::nullopt;
  }
  return read;
}

std::vector<PortIndex> GuardReader::datapath_ports(std::string_view key) {
  std::vector<PortIndex> out;
  const Node* value = at(key);
  if (value == nullptr) return out;
  reading.each(*value, "names of ports", [&](const Node& item) {
    if (!reading.wants_text(item, "the name of a port")) return;
    const PortIndex port = policy().port_index(item.text);
    if (port == kNoPort) return void(reading.error(item, "too many names of ports"));
    out.push_back(port);
  });
  return out;
}

std::optional<Values> GuardReader::addresses(std::string_view key) {
  const Node* value = at(key);
  if (value == nullptr) return std::nullopt;
  Values out;
  std::vector<PrefixSet::Entry> entries;
  reading.each(*value, "addresses or prefixes", [&](const Node& item) {
    if (item.is_scalar() && item.text.starts_with('@')) {
      const Reading::SetEntry* entry = reading.set(item);
      if (entry == nullptr || !entry->set) return;
      if (!entry->set->addresses) return void(reading.error(item, sentence("`", item.text, "` is no set of addresses")));
      out.sets.push_back(entry->set);
    } else if (const auto prefix = reading.prefix(item, sentence("`", key, "`"))) {
      entries.push_back({*prefix, 0});
    } else {
      return;
    }
    out.written.emplace_back(item.text);
  });
  if (!entries.empty()) out.prefixes = std::make_shared<const PrefixSet>(PrefixSet::build(std::move(entries)));
  return out;
}

Rule GuardReader::make(AllOf match, std::vector<AllOf> more) const {
  Rule rule;
  rule.name = sentence("guard.", name_);
  rule.techniques = techniques_;
  rule.match = std::move(match);
  rule.unless = unless_;
  for (AllOf& all : more) rule.unless.push_back(std::move(all));
  rule.guard = true;
  rule.monitor = monitor_;
  rule.position = reading.position(node);
  return rule;
}

void GuardReader::add_rule(AllOf match, std::vector<AllOf> more) {
  Rule rule = make(std::move(match), std::move(more));
  apply(action_, rule);
  policy().rules.push_back(std::move(rule));
}

void GuardReader::add_limit(AllOf match, Limit limit, std::vector<AllOf> more) {
  Rule rule = make(std::move(match), std::move(more));
  rule.action = Action::Limit;
  rule.limit = std::move(limit);
  if (action_.action == Action::Limit) {
    reading.error(node, sentence("the guard `", name_, "` is a limit itself: its `action` cannot be one"));
  } else {
    rule.limit.over = action_.action;
    rule.limit.sinkhole = action_.sinkhole;
    rule.ban = action_.ban;
  }
  policy().rules.push_back(std::move(rule));
}

const FieldRow* GuardReader::protocol_field(std::string_view field) {
  const FieldRow* row = words().field(field);
  if (row == nullptr)
    reading.warning(node, sentence("the fact `", field, "` is not built in: this part of the guard `", name_, "` is left out"));
  return row;
}

}  // namespace weir::policy
