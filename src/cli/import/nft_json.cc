// SPDX-License-Identifier: Apache-2.0
// nftables: what `nft -j list ruleset` prints (libnftables-json(5)). One base chain of filters becomes the policy: that of the
// hook forward, else of input. A chain that lets established connections pass first is about flows, and its addresses are the
// client's and the server's; one that does not is about single packets.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/address.h"
#include "base/text.h"
#include "cli/export/space.h"
#include "cli/import/rule_text.h"

namespace weir::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kDepthMax = 64, kJumpsMax = 8, kStepsMax = 100'000, kValuesMax = 100'000;

struct Named {
  std::string_view name;
  std::string_view number;
};
constexpr Named kProtocols[] = {{"icmp", "1"},    {"igmp", "2"},      {"ipencap", "4"}, {"tcp", "6"},     {"udp", "17"},
                                {"ipv6", "41"},   {"gre", "47"},      {"esp", "50"},    {"ah", "51"},     {"ipv6-icmp", "58"},
                                {"icmpv6", "58"}, {"ospf", "89"},     {"vrrp", "112"},  {"l2tp", "115"},  {"sctp", "132"},
                                {"dccp", "33"},   {"udplite", "136"}, {"comp", "108"},  {"ipcomp", "108"}};
constexpr Named kIcmp4[] = {
    {"echo-reply", "0"},         {"destination-unreachable", "3"}, {"source-quench", "4"},        {"redirect", "5"},
    {"echo-request", "8"},       {"router-advertisement", "9"},    {"router-solicitation", "10"}, {"time-exceeded", "11"},
    {"parameter-problem", "12"}, {"timestamp-request", "13"},      {"timestamp-reply", "14"},     {"info-request", "15"},
    {"info-reply", "16"},        {"address-mask-request", "17"},   {"address-mask-reply", "18"}};
constexpr Named kIcmp6[] = {{"destination-unreachable", "1"},  {"packet-too-big", "2"},        {"time-exceeded", "3"},
                            {"parameter-problem", "4"},        {"echo-request", "128"},        {"echo-reply", "129"},
                            {"mld-listener-query", "130"},     {"mld-listener-report", "131"}, {"mld-listener-done", "132"},
                            {"mld-listener-reduction", "132"}, {"nd-router-solicit", "133"},   {"nd-router-advert", "134"},
                            {"nd-neighbor-solicit", "135"},    {"nd-neighbor-advert", "136"},  {"nd-redirect", "137"},
                            {"router-renumbering", "138"},     {"mld2-listener-report", "143"}};

std::string number_named(std::span<const Named> names, const std::string& text) {
  for (const Named& n : names)
    if (n.name == text) return std::string(n.number);
  return text;
}

const json* at(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}
std::string text_at(const json& object, const char* key) {
  const json* const value = at(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

/// How deep brackets nest, at least: those in strings count too.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  for (const char c : text) {
    if (c == '[' || c == '{')
      deepest = std::max(deepest, ++depth);
    else if ((c == ']' || c == '}') && depth > 0)
      --depth;
  }
  return deepest;
}

/// What values of a key are.
enum class Kind { Address, Port, Protocol, Icmp4, Icmp6, Number, Name };

class Importer {
 public:
  explicit Importer(std::string_view text) {
    if (depth_of(text) <= kDepthMax) document_ = json::parse(text, nullptr, false);
  }

  Imported take() {
    const json* const items = at(document_, "nftables");
    out_.preamble = "essential: false\ndefault: allow\n";
    if (items == nullptr || !items->is_array()) {
      out_.unfit.push_back({0, "the file", "it is no output of `nft -j list ruleset`"});
      return std::move(out_);
    }
    for (const json& item : *items) {
      if (const json* chain = at(item, "chain")) chains_[place(*chain)].head = chain;
      if (const json* rule = at(item, "rule")) chains_[place_of_rule(*rule)].rules.push_back({rule, ++numbers_});
      if (const json* set = at(item, "set")) sets_[text_at(*set, "table") + " " + text_at(*set, "name")] = set;
    }
    choose();
    return std::move(out_);
  }

