// SPDX-License-Identifier: Apache-2.0
#include "policy/conditions.h"

#include <algorithm>

#include "base/text.h"
#include "facts/field_ids.h"
#include "policy/scalars.h"

namespace weir::policy {
namespace {

struct Bound {
  std::uint64_t min, max;
  std::string_view what;
};

Bound bound_of(FieldId id) {
  using namespace field;
  switch (id) {
    case kPort:
    case kClientPort:
    case kServerPort:
    case kSrcPort:
    case kDstPort:
      return {0, 65535, "a port"};
    case kIpVersion:
      return {4, 6, "an IP version (4 or 6)"};
    case kIpTtl:
      return {0, 255, "a time to live"};
    case kIpDscp:
      return {0, 63, "a code point"};
    case kIpProtocol:
      return {0, 255, "an IP protocol"};
    case kIp6RoutingType:
      return {0, 255, "a routing type"};
    case kIcmpType:
      return {0, 255, "an ICMP type"};
    case kIcmpCode:
      return {0, 255, "an ICMP code"};
    case kLlcDsap:
      return {0, 255, "a service access point"};
    case kVlanId:
      return {0, 4095, "a VLAN id"};
    case kEthType:
    case kGreProtocol:
      return {0, 65535, "an EtherType"};
    default:
      return {0, UINT64_MAX, "a number"};
  }
}

/// `http.uri` and `http.path` begin with a slash by nature: there `/…/` would be read in two ways, so it is refused.
bool is_path(const FieldRow& row) { return row.name == "http.uri" || row.name == "http.path"; }

/// A URL is more than `http.uri`, which lacks the host: there `@set` asks for http.url.
bool takes_urls(const FieldRow& row) { return row.name == "http.url" || row.name == "http.uri"; }

bool is_slashed(std::string_view text) { return text.size() > 2 && text.front() == '/' && text.back() == '/'; }

class ValueReader {
 public:
  ValueReader(Reading& reading, const FieldRow& row, Condition& condition)
      : reading_(reading), row_(row), condition_(condition) {}

  /// False if there was an error.
  bool read(const Node& node) {
    const std::size_t errors_before = reading_.out.errors();
    if (node.is_empty()) return reading_.error(node, sentence("no value for `", row_.name, "`"));
    if (node.is_list() && node.count == 0) return reading_.error(node, sentence("an empty list of values for `", row_.name, "`"));
    if (node.is_list()) {
      node.for_each_item([&](const Node& item) { read_one(item); });
    } else {
      read_one(node);
    }
    finish(node);
    return reading_.out.errors() == errors_before;
  }

 private:
  Values& values() { return condition_.values; }
  bool is_text_type() const {
    return row_.type == FieldType::Text || row_.type == FieldType::TextFold || row_.type == FieldType::Domain;
  }

  void read_one(const Node& node) {
    if (node.is_map()) return read_pattern_map(node);
    if (node.is_list()) return void(reading_.error(node, sentence("a list inside a list of values for `", row_.name, "`")));
    if (node.is_empty()) return void(reading_.error(node, sentence("no value for `", row_.name, "`")));
    values().written.emplace_back(node.text);
    if (node.text == "absent") return void(values().absent = true);
    if (node.text == "present") return void(values().present = true);
    if (node.text == "hidden") return void(values().hidden = true);
    if (node.text.size() > 1 && node.text.front() == '@' && takes_sets()) return read_set(node);
    switch (row_.type) {
      case FieldType::Number:
        return read_number(node);
      case FieldType::Boolean:
        return read_boolean(node);
      case FieldType::Word:
        return read_word(node);
      case FieldType::Text:
      case FieldType::TextFold:
      case FieldType::Domain:
        return read_text(node);
      case FieldType::Address:
        return read_address(node);
      case FieldType::Mac:
        return read_mac(node);
      case FieldType::Flags:
        return read_flags(node);
      case FieldType::App:
        return read_app(node);
      case FieldType::Zone:
        return read_zone(node);
      case FieldType::Port:
        return read_port(node);
    }
  }

  bool takes_sets() const { return is_text_type() || row_.type == FieldType::Address; }

