// SPDX-License-Identifier: Apache-2.0
#include "cli/diff/packet_space.h"

#include <algorithm>
#include <map>
#include <set>

#include "cli/convo/frame_writer.h"
#include "facts/field_ids.h"
#include "facts/packet.h"
#include "policy/explain.h"
#include "policy/match.h"
#include "wire/wire.h"

namespace weir::cli {
namespace {

using policy::RuleSet;

constexpr std::size_t kBoundsMax = 40'000, kClassesMax = 160;

/// Rates are not reached, bans do not begin.
class Calm final : public policy::Meters {
 public:
  bool over_limit(RuleId, const policy::Rule&, const View&) override { return false; }
  bool ban_begins(RuleId, const policy::Rule&, const View&) override { return false; }
};

bool is_address(FieldId id) {
  using namespace field;
  return id == kFrom || id == kTo || id == kPeer || id == kClientIp || id == kServerIp || id == kSrcIp || id == kDstIp;
}

template <typename F>
void each_condition(const RuleSet& rules, F&& call) {
  for (const policy::Rule& rule : rules.policy().rules) {
    for (const policy::Condition& c : rule.match) call(c);
    for (const policy::AllOf& all : rule.unless)
      for (const policy::Condition& c : all) call(c);
  }
}

/// A class of addresses: one of them, and what it is called.
struct AddressClass {
  Ip ip;
  std::string name;
};

class AddressClasses {
 public:
  AddressClasses(const RuleSet& before, const RuleSet& after) : before_(before), after_(after) {
    bounds_.insert(Ip::v4(0xC6336414));  // a stranger (RFC 5737)
    bounds_.insert(*parse_ip("2001:db8:ffff::1"));
    for (const RuleSet* rules : {&before, &after}) {
      for (const policy::ZoneDefinition& zone : rules->policy().zones)
        for (const Prefix& network : zone.networks) add_prefix(network);
      each_condition(*rules, [&](const policy::Condition& c) {
        if (!is_address(c.field)) return;
        if (c.values.prefixes) add_set(c.values.prefixes.get(), "");
        for (const auto& set : c.values.sets)
          if (set->addresses) add_set(set->addresses.get(), "@" + set->name);
      });
    }
  }

  std::vector<AddressClass> classes(bool& whole) const {
    std::vector<AddressClass> out;
    std::set<std::vector<std::uint32_t>> seen;
    for (const Ip& ip : bounds_) {
      if (ip.is_multicast() || ip.is_broadcast() || ip.is_unspecified() || ip.is_link_local()) continue;
      std::vector<std::uint32_t> mark{ip.is_v4() ? 4U : 6U, before_.zones().by_network(ip), after_.zones().by_network(ip)};
      for (const auto& [set, name] : sets_) mark.push_back(set->contains(ip) ? 1 : 0);
      if (!seen.insert(mark).second) continue;
      if (out.size() >= kClassesMax) return whole = false, out;
      out.push_back({ip, name_of_class(ip)});
    }
    whole = whole && !cut_;
    return out;
  }

 private:
  void add_prefix(const Prefix& prefix) {
    add_range(prefix.network, last_of(prefix));
  }
  void add_range(const Ip& first, const Ip& last) {
    if (bounds_.size() >= kBoundsMax) return void(cut_ = true);
    bounds_.insert(first);
    if (const Ip behind = next(last); behind.is_v4() == last.is_v4()) bounds_.insert(behind);
  }
  void add_set(const policy::PrefixSet* set, const std::string& name) {
    for (const auto& [known, n] : sets_)
      if (known == set) return;
    sets_.emplace_back(set, name);
    set->for_each_range([&](const Ip& first, const Ip& last) { add_range(first, last); });
  }
  static Ip last_of(const Prefix& prefix) {
    Ip ip = prefix.network;
    for (unsigned bit = prefix.length; bit < 128; ++bit) ip.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    return ip;
  }
  static Ip next(Ip ip) {
    for (std::size_t i = 16; i-- > 0;)
      if (++ip.bytes[i] != 0) break;
    return ip;
  }
  std::string name_of_class(const Ip& ip) const {
    const ZoneId zone = after_.zones().zone_of(ip, kNoPort, ip);
    std::string out = (zone == kNoZone ? std::string("no zone") : after_.policy().zones[zone].name) + " (" + render(ip) + ")";
    std::set<std::string> names;
    for (const auto& [set, name] : sets_)
      if (!name.empty() && set->contains(ip)) names.insert(name);
    for (const std::string& name : names) out += " " + name;
    return out;
  }

