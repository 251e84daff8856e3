// SPDX-License-Identifier: Apache-2.0
#include "policy/actions.h"

#include <algorithm>

#include "base/text.h"
#include "facts/field_ids.h"
#include "policy/scalars.h"

namespace weir::policy {
namespace {

constexpr std::string_view kActions[] = {"allow", "drop", "reject", "sinkhole", "limit", "ban", "alert"};

std::optional<ActionOf> read_word(Reading& reading, const Node& node) {
  ActionOf out;
  if (node.text == "allow") out.action = Action::Allow;
  else if (node.text == "drop") out.action = Action::Drop;
  else if (node.text == "reject") out.action = Action::Reject;
  else if (node.text == "alert") out.action = Action::Alert;
  else {
    if (node.text == "sinkhole") reading.error(node, "`sinkhole` needs an address: `{ sinkhole: 0.0.0.0 }`");
    else if (node.text == "limit") reading.error(node, "`limit` needs a rate: `{ limit: { rate: 10/s, per: from } }`");
    else if (node.text == "ban") reading.error(node, "`ban` needs to know what: `{ ban: source, for: 10m }`");
    else
      reading.error(node, sentence("unknown action `", shown(node.text), "`", reading.hint(node.text, kActions),
                                   "; known are allow, drop, reject, sinkhole, limit, ban, alert"));
    return std::nullopt;
  }
  return out;
}

std::optional<ActionOf> read_ban(Reading& reading, const Node& node) {
  const Keys keys(reading, node, grammar::kBan);
  constexpr std::string_view kWhat[] = {"source", "destination", "port", "protocol"};
  ActionOf out;
  out.action = Action::Ban;
  const auto what = reading.choice(*keys.at("ban"), "`ban`", kWhat);
  if (!what) return std::nullopt;
  out.ban.what = static_cast<BanWhat>(*what);
  if (const Node* time = keys.at("for")) out.ban.for_ns = reading.duration(*time, "`for`").value_or(out.ban.for_ns);
  if (const Node* after = keys.at("after")) out.ban.after = reading.number(*after, "`after`", 1, 1'000'000).value_or(1);
  out.ban.within_ns = out.ban.for_ns;
  if (const Node* within = keys.at("within"))
    out.ban.within_ns = reading.duration(*within, "`within`").value_or(out.ban.within_ns);
  return out;
}

std::optional<ActionOf> read_limit(Reading& reading, const Node& node, LimitUnit bare) {
  if (!reading.wants_map(node, "a map such as `{ rate: 10/s, per: from }`")) return std::nullopt;
  const Keys keys(reading, node, grammar::kLimit);
  ActionOf out;
  out.action = Action::Limit;
  const Node* rate = keys.at("rate");
  if (rate == nullptr) {
    reading.error(node, "`limit` needs a `rate` such as `10/s`");
    return std::nullopt;
  }
  const auto parsed = read_rate(reading, *rate, bare);
  if (!parsed) return std::nullopt;
  out.limit.rate = parsed->first;
  out.limit.unit = parsed->second;
  out.limit.burst = default_burst(out.limit.rate);
  if (const Node* burst = keys.at("burst")) out.limit.burst = read_burst(reading, *burst).value_or(out.limit.burst);
  if (const Node* per = keys.at("per")) out.limit.per = read_per(reading, *per);
  if (const Node* over = keys.at("over")) {
    const auto action = read_action(reading, *over, bare);
    if (!action) return std::nullopt;
    if (action->action == Action::Limit) {
      reading.error(*over, "`over` cannot be a limit again");
      return std::nullopt;
    }
    out.limit.over = action->action;
    out.limit.sinkhole = action->sinkhole;
    out.ban = action->ban;
  }
  return out;
}

}  // namespace

std::optional<ActionOf> read_action(Reading& reading, const Node& node, LimitUnit bare) {
  if (node.is_map()) {
    if (node.at("ban") != nullptr) return read_ban(reading, node);
    const Keys keys(reading, node, grammar::kActionMap);
    const Node* sinkhole = keys.at("sinkhole");
    const Node* limit = keys.at("limit");
    if ((sinkhole == nullptr) == (limit == nullptr)) {
      if (sinkhole != nullptr || node.count == 0)
        reading.error(node, "an action written as a map has one of the keys `sinkhole`, `limit` or `ban`");
      return std::nullopt;
    }
    if (limit != nullptr) return read_limit(reading, *limit, bare);
    const auto address = reading.ip(*sinkhole, "`sinkhole`");
    if (!address) return std::nullopt;
    ActionOf out;
    out.action = Action::Sinkhole;
    out.sinkhole = *address;
    return out;
  }
  if (!reading.wants_text(node, "an action")) return std::nullopt;
  return read_word(reading, node);
}

std::optional<std::pair<double, LimitUnit>> read_rate(Reading& reading, const Node& node, LimitUnit bare) {
  if (!reading.wants_text(node, "a rate such as `10/s`")) return std::nullopt;
  const auto rate = parse_rate(node.text);
  if (!rate) {
    reading.error(node, sentence("`", shown(node.text),
                                 "` is no rate such as `10/s`, `10 requests/s`, `5 flows/m`, `1000 packets/s` or `8 Mbit/s`"));
    return std::nullopt;
  }
  return std::pair{rate->per_second, rate->has_unit ? rate->unit : bare};
}

std::vector<PerKey> read_per(Reading& reading, const Node& node) {
  std::vector<PerKey> out;
  reading.each(node, "keys such as `from` or `[from, dns.domain]`", [&](const Node& item) {
    if (!reading.wants_text(item, "a key such as `from`")) return;
    const std::size_t slash = item.text.find('/');
    const std::string_view name = item.text.substr(0, slash);
    const FieldRow* row = reading.words.field(name);
    if (row == nullptr)
      return void(
          reading.error(item, sentence("unknown fact `", shown(name), "`", reading.hint(name, reading.words.field_names()))));
    PerKey key;
    key.field = row->id;
    if (slash != std::string_view::npos) {
      const auto length = parse_number(item.text.substr(slash + 1));
      if (row->type != FieldType::Address)
        return void(reading.error(item, sentence("`", name, "` is no address: it has no `/`")));
      if (!length || *length == 0 || *length > 128)
        return void(reading.error(item, sentence("`", shown(item.text), "`: a length is 1 to 128")));
      // Up to 32 it is IPv4's, and IPv6 keeps its /64; above it can only be IPv6's.
      (*length <= 32 ? key.prefix_v4 : key.prefix_v6) = static_cast<std::uint8_t>(*length);
    }
    out.push_back(key);
  });
  return out;
}

std::optional<double> read_burst(Reading& reading, const Node& node) {
  if (!reading.wants_text(node, "a number for `burst`")) return std::nullopt;
  const auto value = parse_decimal(node.text);
  if (value && *value >= 1) return value;
  reading.error(node, sentence("`burst` is a number from 1, not `", shown(node.text), "`"));
  return std::nullopt;
}

double default_burst(double rate) { return std::max(1.0, rate); }

void apply(const ActionOf& action, Rule& rule) {
  rule.action = action.action;
  rule.sinkhole = action.sinkhole;
  rule.limit = action.limit;
  rule.ban = action.ban;
}

}  // namespace weir::policy
