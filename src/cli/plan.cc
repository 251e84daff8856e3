// SPDX-License-Identifier: Apache-2.0
// weir plan: the continuity plan for floods that a policy implies: its services, what bounds each, who is upstream, which steps to take
// at which load. It is Markdown, to be printed and kept where it can be read when nothing else works.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/policy_file.h"
#include "cli/verb.h"
#include "facts/field_ids.h"
#include "policy/zone.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;
using policy::Policy;
using policy::Rule;

struct Options {
  std::string policy;
  bool json = false;
};

/// Who takes a flood before us.
struct Helper {
  std::string name;
  std::vector<std::string> contacts, ways;  ///< Ways: blackhole, flowspec, scrubbing.
  std::vector<Prefix> prefixes;
  std::string community;
  double capacity_bits_per_s = 0;
};

/// A server that the world calls.
struct Service {
  std::string name;                  ///< The role or set that names it.
  Ip ip;
  std::vector<const Rule*> limits, bans;
  std::vector<std::string> upstream;
  std::string lock;                  ///< The rule that lets only some in.
};

/// What `upstream:` says.
std::vector<Helper> helpers_of(const policy::Policy& policy) {
  std::vector<Helper> out;
  for (const policy::Upstream& u : policy.upstreams) {
    Helper h{.name = u.name, .contacts = u.contacts, .prefixes = u.prefixes, .capacity_bits_per_s = u.capacity_bits_per_s};
    if ((u.announce & u.kBlackhole) != 0) h.ways.emplace_back("blackhole");
    if ((u.announce & u.kFlowspec) != 0) h.ways.emplace_back("flowspec");
    if ((u.announce & u.kScrubbing) != 0) h.ways.emplace_back("scrubbing");
    h.community = u.communities.empty() ? "65535:666" : u.communities.front();  // RFC 7999
    out.push_back(std::move(h));
  }
  return out;
}

bool holds(const policy::Condition& c, const Ip& ip, ZoneId zone) {
  bool any = std::find(c.values.zones.begin(), c.values.zones.end(), zone) != c.values.zones.end();
  any = any || (c.values.prefixes && c.values.prefixes->contains(ip));
  for (const auto& set : c.values.sets) any = any || (set->addresses && set->addresses->contains(ip));
  return any != c.negated;
}

/// The rule may be about this server's clients: no condition on its address says otherwise.
bool is_about(const Rule& rule, const Ip& ip, ZoneId zone) {
  using namespace field;
  return std::all_of(rule.match.begin(), rule.match.end(), [&](const policy::Condition& c) {
    return (c.field != kTo && c.field != kServerIp && c.field != kDstIp) || holds(c, ip, zone);
  });
}

bool names_server(const Rule& rule) {
  return std::any_of(rule.match.begin(), rule.match.end(), [](const policy::Condition& c) { return c.field == field::kTo || c.field == field::kServerIp; });
}

/// It stops everybody from outside but some: an origin lock.
bool is_lock(const Rule& rule) {
  const bool denies = rule.action == policy::Action::Drop || rule.action == policy::Action::Reject;
  const bool from_some = std::any_of(rule.unless.begin(), rule.unless.end(), [](const policy::AllOf& all) {
    return all.size() == 1 && (all.front().field == field::kFrom || all.front().field == field::kClientIp);
  });
  const bool header_only = std::all_of(rule.match.begin(), rule.match.end(), [](const policy::Condition& c) {
    return c.field == field::kTo || c.field == field::kFrom || c.field == field::kServerIp || c.field == field::kPort || c.field == field::kIpProtocol;
  });
  return denies && from_some && header_only && names_server(rule) && !rule.monitor;
}

void add_services(const Policy& policy, std::string_view name, std::string_view set_name, std::vector<Service>& out) {
  constexpr std::size_t kServicesMax = 200;
  const auto add = [&](const Ip& ip) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const Service& s) { return s.ip == ip; });
    if (!known && out.size() < kServicesMax) out.push_back({.name = std::string(name), .ip = ip});
  };
  for (const auto& [role, value] : policy.roles)
    if (const auto prefix = role == name ? parse_prefix(value) : std::nullopt) add(prefix->prefix.network);
  for (const auto& set : policy.sets) {
    const bool meant = set->name == set_name || std::any_of(policy.roles.begin(), policy.roles.end(), [&](const auto& role) {
      return role.first == name && role.second == "@" + set->name;
    });
    if (meant && set->addresses) set->addresses->for_each_range([&](const Ip& first, const Ip&) { add(first); });
  }
}