  const RuleSet &before_, &after_;
  std::set<Ip> bounds_;
  std::vector<std::pair<const policy::PrefixSet*, std::string>> sets_;
  bool cut_ = false;
};

/// A protocol and, for TCP and UDP, a range of ports.
struct TrafficClass {
  std::uint8_t protocol = 0;
  std::uint16_t first = 0, last = 0;
};

std::vector<TrafficClass> traffic_classes(const RuleSet& before, const RuleSet& after) {
  std::set<std::uint32_t> bounds{0, 65536};
  for (const RuleSet* rules : {&before, &after})
    each_condition(*rules, [&](const policy::Condition& c) {
      if (c.field != field::kPort && c.field != field::kServerPort && c.field != field::kDstPort) return;
      for (const policy::NumberRange& range : c.values.numbers) {
        bounds.insert(static_cast<std::uint32_t>(std::min<std::uint64_t>(range.first, 65536)));
        bounds.insert(static_cast<std::uint32_t>(std::min<std::uint64_t>(range.last + 1, 65536)));
      }
    });
  std::vector<TrafficClass> out;
  for (const std::uint8_t protocol : {ip_protocol::kTcp, ip_protocol::kUdp})
    for (auto at = bounds.begin(); std::next(at) != bounds.end(); ++at)
      out.push_back({protocol, static_cast<std::uint16_t>(*at), static_cast<std::uint16_t>(*std::next(at) - 1)});
  out.push_back({ip_protocol::kIcmp, 0, 0});
  out.push_back({253, 0, 0});  // RFC 3692: for experiments; stands for all other protocols.
  return out;
}

std::string text_of(const std::vector<TrafficClass>& classes) {
  std::string out;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const TrafficClass& t = classes[i];
    if (t.protocol != ip_protocol::kTcp && t.protocol != ip_protocol::kUdp) {
      out += std::string(out.empty() ? "" : ", ") + (t.protocol == ip_protocol::kIcmp ? "icmp echo" : "other protocols");
      continue;
    }
    if (i == 0 || classes[i - 1].protocol != t.protocol) out += std::string(out.empty() ? "" : ", ") + (t.protocol == ip_protocol::kTcp ? "tcp" : "udp");
    else out += ",";
    std::uint16_t last = t.last;
    while (i + 1 < classes.size() && classes[i + 1].protocol == t.protocol && classes[i + 1].first == last + 1) last = classes[++i].last;
    if (t.first == 0 && last == 65535) continue;
    out += " " + std::to_string(t.first) + (last == t.first ? "" : "-" + std::to_string(last));
  }
  return out;
}

struct Answered {
  FirstAnswer answer = FirstAnswer::Allow;
  std::string rule;
  bool operator==(const Answered&) const = default;
};

/// What a policy says to the first packet of a flow.
class Asked {
 public:
  explicit Asked(const RuleSet& rules) : rules_(rules) {
    for (std::size_t id = 0; id < rules.vocabulary().apps().size(); ++id) apps_.add(static_cast<AppId>(id));
  }

