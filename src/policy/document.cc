// SPDX-License-Identifier: Apache-2.0
#include "policy/document.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <unordered_map>

#include "policy/actions.h"
#include "policy/builtin.h"
#include "policy/conditions.h"
#include "policy/guards.h"
#include "policy/reading.h"
#include "policy/scalars.h"
#include "policy/sections.h"

namespace weir::policy {
namespace {

constexpr std::size_t kFilesMax = 1000;
constexpr std::size_t kFileBytesMax = 512UL << 20;
constexpr std::string_view kProfilePrefix = "weir:";

Result<std::string> read_whole_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{std::strerror(errno), errno};
  std::string text;
  char block[64 * 1024];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kFileBytesMax) return Error{"the file is too large for a policy", EFBIG};
  }
  if (in.bad()) return Error{"it cannot be read", EIO};
  return text;
}

/// One reading of a policy with all that it includes: trees first, then names, then what uses names.
class DocumentReader {
 public:
  DocumentReader(const Vocabulary& words, const LoadOptions& options, Diagnostics& out)
      : options_(options), out_(out), reading_(policy_, words, options, out) {}

  std::optional<Policy> read(const std::string& name, std::string_view text) {
    for (const std::string& port : options_.ports) policy_.port_index(port);
    if (!read_tree(name, text)) return std::nullopt;
    if (trees_.front() == nullptr) return std::nullopt;
    read_sections();
    if (options_.filter) {
      read_filter(*options_.filter);
    } else {
      read_guards_of_all();
      read_essential(reading_, essential());
      for (const Node* root : trees_)
        if (const Node* rules = root->at("rules")) read_rules(*rules);
      reading_.warn_unused();
    }
    if (out_.errors() > 0) return std::nullopt;
    return std::move(policy_);
  }

 private:
  /// Reads a file and what it includes, depth first: an includer stands before what it includes. False if this file is none.
  bool read_tree(const std::string& name, std::string_view text) {
    const auto index = static_cast<std::uint16_t>(policy_.files.size());
    policy_.files.push_back(name);
    const Node* root = yaml_.parse(text, policy_.files[index], index, options_.yaml, out_);
    if (root == nullptr) return false;
    if (!root->is_map()) return reading_.error(*root, "a policy is a map that starts with `weir: 1`");
    trees_.push_back(root);
    check_top(*root, index);
    const Node* include = root->at("include");
    if (include == nullptr) return true;
    path_.push_back(name);
    reading_.each(*include, "names of files", [&](const Node& item) {
      if (reading_.wants_text(item, "the name of a file")) include_one(item);
    });
    path_.pop_back();
    return true;
  }

  void include_one(const Node& item) {
    const bool profile = item.text.starts_with(kProfilePrefix);
    const std::string name = profile ? std::string(item.text) : beside(reading_, item, item.text);
    if (std::find(path_.begin(), path_.end(), name) != path_.end())
      return void(
          reading_.error(item, sentence("`", shown(name), "` includes itself", path_.size() > 1 ? " over other files" : "")));
    if (std::find(policy_.files.begin(), policy_.files.end(), name) != policy_.files.end()) return;  // once is enough
    if (policy_.files.size() >= kFilesMax) return void(reading_.error(item, sentence("more than ", kFilesMax, " files")));
    std::optional<std::string> text = profile ? read_profile(item) : read_file(item, name);
    if (!text) return;
    texts_.push_back(std::move(*text));
    read_tree(name, texts_.back());
  }

  std::optional<std::string> read_profile(const Node& item) {
    const std::string_view name = item.text.substr(kProfilePrefix.size());
    if (auto text = options_.profile ? options_.profile(name) : builtin_profile(name)) return text;
    std::string message = sentence("unknown profile `", shown(item.text), "`");
    const std::vector<std::string> known = options_.profile ? options_.profile_names : builtin_profile_names();
    for (std::size_t i = 0; i < known.size(); ++i) message += sentence(i == 0 ? "; known are " : ", ", kProfilePrefix, known[i]);
    if (known.empty()) message += "; no profiles are known here";
    reading_.error(item, std::move(message));
    return std::nullopt;
  }

  std::optional<std::string> read_file(const Node& item, const std::string& path) {
    Result<std::string> text = options_.read_file ? options_.read_file(path) : read_whole_file(path);
    if (text.ok()) return std::move(*text);
    reading_.error(item, sentence("`", shown(path), "` cannot be read: ", text.error().message));
    return std::nullopt;
  }

