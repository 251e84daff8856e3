// SPDX-License-Identifier: Apache-2.0
#include "policy/sections.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "policy/scalars.h"

namespace weir::policy {
std::string beside(const Reading& reading, const Node& node, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  const std::string& from = reading.policy.files[node.file];
  const std::size_t slash = from.rfind('/');
  return slash == std::string::npos ? std::string(path) : sentence(std::string_view(from).substr(0, slash + 1), path);
}

void read_zones(Reading& reading, const Node& node) {
  if (!reading.wants_map(node, "zones by name, such as `inside: { networks: [10.0.0.0/8] }`")) return;
  node.for_each_pair([&](const Node& key, const Node& value) {
    if (!is_plain_name(key.text) || parse_prefix(key.text))
      return void(reading.error(key, sentence("`", shown(key.text),
                                              "` cannot be the name of a zone (letters, digits, `-`, `_`, `.`; no address, none "
                                              "of the words absent, present, hidden, none)")));
    if (reading.policy.zones.size() >= 1000) return void(reading.error(key, "more than 1000 zones"));
    ZoneDefinition zone;
    zone.name = std::string(key.text);
    zone.position = reading.position(key);
    if (value.is_empty())
      reading.error(value,
                    sentence("nothing is said about the zone `", key.text, "`; write `", key.text, ": {}` if nothing shall be"));
    if (!value.is_empty() && reading.wants_map(value, "a map with `ports` and `networks`")) {
      const Keys keys(reading, value, grammar::kZone);
      if (const Node* ports = keys.at("ports"))
        reading.each(*ports, "names of ports", [&](const Node& item) {
          if (!reading.wants_text(item, "the name of a port")) return;
          const PortIndex port = reading.policy.port_index(item.text);
          if (port == kNoPort) return void(reading.error(item, "too many names of ports"));
          zone.ports.push_back(port);
        });
      if (const Node* networks = keys.at("networks"))
        reading.each(*networks, "networks such as `10.0.0.0/8`", [&](const Node& item) {
          const auto prefix = reading.prefix(item, "a network");
          if (!prefix) return;
          for (const ZoneDefinition& other : reading.policy.zones)
            if (std::find(other.networks.begin(), other.networks.end(), *prefix) != other.networks.end())
              reading.error(item, sentence("`", item.text, "` is a network of the zone `", other.name, "` already"));
          zone.networks.push_back(*prefix);
        });
    }
    reading.add_zone(zone.name, static_cast<ZoneId>(reading.policy.zones.size()));
    reading.policy.zones.push_back(std::move(zone));
  });
}

void read_roles(Reading& reading, const Node& node) {
  if (!reading.wants_map(node, "roles by name, such as `resolver: \"@resolvers\"`")) return;
  node.for_each_pair([&](const Node& key, const Node& value) {
    reading.each(value, "a zone, a set or an address", [&](const Node& item) {
      if (!reading.wants_text(item, "a zone, a set or an address")) return;
      if (item.text.front() == '@') {
        if (reading.set(item) == nullptr) return;
      } else if (parse_prefix(item.text)) {
        if (!reading.prefix(item, "a role")) return;
      } else if (reading.zone(item) == kNoZone) {
        return;
      }
      reading.policy.roles.emplace_back(std::string(key.text), std::string(item.text));
    });
  });
}

void read_trusted_proxies(Reading& reading, const Node& node) {
  if (node.is_scalar() && node.text.starts_with('@')) {
    reading.policy.trusted_proxies = reading.address_set(node);
    return;
  }
  std::vector<PrefixSet::Entry> entries;
  reading.each(node, "a set such as `\"@proxies\"`, or addresses", [&](const Node& item) {
    if (item.is_scalar() && item.text.starts_with('@')) return void(reading.error(item, "one set alone, or a list of addresses"));
    if (const auto prefix = reading.prefix(item, "`trusted_proxies`")) entries.push_back({*prefix, 0});
  });
  reading.policy.trusted_proxies = std::make_shared<const PrefixSet>(PrefixSet::build(std::move(entries)));
}

void read_idle(Reading& reading, const Node& node) {
  if (!reading.wants_map(node, "idle times such as `{ tcp: 1h, udp: 60s }`")) return;
  const Keys keys(reading, node, grammar::kIdle);
  IdleTimes& idle = reading.policy.idle;
  const std::pair<std::string_view, Nanoseconds*> kPlaces[] = {
      {"tcp", &idle.tcp_ns},    {"tcp_unanswered", &idle.tcp_unanswered_ns}, {"tcp_closing", &idle.tcp_closing_ns},
      {"udp", &idle.udp_ns},    {"udp_answered", &idle.udp_answered_ns},     {"icmp", &idle.icmp_ns},
      {"other", &idle.other_ns}};
  for (const auto& [name, place] : kPlaces)
    if (const Node* value = keys.at(name)) *place = reading.duration(*value, sentence("`", name, "`")).value_or(*place);
}

void read_mode(Reading& reading, const Node& node) {
  constexpr std::string_view kModes[] = {"enforce", "monitor"};
  if (const auto place = reading.choice(node, "`mode`", kModes)) reading.policy.monitor = *place == 1;
}

void read_default(Reading& reading, const Node& node) {
  constexpr std::string_view kWords[] = {"allow", "drop", "reject"};
  constexpr Action kActions[] = {Action::Allow, Action::Drop, Action::Reject};
  const Node* action = &node;
  if (node.is_map()) {
    const Keys keys(reading, node, grammar::kDefault);
    action = keys.at("action");
    if (action == nullptr) return void(reading.error(node, "`default` needs an `action`: allow, drop or reject"));
    if (const Node* technique = keys.at("technique")) reading.policy.default_techniques = reading.techniques(*technique);
  }
  if (const auto place = reading.choice(*action, "`default`", kWords)) reading.policy.default_action = kActions[*place];
}

void read_undecided_bounds(Reading& reading, const Node& map, UndecidedBounds& bounds) {
  if (const Node* frames = map.at("frames"))
    bounds.frames_max = reading.number(*frames, "`frames`", 1, 1024).value_or(bounds.frames_max);
  if (const Node* bytes = map.at("bytes"))
    bounds.bytes_max = reading.number(*bytes, "`bytes`", 1, 1 << 20).value_or(bounds.bytes_max);
  if (const Node* time = map.at("time")) bounds.time_max_ns = reading.duration(*time, "`time`").value_or(bounds.time_max_ns);
  if (const Node* bytes = map.at("server_bytes"))
    bounds.server_bytes_max = reading.number(*bytes, "`server_bytes`", 0, 1 << 20).value_or(bounds.server_bytes_max);
}

void read_undecided(Reading& reading, const Node& node) {
  constexpr std::string_view kWords[] = {"pass", "hold"};
  const Node* word = &node;
  if (node.is_map()) {
    const Keys keys(reading, node, grammar::kUndecided);
    read_undecided_bounds(reading, node, reading.policy.undecided);
    word = keys.at("action");
    if (word == nullptr) return;
  }
  if (const auto place = reading.choice(*word, "`undecided`", kWords)) reading.policy.undecided.hold = *place == 1;
}

}  // namespace weir::policy
