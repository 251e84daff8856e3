// SPDX-License-Identifier: Apache-2.0
// unbound, rpz: the names of a policy for a resolver. A resolver answers by the most specific entry, a policy by the first rule;
// a name that an earlier rule decides is therefore left out of what comes later.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "cli/export/names.h"
#include "cli/export/target.h"
#include "facts/field_ids.h"

namespace weir::cli {
namespace {

struct Entry {
  std::string name;
  bool below = false;  ///< All names below it; else it itself.
  const policy::Rule* rule = nullptr;
};

class Zone {
 public:
  /// For the account of losses, only what names alone decide is carried over, and what is not refused passes.
  explicit Zone(const policy::RuleSet& rules) : set_(rules), rules_(header_rules(rules)) {
    stops_ = rules_.back().effect == Effect::Stop;
    rules_.back().effect = Effect::Pass;
    for (HeaderRule& rule : rules_)
      rule.reason = rule.rule == nullptr || about_names_alone(*rule.rule) ? "" : "it asks for more than a name";
  }

  std::vector<Entry> make(Exported& out) {
    for (std::size_t i = 0; i + 1 < rules_.size(); ++i) one(i, out);
    if (stops_)
      out.losses.push_back(loss(rules_.size() - 1, "a resolver answers every name that it does not refuse", Lost::Weaker));
    out.remarks.push_back(
        "A resolver stops names of those who ask it; who asks another, or connects by address, is stopped by the filter alone.");
    return std::move(entries_);
  }

 private:
  bool about_names_alone(const policy::Rule& rule) const {
    return !rule.match.empty() && std::all_of(rule.match.begin(), rule.match.end(), [&](const policy::Condition& c) {
      const std::string_view key = set_.vocabulary().field(c.field)->name;
      return key == "dns.qname" || key == "server.name" || c.field == field::kFrom || c.field == field::kClientIp;
    });
  }

  Loss loss(std::size_t i, std::string reason, Lost lost) const {
    return {.rule = rules_[i].name, .place = rules_[i].place, .reason = std::move(reason), .lost = lost, .instead = {}};
  }

  void one(std::size_t i, Exported& out) {
    const policy::Rule& rule = *rules_[i].rule;
    if (rules_[i].effect == Effect::Report) return out.losses.push_back(loss(i, "a resolver answers or refuses", Lost::Report));
    if (rule.action == policy::Action::Limit || rule.action == policy::Action::Ban || rule.expires_wall_ns != INT64_MAX)
      return out.losses.push_back(loss_of(rules_, i, "it counts, bans or expires"));
    const policy::Condition* names = nullptr;
    std::string who;
    for (const policy::Condition& c : rule.match) {
      const std::string_view key = set_.vocabulary().field(c.field)->name;
      if (key == "dns.qname" || key == "server.name") {
        if (names != nullptr) return out.losses.push_back(loss_of(rules_, i, "it asks for two names at once"));
        names = &c;
      } else if (c.field == field::kFrom || c.field == field::kClientIp) {
        who = key;
      } else {
        return out.losses.push_back(loss_of(rules_, i, "it asks for more than a name"));
      }
    }
    if (names == nullptr) return out.losses.push_back(loss_of(rules_, i, "it asks for no name"));
    std::vector<HostName> spared;
    for (const policy::AllOf& map : rule.unless) {
      const auto list = map.size() == 1 && map[0].field == names->field ? names_of(map[0]) : std::nullopt;
      if (!list) return out.losses.push_back(loss_of(rules_, i, "it spares something else than names"));
      spared.insert(spared.end(), list->begin(), list->end());
    }
    const auto list = names_of(*names);
    if (!list) return out.losses.push_back(loss_of(rules_, i, "it asks for a pattern, or for a name that is not there"));
    if (!who.empty()) {
      if (rules_[i].effect == Effect::Pass)
        return out.losses.push_back(loss_of(rules_, i, "it lets only some clients pass, and a resolver's list is for all"));
      out.losses.push_back(loss(i, "it is about some clients, and a resolver's list is for all", Lost::Stricter));
    }
    bool odd = false;
    for (const HostName& name : spared) odd = !add(name, nullptr) || odd;
    for (const HostName& name : *list) odd = !add(name, &rule) || odd;
    if (odd)
      out.losses.push_back(loss(i, "it has names of more than letters, digits, - and _",
                                rules_[i].effect == Effect::Stop ? Lost::Weaker : Lost::Stricter));
  }

  /// False for a name that could say something else in a file of the resolver's.
  bool add(const HostName& name, const policy::Rule* rule) {
    for (const char c : name.name)
      if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_' && c != '.') return false;
    if (name.itself) add({name.name, false, rule});
    if (name.below) add({name.name, true, rule});
    return true;
  }