  void check_top(const Node& root, std::uint16_t index) {
    const Keys keys(reading_, root, grammar::kPolicy);
    const Node* version = keys.at("weir");
    if (version == nullptr) {
      if (index == 0) reading_.error(root, "`weir: 1` is missing: it names the version of the policy's language");
    } else if (!version->is_scalar() || version->text != "1") {
      reading_.error(*version, "`weir: 1` is the only version of the policy's language that is known here");
    }
    if (index == 0) return;
    for (std::string_view key : {"mode", "zones", "default", "undecided", "accounts", "roles", "trusted_proxies", "idle", "assert", "upstream"})
      if (const Node* value = keys.at(key)) reading_.error(*value, sentence("`", key, "` stands in the main file only"));
  }

  void read_sections() {
    const Node& main = *trees_.front();
    const auto with = [&](std::string_view key, void (*read)(Reading&, const Node&)) {
      if (const Node* value = main.at(key)) read(reading_, *value);
    };
    with("mode", read_mode);
    with("zones", read_zones);
    for (const Node* root : trees_)
      if (const Node* sets = root->at("sets")) read_sets(reading_, *sets);
    with("default", read_default);
    policy_.undecided.hold = policy_.default_action != Action::Allow;
    with("undecided", read_undecided);
    with("accounts", read_accounts);
    with("roles", read_roles);
    with("trusted_proxies", read_trusted_proxies);
    with("idle", read_idle);
    with("assert", read_assertions);
    with("upstream", read_upstreams);
  }

  void read_guards_of_all() {
    std::vector<const Node*> maps;
    for (const Node* root : trees_)
      if (const Node* guards = root->at("guards")) maps.push_back(guards);
    read_guards(reading_, maps);
  }

  /// The main file's word, else the first that an included file has.
  const Node* essential() const {
    for (const Node* root : trees_)
      if (const Node* node = root->at("essential")) return node;
    return nullptr;
  }

  void read_filter(const std::string& text) {
    const auto index = static_cast<std::uint16_t>(policy_.files.size());
    policy_.files.push_back("filter");
    const Node* root = yaml_.parse(text, policy_.files[index], index, options_.yaml, out_);
    if (root == nullptr) return;
    if (!root->is_map()) return void(reading_.error(*root, "a filter is a map of keys and values, as `match:` takes it: { port: 53 }"));
    Rule rule;
    rule.name = "filter";
    rule.action = Action::Alert;
    rule.match = read_conditions(reading_, *root);
    policy_.rules.push_back(std::move(rule));
  }

  void read_rules(const Node& rules) {
    if (!rules.is_list())
      return void(reading_.error(rules, "`rules` is a list of maps with `name`, `match` and `action`; `[]` if there are none"));
    policy_.rules.reserve(policy_.rules.size() + rules.count);
    rules.for_each_item([&](const Node& node) { read_rule(node); });
  }

  void read_rule(const Node& node) {
    if (!reading_.wants_map(node, "a rule with `name`, `match` and `action`")) return;
    const Keys keys(reading_, node, grammar::kRule);
    Rule rule;
    rule.position = reading_.position(node);
    if (const Node* name = keys.at("name")) {
      read_name(*name, rule);
    } else {
      reading_.error(node, "a rule needs a `name`");
    }
    if (const Node* technique = keys.at("technique")) rule.techniques = reading_.techniques(*technique);
    if (const Node* match = keys.at("match")) {
      rule.match = read_conditions(reading_, *match);
    } else {
      reading_.error(node, "a rule needs a `match`; `match: {}` holds for everything");
    }
    if (const Node* unless = keys.at("unless")) rule.unless = read_unless(reading_, *unless);
    if (const Node* action = keys.at("action")) {
      if (const auto read = read_action(reading_, *action, unit_of(rule))) apply(*read, rule);
    } else {
      reading_.error(node, "a rule needs an `action`: allow, drop, reject, alert, or a map with sinkhole, limit or ban");
    }
    read_details(keys, rule);
    policy_.rules.push_back(std::move(rule));
  }