  void add_number(std::uint64_t first, std::uint64_t last) { values().numbers.push_back({first, last}); }

  void read_number(const Node& node) {
    bool named = false;
    for (const Word& word : row_.words)
      if (equals_nocase(word.name, node.text)) add_number(word.value, word.value), named = true;
    if (named) return;
    const Bound bound = bound_of(row_.id);
    const auto range = parse_range(node.text, bound.max);
    if (!range) {
      const bool numeric = is_digit(node.text.front()) || node.text.front() == '-';
      if (!row_.words.empty() && !numeric) return unknown_word(node);
      return void(reading_.error(
          node, sentence("`", shown(node.text), "` is no number or range such as `443`, `1024-65535`, `1000-` or `-1023`")));
    }
    if (range->last > bound.max || range->last < bound.min)
      return void(reading_.error(
          node, sentence("`", node.text, "` is not ", bound.what, "; ", row_.name, " goes from ", bound.min, " to ", bound.max)));
    add_number(range->first, range->last);
    // The number of a type means ICMP's and ICMPv6's alike: the values are 0 + ICMP's and 256 + ICMPv6's (facts/fields.cc).
    if (row_.id == field::kIcmpType) add_number(256 + range->first, 256 + range->last);
  }

  void read_boolean(const Node& node) {
    if (node.text == "true") return add_number(1, 1);
    if (node.text == "false") return add_number(0, 0);
    reading_.error(node, sentence("`", row_.name, "` is true or false, not `", shown(node.text), "`"));
  }

  void read_word(const Node& node) {
    bool named = false;
    for (const Word& word : row_.words)
      if (word.name == node.text) add_number(word.value, word.value), named = true;
    if (!named) unknown_word(node);
  }

  void unknown_word(const Node& node) {
    std::vector<std::string_view> known;
    for (const Word& word : row_.words)
      if (std::find(known.begin(), known.end(), word.name) == known.end()) known.push_back(word.name);
    std::string message = sentence("`", shown(node.text), "` is no value of `", row_.name, "`");
    const std::string hint = reading_.hint(node.text, known);
    if (!hint.empty() || known.size() > 12) return void(reading_.error(node, message + hint));
    for (std::size_t i = 0; i < known.size(); ++i) message += sentence(i == 0 ? "; known are " : ", ", known[i]);
    reading_.error(node, std::move(message));
  }

  void read_set(const Node& node) {
    const Reading::SetEntry* entry = reading_.set(node);
    if (entry == nullptr || !entry->set) return;
    const NamedSet& set = *entry->set;
    const bool fits = row_.type == FieldType::Address ? set.addresses != nullptr
                      : set.domains                   ? row_.type != FieldType::Text
                                                      : set.urls != nullptr && takes_urls(row_);
    if (!fits) {
      const std::string_view kind = set.addresses ? "addresses" : set.domains ? "domains" : "urls";
      return void(reading_.error(
          node, sentence("`", node.text, "` is a set of ", kind, ", which `", row_.name, "` cannot be compared with",
                         set.urls ? "; write `http.url`" : "")));
    }
    if (set.urls) urls_ = &node;
    values().sets.push_back(entry->set);
  }

  void read_address(const Node& node) {
    if (const auto zone = reading_.find_zone(node.text)) return void(values().zones.push_back(*zone));
    if (parse_prefix(node.text)) {
      if (const auto prefix = reading_.prefix(node, row_.name)) prefixes_.push_back({*prefix, 0});
      return;
    }
    if (read_role(node.text)) return;
    const bool numeric = node.text.find_first_of("/:") != std::string_view::npos || is_digit(node.text.front());
    if (numeric) return void(reading_.error(node, sentence("`", shown(node.text), "` is no prefix or address")));
    const bool forgot_at = reading_.has_set(node.text);
    reading_.error(node, sentence("unknown zone `", shown(node.text), "`",
                                  forgot_at ? sentence("; the set of that name is written `\"@", node.text, "\"`")
                                            : reading_.hint(node.text, reading_.zone_names())));
  }