 private:
  struct NumberedRule {
    const json* rule;
    std::size_t number;
  };
  struct Chain {
    const json* head = nullptr;
    std::vector<NumberedRule> rules;
    bool taken = false;
  };

  static std::string place(const json& chain) {
    return text_at(chain, "family") + " " + text_at(chain, "table") + " " + text_at(chain, "name");
  }
  static std::string place_of_rule(const json& rule) {
    return text_at(rule, "family") + " " + text_at(rule, "table") + " " + text_at(rule, "chain");
  }

  void choose() {
    Chain* chosen = nullptr;
    std::string name;
    for (const char* hook : {"forward", "input"})
      for (auto& [key, chain] : chains_)
        if (chosen == nullptr && chain.head != nullptr && text_at(*chain.head, "hook") == hook &&
            text_at(*chain.head, "type") == "filter")
          chosen = &chain, name = key;
    if (chosen == nullptr) {
      out_.unfit.push_back({0, "the ruleset", "it has no base chain of the type filter with the hook forward or input"});
      return;
    }
    out_.remarks.push_back("From the chain " + name + ".");
    const bool drops = text_at(*chosen->head, "policy") == "drop";
    out_.preamble =
        std::string("essential: false     # Such rules are among those below where the ruleset has them.\ndefault: ") +
        (drops ? "drop" : "allow") + "\n";
    // A table of one version of IP says nothing of the other.
    const std::string family = text_at(*chosen->head, "family");
    ImportedMatch base;
    if (family == "ip" || family == "ip6") require(base, "ip.version", {family == "ip" ? "4" : "6"});
    walk(*chosen, base, 0);
    if (drops && !base.empty()) {
      out_.preamble.replace(out_.preamble.rfind("drop"), 4, "allow");
      ImportedRule rule;
      rule.name = "policy";
      rule.action = "drop";
      rule.match = base;
      out_.add(std::move(rule));
    }
    for (const auto& [key, chain] : chains_)
      if (!chain.taken && !chain.rules.empty())
        out_.unfit.push_back({chain.rules.front().number, key, "one chain becomes the policy, and this is another"});
  }

  void walk(Chain& chain, const ImportedMatch& outer, std::size_t depth) {
    chain.taken = true;
    for (const NumberedRule& rule : chain.rules) {
      if (++steps_ > kStepsMax) {
        if (steps_ == kStepsMax + 1)
          out_.unfit.push_back({rule.number, "all from here on", "there are too many rules, jumps counted"});
        return;
      }
      one(*rule.rule, rule.number, place_of_rule(*rule.rule), outer, depth);
    }
  }