  void read_name(const Node& node, Rule& rule) {
    if (!reading_.wants_text(node, "the name of the rule")) return;
    if (node.text.size() > 200) return void(reading_.error(node, "the name of a rule has at most 200 bytes"));
    if (node.text.starts_with("guard.") || node.text.starts_with("essential.") || node.text == "default")
      reading_.error(node,
                     sentence("`", node.text, "` is a name of ours: `default`, `guard.…` and `essential.…` are not for rules"));
    rule.name = std::string(node.text);
    const auto [before, fresh] = names_.emplace(node.text, &node);
    if (fresh) return;
    const Node& first = *before->second;
    reading_.error(
        node, sentence("there is a rule `", node.text, "` already, in ",
                       first.file == node.file ? std::string() : sentence(policy_.files[first.file], ", "), "line ", first.line));
  }

  /// What a bare `10/s` counts: described transactions if a key is about them, else flows.
  LimitUnit unit_of(const Rule& rule) const {
    const auto about_transactions = [&](const AllOf& all) {
      return std::any_of(all.begin(), all.end(),
                         [&](const Condition& c) { return reading_.words.field(c.field)->scope == Scope::Transaction; });
    };
    const bool any = about_transactions(rule.match) || std::any_of(rule.unless.begin(), rule.unless.end(), about_transactions);
    return any ? LimitUnit::Requests : LimitUnit::Flows;
  }

  void read_details(const Keys& keys, Rule& rule) {
    rule.monitor = policy_.monitor;
    if (const Node* mode = keys.at("mode")) {
      constexpr std::string_view kModes[] = {"enforce", "monitor"};
      if (const auto place = reading_.choice(*mode, "`mode`", kModes)) rule.monitor = policy_.monitor || *place == 1;
    }
    if (const Node* log = keys.at("log")) {
      constexpr std::string_view kLogs[] = {"all", "first", "none"};
      if (const auto place = reading_.choice(*log, "`log`", kLogs)) rule.log = static_cast<Log>(*place);
    }
    if (const Node* tunnel = keys.at("tunnel")) {
      constexpr std::string_view kTunnels[] = {"opaque"};
      rule.tunnel_opaque = reading_.choice(*tunnel, "`tunnel`", kTunnels).has_value();
    }
    if (const Node* expires = keys.at("expires");
        expires != nullptr && reading_.wants_text(*expires, "a date such as `2027-01-31`")) {
      const auto date = parse_date(expires->text);
      if (date) rule.expires_wall_ns = *date;
      else
        reading_.error(*expires,
                       sentence("`", shown(expires->text), "` is no date such as `2027-01-31` or `2027-01-31T12:00:00Z`"));
    }
    if (const Node* on = keys.at("on")) {
      constexpr std::string_view kNames[] = {"capture", "bridge", "host"};
      std::uint8_t mask = 0;
      reading_.each(*on, "datapaths: capture, bridge or host", [&](const Node& item) {
        if (const auto place = reading_.choice(item, "a datapath", kNames)) mask = static_cast<std::uint8_t>(mask | 1U << *place);
      });
      rule.datapaths = mask;
    }
  }

  const LoadOptions& options_;
  Diagnostics& out_;
  Policy policy_;
  Reading reading_;
  YamlTree yaml_;
  std::deque<std::string> texts_;
  std::vector<const Node*> trees_;  ///< Roots, the main file's first.
  std::vector<std::string> path_;   ///< Files being read, for cycles.
  std::unordered_map<std::string_view, const Node*> names_;
};

Loaded load(const std::string& name, std::string_view text, const Vocabulary& words, const LoadOptions& options,
            bool may_read_files) {
  Loaded out;
  LoadOptions used = options;
  if (!may_read_files && !used.read_file)
    used.read_file = [](const std::string&) -> Result<std::string> { return Error{"files are not read here", 0}; };
  out.policy = DocumentReader(words, used, out.diagnostics).read(name, text);
  out.diagnostics.sort();
  if (out.diagnostics.errors() > 0) out.policy.reset();
  return out;
}

}  // namespace

Loaded load_policy(const std::string& path, const Vocabulary& words, const LoadOptions& options) {
  Result<std::string> text = options.read_file ? options.read_file(path) : read_whole_file(path);
  if (text.ok()) return load(path, *text, words, options, true);
  Loaded out;
  out.diagnostics.add(Severity::Error, path, 1, 1, sentence("the policy cannot be read: ", text.error().message));
  return out;
}

Loaded load_policy_text(const std::string& name, std::string_view text, const Vocabulary& words, const LoadOptions& options) {
  return load(name, text, words, options, false);
}

}  // namespace weir::policy