  /// Where no zone has the name, a role may: `inside` in a profile is then what the site says it is.
  bool read_role(std::string_view name) {
    bool found = false;
    for (const auto& [role, value] : reading_.policy.roles) {
      if (role != name) continue;
      found = true;
      if (const auto zone = reading_.find_zone(value)) values().zones.push_back(*zone);
      else if (const auto prefix = parse_prefix(value)) prefixes_.push_back({prefix->prefix, 0});
      else if (const Reading::SetEntry* entry = reading_.find_set(value.substr(1)); entry != nullptr && entry->set && entry->set->addresses)
        values().sets.push_back(entry->set);
    }
    return found;
  }

  void read_zone(const Node& node) {
    const ZoneId zone = reading_.zone(node);
    if (zone != kNoZone) add_number(zone, zone);
  }

  void read_port(const Node& node) {
    const PortIndex port = reading_.policy.port_index(node.text);
    if (port == kNoPort) return void(reading_.error(node, "too many names of ports"));
    add_number(port, port);
  }

  void read_app(const Node& node) {
    const auto app = reading_.words.app(node.text);
    if (app) return values().apps.add(*app);
    reading_.error(node,
                   sentence("unknown protocol `", shown(node.text), "`", reading_.hint(node.text, reading_.words.app_names())));
  }

  void read_mac(const Node& node) {
    const auto mac = parse_mac_prefix(node.text);
    if (mac) return values().macs.push_back(*mac);
    reading_.error(node, sentence("`", shown(node.text), "` is no MAC address or prefix of one such as `00:11:22`"));
  }

  void read_flags(const Node& node) {
    const auto flags = parse_tcp_flags(node.text);
    if (!flags)
      return void(reading_.error(
          node,
          sentence("`", shown(node.text), "` is no set of TCP flags such as `S`, `SA` or `none` (letters F S R P A U E C)")));
    if (*flags == 0 && row_.id == field::kTcpFlagsAny)
      return void(reading_.error(node, "`none` cannot be any of the flags; write `tcp.flags: none`"));
    values().flags.push_back(*flags);
  }

  void read_text(const Node& node) {
    const std::string_view text = node.text;
    if (is_slashed(text)) {
      const std::string_view inner = text.substr(1, text.size() - 2);
      if (is_path(row_))
        return void(reading_.error(node, sentence("`", shown(text), "` for `", row_.name,
                                                  "` may be a path or a regular expression; write `{ exact: ", shown(text),
                                                  " }` or `{ regex: ", shown(inner), " }`")));
      return add_regex(inner, node);
    }
    if (text.find_first_of("*?") != std::string_view::npos) {
      texts_.globs.emplace_back(text);
      patterns_.push_back({std::string(text), &node});
      return;
    }
    add_exact(text, node);
  }

  void add_exact(std::string_view text, const Node& node) {
    if (row_.type != FieldType::Domain) return texts_.exact.emplace_back(text), void();
    const bool below = text.size() > 1 && text.front() == '.';
    const bool added =
        names_.add(below ? text.substr(1) : text, below ? NameSet::Reach::ExactAndBelow : NameSet::Reach::Exact, 0);
    if (added) return void(has_names_ = true);
    // An address in brackets is no name, but it is what a Host header may say (RFC 3986 section 3.2.2).
    if (!below && text.find(':') != std::string_view::npos) return texts_.exact.emplace_back(text), void();
    reading_.error(node, sentence("`", shown(text),
                                  "` is no domain name such as `example.org` (that name) or `.example.org` (it and all below)"));
  }

  void add_regex(std::string_view pattern, const Node& node) {
    if (pattern.empty()) return void(reading_.error(node, "an empty regular expression"));
    texts_.regexes.emplace_back(pattern);
    patterns_.push_back({std::string(pattern), &node});
  }

