// SPDX-License-Identifier: Apache-2.0
#include "facts/view.h"

#include "facts/field_ids.h"

namespace weir {
namespace {

using namespace field;

struct Answer {
  Fact fact;
  void number(std::uint64_t value) { put(Value::of_number(value)); }
  void ip(const Ip& value) { put(Value::of_ip(value)); }
  void mac(const Mac& value) { put(Value::of_mac(value)); }
  void put(Value value) {
    fact.state = FactState::Known;
    if (fact.count < fact.values.size()) fact.values[fact.count++] = value;
  }
  void bits(std::uint32_t set) {
    for (; set != 0; set &= set - 1) number(static_cast<std::uint64_t>(std::countr_zero(set)));
  }
};

bool has_ports(std::uint8_t protocol) {
  return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || protocol == ip_protocol::kSctp;
}

void look_up_frame(const View& view, FieldId field, Answer& answer) {
  const Packet& p = *view.packet;
  switch (field) {
    case kInPort: if (p.frame->port != kNoPort) answer.number(p.frame->port); break;
    case kEthSrc: if (p.has_eth) answer.mac(p.eth_src); break;
    case kEthDst: if (p.has_eth) answer.mac(p.eth_dst); break;
    case kEthType: if (p.has_eth || p.eth_type != 0) answer.number(p.eth_type); break;
    case kLlcDsap: if (p.has_llc) answer.number(p.llc_dsap); break;
    case kVlanId: if (p.vlans_count != 0) answer.number(p.vlans[0]); break;
    case kArpOp: if (p.has_arp) answer.number(p.arp.op); break;
    case kArpSenderIp: if (p.has_arp) answer.ip(p.arp.sender_ip); break;
    case kArpSenderMac: if (p.has_arp) answer.mac(p.arp.sender_mac); break;
    case kArpTargetIp: if (p.has_arp) answer.ip(p.arp.target_ip); break;
    case kFlaw: answer.bits(p.flaws.bits() | view.flaws.bits()); break;
    case kTunnelKind:
      for (std::size_t i = 0; i < p.tunnels_count; ++i) answer.number(static_cast<std::uint64_t>(p.tunnels[i]));
      break;
    case kTunnelDepth: if (p.layers_count != 0) answer.number(p.tunnels_count); break;
    case kGreProtocol: if (p.has_gre) answer.number(p.gre_protocol); break;
    case kOuterFrom: if (p.layers_count > 1 || p.tunnels_count != 0) answer.ip(view.outer_from); break;
    case kOuterTo: if (p.layers_count > 1 || p.tunnels_count != 0) answer.ip(view.outer_to); break;
    default: break;
  }
}

void look_up_layer(const View& view, FieldId field, Answer& answer) {
  if (view.layer == nullptr) return;
  const IpLayer& l = *view.layer;
  if (l.version == 0) return;
  switch (field) {
    case kIpVersion: answer.number(l.version); break;
    case kIpTtl: answer.number(l.ttl); break;
    case kIpDscp: answer.number(l.dscp); break;
    case kIpLength: answer.number(l.length); break;
    case kIpProtocol:
      for (std::size_t i = 0; i < l.protocols_count; ++i) answer.number(l.protocols[i]);
      break;
    case kIpOptions: answer.bits(l.ip_options); break;
    case kIp6Headers: answer.bits(l.ip6_headers); break;
    case kIp6RoutingType: if (l.has_ip6_routing) answer.number(l.ip6_routing_type); break;
    case kIpFragment: answer.number(static_cast<std::uint64_t>(l.fragment)); break;
    case kTcpFlags:
    case kTcpFlagsAny: if (l.is_tcp()) answer.number(l.tcp_flags); break;
    case kIcmpType: if (l.is_icmp()) answer.number(l.icmp_type + (l.protocol == ip_protocol::kIcmpv6 ? 256U : 0U)); break;
    case kIcmpCode: if (l.is_icmp()) answer.number(l.icmp_code); break;
    case kIcmpPayloadBytes: if (l.is_icmp()) answer.number(l.payload_wire_bytes); break;
    case kSrcIp: answer.ip(l.src); break;
    case kDstIp: answer.ip(l.dst); break;
    case kSrcPort: if (has_ports(l.protocol) && l.has_transport) answer.number(l.src_port); break;
    case kDstPort: if (has_ports(l.protocol) && l.has_transport) answer.number(l.dst_port); break;
    default: break;
  }
}

void look_up_app(const View& view, Answer& answer, FieldId field) {
  const FlowFacts& flow = *view.flow;
  const AppChain& app = flow.app;
  if (!has_ports(flow.ends.protocol)) return;
  const bool open = app.open && !view.at_bound;
  if (field == kAppProtocol) {
    for (std::size_t i = 0; i < app.count; ++i) answer.number(app.layers[i]);
    if (app.hidden) answer.fact.state = FactState::Hidden;
    else if (app.count == 0) answer.fact.state = FactState::NotYet;
    answer.fact.complete = !open && !app.may_extend;
    return;
  }
  if (field == kAppConfirmed) {
    if (app.confirmed) answer.number(1);
    else if (!view.at_bound) answer.fact.state = FactState::NotYet;
    return;
  }
  // app.on_standard_port: of the outermost layer, whose port it is.
  if (app.count == 0) {
    if (open) answer.fact.state = FactState::NotYet;
    return;
  }
  const AppRow& row = view.vocabulary->app(app.layers[0]);
  if (row.tcp_ports.empty() && row.udp_ports.empty()) return;
  answer.number(view.vocabulary->is_registered_port(flow.ends.protocol, flow.ends.server_port, app.layers[0]) ? 1 : 0);
}

void look_up_flow(const View& view, FieldId field, Answer& answer) {
  if (view.flow == nullptr) return;
  const FlowFacts& f = *view.flow;
  switch (field) {
    case kFrom:
    case kClientIp: answer.ip(f.ends.client); break;
    case kTo:
    case kServerIp: answer.ip(f.ends.server); break;
    case kPeer: answer.ip(f.ends.client); answer.ip(f.ends.server); break;
    case kPort:
    case kServerPort: if (has_ports(f.ends.protocol)) answer.number(f.ends.server_port); break;
    case kClientPort: if (has_ports(f.ends.protocol)) answer.number(f.ends.client_port); break;
    case kClientMac: if (f.has_macs) answer.mac(f.client_mac); break;
    case kServerMac: if (f.has_macs) answer.mac(f.server_mac); break;
    case kFromZone: if (f.from != kNoZone) answer.number(f.from); break;
    case kToZone: if (f.to != kNoZone) answer.number(f.to); break;
    case kFlowState: answer.number(static_cast<std::uint64_t>(f.state)); break;
    case kFlowPackets: answer.number(f.packets[0] + f.packets[1]); break;
    case kFlowBytes: answer.number(f.bytes[0] + f.bytes[1]); break;
    case kFlowBytesToServer: answer.number(f.bytes[0]); break;
    case kFlowBytesToClient: answer.number(f.bytes[1]); break;
    case kFlowAge: answer.number(static_cast<std::uint64_t>((view.now_ns - f.start_ns) / kSecond)); break;
    case kUdpSolicited: if (f.unsolicited) answer.number(0); break;
    case kAmplificationRatio: if (f.bytes[0] != 0) answer.number(f.bytes[1] / f.bytes[0]); break;
    default: break;
  }
}

/// Text that is empty is not known; `absent` says that it is known not to be there.
void tell(Answer& answer, std::string_view text, bool absent = false) {
  if (!absent) answer.put(Value::of_text(text.empty() ? kUnknownSender : text));
}

void look_up_sender(const View& view, FieldId field, Answer& answer) {
  static constexpr Sender kNobody;
  const Sender& s = view.sender != nullptr ? *view.sender : kNobody;
  const bool outside = s.container_id.empty() && !s.cgroup.empty();
  switch (field) {
    case kProcessPath: tell(answer, s.path); break;
    case kProcessName: tell(answer, s.name); break;
    case kProcessCmdline: tell(answer, s.cmdline); break;
    case kProcessSha256: tell(answer, s.sha256); break;
    case kProcessPid: answer.number(s.pid); break;
    case kProcessParentPath:
      for (std::size_t i = 0; i < s.parents_count; ++i) tell(answer, s.parents[i]);
      if (s.parents_count == 0) tell(answer, {}, !s.path.empty());
      break;
    // A rule may give the name or the number.
    case kUser: tell(answer, s.user); tell(answer, s.uid, s.uid.empty() || s.uid == s.user); break;
    case kGroup: tell(answer, s.group); tell(answer, s.gid, s.gid.empty() || s.gid == s.group); break;
    case kCgroup: tell(answer, s.cgroup); break;
    case kService: tell(answer, s.service, s.service.empty() && !s.cgroup.empty()); break;
    case kContainerId: tell(answer, s.container_id, outside); break;
    case kContainerName: tell(answer, s.container_name, outside); break;
    case kContainerImage: tell(answer, s.container_image, outside); break;
    default: break;
  }
}

}  // namespace

/// A fact of a protocol that this flow does not speak, and cannot come to speak with the bytes at hand, is absent.
bool may_come(const View& view, FieldId field) {
  if (view.flow == nullptr) return false;  // A frame of no flow says nothing more.
  const AppSet& owners = view.vocabulary->owners(field);
  if (owners.empty()) return true;
  if (!has_ports(view.flow->ends.protocol)) return false;
  const AppChain& app = view.flow->app;
  for (std::size_t i = 0; i < app.count; ++i)
    if (owners.has(app.layers[i])) return true;
  return app.open && !app.hidden && app.candidates.intersects(owners);
}

Fact look_up(const View& view, FieldId field) {
  Answer answer;
  answer.fact.field = field;
  if (field < kSrcIp) {
    if (field <= kArpTargetIp) look_up_frame(view, field, answer);
    else look_up_layer(view, field, answer);
    return answer.fact;
  }
  if (field <= kDstPort) {
    look_up_layer(view, field, answer);
    return answer.fact;
  }
  if (field < kSrcSpoofed) {
    look_up_frame(view, field, answer);
    return answer.fact;
  }
  if (field == kAppProtocol || field == kAppConfirmed || field == kAppOnStandardPort) {
    if (view.flow != nullptr) look_up_app(view, answer, field);
    return answer.fact;
  }
  if ((field >= kFrom && field <= kUdpSolicited) || field == kAmplificationRatio) {
    look_up_flow(view, field, answer);
    return answer.fact;
  }
  if (field >= kProcessPath && field <= kContainerImage) {
    if (view.has_senders) look_up_sender(view, field, answer);
    return answer.fact;
  }
  const bool reading = field == kSrcSpoofed || (field >= kArpBinding && field <= kDhcpMacMismatch);
  const Facts* store = reading ? view.readings : view.facts;
  if (store != nullptr) {
    answer.fact.state = store->state(field);
    answer.fact.complete = store->complete(field);
    if (answer.fact.state == FactState::Known) answer.fact.more = store;
  } else {
    answer.fact.state = reading ? FactState::Absent : FactState::NotYet;
    answer.fact.complete = reading;
  }
  if (answer.fact.state == FactState::NotYet && (reading || view.at_bound || !may_come(view, field))) {
    answer.fact.state = FactState::Absent;
    answer.fact.complete = true;
  }
  if (view.at_bound) answer.fact.complete = true;
  return answer.fact;
}

}  // namespace weir
