// SPDX-License-Identifier: Apache-2.0
#include "policy/changes.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace weir::policy {
namespace {

/// Both absent, or both there and the same.
template <typename Set>
bool same_set(const std::shared_ptr<const Set>& a, const std::shared_ptr<const Set>& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr && a->same_as(*b);
}

/// Sets by their contents, each asked once: a thousand rules may name one set of a million names.
class SameSets {
 public:
  bool same(const NamedSet& a, const NamedSet& b) {
    const auto [place, fresh] = known_.try_emplace(std::pair(&a, &b), false);
    if (fresh) place->second = same_set(a.addresses, b.addresses) && same_set(a.domains, b.domains) && same_set(a.urls, b.urls);
    return place->second;
  }

 private:
  struct Hash {
    std::size_t operator()(const std::pair<const NamedSet*, const NamedSet*>& p) const {
      return std::hash<const void*>()(p.first) * 31 + std::hash<const void*>()(p.second);
    }
  };
  std::unordered_map<std::pair<const NamedSet*, const NamedSet*>, bool, Hash> known_;
};

bool same_values(const Values& a, const Values& b, SameSets& sets) {
  if (a.absent != b.absent || a.present != b.present || a.hidden != b.hidden) return false;
  if (a.numbers != b.numbers || !(a.apps == b.apps) || a.zones != b.zones || a.macs != b.macs || a.flags != b.flags) return false;
  if (a.written != b.written || a.sets.size() != b.sets.size()) return false;
  if (!same_set(a.prefixes, b.prefixes) || !same_set(a.names, b.names) || !same_set(a.texts, b.texts)) return false;
  for (std::size_t i = 0; i < a.sets.size(); ++i)
    if (!sets.same(*a.sets[i], *b.sets[i])) return false;
  return true;
}

bool same_conditions(const AllOf& a, const AllOf& b, SameSets& sets) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].field != b[i].field || a[i].negated != b[i].negated || !same_values(a[i].values, b[i].values, sets)) return false;
  return true;
}

bool same_rule(const Rule& a, const Rule& b, SameSets& sets) {
  if (a.action != b.action || !(a.sinkhole == b.sinkhole) || !(a.limit == b.limit) || !(a.ban == b.ban)) return false;
  if (a.monitor != b.monitor || a.tunnel_opaque != b.tunnel_opaque || a.guard != b.guard || a.essential != b.essential) return false;
  if (a.expires_wall_ns != b.expires_wall_ns || a.datapaths != b.datapaths || a.techniques != b.techniques || a.log != b.log) return false;
  if (!same_conditions(a.match, b.match, sets) || a.unless.size() != b.unless.size()) return false;
  for (std::size_t i = 0; i < a.unless.size(); ++i)
    if (!same_conditions(a.unless[i], b.unless[i], sets)) return false;
  return true;
}

/// What rules are judged on beside their own words.
bool same_ground(const Policy& a, const Policy& b) {
  const auto zone = [](const ZoneDefinition& x, const ZoneDefinition& y) {
    return x.name == y.name && x.ports == y.ports && x.networks == y.networks;
  };
  const auto account = [](const Account& x, const Account& y) { return x.name == y.name && x.network == y.network; };
  return a.monitor == b.monitor && std::equal(a.zones.begin(), a.zones.end(), b.zones.begin(), b.zones.end(), zone) &&
         std::equal(a.accounts.begin(), a.accounts.end(), b.accounts.begin(), b.accounts.end(), account) && a.wishes == b.wishes &&
         same_set(a.trusted_proxies, b.trusted_proxies);
}

}  // namespace

Changes changes_between(const RuleSet& before, const RuleSet& after) {
  const Policy &a = before.policy(), &b = after.policy();
  Changes out;
  out.now.assign(a.rules.size(), kNoRule);
  out.same.assign(a.rules.size(), false);
  std::unordered_map<std::string_view, std::vector<RuleId>> by_name;
  for (RuleId id = 0; id < b.rules.size(); ++id) by_name[b.rules[id].name].push_back(id);
  std::unordered_map<std::string_view, std::size_t> seen;
  const bool ground = same_ground(a, b);
  SameSets sets;
  for (RuleId id = 0; id < a.rules.size(); ++id) {
    const auto found = by_name.find(a.rules[id].name);
    const std::size_t nth = seen[a.rules[id].name]++;
    if (found == by_name.end() || nth >= found->second.size()) continue;
    out.now[id] = found->second[nth];
    out.same[id] = ground && same_rule(a.rules[id], b.rules[out.now[id]], sets);
  }
  while (out.same_until < out.now.size() && out.same[out.same_until] && out.now[out.same_until] == out.same_until) ++out.same_until;
  out.identical = ground && out.same_until == a.rules.size() && a.rules.size() == b.rules.size() && a.default_action == b.default_action &&
                  a.undecided == b.undecided;
  return out;
}

Changes joined(const Changes& first, const Changes& second) {
  Changes out;
  out.now.reserve(first.now.size());
  out.same.reserve(first.now.size());
  for (RuleId id = 0; id < first.now.size(); ++id) {
    const RuleId between = first.now[id];
    out.now.push_back(between == kNoRule ? kNoRule : second.renamed(between));
    out.same.push_back(first.same[id] && second.is_same(between));
  }
  out.same_until = std::min(first.same_until, second.same_until);
  out.identical = first.identical && second.identical;
  return out;
}

}  // namespace weir::policy
