// SPDX-License-Identifier: Apache-2.0
#include "cli/export/header_rules.h"

#include <optional>

#include "facts/field_ids.h"
#include "facts/flow.h"
#include "facts/packet.h"

namespace weir::cli {
namespace {

using namespace field;
using policy::Condition;

constexpr std::size_t kBoxesMax = 4096;

AddressSet range_of(const Prefix& prefix) {
  const Address first = number_of(prefix.network);
  const Address mask = prefix.length >= 128 ? 0 : ~static_cast<Address>(0) >> prefix.length;
  return {first & ~mask, first | mask};
}

/// The addresses of each zone; empty where only a port tells.
class ZoneSets {
 public:
  explicit ZoneSets(const policy::RuleSet& rules) : sets_(rules.policy().zones.size()) {
    const auto& zones = rules.policy().zones;
    std::vector<Address> firsts{0, whole::v4().ranges()[0].first, whole::v4().ranges()[0].last + 1};
    for (const policy::ZoneDefinition& zone : zones)
      for (const Prefix& network : zone.networks) {
        const auto range = range_of(network).ranges()[0];
        firsts.push_back(range.first);
        if (range.last != ~static_cast<Address>(0)) firsts.push_back(range.last + 1);
      }
    std::sort(firsts.begin(), firsts.end());
    firsts.erase(std::unique(firsts.begin(), firsts.end()), firsts.end());
    const ZoneId rest = rest_of(zones);
    for (std::size_t i = 0; i < firsts.size(); ++i) {
      const Address last = i + 1 < firsts.size() ? firsts[i + 1] - 1 : ~static_cast<Address>(0);
      ZoneId zone = rules.zones().by_network(ip_of(firsts[i]));
      if (zone == kNoZone) zone = rest;
      if (zone != kNoZone) sets_[zone].add(firsts[i], last);
    }
  }
  const AddressSet& of(ZoneId zone) const { return sets_[zone]; }

 private:
  static ZoneId rest_of(const std::vector<policy::ZoneDefinition>& zones) {
    std::vector<ZoneId> without, portless;
    for (std::size_t i = 0; i < zones.size(); ++i) {
      if (!zones[i].networks.empty()) continue;
      without.push_back(static_cast<ZoneId>(i));
      if (zones[i].ports.empty()) portless.push_back(static_cast<ZoneId>(i));
    }
    if (without.size() == 1) return without[0];
    return portless.size() == 1 ? portless[0] : kNoZone;
  }

  std::vector<AddressSet> sets_;
};

NumberSet numbers_of(const policy::Values& values, std::uint32_t most) {
  NumberSet out;
  for (const policy::NumberRange& r : values.numbers)
    if (r.first <= most)
      out.add(static_cast<std::uint32_t>(r.first), static_cast<std::uint32_t>(std::min<std::uint64_t>(r.last, most)));
  return out;
}

/// Reads conditions into boxes. What headers do not say goes to `reason`.
class Reader {
 public:
  explicit Reader(const policy::RuleSet& rules) : rules_(rules), zones_(rules) {}

  Boxes boxes_of(const policy::AllOf& all, std::string& reason) const {
    Boxes out{Box{}};
    for (const Condition& c : all) {
      Boxes alternatives;
      if (!read(c, alternatives, reason)) continue;  // Not narrowed: the boxes still hold every flow of the rule.
      out = meeting(out, alternatives);
    }
    return out;
  }

  std::string key(const Condition& c) const {
    return (c.negated ? "not." : "") + std::string(rules_.vocabulary().field(c.field)->name);
  }

 private:
  /// The addresses that a condition means; nothing if a port must tell.
  std::optional<AddressSet> addresses_of(const Condition& c, std::string& reason) const {
    AddressSet out;
    for (const ZoneId zone : c.values.zones) {
      if (zones_.of(zone).empty()) {
        say(reason, "only a port tells who is in zone " + rules_.policy().zones[zone].name);
        return std::nullopt;
      }
      out.add(zones_.of(zone));
    }
    const auto add = [&](const policy::PrefixSet& set) {
      set.for_each_range([&](const Ip& first, const Ip& last) { out.add(number_of(first), number_of(last)); });
    };
    if (c.values.prefixes) add(*c.values.prefixes);
    for (const auto& set : c.values.sets)
      if (set->addresses) add(*set->addresses);
    return c.negated ? whole::addresses() - out : out;
  }