  void read_pattern_map(const Node& node) {
    if (!is_text_type())
      return void(reading_.error(
          node, sentence("expected a value of `", row_.name, "`, found a map; `regex` and `exact` are for texts")));
    const Keys keys(reading_, node, grammar::kValue);
    const Node* regex = keys.at("regex");
    const Node* exact = keys.at("exact");
    if ((regex == nullptr) == (exact == nullptr))
      return void(reading_.error(node, "a value written as a map has one key, `regex` or `exact`"));
    const Node& value = regex != nullptr ? *regex : *exact;
    if (!value.is_scalar() || (value.is_empty() && regex != nullptr)) return void(reading_.error(value, "expected a text"));
    values().written.push_back(sentence(regex != nullptr ? "{ regex: " : "{ exact: ", value.text, " }"));
    if (regex != nullptr) return add_regex(value.text, value);
    texts_.exact.emplace_back(value.text);
  }

  /// Builds the sets from what was gathered.
  void finish(const Node& node) {
    if (urls_ != nullptr && row_.name == "http.uri") {
      const Values& v = values();
      if (!texts_.exact.empty() || !texts_.globs.empty() || !texts_.regexes.empty() || v.absent || v.present || v.hidden)
        reading_.error(*urls_,
                       sentence("`", urls_->text,
                                "` is a set of urls, beside which no other value may stand under `http.uri`; write `http.url`"));
      condition_.field = reading_.words.field("http.url")->id;
    }
    normalise(values().numbers);
    if (!prefixes_.empty()) values().prefixes = std::make_shared<const PrefixSet>(PrefixSet::build(std::move(prefixes_)));
    if (has_names_) values().names = std::make_shared<const NameSet>(names_.build());
    if (texts_.exact.empty() && texts_.globs.empty() && texts_.regexes.empty()) return;
    texts_.fold_case = row_.type != FieldType::Text;
    std::vector<TextSet::Problem> problems;
    values().texts = std::make_shared<const TextSet>(TextSet::build(std::move(texts_), problems));
    for (const TextSet::Problem& problem : problems) {
      const Node* at = &node;
      for (const auto& [pattern, where] : patterns_)
        if (pattern == problem.pattern) at = where;
      reading_.error(*at, sentence("`", shown(problem.pattern), "` cannot be compiled: ", problem.message));
    }
  }

  Reading& reading_;
  const FieldRow& row_;
  Condition& condition_;
  std::vector<PrefixSet::Entry> prefixes_;
  NameSet::Builder names_;
  bool has_names_ = false;
  const Node* urls_ = nullptr;  ///< A set of them.
  TextSet::Source texts_;
  std::vector<std::pair<std::string, const Node*>> patterns_;
};

}  // namespace

void normalise(std::vector<NumberRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const NumberRange& a, const NumberRange& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (const NumberRange& range : ranges) {
    if (kept > 0 && (ranges[kept - 1].last == UINT64_MAX || range.first <= ranges[kept - 1].last + 1)) {
      ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
}

AllOf read_conditions(Reading& reading, const Node& map) {
  AllOf all;
  if (!reading.wants_map(map, "a map of facts and their values, such as `{ port: 22 }`")) return all;
  all.reserve(map.count);
  map.for_each_pair([&](const Node& key, const Node& value) {
    Condition condition;
    condition.negated = key.text.starts_with("not.");
    condition.position = reading.position(key);
    const std::string_view name = condition.negated ? key.text.substr(4) : key.text;
    const FieldRow* row = reading.words.field(name);
    if (row == nullptr)
      return void(
          reading.error(key, sentence("unknown fact `", shown(name), "`", reading.hint(name, reading.words.field_names()))));
    condition.field = row->id;
    if (ValueReader(reading, *row, condition).read(value)) all.push_back(std::move(condition));
  });
  return all;
}

std::vector<AllOf> read_unless(Reading& reading, const Node& list) {
  std::vector<AllOf> out;
  if (!list.is_list()) {
    reading.error(list, "`unless` is a list of maps, such as `[ { from: admins } ]`");
    return out;
  }
  if (list.count == 0) reading.error(list, "an empty list under `unless`; leave it out");
  list.for_each_item([&](const Node& map) {
    if (map.is_map() && map.count == 0) return void(reading.error(map, "an empty map under `unless` would always hold"));
    AllOf all = read_conditions(reading, map);
    if (!all.empty()) out.push_back(std::move(all));
  });
  return out;
}

}  // namespace weir::policy