  void add(Entry entry) {
    // Decided already: the name itself, or all below it or a name above it.
    const std::string key = (entry.below ? "*." : "") + entry.name;
    if (decided_.contains(key)) return;
    for (std::size_t dot = entry.below ? 0 : entry.name.find('.'); dot != std::string::npos;
         dot = entry.name.find('.', dot + 1)) {
      const std::string above = dot == 0 && entry.below ? entry.name : entry.name.substr(dot + 1);
      if (decided_.contains("*." + above) && !(entry.below && above == entry.name)) return;
    }
    decided_.emplace(key, true);
    entries_.push_back(std::move(entry));
  }

  const policy::RuleSet& set_;
  std::vector<HeaderRule> rules_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, bool> decided_;
  bool stops_ = false;  ///< The policy stops what no rule lets pass.
};

bool lets_pass(const Entry& entry) { return entry.rule == nullptr || entry.rule->action == policy::Action::Allow; }

}  // namespace

Exported to_rpz(const policy::RuleSet& rules) {
  Exported out;
  out.text = "$TTL 300\n@ SOA localhost. hostmaster.localhost. 1 3600 600 86400 300\n@ NS localhost.\n";
  for (const Entry& entry : Zone(rules).make(out)) {
    const std::string owner = (entry.below ? "*." : "") + entry.name;
    if (lets_pass(entry))
      out.text += owner + " CNAME rpz-passthru.\n";
    else if (entry.rule->action == policy::Action::Sinkhole)
      out.text += fmt::format("{} {} {}\n", owner, entry.rule->sinkhole.is_v4() ? "A" : "AAAA", render(entry.rule->sinkhole));
    else
      out.text += owner + (entry.rule->action == policy::Action::Drop ? " CNAME rpz-drop.\n" : " CNAME .\n");
  }
  out.remarks.push_back("drop is written as rpz-drop (no answer), reject as NXDOMAIN. Raise the serial number with each change.");
  return out;
}

Exported to_unbound(const policy::RuleSet& rules) {
  Exported out;
  out.text = "server:\n";
  // A local zone is a name and all below it; one that means only itself is answered by data in a transparent zone.
  const std::vector<Entry> entries = Zone(rules).make(out);
  std::map<std::string, std::pair<const Entry*, const Entry*>> by_name;  // Itself, below.
  std::vector<std::string> order;
  for (const Entry& entry : entries) {
    auto [at, added] = by_name.try_emplace(entry.name, nullptr, nullptr);
    if (added) order.push_back(entry.name);
    (entry.below ? at->second.second : at->second.first) = &entry;
  }
  for (const std::string& name : order) {
    const auto& [itself, below] = by_name[name];
    const Entry* const entry = below != nullptr ? below : itself;
    const auto action = [](const Entry* e) {
      return e == nullptr ? std::optional<policy::Action>() : lets_pass(*e) ? policy::Action::Allow : e->rule->action;
    };
    if (action(itself) != action(below)) {
      // `example.org` alone, or another answer for it than for what is below.
      if (below == nullptr && !lets_pass(*itself)) {
        const policy::Rule& rule = *itself->rule;
        if (rule.action == policy::Action::Sinkhole)
          out.text += fmt::format("  local-zone: \"{}.\" typetransparent\n  local-data: \"{}. {} {}\"\n", name, name,
                                  rule.sinkhole.is_v4() ? "A" : "AAAA", render(rule.sinkhole));
        else
          out.losses.push_back({.rule = rule.name,
                                .place = {},
                                .reason = "a local zone of unbound is a name and all below it: `" + name +
                                          "` alone cannot be refused; the target rpz can",
                                .lost = Lost::Weaker,
                                .instead = {}});
        continue;
      }
      if (below == nullptr) {
        out.text += fmt::format("  local-zone: \"{}.\" transparent\n", name);
        continue;
      }
      out.losses.push_back({.rule = entry->rule != nullptr ? entry->rule->name : name,
                            .place = {},
                            .reason = "a local zone of unbound answers `" + name + "` as what is below it",
                            .lost = lets_pass(*below) ? Lost::Weaker : Lost::Stricter,
                            .instead = {}});
    }
    if (lets_pass(*entry))
      out.text += fmt::format("  local-zone: \"{}.\" transparent\n", name);
    else if (entry->rule->action == policy::Action::Sinkhole)
      out.text += fmt::format("  local-zone: \"{}.\" redirect\n  local-data: \"{}. {} {}\"\n", name, name,
                              entry->rule->sinkhole.is_v4() ? "A" : "AAAA", render(entry->rule->sinkhole));
    else
      out.text += fmt::format("  local-zone: \"{}.\" {}\n", name,
                              entry->rule->action == policy::Action::Drop ? "always_deny" : "always_refuse");
  }
  out.remarks.push_back("Include it from unbound.conf. drop is written as always_deny (no answer), reject as always_refuse.");
  return out;
}

}  // namespace weir::cli