  static void say(std::string& reason, const std::string& what) {
    if (reason.find(what) != std::string::npos) return;
    reason += (reason.empty() ? "" : "; ") + what;
  }

  static void with_ports(Boxes& out, NumberSet Box::*key, NumberSet ports) {
    Box box;
    box.*key = std::move(ports);
    box.protocols = NumberSet();
    for (const std::uint8_t p : {ip_protocol::kTcp, ip_protocol::kUdp, ip_protocol::kSctp}) box.protocols.add(p, p);
    out.push_back(std::move(box));
  }

  bool read(const Condition& c, Boxes& out, std::string& reason) const {
    const policy::Values& v = c.values;
    const auto numbers = [&](std::uint32_t most) {
      return c.negated ? NumberSet(0, most) - numbers_of(v, most) : numbers_of(v, most);
    };
    const bool plain = !v.absent && !v.present && !v.hidden;
    if (plain) switch (c.field) {
        case kFrom:
        case kClientIp:
        case kTo:
        case kServerIp:
        case kPeer: {
          const auto set = addresses_of(c, reason);
          if (!set) return false;
          const bool from = c.field == kFrom || c.field == kClientIp, to = c.field == kTo || c.field == kServerIp;
          Box first, second;
          if (!to) first.from = *set;
          if (!from) (to ? first : second).to = *set;
          if (c.field == kPeer && c.negated) first.to = *set;  // Neither end.
          out.push_back(first);
          if (c.field == kPeer && !c.negated) out.push_back(second);
          return true;
        }
        case kFromZone:
        case kToZone: {
          AddressSet set;
          for (const policy::NumberRange& r : v.numbers)
            for (std::uint64_t z = r.first; z <= r.last && z < rules_.policy().zones.size(); ++z)
              set.add(zones_.of(static_cast<ZoneId>(z)));
          if (set.empty()) return say(reason, "only a port tells who is in its zones"), false;
          Box box;
          (c.field == kFromZone ? box.from : box.to) = c.negated ? whole::addresses() - set : set;
          out.push_back(std::move(box));
          return true;
        }
        case kIpVersion: {
          Box box;
          const NumberSet versions = numbers(6);
          AddressSet set;
          if (versions.contains(4)) set.add(whole::v4());
          if (versions.contains(6)) set.add(whole::v6());
          box.from = box.to = set;
          out.push_back(std::move(box));
          return true;
        }
        case kIpProtocol: {
          if (policy::asks_extension_headers(c)) break;
          Box box;
          box.protocols = numbers(255);
          out.push_back(std::move(box));
          return true;
        }
        case kPort:
        case kServerPort:
          return with_ports(out, &Box::ports, numbers(65535)), true;
        case kClientPort:
          return with_ports(out, &Box::client_ports, numbers(65535)), true;
        case kIcmpType: {
          Box box;
          box.icmp = numbers(511);
          box.protocols = NumberSet(ip_protocol::kIcmp, ip_protocol::kIcmp);
          box.protocols.add(ip_protocol::kIcmpv6, ip_protocol::kIcmpv6);
          out.push_back(std::move(box));
          return true;
        }
        case kFlowState: {
          Box box;
          box.states = numbers(3);
          out.push_back(std::move(box));
          return true;
        }
        default:
          break;
      }
    say(reason, "it asks for " + key(c));
    return false;
  }