  Answered ask(const Packet& packet) {
    const IpLayer& layer = packet.inner();
    FlowFacts flow;
    flow.ends = {layer.src, layer.dst, layer.src_port, layer.dst_port, layer.protocol};
    flow.from = rules_.zones().zone_of(layer.src, kNoPort, layer.dst);
    flow.to = rules_.zones().zone_of(layer.dst, kNoPort, layer.src);
    flow.app.candidates = apps_;
    View view{.vocabulary = &rules_.vocabulary(), .packet = &packet, .layer = &layer, .flow = &flow};
    Calm calm;
    const policy::Outcome outcome = policy::match(rules_, rules_.candidates(flow), view, calm);
    if (!outcome.certain) return {FirstAnswer::Open, {}};
    const std::string rule = policy::name_of_rule(rules_.policy(), outcome.rule);
    return {outcome.pass ? FirstAnswer::Allow : FirstAnswer::Deny, rule.empty() ? "default" : rule};
  }

 private:
  const RuleSet& rules_;
  AppSet apps_;
};

std::string first_frame(const Ip& from, const Ip& to, const TrafficClass& traffic) {
  const Path path{.src_mac = {}, .dst_mac = {}, .src = from, .dst = to};
  constexpr std::uint16_t kClientPort = 50'000;
  const bool v6 = !from.is_v4();
  switch (traffic.protocol) {
    case ip_protocol::kTcp: return tcp_frame(path, {.src_port = kClientPort, .dst_port = traffic.first, .seq = 1, .flags = tcp_flag::kSyn}, "");
    case ip_protocol::kUdp: return udp_frame(path, kClientPort, traffic.first, "?");
    case ip_protocol::kIcmp: return icmp_frame(path, v6 ? 128 : 8, 0, std::string(8, '\0'));
    default: return ip_frame(path, traffic.protocol, "");
  }
}

}  // namespace

std::string_view name_of(FirstAnswer answer) {
  return answer == FirstAnswer::Allow ? "allow" : answer == FirstAnswer::Deny ? "deny" : "open";
}

SpaceDifference compare_spaces(const RuleSet& before, const RuleSet& after) {
  SpaceDifference out;
  const std::vector<AddressClass> addresses = AddressClasses(before, after).classes(out.whole);
  const std::vector<TrafficClass> traffic = traffic_classes(before, after);
  Asked old_rules(before), new_rules(after);
  using Change = std::pair<std::pair<FirstAnswer, std::string>, std::pair<FirstAnswer, std::string>>;
  // For each pair of ends and each change, its traffic; then servers, then clients that share it are joined.
  std::map<Change, std::map<std::string, std::map<std::vector<std::string>, std::vector<std::string>>>> grouped;
  for (const AddressClass& from : addresses) {
    std::map<Change, std::map<std::string, std::vector<std::string>>> of_client;
    for (const AddressClass& to : addresses) {
      if (from.ip.is_v4() != to.ip.is_v4()) continue;
      std::map<Change, std::vector<TrafficClass>> found;
      for (const TrafficClass& t : traffic) {
        const std::string bytes = first_frame(from.ip, to.ip, t);
        Frame frame;
        frame.bytes = as_bytes(bytes);
        frame.wire_bytes = static_cast<std::uint32_t>(bytes.size());
        Packet packet;
        wire::parse(frame, packet);
        if (packet.layers_count == 0) continue;
        const Answered a = old_rules.ask(packet), b = new_rules.ask(packet);
        if (a.answer != b.answer) found[{{a.answer, a.rule}, {b.answer, b.rule}}].push_back(t);
      }
      for (const auto& [change, list] : found) of_client[change][text_of(list)].push_back(to.name);
    }
    for (const auto& [change, by_text] : of_client)
      for (const auto& [text, to] : by_text) grouped[change][text][to].push_back(from.name);
  }
  for (const auto& [change, by_text] : grouped)
    for (const auto& [text, by_server] : by_text)
      for (const auto& [to, from] : by_server)
        out.changes.push_back({text, from, to, change.first.first, change.second.first, change.first.second, change.second.second});
  return out;
}

}  // namespace weir::cli
