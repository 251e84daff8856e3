// SPDX-License-Identifier: Apache-2.0
#include "cli/diff/packet_classes.h"

#include <algorithm>
#include <set>

#include "cli/convo/frame_writer.h"
#include "facts/field_ids.h"
#include "policy/explain.h"
#include "wire/wire.h"

namespace weir::cli {
namespace {

using policy::RuleSet;
using RuleSets = std::span<const RuleSet* const>;

constexpr std::size_t kBoundsMax = 40'000, kProtocolsMax = 24;

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

class AddressClasses {
 public:
  explicit AddressClasses(RuleSets rules) : rules_(rules) {
    bounds_.insert(Ip::v4(0xC6336414));  // a stranger (RFC 5737)
    bounds_.insert(*parse_ip("2001:db8:ffff::1"));
    for (const RuleSet* set : rules) {
      for (const policy::ZoneDefinition& zone : set->policy().zones)
        for (const Prefix& network : zone.networks) add_range(network.network, last_of(network));
      each_condition(*set, [&](const policy::Condition& c) {
        if (!is_address(c.field)) return;
        if (c.values.prefixes) add_set(c.values.prefixes.get(), "");
        for (const auto& named : c.values.sets)
          if (named->addresses) add_set(named->addresses.get(), "@" + named->name);
      });
    }
  }

  std::vector<AddressClass> classes(const RuleSet& names, std::size_t most, bool& whole) const {
    std::vector<AddressClass> out;
    std::set<std::vector<std::uint32_t>> seen;
    for (const Ip& ip : bounds_) {
      if (ip.is_multicast() || ip.is_broadcast() || ip.is_unspecified()) continue;
      std::vector<std::uint32_t> mark = mark_of(ip);
      if (!seen.insert(mark).second) continue;
      if (out.size() >= most) return whole = false, out;
      // A network's first address is no host's.
      const Ip second = next(ip);
      const Ip& host = ip.bytes[15] == 0 && mark_of(second) == mark ? second : ip;
      out.push_back({host, name_of_class(names, host)});
    }
    whole = whole && !cut_;
    return out;
  }

 private:
  std::vector<std::uint32_t> mark_of(const Ip& ip) const {
    std::vector<std::uint32_t> mark{ip.is_v4() ? 4U : 6U, ip.is_link_local() ? 1U : 0U};
    for (const RuleSet* set : rules_) mark.push_back(set->zones().by_network(ip));
    for (const auto& [set, name] : sets_) mark.push_back(set->contains(ip) ? 1 : 0);
    return mark;
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
  std::string name_of_class(const RuleSet& names, const Ip& ip) const {
    const ZoneId zone = names.zones().zone_of(ip, kNoPort, ip);
    std::string out = (zone == kNoZone ? std::string("no zone") : names.policy().zones[zone].name) + " (" + render(ip) + ")";
    std::set<std::string> in;
    for (const auto& [set, name] : sets_)
      if (!name.empty() && set->contains(ip)) in.insert(name);
    for (const std::string& name : in) out += " " + name;
    return out;
  }

  RuleSets rules_;
  std::set<Ip> bounds_;
  std::vector<std::pair<const policy::PrefixSet*, std::string>> sets_;
  bool cut_ = false;
};

bool ports_of(std::uint8_t protocol) {
  return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || protocol == ip_protocol::kSctp;
}

/// Where ranges of numbers begin and end, so that between two of them no rule tells values apart.
class Cuts {
 public:
  explicit Cuts(std::uint32_t end) : end_(end), bounds_{0, end} {}
  void add(const policy::Condition& c) {
    for (const policy::NumberRange& range : c.values.numbers) {
      bounds_.insert(static_cast<std::uint32_t>(std::min<std::uint64_t>(range.first, end_)));
      bounds_.insert(static_cast<std::uint32_t>(std::min<std::uint64_t>(range.last + 1, end_)));
    }
  }
  const std::set<std::uint32_t>& bounds() const { return bounds_; }