std::vector<Service> services_of(const Policy& policy, const std::vector<Helper>& helpers) {
  std::vector<Service> out;
  add_services(policy, "server", "published", out);
  add_services(policy, "origin", "origins", out);
  const policy::ZoneMap zones(policy.zones);
  for (Service& service : out) {
    const ZoneId zone = zones.by_network(service.ip);
    for (const Rule& rule : policy.rules) {
      if (rule.monitor || !is_about(rule, service.ip, zone)) continue;
      if (rule.action == policy::Action::Limit) service.limits.push_back(&rule);
      if (rule.action == policy::Action::Ban) service.bans.push_back(&rule);
      if (service.lock.empty() && is_lock(rule)) service.lock = rule.name;
    }
    for (const Helper& helper : helpers)
      for (const Prefix& prefix : helper.prefixes)
        if (prefix.contains(service.ip)) {
          service.upstream.push_back(helper.name);
          break;
        }
  }
  return out;
}

std::string rate_text(const policy::Limit& limit) {
  constexpr std::string_view kUnits[] = {"requests", "flows", "packets", "bits", "bytes"};
  return fmt::format("{:g} {}/s, {:g} at once", limit.rate, kUnits[static_cast<std::size_t>(limit.unit)], limit.burst);
}

std::string counted_text(const policy::Limit& limit, const Vocabulary& words) {
  std::string out;
  for (const policy::PerKey& per : limit.per) out += (out.empty() ? "" : ", ") + std::string(words.field(per.field)->name);
  return out.empty() ? "all together" : "each " + out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

std::vector<std::string> gaps_of(const Service& service) {
  std::vector<std::string> out;
  if (service.limits.empty()) out.emplace_back("no limit: one client may take all of it");
  if (service.upstream.empty()) out.emplace_back("no upstream: a flood larger than the line is stopped by nobody");
  if (service.lock.empty()) out.emplace_back("no origin lock: it is reached past a CDN, if it has one");
  return out;
}

void print_services(const std::vector<Service>& services, const Vocabulary& words) {
  std::printf("## Services, and what bounds them\n\n");
  if (services.empty())
    std::printf("The policy names none: tell the role `server` (or the set `published`), and `origin` for what stands behind a CDN.\n\n");
  for (const Service& service : services) {
    std::printf("### %s (%s)\n\n", render(service.ip).c_str(), service.name.c_str());
    for (const Rule* rule : service.limits)
      std::printf("- `%s`: %s, %s; what is over it: %s\n", rule->name.c_str(), rate_text(rule->limit).c_str(), counted_text(rule->limit, words).c_str(),
                  std::string(policy::name_of(rule->limit.over)).c_str());
    for (const Rule* rule : service.bans)
      std::printf("- `%s`: bans after %u, for %lld s\n", rule->name.c_str(), rule->ban.after, static_cast<long long>(rule->ban.for_ns / kSecond));
    if (!service.lock.empty()) std::printf("- `%s`: only some may call it\n", service.lock.c_str());
    if (!service.upstream.empty()) std::printf("- upstream: %s\n", joined(service.upstream).c_str());
    for (const std::string& gap : gaps_of(service)) std::printf("- **gap** %s\n", gap.c_str());
    std::printf("\n");
  }
}

void print_helpers(const std::vector<Helper>& helpers, const std::vector<Service>& services) {
  std::printf("## Whom to call\n\n");
  if (helpers.empty()) std::printf("**Nobody is named.** Write `upstream:` with a name, a contact and what may be announced, before it is needed.\n\n");
  for (const Helper& helper : helpers) {
    std::printf("### %s\n\n- contact: %s\n", helper.name.c_str(), joined(helper.contacts).c_str());
    if (helper.capacity_bits_per_s > 0)
      std::printf("- the line holds %.3g Mbit/s: what exceeds it can be stopped there only\n", helper.capacity_bits_per_s / 1e6);
    if (helper.ways.empty()) std::printf("- nothing may be announced to it: the telephone is the way\n");
    else std::printf("- takes: %s\n", joined(helper.ways).c_str());
    for (const Service& service : services) {
      if (std::find(service.upstream.begin(), service.upstream.end(), helper.name) == service.upstream.end()) continue;
      const std::string ip = render(service.ip) + (service.ip.is_v4() ? "/32" : "/128");
      for (const std::string& way : helper.ways) {
        if (way == "blackhole")
          std::printf("- give up %s so that the rest lives: `gobgp global rib add %s community %s`; back: `gobgp global rib del %s`\n", ip.c_str(), ip.c_str(),
                      helper.community.c_str(), ip.c_str());
        if (way == "flowspec" && service.ip.is_v4())
          std::printf("- stop one protocol to %s: `gobgp global rib -a ipv4-flowspec add match destination %s protocol udp then discard`; the same with `del` takes it back\n",
                      ip.c_str(), ip.c_str());
      }
    }
    std::printf("\n");
  }
}

void print_steps() {
  std::printf(
      "## What happens at which load\n\n"
      "| load | what happens by itself | what to do |\n|---|---|---|\n"
      "| one client over its rate | the rules above stop what is over it; others notice nothing | read the events of the rule; nothing else |\n"
      "| many clients, each below its rate | the limits to a server as a whole stop friend and foe alike | lower the rate a client, spare those that are known, or ban by port or protocol |\n"
      "| the filter at its bounds | tables are full: new flows are counted and refused by name | drop by header alone, in front: source networks, protocols that are not served |\n"
      "| the line full | nothing here helps any more | announce upstream or call; then tell users by another way |\n\n"
      "## Steps\n\n"
      "1. Record a minute of it: `tcpdump -i PORT -w flood.pcap -c 1000000`.\n"
      "2. See what the policy makes of it: `weir replay flood.pcap --policy POLICY --json`; which rule stops how much, which protocol is left.\n"
      "3. Write the rule that names it, and try it: `weir diff POLICY NEW flood.pcap`; what else would it stop?\n"
      "4. Take it into force; if the line is full, announce upstream first.\n"
      "5. Afterwards take every measure back, and keep the capture as a case for `weir test`.\n");
}

ordered_json json_of(const Service& s, const Vocabulary& words) {
  ordered_json limits = ordered_json::array(), bans = ordered_json::array();
  for (const Rule* rule : s.limits)
    limits.push_back({{"rule", rule->name}, {"rate", rate_text(rule->limit)}, {"counted", counted_text(rule->limit, words)}, {"over", policy::name_of(rule->limit.over)}});
  for (const Rule* rule : s.bans) bans.push_back(rule->name);
  return {{"address", render(s.ip)}, {"role", s.name}, {"limits", limits}, {"bans", bans}, {"lock", s.lock}, {"upstream", s.upstream}, {"gaps", gaps_of(s)}};
}

int plan(const Options& options) {
  const auto rules = load_rules(options.policy);
  if (rules == nullptr) return kWrong;
  const Policy& policy = rules->policy();
  const std::vector<Helper> helpers = helpers_of(policy);
  const std::vector<Service> services = services_of(policy, helpers);
  bool whole = !services.empty() && !helpers.empty();
  for (const Service& s : services) whole = whole && !s.limits.empty() && !s.upstream.empty();
  if (options.json) {
    ordered_json list = ordered_json::array(), upstream = ordered_json::array();
    for (const Service& s : services) list.push_back(json_of(s, rules->vocabulary()));
    for (const Helper& h : helpers) upstream.push_back({{"name", h.name}, {"contacts", h.contacts}, {"takes", h.ways}, {"bits_per_s", h.capacity_bits_per_s}});
    std::printf("%s\n", ordered_json({{"policy", options.policy}, {"services", list}, {"upstream", upstream}, {"whole", whole}}).dump().c_str());
    return whole ? kDone : kNo;
  }
  std::printf("# Continuity plan for floods\n\nFrom `%s`. Print it; what it is for is when nothing else can be read.\n\n", options.policy.c_str());
  print_services(services, rules->vocabulary());
  print_helpers(helpers, services);
  print_steps();
  return whole ? kDone : kNo;
}

}  // namespace

std::function<int()> add_plan(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("POLICY", o->policy, "the policy that is in force")->required();
  app.add_flag("--json", o->json, "print JSON");
  app.footer(
      "Examples:\n  weir plan policy.yaml > continuity.md\n  weir plan policy.yaml --json\n\n"
      "Services are the roles `server` and `origin` (or the sets `published` and `origins`); who helps is `upstream:`. Exit status 1: a service\n"
      "has no limit or no upstream.");
  return [o] { return plan(*o); };
}

}  // namespace weir::cli
