// SPDX-License-Identifier: Apache-2.0
#include "service/flow_json.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "policy/explain.h"

namespace weir::service {

using Json = nlohmann::ordered_json;

std::string rule_name(const policy::Policy& policy, RuleId rule) {
  return rule == kOperatorRule ? std::string("operator") : policy::name_of_rule(policy, rule);
}

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case ip_protocol::kTcp: return "TCP";
    case ip_protocol::kUdp: return "UDP";
    case ip_protocol::kIcmp: return "ICMP";
    case ip_protocol::kIcmpv6: return "IPv6-ICMP";
    case ip_protocol::kSctp: return "SCTP";
    default: return std::to_string(protocol);
  }
}

Json json_of(const engine::FlowNow& flow, const policy::Policy& policy) {
  const engine::FlowRecord& r = flow.record;
  const FlowEnds& e = r.ends;
  Json out;
  out["flow_id"] = r.flow_id;
  if (r.port < policy.port_names.size()) out["in_iface"] = policy.port_names[r.port];
  out["src_ip"] = render(e.client);
  const bool ports = e.protocol == ip_protocol::kTcp || e.protocol == ip_protocol::kUdp || e.protocol == ip_protocol::kSctp;
  if (ports) out["src_port"] = e.client_port;
  out["dest_ip"] = render(e.server);
  if (ports) out["dest_port"] = e.server_port;
  out["proto"] = protocol_name(e.protocol);
  out["app_proto"] = engine::vocabulary().app(r.app).name;
  using State = engine::FlowRecord::State;
  out["flow"] = {{"pkts_toserver", r.packets[0]},
                 {"pkts_toclient", r.packets[1]},
                 {"bytes_toserver", r.bytes[0]},
                 {"bytes_toclient", r.bytes[1]},
                 {"pkts_dropped", r.dropped_packets},
                 {"state", r.state == State::New ? "new" : r.state == State::Established ? "established" : "closed"},
                 {"action", flow.denied ? "dropped" : "passed"},
                 {"idle_seconds", static_cast<double>(flow.idle_ns / kMillisecond) / 1000},
                 {"ends_in_seconds", static_cast<double>((flow.idle_ns_max - flow.idle_ns) / kMillisecond) / 1000}};
  Json weir = {{"settled", flow.settled}};
  if (flow.held) weir["held"] = true;
  if (const std::string rule = rule_name(policy, r.rule); !rule.empty()) weir["rule"] = rule;
  if (r.from < policy.zones.size()) weir["from"] = policy.zones[r.from].name;
  if (r.to < policy.zones.size()) weir["to"] = policy.zones[r.to].name;
  out["weir"] = std::move(weir);
  return out;
}

Json json_of(const engine::BanNow& ban, const policy::Policy& policy) {
  constexpr const char* kKinds[] = {"source", "destination", "port", "protocol"};
  Json out = {{"ban", kKinds[static_cast<std::size_t>(ban.key.kind)]}, {"address", render(ban.key.ip)}};
  if (ban.key.protocol != 0) out["proto"] = protocol_name(ban.key.protocol);
  if (ban.key.port != 0) out["port"] = ban.key.port;
  out["rule"] = rule_name(policy, ban.rule);
  out["seconds_left"] = static_cast<double>(ban.left_ns / kMillisecond) / 1000;
  return out;
}

}  // namespace weir::service
