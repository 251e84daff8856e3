// SPDX-License-Identifier: Apache-2.0
#include "policy/guards.h"

#include <algorithm>
#include <array>

#include "facts/field_ids.h"
#include "facts/packet.h"
#include "policy/conditions.h"
#include "policy/guard_reader.h"
#include "policy/sections.h"

namespace weir::policy {
namespace {

using namespace field;

void read_normalise(GuardReader& guard) {
  Condition flaws = word(guard.words(), kFlaw,
                         {"truncated", "bad-length", "land", "overlap", "tiny-fragment", "ping-of-death", "teardrop", "bad-flags",
                          "bad-option", "conflict", "bad-checksum"});
  if (const Node* list = guard.at("flaws")) {
    flaws.values = {};
    guard.reading.each(*list, "names of flaws", [&](const Node& item) {
      if (!guard.reading.wants_text(item, "the name of a flaw")) return;
      const FieldRow& row = *guard.words().field(static_cast<FieldId>(kFlaw));
      const auto found = std::find_if(row.words.begin(), row.words.end(), [&](const Word& w) { return w.name == item.text; });
      std::vector<std::string_view> known;
      for (const Word& w : row.words) known.push_back(w.name);
      if (found == row.words.end())
        return void(guard.reading.error(
            item, sentence("`", item.text.substr(0, 80), "` is no flaw", guard.reading.hint(item.text, known))));
      flaws.values.numbers.push_back({found->value, found->value});
      flaws.values.written.emplace_back(item.text);
    });
  }
  std::sort(flaws.values.numbers.begin(), flaws.values.numbers.end(),
            [](const NumberRange& a, const NumberRange& b) { return a.first < b.first; });
  guard.add_rule({std::move(flaws)});
}

void read_anti_spoof(GuardReader& guard) {
  guard.policy().wishes.anti_spoof = true;
  if (const Node* ports = guard.at("ports");
      ports != nullptr && guard.reading.wants_map(*ports, "ports and their zones, such as `{ lan0: inside }`"))
    ports->for_each_pair([&](const Node& key, const Node& value) {
      const ZoneId zone = guard.reading.zone(value);
      if (zone != kNoZone) guard.policy().wishes.spoof_ports.emplace_back(guard.policy().port_index(key.text), zone);
    });
  guard.add_rule({boolean_is(kSrcSpoofed, true)});
}

void read_port_security(GuardReader& guard) {
  guard.policy().wishes.port_macs_max = guard.number("macs_max", 1, 1, 100'000);
  guard.policy().wishes.port_macs_sticky = guard.boolean("sticky", false);
  guard.add_rule({boolean_is(kPortMacsExceeded, true)});
}

void read_tcp_state(GuardReader& guard) {
  StateWishes& wishes = guard.policy().wishes;
  wishes.tcp_state = wishes.tcp_midstream_drop = true;
  if (const Node* midstream = guard.at("midstream")) {
    constexpr std::string_view kWords[] = {"drop", "pick-up"};
    if (const auto place = guard.reading.choice(*midstream, "`midstream`", kWords)) wishes.tcp_midstream_drop = *place == 0;
  }
  wishes.tcp_strict = guard.boolean("strict", false);
  const Condition tcp = numbers(kIpProtocol, {{6, 6}}, "tcp");
  guard.add_rule({tcp, word(guard.words(), kFlowState, {"invalid"})});
  guard.add_rule({tcp, word(guard.words(), kFlaw, {"bad-flags"})});
}

void read_solicited(GuardReader& guard) {
  const Condition icmp = numbers(kIpProtocol, {{1, 1}, {58, 58}}, "icmp, icmpv6");
  const Condition invalid = word(guard.words(), kFlowState, {"invalid"});
  AllOf unasked{boolean_is(kUdpSolicited, false)};
  bool echo = true, udp = true;
  if (const Node* list = guard.at("protocols")) {
    echo = false;
    Condition apps;
    apps.field = kAppProtocol;
    guard.reading.each(*list, "names of protocols, or `icmp`", [&](const Node& item) {
      if (!guard.reading.wants_text(item, "the name of a protocol")) return;
      if (item.text == "icmp") return void(echo = true);
      const auto app = guard.words().app(item.text);
      if (!app)
        return void(guard.reading.error(item, sentence("unknown protocol `", item.text.substr(0, 80), "`",
                                                       guard.reading.hint(item.text, guard.words().app_names()))));
      apps.values.apps.add(*app);
      apps.values.written.emplace_back(item.text);
    });
    udp = !apps.values.apps.empty();
    unasked.push_back(std::move(apps));
  }
  if (udp) guard.add_rule(std::move(unasked));
  guard.add_rule({icmp,
                  word(guard.words(), kIcmpType,
                       {"unreachable", "time-exceeded", "parameter-problem", "packet-too-big", "source-quench", "redirect"}),
                  invalid});
  if (echo) guard.add_rule({icmp, word(guard.words(), kIcmpType, {"echo-reply"}), invalid});
}

// Answers that outweigh their questions are what a reflector sends; the client of such a flow is the victim, whose address was
// forged. Past `answers` a second to one client they are stopped.
void read_amplification(GuardReader& guard) {
  const std::uint32_t ratio = guard.number("ratio", 5, 1, 100'000);
  const auto answers = guard.rate("answers", LimitUnit::Packets, {LimitUnit::Packets, LimitUnit::Requests});
  Limit limit;
  limit.rate = answers ? answers->first : 100;
  limit.unit = LimitUnit::Packets;
  limit.burst = default_burst(limit.rate);
  limit.per.push_back({kFrom, 32, 64});
  guard.add_limit(
      {numbers(kIpProtocol, {{17, 17}}, "udp"), numbers(kAmplificationRatio, {{ratio, UINT64_MAX}}, sentence(ratio, "-"))},
      std::move(limit));
}

/// Sets of flags with SYN and without ACK, RST and FIN: also those of ECN (RFC 3168 section 6.1.1).
Condition syn_without_ack() {
  Condition out;
  out.field = kTcpFlags;
  for (unsigned flags = 0; flags < 256; ++flags)
    if ((flags & tcp_flag::kSyn) != 0 && (flags & (tcp_flag::kAck | tcp_flag::kRst | tcp_flag::kFin)) == 0)
      out.values.flags.push_back(static_cast<std::uint8_t>(flags));
  out.values.written.emplace_back("S");
  return out;
}

void read_flood(GuardReader& guard) {
  constexpr std::string_view kWhat[] = {"syn", "udp", "icmp", "fragments", "packets", "flows", "requests"};
  const Node* what = guard.at("what");
  if (what == nullptr || guard.at("rate") == nullptr)
    return void(guard.reading.error(guard.node, "an item of `flood` needs `what` and `rate`"));
  const auto place = guard.reading.choice(*what, "`what`", kWhat);
  if (!place) return;
  using enum LimitUnit;
  const LimitUnit unit = *place == 6 ? Requests : *place == 5 ? Flows : Packets;
  const auto rate = unit == Packets ? guard.rate("rate", Packets, {Packets, Bits, Bytes}) : guard.rate("rate", unit, {unit});
  if (!rate) return;
  Limit limit;
  limit.rate = rate->first;
  limit.unit = rate->second;
  limit.burst = default_burst(limit.rate);
  if (const Node* burst = guard.at("burst")) limit.burst = read_burst(guard.reading, *burst).value_or(limit.burst);
  if (const Node* per = guard.at("per")) limit.per = read_per(guard.reading, *per);
  else limit.per.push_back({kFrom, 32, 64});
  if (const Node* spare = guard.at("spare")) {
    constexpr std::string_view kSpare[] = {"known"};
    limit.spare_known = guard.reading.choice(*spare, "`spare`", kSpare).has_value();
  }
  const Condition any_ip = numbers(kIpVersion, {{4, 4}, {6, 6}}, "4, 6");
  AllOf match;
  switch (*place) {
    case 0: match = {numbers(kIpProtocol, {{6, 6}}, "tcp"), syn_without_ack()}; break;
    case 1: match = {numbers(kIpProtocol, {{17, 17}}, "udp")}; break;
    case 2: match = {numbers(kIpProtocol, {{1, 1}, {58, 58}}, "icmp, icmpv6")}; break;
    case 3: match = {word(guard.words(), kIpFragment, {"first", "later"})}; break;
    default: match = {any_ip}; break;
  }
  guard.add_limit(std::move(match), std::move(limit));
}

// Each address, and with `ports` each of its ports, has a budget of SYNs from clients that are not known; senders of what is beyond it are
// asked (state/syn_cookies.h). Counted by whole addresses: a datapath that has a budget then knows that its address is one of `to`.
void read_syn_cookies(GuardReader& guard) {
  constexpr double kAbove = 1000;
  const auto above = guard.rate("above", LimitUnit::Packets, {LimitUnit::Packets, LimitUnit::Flows});
  AllOf match{numbers(kIpProtocol, {{6, 6}}, "tcp"), syn_without_ack()};
  if (const Node* to = guard.at("to"); to != nullptr && guard.reading.wants_text(*to, "a zone or a set")) {
    if (to->text.front() == '@') {
      if (auto set = guard.addresses("to")) match.push_back(addresses(kTo, std::move(*set)));
    } else if (const ZoneId zone = guard.reading.zone(*to); zone != kNoZone) {
      Condition condition;
      condition.field = kTo;
      condition.values.zones.push_back(zone);
      condition.values.written.emplace_back(to->text);
      match.push_back(std::move(condition));
    }
  }
  Limit limit;
  limit.rate = above ? above->first : kAbove;
  limit.unit = LimitUnit::Packets;
  limit.burst = default_burst(limit.rate);
  limit.per.push_back({kTo, 32, 128});
  limit.spare_known = limit.asks_source = true;
  if (const Node* list = guard.at("ports")) {
    std::vector<NumberRange> ranges;
    std::string written;
    guard.reading.each(*list, "ports", [&](const Node& item) {
      const auto port = guard.reading.number(item, "a port", 1, 65535);
      if (!port) return;
      ranges.push_back({*port, *port});
      written += sentence(written.empty() ? "" : ", ", *port);
    });
    normalise(ranges);
    match.push_back(numbers(kPort, std::move(ranges), written));
    limit.per.push_back({kPort});
  }
  guard.add_limit(std::move(match), std::move(limit));
}

void read_undecided_guard(GuardReader& guard) {
  read_undecided_bounds(guard.reading, guard.node, guard.policy().undecided);
  guard.add_rule({word(guard.words(), kFlowState, {})});
}

void read_knock(GuardReader& guard) {
  StateWishes& wishes = guard.policy().wishes;
  const Node* list = guard.at("ports");
  if (list == nullptr) return void(guard.reading.error(guard.node, "the guard `knock` needs `ports: [in their order]`"));
  wishes.knock_ports.clear();
  guard.reading.each(*list, "ports in their order", [&](const Node& item) {
    if (const auto port = guard.reading.number(item, "a port", 1, 65535))
      wishes.knock_ports.push_back(static_cast<std::uint16_t>(*port));
  });
  if (wishes.knock_ports.size() < 2 || wishes.knock_ports.size() > 16) guard.reading.error(*list, "a knock has 2 to 16 ports");
  wishes.knock_within_ns = guard.duration("within", wishes.knock_within_ns);
  guard.add_rule({boolean_is(kKnock, true)});
}

void read_scan(GuardReader& guard) {
  StateWishes& wishes = guard.policy().wishes;
  wishes.scan_ports = guard.number("ports", 20, 2, 65535);
  wishes.scan_within_ns = guard.duration("within", wishes.scan_within_ns);
  guard.add_rule({boolean_is(kScan, true)});
}

void read_dns_tunnel(GuardReader& guard) {
  StateWishes::DnsTunnel& wish = guard.policy().wishes.dns_tunnel;
  wish.on = true;
  wish.queries = guard.number("queries", wish.queries, 1, 1'000'000);
  wish.within_ns = guard.duration("within", wish.within_ns);
  wish.unique = guard.decimal("unique", wish.unique);
  if (wish.unique > 1) guard.reading.error(*guard.at("unique"), "`unique` is a part of all names, from 0 to 1");
  wish.name_bytes = guard.number("name_bytes", wish.name_bytes, 1, 255);
  wish.label_bytes = guard.number("label_bytes", wish.label_bytes, 1, 63);
  guard.add_rule({boolean_is(kDnsTunnel, true)});
}

void read_icmp_tunnel(GuardReader& guard) {
  StateWishes::IcmpTunnel& wish = guard.policy().wishes.icmp_tunnel;
  wish.on = true;
  wish.payload_bytes = guard.number("payload_bytes", wish.payload_bytes, 0, 65535);
  if (const auto rate = guard.rate("rate", LimitUnit::Packets, {LimitUnit::Packets})) wish.rate = rate->first;
  guard.add_rule({boolean_is(kIcmpTunnel, true)});
}

void read_slow_client(GuardReader& guard) {
  StateWishes::SlowClient& wish = guard.policy().wishes.slow_client;
  wish.on = true;
  wish.headers_within_ns = guard.duration("headers_within", wish.headers_within_ns);
  if (const auto rate = guard.rate("body_rate", LimitUnit::Bytes, {LimitUnit::Bytes, LimitUnit::Bits}))
    wish.body_bytes_per_s = rate->second == LimitUnit::Bits ? rate->first / 8 : rate->first;
  guard.add_rule({boolean_is(kFlowSlow, true)});
}

void read_ssrf(GuardReader& guard) { guard.add_rule({boolean_is(kHttpSsrf, true)}); }
void read_fronting(GuardReader& guard) { guard.add_rule({boolean_is(kHttpFronting, true)}); }

// clang-format off
constexpr KeyRow kInspection[] = {{"bindings", "[binding]", "Addresses and their MAC."}, {"learn", "'dhcp'|'first'|'none'", "Where further bindings come from."},
                                  {"unlisted", "'pass'|'drop'", "What has no binding."}, {"rate", "rate", "A port, else a sender."}};
constexpr KeyRow kNormalise[] = {{"flaws", "[text]", "Values of the fact `flaw`."}};
constexpr KeyRow kAntiSpoof[] = {{"ports", "{text}", "Ports and their zones, where the zones do not tell."}};
constexpr KeyRow kPortSecurity[] = {{"macs_max", "number", ""}, {"sticky", "boolean", ""}};
constexpr KeyRow kDhcp[] = {{"trusted", "[text]", "Ports."}, {"servers", "[prefix]", ""}, {"relays", "[prefix]", ""},
                            {"rate", "rate", "Of a client's messages."}, {"verify_mac", "boolean", ""}};
constexpr KeyRow kRa[] = {{"trusted", "[text]", "Ports."}, {"routers", "[address|router]", ""}};
constexpr KeyRow kTcp[] = {{"midstream", "'drop'|'pick-up'", "What is of no connection."}, {"strict", "boolean", "Every packet is read, also of settled flows."}};
constexpr KeyRow kSolicited[] = {{"protocols", "[text]", "Names of protocols, and icmp."}};
constexpr KeyRow kAmplification[] = {{"ratio", "number", "Bytes answered to bytes asked."}, {"answers", "rate", ""}};
constexpr KeyRow kFlood[] = {{"what", "'syn'|'udp'|'icmp'|'fragments'|'packets'|'flows'|'requests'", "", true}, {"per", "[text]", ""}, {"rate", "rate", "", true},
                             {"burst", "decimal", "A second's worth if it is not said."}, {"spare", "'known'", ""}};
constexpr KeyRow kSynCookies[] = {{"above", "rate", "SYNs that pass unasked, to each address or port: 1000/s."}, {"to", "text", "A zone or a set."}, {"ports", "[number]", ""}};
constexpr KeyRow kUndecided[] = {{"frames", "number", ""}, {"bytes", "number", ""}, {"time", "duration", ""}, {"server_bytes", "number", ""}};
constexpr KeyRow kKnockKeys[] = {{"ports", "[number]", "The sequence."}, {"within", "duration", ""}};
constexpr KeyRow kScanKeys[] = {{"ports", "number", "So many different ones."}, {"within", "duration", ""}};
constexpr KeyRow kDnsTunnelKeys[] = {{"queries", "number", ""}, {"within", "duration", ""}, {"unique", "decimal", ""}, {"name_bytes", "number", ""}, {"label_bytes", "number", ""}};
constexpr KeyRow kIcmpTunnelKeys[] = {{"payload_bytes", "number", ""}, {"rate", "rate", ""}};
constexpr KeyRow kSlowClient[] = {{"headers_within", "duration", ""}, {"body_rate", "rate", ""}};
// clang-format on

struct GuardRow {
  std::string_view name;
  std::span<const KeyRow> parameters;
  void (*read)(GuardReader&);
  bool list = false;
};

// The order in which guards stand.
constexpr GuardRow kGuards[] = {{"normalise", kNormalise, read_normalise},
                                {"anti-spoof", kAntiSpoof, read_anti_spoof},
                                {"port-security", kPortSecurity, read_port_security},
                                {"dhcp-snooping", kDhcp, read_dhcp_snooping},
                                {"ra-guard", kRa, read_ra_guard},
                                {"arp-inspection", kInspection, read_arp_inspection},
                                {"nd-inspection", kInspection, read_nd_inspection},
                                {"source-guard", kInspection, read_source_guard},
                                {"tcp-state", kTcp, read_tcp_state},
                                {"solicited", kSolicited, read_solicited},
                                {"amplification", kAmplification, read_amplification},
                                {"flood", kFlood, read_flood, true},
                                {"syn-cookies", kSynCookies, read_syn_cookies},
                                {"undecided", kUndecided, read_undecided_guard},
                                {"knock", kKnockKeys, read_knock},
                                {"scan", kScanKeys, read_scan},
                                {"dns-tunnel", kDnsTunnelKeys, read_dns_tunnel},
                                {"icmp-tunnel", kIcmpTunnelKeys, read_icmp_tunnel},
                                {"slow-client", kSlowClient, read_slow_client},
                                {"ssrf", {}, read_ssrf},
                                {"fronting", {}, read_fronting}};

constexpr auto kGuardNames = [] {
  std::array<std::string_view, std::size(kGuards)> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kGuards[i].name;
  return names;
}();

void read_guard(Reading& reading, const GuardRow& row, const Node& value) {
  if (value.is_scalar() && value.text == "false") return;
  if (row.list) {
    if (!value.is_list() || value.count == 0)
      return void(reading.error(
          value, sentence("the guard `", row.name, "` is a list such as `[ { what: syn, per: from, rate: 100/s } ]`")));
    value.for_each_item([&](const Node& item) {
      if (!reading.wants_map(item, sentence("an item of `", row.name, "`"))) return;
      GuardReader guard(reading, row.name, item, row.parameters);
      row.read(guard);
    });
    return;
  }
  if (!value.is_map() && !(value.is_scalar() && value.text == "true"))
    return void(reading.error(value, sentence("the guard `", row.name, "` is `true`, `false` or a map of its parameters")));
  GuardReader guard(reading, row.name, value, row.parameters);
  row.read(guard);
}

}  // namespace

std::span<const std::string_view> guard_names() { return kGuardNames; }

std::vector<GuardShape> guard_shapes() {
  std::vector<GuardShape> out;
  for (const GuardRow& row : kGuards) out.push_back({row.name, row.parameters, row.list});
  return out;
}

void read_guards(Reading& reading, const std::vector<const Node*>& maps) {
  for (const Node* map : maps) {
    if (!reading.wants_map(*map, "guards by name, such as `tcp-state: true`")) continue;
    map->for_each_pair([&](const Node& key, const Node&) {
      if (std::find(kGuardNames.begin(), kGuardNames.end(), key.text) == kGuardNames.end())
        reading.error(key, sentence("unknown guard `", key.text.substr(0, 80), "`", reading.hint(key.text, kGuardNames)));
    });
  }
  for (const GuardRow& row : kGuards)
    for (const Node* map : maps)
      if (const Node* value = map->at(row.name)) {
        read_guard(reading, row, *value);
        break;
      }
}

}  // namespace weir::policy