  const policy::RuleSet& rules_;
  ZoneSets zones_;
};

Effect effect_of(const policy::Rule& rule) {
  if (rule.monitor || rule.action == policy::Action::Alert) return Effect::Report;
  return rule.action == policy::Action::Allow ? Effect::Pass : Effect::Stop;
}

/// What the action asks beyond letting pass or stopping.
std::string reason_of_action(const policy::Rule& rule) {
  switch (rule.action) {
    case policy::Action::Limit:
      return "it stops only what is over a rate";
    case policy::Action::Ban:
      return "it bans";
    case policy::Action::Sinkhole:
      return "it answers DNS questions with another address";
    default:
      break;
  }
  if (rule.expires_wall_ns != INT64_MAX) return "it expires";
  return {};
}

}  // namespace

std::vector<HeaderRule> header_rules(const policy::RuleSet& rules) {
  const policy::Policy& policy = rules.policy();
  const Reader reader(rules);
  std::vector<HeaderRule> out;
  for (const policy::Rule& rule : policy.rules) {
    HeaderRule entry{.rule = &rule,
                     .name = rule.name,
                     .place = {},
                     .effect = effect_of(rule),
                     .refuses = rule.action == policy::Action::Reject,
                     .boxes = {},
                     .reason = {}};
    for (char& c : entry.name)
      if (static_cast<unsigned char>(c) < 0x20) c = '_';  // It stands in lines of others.
    if (!rule.guard && !rule.essential && rule.position.file < policy.files.size())
      entry.place = policy.files[rule.position.file] + ":" + std::to_string(rule.position.line);
    entry.boxes = reader.boxes_of(rule.match, entry.reason);
    for (const policy::AllOf& map : rule.unless) {
      std::string unless;
      const Boxes spared = reader.boxes_of(map, unless);
      if (!unless.empty()) {
        if (entry.reason.find(unless) == std::string::npos) entry.reason += (entry.reason.empty() ? "" : "; ") + unless;
        continue;
      }
      if (auto left = without(entry.boxes, spared, kBoxesMax))
        entry.boxes = std::move(*left);
      else
        entry.reason += std::string(entry.reason.empty() ? "" : "; ") + "what it spares has too many parts";
    }
    if (const std::string action = reason_of_action(rule); !action.empty())
      entry.reason += (entry.reason.empty() ? "" : "; ") + action;
    out.push_back(std::move(entry));
  }
  out.push_back({.rule = nullptr,
                 .name = "default",
                 .place = {},
                 .effect = policy.default_action == policy::Action::Allow || policy.monitor ? Effect::Pass : Effect::Stop,
                 .refuses = policy.default_action == policy::Action::Reject,
                 .boxes = {Box{}},
                 .reason = {}});
  return out;
}

std::vector<HeaderRule> header_rules_over_open_ground(const policy::RuleSet& rules) {
  std::vector<HeaderRule> out = header_rules(rules);
  out.push_back({.rule = nullptr,
                 .name = "nothing that stops it",
                 .place = {},
                 .effect = Effect::Pass,
                 .refuses = false,
                 .boxes = {Box{}},
                 .reason = {}});
  return out;
}

std::string_view name_of(Lost lost) {
  switch (lost) {
    case Lost::Nothing:
      return "no verdict changes";
    case Lost::Stricter:
      return "stricter";
    case Lost::Weaker:
      return "WEAKER";
    case Lost::Report:
      return "not reported";
  }
  return "";
}

std::string render(const Loss& loss) {
  std::string out = loss.rule + (loss.place.empty() ? "" : " (" + loss.place + ")") + ": " + loss.reason + "; " +
                    std::string(name_of(loss.lost));
  if (loss.instead.empty()) return out;
  out += loss.lost == Lost::Weaker ? ": what it stops may pass by " : ": what it lets pass may be stopped by ";
  constexpr std::size_t kNamed = 6;
  for (std::size_t i = 0; i < loss.instead.size() && i < kNamed; ++i) out += (i == 0 ? "" : ", ") + loss.instead[i];
  if (loss.instead.size() > kNamed) out += " and " + std::to_string(loss.instead.size() - kNamed) + " more";
  return out;
}

Loss loss_of(std::span<const HeaderRule> rules, std::size_t index, std::string reason) {
  return loss_of(rules, index, rules[index].boxes, std::move(reason));
}

Loss loss_of(std::span<const HeaderRule> rules, std::size_t index, const Boxes& part, std::string reason) {
  const HeaderRule& rule = rules[index];
  Loss out{.rule = rule.name, .place = rule.place, .reason = std::move(reason), .lost = Lost::Nothing, .instead = {}};
  if (rule.effect == Effect::Report) {
    out.lost = Lost::Report;
    return out;
  }
  if (part.empty()) return out;
  for (std::size_t i = index + 1; i < rules.size(); ++i)
    if (rules[i].effect != Effect::Report && rules[i].effect != rule.effect && rules[i].reason.empty() &&
        meet(rules[i].boxes, part))
      out.instead.push_back(rules[i].name);
  if (!out.instead.empty()) out.lost = rule.effect == Effect::Pass ? Lost::Stricter : Lost::Weaker;
  return out;
}

Boxes fitting(std::span<const HeaderRule> rules, std::size_t index, const Boxes& boxes,
              const std::function<std::string(const Box&)>& unfit, std::vector<Loss>& losses) {
  Boxes out;
  for (const Box& box : boxes) {
    const std::string reason = unfit(box);
    if (reason.empty())
      out.push_back(box);
    else
      losses.push_back(loss_of(rules, index, {box}, reason));
  }
  return out;
}

Boxes of_new_flows(std::span<const HeaderRule> rules, std::size_t index, std::vector<Loss>& losses) {
  const HeaderRule& rule = rules[index];
  constexpr auto kNew = static_cast<std::uint32_t>(FlowState::New), kInvalid = static_cast<std::uint32_t>(FlowState::Invalid);
  Boxes of_new, others;
  for (const Box& box : rule.boxes) (box.states.contains(kNew) ? of_new : others).push_back(box);
  if (rule.effect == Effect::Pass) {
    bool answers_alone = of_new.empty();
    for (const Box& box : others) answers_alone = answers_alone && !box.states.contains(kInvalid);
    if (answers_alone) return {};  // Even where it asks more: that passes anyway.
  }
  if (!rule.reason.empty()) return losses.push_back(loss_of(rules, index, rule.reason)), Boxes();
  if (rule.effect == Effect::Report)
    return losses.push_back(loss_of(rules, index, "it has rules that let pass or stop, and none that only report")), Boxes();
  if (!others.empty() && (rule.effect == Effect::Stop)) losses.push_back(loss_of(rules, index, others, "it asks for flow.state"));
  return of_new;
}

Boxes usual_protocols(std::span<const HeaderRule> rules, std::size_t index, const Boxes& boxes, std::vector<Loss>& losses) {
  constexpr std::size_t kNamedMax = 16;
  Box usual;
  usual.protocols = NumberSet();
  for (const std::uint8_t p : {1, 2, 4, 6, 17, 41, 47, 50, 51, 58, 89, 112, 115, 132}) usual.protocols.add(p, p);
  Boxes out, unusual;
  for (const Box& box : boxes) {
    std::size_t count = 0;
    for (const NumberSet::Range& r : box.protocols.ranges()) count += r.last - r.first + 1;
    if (count <= kNamedMax || box.protocols == whole::protocols()) {
      out.push_back(box);
      continue;
    }
    if (Box part = box & usual; !part.empty()) out.push_back(std::move(part));
    unusual.push_back(box);
    unusual.back().protocols = box.protocols - usual.protocols;
  }
  if (!unusual.empty())
    losses.push_back(loss_of(rules, index, unusual, "protocols beyond the usual would have to be named one by one"));
  return out;
}

std::vector<HeaderRule> about_new_flows(std::span<const HeaderRule> rules, bool remembers, std::vector<Loss>& losses) {
  constexpr auto kNew = static_cast<std::uint32_t>(FlowState::New);
  std::vector<HeaderRule> out(rules.begin(), rules.end());
  for (std::size_t i = 0; i < out.size(); ++i) {
    HeaderRule& rule = out[i];
    Boxes of_new, others;
    for (const Box& box : rule.boxes) (box.states.contains(kNew) ? of_new : others).push_back(box);
    if (rule.effect == Effect::Stop && rule.reason.empty() && !others.empty())
      losses.push_back(loss_of(rules, i, others, "it asks for flow.state"));
    if (rule.effect == Effect::Pass && remembers && of_new.empty()) rule.reason.clear();
    for (Box& box : of_new) box.states = whole::states();
    rule.boxes = std::move(of_new);
  }
  return out;
}

namespace {

void cut(std::vector<HeaderRule>& rules, bool passes_too) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    HeaderRule& rule = rules[i];
    if (rule.effect == Effect::Report || (rule.effect == Effect::Pass && !passes_too)) continue;
    for (std::size_t j = 0; j < i; ++j) {
      if (rules[j].effect == Effect::Report || !rules[j].reason.empty() || rules[j].effect == rule.effect) continue;
      if (auto left = without(rule.boxes, rules[j].boxes, kBoxesMax)) {
        rule.boxes = std::move(*left);
      } else {
        rule.reason = "with what stands before it taken out it has too many parts";
        break;
      }
    }
  }
}

}  // namespace

void cut_by_passes(std::vector<HeaderRule>& rules) { cut(rules, false); }
void cut_apart(std::vector<HeaderRule>& rules) { cut(rules, true); }

}  // namespace weir::cli
