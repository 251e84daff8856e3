// SPDX-License-Identifier: Apache-2.0
#include "policy/sections.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "policy/lists.h"
#include "policy/scalars.h"

namespace weir::policy {
namespace {

std::string shown(std::string_view text) { return text.size() <= 80 ? std::string(text) : sentence(text.substr(0, 77), "..."); }

/// A list from a file: through the caller's reader if there is one, else by `read_path`.
template <typename List>
std::optional<List> read_list(Reading& reading, const Node& at, const Node& file,
                              const std::function<List(std::string_view)>& parse_text,
                              const std::function<Result<List>(const std::string&)>& read_path) {
  if (!reading.wants_text(file, "the name of a file")) return std::nullopt;
  const std::string path = beside(reading, at, file.text);
  std::optional<List> list;
  if (reading.options.read_file) {
    Result<std::string> text = reading.options.read_file(path);
    if (text.ok()) {
      list.emplace(parse_text(*text));
      if (list->report.taken == 0) {
        reading.error(file, sentence("`", shown(path), "` has no entry at all; an empty set on purpose is written `none`"));
        return std::nullopt;
      }
      return list;
    }
    reading.error(file, sentence("`", shown(path), "` cannot be read: ", text.error().message));
    return std::nullopt;
  }
  Result<List> read = read_path(path);
  if (read.ok()) return std::optional<List>(std::move(*read));
  reading.error(file, read.error().message);  // it names the file
  return std::nullopt;
}

/// What a list left out is worth a warning, in the list's own file and line.
void report_list(Reading& reading, const Node& file, const ListReport& report) {
  const std::string path = beside(reading, file, file.text);
  for (const ListReport::Sample& sample : report.samples)
    reading.out.add(Severity::Warning, path, sample.line, 1, sentence("`", sample.text, "` is left out: ", sample.reason));
  if (report.bad > report.samples.size())
    reading.warning(file, sentence(report.bad, " lines of `", shown(path), "` could not be read and are left out"));
  if (report.host_bits > 0)
    reading.out.add(Severity::Warning, path, report.host_bits_line, 1,
                    sentence(report.host_bits, " prefixes with host bits set, this one the first; the bits are ignored"));
}

std::shared_ptr<const PrefixSet> read_addresses_of(Reading& reading, const Node& node) {
  if (node.is_map()) {
    const Keys keys(reading, node, "a list of addresses", {"file", "format"});
    const Node* file = keys.at("file");
    if (file == nullptr) return reading.error(node, "expected `{ file: FILE }` or a list of addresses"), nullptr;
    constexpr std::string_view kFormats[] = {"list"};
    if (const Node* format = keys.at("format");
        format != nullptr && !reading.choice(*format, "the format of addresses", kFormats))
      return nullptr;
    auto list = read_list<AddressList>(
        reading, node, *file, [](std::string_view text) { return parse_addresses(text); },
        [](const std::string& path) { return read_addresses(path); });
    if (!list) return nullptr;
    report_list(reading, *file, list->report);
    return std::make_shared<const PrefixSet>(std::move(list->addresses));
  }
  std::vector<PrefixSet::Entry> entries;
  if (!(node.is_scalar() && node.text == "none"))
    reading.each(node, "addresses or prefixes (`none` for an empty set)", [&](const Node& item) {
      if (const auto prefix = reading.prefix(item, "a set of addresses")) entries.push_back({*prefix, 0});
    });
  return std::make_shared<const PrefixSet>(PrefixSet::build(std::move(entries)));
}

std::shared_ptr<const NameSet> read_domains_of(Reading& reading, const Node& node) {
  if (node.is_map()) {
    const Keys keys(reading, node, "a list of domains", {"file", "format"});
    const Node* file = keys.at("file");
    if (file == nullptr) return reading.error(node, "expected `{ file: FILE, format: list }` or a list of domains"), nullptr;
    NameFormat format = NameFormat::List;
    if (const Node* word = keys.at("format")) {
      constexpr std::string_view kFormats[] = {"list", "hosts", "rpz", "adblock"};
      const auto place = reading.choice(*word, "the format of domains", kFormats);
      if (!place) return nullptr;
      format = *parse_name_format(kFormats[*place]);
    }
    auto list = read_list<NameList>(
        reading, node, *file, [&](std::string_view text) { return parse_names(text, format); },
        [&](const std::string& path) { return read_names(path, format); });
    if (!list) return nullptr;
    report_list(reading, *file, list->report);
    return std::make_shared<const NameSet>(std::move(list->names));
  }
  NameSet::Builder builder;
  if (!(node.is_scalar() && node.text == "none"))
    reading.each(node, "domains (`none` for an empty set)", [&](const Node& item) {
      if (!reading.wants_text(item, "a domain such as `example.org` or `.example.org`")) return;
      const bool below = item.text.size() > 1 && item.text.front() == '.';
      if (!builder.add(below ? item.text.substr(1) : item.text, below ? NameSet::Reach::ExactAndBelow : NameSet::Reach::Exact, 0))
        reading.error(item, sentence("`", shown(item.text), "` is no domain name such as `example.org` or `.example.org`"));
    });
  return std::make_shared<const NameSet>(builder.build());
}

std::shared_ptr<const TextSet> read_urls_of(Reading& reading, const Node& node) {
  TextSet::Source source;
  const auto add = [&](std::string_view text) {
    (text.find_first_of("*?") == std::string_view::npos ? source.exact : source.globs).emplace_back(text);
  };
  if (node.is_map()) {
    const Keys keys(reading, node, "a list of urls", {"file", "format"});
    const Node* file = keys.at("file");
    if (file == nullptr) return reading.error(node, "expected `{ file: FILE }` or a list of urls"), nullptr;
    constexpr std::string_view kFormats[] = {"list"};
    if (const Node* format = keys.at("format"); format != nullptr && !reading.choice(*format, "the format of urls", kFormats))
      return nullptr;
    auto list = read_list<TextList>(
        reading, node, *file, [](std::string_view text) { return parse_texts(text); },
        [](const std::string& path) { return read_texts(path); });
    if (!list) return nullptr;
    report_list(reading, *file, list->report);
    for (const std::string& text : list->texts) add(text);
  } else if (!(node.is_scalar() && node.text == "none")) {
    reading.each(node, "urls (`none` for an empty set)", [&](const Node& item) {
      if (item.is_map()) {
        const Keys keys(reading, item, "a url", {"regex", "exact"});
        const Node* regex = keys.at("regex");
        const Node* exact = keys.at("exact");
        if (const Node* value = regex != nullptr ? regex : exact; value != nullptr && reading.wants_text(*value, "a text"))
          (regex != nullptr ? source.regexes : source.exact).emplace_back(value->text);
        return;
      }
      if (reading.wants_text(item, "a url")) add(item.text);
    });
  }
  std::vector<TextSet::Problem> problems;
  auto set = std::make_shared<const TextSet>(TextSet::build(std::move(source), problems));
  for (const TextSet::Problem& problem : problems)
    reading.error(node, sentence("`", shown(problem.pattern), "` cannot be compiled: ", problem.message));
  return set;
}

}  // namespace

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
      const Keys keys(reading, value, "a zone", {"ports", "networks"});
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

void read_sets(Reading& reading, const Node& node) {
  if (!reading.wants_map(node, "sets by name, such as `resolvers: { addresses: [10.0.0.53] }`")) return;
  node.for_each_pair([&](const Node& key, const Node& value) {
    if (!is_plain_name(key.text))
      return void(
          reading.error(key, sentence("`", shown(key.text), "` cannot be the name of a set (letters, digits, `-`, `_`, `.`)")));
    const std::string name(key.text);
    if (reading.has_set(name)) return;  // the includer's stands, or it is a key twice, which has been said
    const std::size_t errors_before = reading.out.errors();
    auto set = std::make_shared<NamedSet>();
    set->name = name;
    set->position = reading.position(key);
    if (reading.wants_map(value, "a map with `addresses`, `domains` or `urls`")) {
      const Keys keys(reading, value, "a set", {"addresses", "domains", "urls"});
      const Node* addresses = keys.at("addresses");
      const Node* domains = keys.at("domains");
      const Node* urls = keys.at("urls");
      const int kinds = (addresses != nullptr) + (domains != nullptr) + (urls != nullptr);
      if (kinds != 1 && (kinds > 1 || value.count == 0))
        reading.error(value, "a set has one of the keys `addresses`, `domains` or `urls`");
      if (addresses != nullptr) set->addresses = read_addresses_of(reading, *addresses);
      if (domains != nullptr) set->domains = read_domains_of(reading, *domains);
      if (urls != nullptr) set->urls = read_urls_of(reading, *urls);
    }
    const bool sound = reading.out.errors() == errors_before;
    reading.add_set(name, {sound ? std::shared_ptr<const NamedSet>(set) : nullptr, &key, false});
    if (sound) reading.policy.sets.push_back(std::move(set));
  });
}

void read_accounts(Reading& reading, const Node& node) {
  if (!reading.wants_map(node, "groups of accounts by name, such as `staff: { file: accounts.tsv }`")) return;
  node.for_each_pair([&](const Node&, const Node& group) {
    std::optional<AccountList> list;
    if (group.is_map()) {
      const Keys keys(reading, group, "a group of accounts", {"file"});
      const Node* file = keys.at("file");
      if (file == nullptr)
        return void(reading.error(group, "expected `{ file: FILE }` or a list such as `[ \"alice 10.1.0.0/16\" ]`"));
      list = read_list<AccountList>(
          reading, group, *file, [](std::string_view text) { return parse_accounts(text); },
          [](const std::string& path) { return read_accounts(path); });
      if (!list) return;
      const std::string path = beside(reading, group, file->text);
      for (const ListReport::Sample& sample : list->report.samples)
        reading.out.add(Severity::Error, path, sample.line, 1,
                        sentence("`", sample.text, "` is no account with its networks: ", sample.reason));
      reading.policy.accounts.insert(reading.policy.accounts.end(), list->accounts.begin(), list->accounts.end());
      return;
    }
    reading.each(group, "accounts such as `[ \"alice 10.1.0.0/16\" ]`", [&](const Node& item) {
      if (!reading.wants_text(item, "an account and its network")) return;
      const AccountList one = parse_accounts(item.text);
      if (one.accounts.empty())
        return void(reading.error(
            item, sentence("`", shown(item.text), "` is no account with its network, such as `alice 10.1.0.0/16`")));
      for (Account account : one.accounts) {
        account.line = 0;
        reading.policy.accounts.push_back(std::move(account));
      }
    });
  });
  std::sort(reading.policy.accounts.begin(), reading.policy.accounts.end(),
            [](const Account& a, const Account& b) { return std::tie(a.name, a.network) < std::tie(b.name, b.network); });
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
  const Keys keys(reading, node, "`idle`", {"tcp", "tcp_unanswered", "tcp_closing", "udp", "udp_answered", "icmp", "other"});
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
    const Keys keys(reading, node, "`default`", {"action", "technique"});
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
    const Keys keys(reading, node, "`undecided`", {"action", "frames", "bytes", "time", "server_bytes"});
    read_undecided_bounds(reading, node, reading.policy.undecided);
    word = keys.at("action");
    if (word == nullptr) return;
  }
  if (const auto place = reading.choice(*word, "`undecided`", kWords)) reading.policy.undecided.hold = *place == 1;
}

void read_kept_for_later(Reading& reading, std::string_view key, const Node& node) {
  if (node.is_scalar()) return void(reading.error(node, sentence("`", key, "` is a list or a map")));
  if (node.count == 0) reading.error(node, sentence("`", key, "` says nothing; leave it out"));
}

}  // namespace weir::policy