  /// One rule of a chain. What cannot be said goes to `unfit` whole.
  void one(const json& rule, std::size_t number, const std::string& chain, const ImportedMatch& outer, std::size_t depth) {
    const json* const statements = at(rule, "expr");
    if (statements == nullptr || !statements->is_array()) return;
    ImportedRule made{.name = text_at(rule, "comment"), .action = {}, .match = outer, .unless = {}, .techniques = {}};
    std::string reason, action, target;
    bool logs = false, answers_alone = false;
    states_.clear();
    for (const json& statement : *statements) {
      if (!statement.is_object() || statement.empty()) return unfit(number, rule, "a statement that is none");
      const std::string kind = statement.begin().key();
      if (kind == "match")
        reason = condition(*statement.begin(), rule, made.match);
      else if (kind == "accept")
        action = "allow";
      else if (kind == "drop" || kind == "reject")
        action = kind;
      else if (kind == "log")
        logs = true;
      else if (kind == "jump" || kind == "goto")
        target = text_at(*statement.begin(), "target"), action = kind;
      else if (kind == "return" && depth == 0)
        return;  // Of a base chain: what its policy says is asked next.
      else if (kind != "counter")
        reason = "`" + kind + "` has no counterpart";
      if (!reason.empty()) return unfit(number, rule, reason);
    }
    if (!states_.empty()) {
      const bool only_answers =
          std::all_of(states_.begin(), states_.end(), [](const std::string& s) { return s == "established" || s == "related"; });
      answers_alone = only_answers && action == "allow" && made.match == outer && depth == 0;
      if (answers_alone) {
        flows_ = true;  // Answers pass with what they answer, here as there.
        return;
      }
      if (only_answers && flows_) return;  // Nothing of that comes so far.
      std::vector<std::string> left = states_;
      if (flows_) std::erase_if(left, [](const std::string& s) { return s == "established" || s == "related"; });
      if (!(flows_ && std::find(left.begin(), left.end(), "new") != left.end()) && !require(made.match, "flow.state", left))
        return unfit(number, rule, "two conditions on one key");
      if (std::find(left.begin(), left.end(), "invalid") != left.end())
        out_.remarks.push_back("flow.state: invalid is told where the guard tcp-state is on.");
    }
    if (made.name.empty()) made.name = text_at(rule, "chain") + "-" + std::to_string(number);
    if (action == "jump" || action == "goto") {
      const std::string key = chain.substr(0, chain.rfind(' ') + 1) + target;
      const auto found = chains_.find(key);
      if (found == chains_.end() || depth >= kJumpsMax || action == "goto")
        return unfit(number, rule,
                     action == "goto" ? "`goto` does not come back" : "the chain it jumps to is not there, or too deep");
      return walk(found->second, made.match, depth + 1);
    }
    if (action.empty() && !logs) return;  // It counts.
    made.action = action.empty() ? "alert" : action;
    out_.add(std::move(made));
  }