 private:
  std::uint32_t end_;
  std::set<std::uint32_t> bounds_;
};

bool is_transport(std::uint32_t number) {
  namespace ip = ip_protocol;
  for (const std::uint8_t extension :
       {ip::kHopByHop, ip::kRouting, ip::kFragment, ip::kAh, ip::kDestination, ip::kMobility, ip::kHip, ip::kShim6})
    if (number == extension) return false;
  return number != ip::kTcp && number != ip::kUdp && number != ip::kIcmp && number != ip::kIcmpv6;
}

}  // namespace

bool TrafficClass::has_ports() const { return ports_of(protocol); }

std::vector<AddressClass> address_classes(RuleSets rules, const RuleSet& names, const ClassBounds& bounds, bool& whole) {
  return AddressClasses(rules).classes(names, bounds.addresses_max, whole);
}

std::vector<TrafficClass> traffic_classes(RuleSets rules, const ClassBounds& bounds) {
  Cuts ports(65536), client_ports(65536), types(512);
  std::set<std::uint8_t> protocols;
  for (const RuleSet* set : rules)
    each_condition(*set, [&](const policy::Condition& c) {
      using namespace field;
      if (c.field == kPort || c.field == kServerPort || c.field == kDstPort) ports.add(c);
      if (c.field == kClientPort || c.field == kSrcPort) client_ports.add(c);
      if (c.field == kIcmpType) types.add(c);
      if (c.field != kIpProtocol) return;
      for (const policy::NumberRange& range : c.values.numbers)
        if (is_transport(static_cast<std::uint32_t>(range.first)) && protocols.size() < kProtocolsMax)
          protocols.insert(static_cast<std::uint8_t>(range.first));
    });
  protocols.insert(253);  // RFC 3692: for experiments; stands for all other protocols.
  std::vector<std::uint16_t> clients{TrafficClass::kClientPort};
  std::vector<std::uint16_t> icmp_types{8};
  if (bounds.client_ports) {
    for (const std::uint32_t at : client_ports.bounds())
      if (at != 65536 && at != 0) clients.push_back(static_cast<std::uint16_t>(at));
    for (const std::uint32_t at : types.bounds())
      if (at != 512 && at != 8) icmp_types.push_back(static_cast<std::uint16_t>(at));
  }
  std::vector<TrafficClass> out;
  const auto add_ports = [&](std::uint8_t protocol) {
    for (const std::uint16_t client : clients)
      for (auto at = ports.bounds().begin(); std::next(at) != ports.bounds().end(); ++at)
        out.push_back({protocol, static_cast<std::uint16_t>(*at), static_cast<std::uint16_t>(*std::next(at) - 1), client});
  };
  add_ports(ip_protocol::kTcp);
  add_ports(ip_protocol::kUdp);
  for (const std::uint8_t type : icmp_types) out.push_back({.protocol = ip_protocol::kIcmp, .icmp_type = type});
  for (const std::uint8_t protocol : protocols) {
    if (ports_of(protocol))
      add_ports(protocol);
    else
      out.push_back({.protocol = protocol});
  }
  return out;
}

namespace {

std::uint8_t icmp_type_of(const TrafficClass& traffic, bool v6) {
  if (v6) return static_cast<std::uint8_t>(traffic.icmp_type < 256 ? 128 : traffic.icmp_type - 256);
  return static_cast<std::uint8_t>(traffic.icmp_type < 256 ? traffic.icmp_type : 8);
}

std::string first_frame(const Ip& from, const Ip& to, const TrafficClass& traffic) {
  const Path path{.src_mac = {}, .dst_mac = {}, .src = from, .dst = to};
  switch (traffic.protocol) {
    case ip_protocol::kTcp:
      return tcp_frame(path, {.src_port = traffic.client_port, .dst_port = traffic.port(), .seq = 1, .flags = tcp_flag::kSyn},
                       "");
    case ip_protocol::kUdp:
      return udp_frame(path, traffic.client_port, traffic.port(), "?");
    case ip_protocol::kSctp:
      return ip_frame(
          path, traffic.protocol,
          be(traffic.client_port, 2) + be(traffic.port(), 2) + std::string(8, '\0') + be(0x01000014, 4) + std::string(16, '\0'));
    case ip_protocol::kIcmp:
      return icmp_frame(path, icmp_type_of(traffic, !from.is_v4()), 0, std::string(8, '\0'));
    default:
      return ip_frame(path, traffic.protocol, "");
  }
}

}  // namespace

FirstPacket::FirstPacket(const Ip& from, const Ip& to, const TrafficClass& traffic) : bytes_(first_frame(from, to, traffic)) {
  frame_.bytes = as_bytes(bytes_);
  frame_.wire_bytes = static_cast<std::uint32_t>(bytes_.size());
  wire::parse(frame_, packet_);
}

std::string packet_text(const Ip& from, const Ip& to, const TrafficClass& traffic) {
  const auto end = [&](const Ip& ip, std::uint16_t port) {
    if (!traffic.has_ports() || traffic.protocol == ip_protocol::kSctp) return render(ip);
    return (ip.is_v4() ? render(ip) : "[" + render(ip) + "]") + ":" + std::to_string(port);
  };
  const std::string ends = end(from, traffic.client_port) + " > " + end(to, traffic.port()) + " ";
  switch (traffic.protocol) {
    case ip_protocol::kTcp:
      return ends + "tcp S";
    case ip_protocol::kUdp:
      return ends + "udp \"?\"";
    case ip_protocol::kIcmp: {
      const std::uint8_t type = icmp_type_of(traffic, !from.is_v4());
      if (type == (from.is_v4() ? 8 : 128)) return ends + "icmp echo-request 8";
      return ends + "icmp type " + std::to_string(type) + " code 0";
    }
    default:
      return ends + "ip " + std::to_string(traffic.protocol);
  }
}

std::string_view name_of(FirstAnswer answer) {
  return answer == FirstAnswer::Allow ? "allow" : answer == FirstAnswer::Deny ? "deny" : "open";
}

Asked::Asked(const RuleSet& rules) : rules_(rules) {
  for (std::size_t id = 0; id < rules.vocabulary().apps().size(); ++id) apps_.add(static_cast<AppId>(id));
}

View Asked::view_of(const Packet& packet) {
  const IpLayer& layer = packet.inner();
  flow_ = FlowFacts();
  flow_.ends = {layer.src, layer.dst, layer.src_port, layer.dst_port, layer.protocol};
  flow_.from = rules_.zones().zone_of(layer.src, kNoPort, layer.dst);
  flow_.to = rules_.zones().zone_of(layer.dst, kNoPort, layer.src);
  flow_.app.candidates = apps_;
  return {.vocabulary = &rules_.vocabulary(), .packet = &packet, .layer = &layer, .flow = &flow_};
}

Asked::Said Asked::ask(const Packet& packet) {
  const View view = view_of(packet);
  Calm calm;
  const policy::Outcome outcome = policy::match(rules_, rules_.candidates(flow_), view, calm);
  if (!outcome.certain) return {FirstAnswer::Open, outcome.rule};
  return {outcome.pass ? FirstAnswer::Allow : FirstAnswer::Deny, outcome.rule};
}

policy::Truth Asked::holds(const Packet& packet, RuleId rule) {
  return policy::judge(rules_.rule(rule), view_of(packet), rules_.zones(), false).truth;
}

std::uint64_t Asked::mark(const Packet& packet) {
  const View view = view_of(packet);
  std::uint64_t out = 0;
  for (const RuleId id : rules_.candidates(flow_))
    if (policy::judge(rules_.rule(id), view, rules_.zones(), false).truth != policy::Truth::False) out = mix64(out, id + 1);
  return out;
}

}  // namespace weir::cli