  void unfit(std::size_t number, const json& rule, std::string reason) {
    std::string what = text_at(rule, "comment");
    const json* const statements = at(rule, "expr");
    if (what.empty() && statements != nullptr)
      what = statements->dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 200);
    out_.unfit.push_back({number, what, std::move(reason)});
  }

  /// Adds a match to `out`; a reason where that is not possible.
  std::string condition(const json& match, const json& rule, ImportedMatch& out) {
    const json* const left = at(match, "left");
    const json* const right = at(match, "right");
    if (left == nullptr || right == nullptr) return "a match without two sides";
    std::string op = text_at(match, "op");
    if (op == "in" && at(*left, "ct") != nullptr) op = "==";
    if (op != "==" && op != "!=") return "the operator `" + op + "`";
    const std::string no = op == "!=" ? "not." : "";
    std::string key;
    Kind kind = Kind::Number;
    std::string also_version, also_protocol;
    if (const json* payload = at(*left, "payload")) {
      const std::string protocol = text_at(*payload, "protocol"), field = text_at(*payload, "field");
      const bool v4 = protocol == "ip", v6 = protocol == "ip6";
      if ((v4 || v6) && (field == "saddr" || field == "daddr")) {
        kind = Kind::Address;
        key = field == "saddr" ? (flows_ ? "from" : "src.ip") : (flows_ ? "to" : "dst.ip");
        also_version = v4 ? "4" : "6";
      } else if ((v4 && field == "protocol") || (v6 && field == "nexthdr")) {
        kind = Kind::Protocol, key = "ip.protocol", also_version = v4 ? "4" : "6";
      } else if (v4 && field == "ttl") {
        key = "ip.ttl", also_version = "4";
      } else if (v6 && field == "hoplimit") {
        key = "ip.ttl", also_version = "6";
      } else if ((protocol == "tcp" || protocol == "udp" || protocol == "sctp" || protocol == "th") &&
                 (field == "sport" || field == "dport")) {
        kind = Kind::Port;
        key = field == "dport" ? (flows_ ? "port" : "dst.port") : (flows_ ? "client.port" : "src.port");
        if (protocol != "th") also_protocol = number_named(kProtocols, protocol);
      } else if (protocol == "icmp" && field == "type") {
        kind = Kind::Icmp4, key = "icmp.type", also_protocol = "1", also_version = "4";
      } else if (protocol == "icmpv6" && field == "type") {
        kind = Kind::Icmp6, key = "icmp.type", also_protocol = "58", also_version = "6";
      } else {
        return "`" + protocol + " " + field + "` has no counterpart";
      }
    } else if (const json* meta = at(*left, "meta")) {
      const std::string name = text_at(*meta, "key");
      if (name == "l4proto")
        kind = Kind::Protocol, key = "ip.protocol";
      else if (name == "nfproto" || name == "protocol")
        return version(*right, no, out);
      else if (name == "iifname" || name == "iif")
        kind = Kind::Name, key = "in.port";
      else
        return "`meta " + name + "` has no counterpart";
    } else if (const json* ct = at(*left, "ct")) {
      if (text_at(*ct, "key") != "state") return "`ct " + text_at(*ct, "key") + "` has no counterpart";
      return state(*right, !no.empty());
    } else {
      return "a match on what has no counterpart";
    }
    std::vector<std::string> values;
    if (const std::string reason = values_of(*right, kind, rule, values); !reason.empty()) return reason;
    if (values.empty()) return "no values";
    if (!also_version.empty() && (!no.empty() || kind != Kind::Address) && !require(out, "ip.version", {also_version}))
      return "two conditions on one key";
    if (!also_protocol.empty() && !narrow_protocol(out, also_protocol)) return "two conditions on one key";
    if (key == "ip.protocol" && no.empty() && holds(out, key, values)) return {};
    if (!require(out, no + key, values)) return "two conditions on one key";
    return {};
  }

  /// `meta l4proto tcp tcp dport 22` says tcp twice.
  static bool narrow_protocol(ImportedMatch& out, const std::string& protocol) {
    for (ImportedCondition& c : out)
      if (c.key == "ip.protocol") {
        if (std::find(c.values.begin(), c.values.end(), protocol) == c.values.end()) return false;
        c.values = {protocol};
        return true;
      }
    return require(out, "ip.protocol", {protocol});
  }
  static bool holds(const ImportedMatch& out, const std::string& key, const std::vector<std::string>& values) {
    for (const ImportedCondition& c : out)
      if (c.key == key)
        return std::all_of(c.values.begin(), c.values.end(),
                           [&](const std::string& v) { return std::find(values.begin(), values.end(), v) != values.end(); });
    return false;
  }

  static std::string version(const json& right, const std::string& no, ImportedMatch& out) {
    const std::string text = right.is_string() ? right.get<std::string>() : "";
    const std::string number = text == "ipv4" || text == "ip" ? "4" : text == "ipv6" || text == "ip6" ? "6" : "";
    if (number.empty()) return "a version of IP that is none";
    return require(out, no + "ip.version", {number}) ? std::string() : "two conditions on one key";
  }

  std::string state(const json& right, bool negated) {
    std::vector<std::string> named;
    const auto add = [&](const json& value) {
      if (value.is_string()) named.push_back(value.get<std::string>());
    };
    const json* const set = at(right, "set");
    const json& list = set != nullptr ? *set : right;
    if (list.is_array())
      for (const json& value : list) add(value);
    else
      add(list);
    constexpr std::string_view kKnown[] = {"new", "established", "related", "invalid"};
    for (const std::string& name : named)
      if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
        return "`ct state " + name + "` has no counterpart";
    if (named.empty() || !states_.empty()) return "a condition on the state that is none";
    for (const std::string_view known : kKnown)
      if ((std::find(named.begin(), named.end(), known) != named.end()) != negated) states_.emplace_back(known);
    return states_.empty() ? "a state that never is" : std::string();
  }

  std::string values_of(const json& right, Kind kind, const json& rule, std::vector<std::string>& out) {
    if (out.size() > kValuesMax) return "too many values";
    if (const json* set = at(right, "set")) {
      if (!set->is_array()) return values_of(*set, kind, rule, out);
      for (const json& value : *set)
        if (const std::string reason = values_of(value, kind, rule, out); !reason.empty()) return reason;
      return {};
    }
    if (const json* elem = at(right, "elem")) {
      const json* const value = at(*elem, "val");
      return value == nullptr ? "an element without a value" : values_of(*value, kind, rule, out);
    }
    if (const json* prefix = at(right, "prefix")) {
      const json* const length = at(*prefix, "len");
      if (kind != Kind::Address || length == nullptr || !length->is_number_unsigned()) return "a prefix that is none";
      const auto parsed = parse_prefix(text_at(*prefix, "addr") + "/" + std::to_string(length->get<std::uint64_t>()));
      if (!parsed) return "a prefix that is none";
      out.push_back(render(parsed->prefix));
      return {};
    }
    if (const json* range = at(right, "range")) return range_of(*range, kind, out);
    if (right.is_string() && right.get<std::string>().starts_with("@")) {
      const auto set = sets_.find(text_at(rule, "table") + " " + right.get<std::string>().substr(1));
      const json* const elements = set == sets_.end() ? nullptr : at(*set->second, "elem");
      if (elements == nullptr || !elements->is_array()) return "a set whose elements are not there";
      for (const json& value : *elements) {
        if (value.is_string() && value.get<std::string>().starts_with("@")) return "a set of sets";
        if (const std::string reason = values_of(value, kind, rule, out); !reason.empty()) return reason;
      }
      return {};
    }
    return one_value(right, kind, out);
  }

  static std::string one_value(const json& right, Kind kind, std::vector<std::string>& out) {
    std::string text = right.is_string()            ? right.get<std::string>()
                       : right.is_number_unsigned() ? std::to_string(right.get<std::uint64_t>())
                                                    : std::string();
    if (kind == Kind::Protocol) text = number_named(kProtocols, text);
    if (kind == Kind::Icmp4) text = number_named(kIcmp4, text);
    if (kind == Kind::Icmp6) text = number_named(kIcmp6, text);
    if (kind == Kind::Address) {
      const auto ip = parse_ip(text);
      if (!ip) return "an address that is none";
      text = render(*ip);
    } else if (kind == Kind::Name) {
      if (text.empty() || text.find('*') != std::string::npos || text == "absent" || text == "present" || text == "hidden")
        return "an interface that is none";
    } else {
      const auto number = parse_number(text);
      if (!number || *number > (kind == Kind::Port ? 65535 : 255)) return "a value that is no number here";
    }
    out.push_back(std::move(text));
    return {};
  }

  /// Addresses become prefixes.
  static std::string range_of(const json& range, Kind kind, std::vector<std::string>& out) {
    if (!range.is_array() || range.size() != 2) return "a range that is none";
    std::vector<std::string> ends;
    for (const json& end : range)
      if (const std::string reason = one_value(end, kind, ends); !reason.empty()) return reason;
    if (kind == Kind::Name) return "a range of names";
    if (kind != Kind::Address) {
      if (*parse_number(ends[0]) > *parse_number(ends[1])) return "a range that is none";
      out.push_back(ends[0] + "-" + ends[1]);
      return {};
    }
    const Ip first = *parse_ip(ends[0]), last = *parse_ip(ends[1]);
    if (first.is_v4() != last.is_v4() || last < first) return "a range that is none";
    const auto prefixes = prefixes_of(AddressSet(number_of(first), number_of(last)));
    for (const Prefix& p : *prefixes) out.push_back(render(p));
    return {};
  }

  json document_;
  std::map<std::string, Chain> chains_;
  std::map<std::string, const json*> sets_;
  std::size_t numbers_ = 0;
  std::size_t steps_ = 0;
  bool flows_ = false;  ///< Answers pass before all else.
  std::vector<std::string> states_;
  Imported out_;
};

}  // namespace

Imported import_nftables(std::string_view text) { return Importer(text).take(); }

}  // namespace weir::cli
