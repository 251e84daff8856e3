// SPDX-License-Identifier: Apache-2.0
#include "engine/readings.h"

#include <algorithm>
#include <optional>

#include "engine/detectors.h"
#include "engine/engine.h"
#include "facts/field_ids.h"
#include "policy/zone.h"
#include "state/bindings.h"
#include "state/carried_names.h"
#include "state/echoes.h"
#include "state/probes.h"
#include "state/rates.h"
#include "state/stations.h"
#include "wire/neighbor.h"

namespace weir::engine {

using namespace field;
using policy::StateWishes;
using state::RateKind;

namespace {

std::vector<state::Bindings::Static> fixed(const StateWishes::BindingTable& table) {
  std::vector<state::Bindings::Static> out;
  for (const StateWishes::StaticBinding& b : table.bindings) out.push_back({b.ip, b.mac, b.port});
  return out;
}

constexpr Nanoseconds kFirstClaimKeeps = 4 * kHour;

bool is_echo(const IpLayer& layer, bool& request) {
  if (!layer.is_icmp()) return false;
  if (layer.protocol == ip_protocol::kIcmp) {
    request = layer.icmp_type == 8;
    return layer.icmp_type == 8 || layer.icmp_type == 0;
  }
  request = layer.icmp_type == 128;
  return layer.icmp_type == 128 || layer.icmp_type == 129;
}

/// Sources that no packet on a network may have (RFC 1122, 3.2.1.3; RFC 4291, 2.7).
bool is_martian(const Ip& ip) { return ip.is_multicast() || ip.is_broadcast() || ip.is_loopback(); }

}  // namespace

struct Readings::Tables {
  const policy::RuleSet& rules;
  const StateWishes& wishes;
  FieldSet made;  ///< Asked for by some rule.
  Facts facts;
  bool any_header = false;
  state::Bindings arp, nd, source;
  std::optional<state::Rates> rates;
  std::optional<state::Knocks> knocks;
  std::optional<state::Scans> scans;
  std::optional<state::CarriedNames> carried;
  std::optional<state::Echoes> echoes;
  Detectors detectors;
  bool knocking = false, scanning = false;  ///< Of the frame at hand.

  Tables(const policy::RuleSet& r, std::size_t entries, SlabPool& pool)
      : rules(r), wishes(r.policy().wishes), made(r.wanted()), facts(pool, made),
        arp(fixed(wishes.arp), wishes.arp.on ? entries : 8),
        nd(fixed(wishes.nd), wishes.nd.on ? entries : 8),
        source(fixed(wishes.source), wishes.source.on ? entries : 8),
        detectors(r, entries, vocabulary()) {
    for (const FieldId f : {kRateSyn, kRatePackets, kRateFlows, kRateRequests, kRateSynTo, kRatePacketsTo, kRateFlowsTo, kRateRequestsTo})
      if (made.test(f) && !rates) rates.emplace(entries);
    if (!wishes.knock_ports.empty()) knocks.emplace(wishes.knock_ports, wishes.knock_within_ns, entries);
    if (wishes.scan_ports != 0) scans.emplace(wishes.scan_ports, wishes.scan_within_ns, entries);
    if (made.test(kDnsTunnel)) {
      const StateWishes::DnsTunnel& d = wishes.dns_tunnel;
      carried.emplace(state::CarriedNamesBounds{d.queries, d.within_ns, d.unique, d.name_bytes, d.label_bytes}, entries);
    }
    if (made.test(kIcmpTunnel)) echoes.emplace(entries);
    for (FieldId f = kArpBinding; f <= kDhcpMacMismatch; ++f) any_header = any_header || made.test(f);
    any_header = any_header || made.test(kSrcSpoofed);
  }
  bool wants(FieldId f) const { return made.test(f); }
  void flag(FieldId f, bool value) { facts.set(f, Scope::Reading, Value::of_number(value ? 1 : 0)); }
  void number(FieldId f, std::uint64_t value) { facts.set(f, Scope::Reading, Value::of_number(value)); }
  void claim(FieldId f, state::Claim value) { number(f, static_cast<std::uint64_t>(value)); }
};

Readings::Readings(const policy::RuleSet& rules, std::size_t entries, SlabPool& pool)
    : entries_(entries), pool_(pool), tables_(std::make_unique<Tables>(rules, entries, pool)) {
  of_content_ = tables_->detectors.any();
  learns_from_all_ = tables_->detectors.learns();
}
Readings::~Readings() = default;

void Readings::reload(const policy::RuleSet& rules) {
  auto next = std::make_unique<Tables>(rules, entries_, pool_);
  Tables &was = *tables_, &now = *next;
  const auto bindings = [](const StateWishes::BindingTable& before, state::Bindings& from, const StateWishes::BindingTable& after, state::Bindings& to) {
    if (before.on && after.on) to.take_learned(from);
  };
  bindings(was.wishes.arp, was.arp, now.wishes.arp, now.arp);
  bindings(was.wishes.nd, was.nd, now.wishes.nd, now.nd);
  bindings(was.wishes.source, was.source, now.wishes.source, now.source);
  if (was.rates && now.rates) now.rates = std::move(was.rates);
  if (was.knocks && now.knocks && was.wishes.knock_ports == now.wishes.knock_ports && was.wishes.knock_within_ns == now.wishes.knock_within_ns)
    now.knocks = std::move(was.knocks);
  if (was.scans && now.scans && was.wishes.scan_ports == now.wishes.scan_ports && was.wishes.scan_within_ns == now.wishes.scan_within_ns)
    now.scans = std::move(was.scans);
  if (was.carried && now.carried && was.wishes.dns_tunnel == now.wishes.dns_tunnel) now.carried = std::move(was.carried);
  if (was.echoes && now.echoes) now.echoes = std::move(was.echoes);
  now.detectors.go_on(was.detectors);
  tables_ = std::move(next);
  of_content_ = tables_->detectors.any();
  learns_from_all_ = tables_->detectors.learns();
}

const Facts& Readings::facts() const { return tables_->facts; }

void Readings::arrive(const Packet& packet, Nanoseconds now_ns) {
  Tables& t = *tables_;
  if (!t.any_header) return;
  t.knocking = t.scanning = false;
  if (packet.layers_count == 0) return;
  const IpLayer& layer = packet.inner();
  if (t.rates) {
    if (t.wants(kRatePackets)) t.rates->arrive(RateKind::Packets, layer.src, now_ns);
    if (t.wants(kRatePacketsTo)) t.rates->arrive(RateKind::PacketsTo, layer.dst, now_ns);
  }
  const bool syn = layer.is_tcp() && (layer.tcp_flags & (tcp_flag::kSyn | tcp_flag::kAck | tcp_flag::kRst)) == tcp_flag::kSyn;
  if (syn && t.rates) {
    if (t.wants(kRateSyn)) t.rates->arrive(RateKind::Syn, layer.src, now_ns);
    if (t.wants(kRateSynTo)) t.rates->arrive(RateKind::SynTo, layer.dst, now_ns);
  }
  if (!layer.has_transport || (!layer.is_tcp() && !layer.is_udp())) return;
  // A probe: a SYN, a segment of no connection by its flags (none, FIN alone, FIN+PSH+URG), or a datagram.
  const std::uint8_t flags = layer.tcp_flags & 0x3f;
  const bool odd = layer.is_tcp() && (flags == 0 || flags == tcp_flag::kFin || flags == (tcp_flag::kFin | tcp_flag::kPsh | tcp_flag::kUrg));
  if (t.knocks && (syn || layer.is_udp())) t.knocking = t.knocks->probe(layer.src, layer.dst_port, now_ns);
  if (t.scans) t.scanning = syn || odd ? t.scans->probe(layer.src, layer.dst_port, now_ns) : t.scans->scans(layer.src, now_ns);
}

void Readings::make_bindings(const View& view) {
  Tables& t = *tables_;
  const Packet& p = *view.packet;
  const PortIndex port = p.frame->port;
  if (t.wants(kArpBinding) && p.has_arp && !p.arp.sender_ip.is_unspecified())
    t.claim(kArpBinding, t.arp.judge(p.arp.sender_ip, p.arp.sender_mac, port, view.now_ns));
  if (view.layer == nullptr) return;
  if (t.wants(kNdBinding)) {
    if (const auto claim = wire::parse_neighbor_claim(p, *view.layer)) t.claim(kNdBinding, t.nd.judge(claim->ip, claim->mac, port, view.now_ns));
  }
  if (t.wants(kSrcBinding) && p.has_eth && !view.layer->src.is_unspecified())
    t.claim(kSrcBinding, t.source.judge(view.layer->src, p.eth_src, port, view.now_ns));
}

/// The source cannot come from here: a martian, an address of a zone with networks behind another zone's port, or from outside an
/// address of a zone that is not outside.
void Readings::make_spoofing(const View& view) {
  Tables& t = *tables_;
  const Ip& src = view.layer->src;
  if (src.is_unspecified() || src.is_link_local()) return t.flag(kSrcSpoofed, false);
  bool spoofed = is_martian(src) || (src == view.layer->dst && !src.is_loopback());
  const PortIndex port = view.packet->frame->port;
  ZoneId expected = kNoZone;
  if (port != kNoPort) {
    for (const auto& [named, zone] : t.wishes.spoof_ports)
      if (named == port) expected = zone;
    if (expected == kNoZone) expected = t.rules.zones().by_port(port);
  }
  if (expected != kNoZone && !spoofed) {
    const ZoneId actual = t.rules.zones().by_network(src);
    const bool expected_has_networks = !t.rules.policy().zones[expected].networks.empty();
    spoofed = expected_has_networks ? actual != expected : actual != kNoZone && actual != expected;
  }
  t.flag(kSrcSpoofed, spoofed);
}

void Readings::make_rates(const View& view, bool opens) {
  Tables& t = *tables_;
  if (!t.rates) return;
  const Ip &src = view.layer->src, &dst = view.layer->dst;
  if (opens) {
    if (t.wants(kRateFlows)) t.rates->arrive(RateKind::Flows, src, view.now_ns);
    if (t.wants(kRateFlowsTo)) t.rates->arrive(RateKind::FlowsTo, dst, view.now_ns);
  }
  struct Row {
    FieldId field;
    RateKind kind;
    bool to;
  };
  constexpr Row kRows[] = {{kRateSyn, RateKind::Syn, false}, {kRatePackets, RateKind::Packets, false}, {kRateFlows, RateKind::Flows, false},
                           {kRateRequests, RateKind::Requests, false}, {kRateSynTo, RateKind::SynTo, true}, {kRatePacketsTo, RateKind::PacketsTo, true},
                           {kRateFlowsTo, RateKind::FlowsTo, true}, {kRateRequestsTo, RateKind::RequestsTo, true}};
  for (const Row& row : kRows)
    if (t.wants(row.field)) t.number(row.field, t.rates->read(row.kind, row.to ? dst : src, view.now_ns));
}

void Readings::make_echo(const View& view) {
  Tables& t = *tables_;
  bool request = false;
  if (!is_echo(*view.layer, request)) return;
  const IpLayer& l = *view.layer;
  const Bytes payload = view.packet->payload(l);
  bool tunnel = l.payload_wire_bytes > t.wishes.icmp_tunnel.payload_bytes;
  if (!request) tunnel = tunnel || t.echoes->differs(l.src, l.dst, l.icmp_id, l.icmp_sequence, payload, view.now_ns);
  t.flag(kIcmpTunnel, tunnel);
  if (request) t.echoes->request(l.src, l.dst, l.icmp_id, l.icmp_sequence, payload, view.now_ns);
}

namespace {

bool is_from_client(const View& view) {
  const FlowEnds& ends = view.flow->ends;
  return view.layer->src == ends.client && view.layer->src_port == ends.client_port;
}

}  // namespace

void Readings::make(const View& view, bool opens, std::uint32_t window) {
  Tables& t = *tables_;
  if (!t.any_header) return;
  t.facts.reset(Scope::Reading);
  make_bindings(view);
  if (t.detectors.any()) {
    const bool from_client = view.flow != nullptr && view.layer != nullptr && is_from_client(view);
    t.detectors.make(view, opens, from_client, window, t.facts);
  }
  if (view.layer == nullptr) return;
  if (t.wants(kSrcSpoofed)) make_spoofing(view);
  make_rates(view, opens);
  if (t.echoes) make_echo(view);
  if (t.wants(kKnock)) t.flag(kKnock, t.knocking);
  if (t.wants(kScan)) t.flag(kScan, t.scanning);
}

void Readings::make_of_content(const View& view, bool inside_body) {
  Tables& t = *tables_;
  t.detectors.make_of_content(view, is_from_client(view), inside_body, t.facts);
}

void Readings::passed(const Packet& packet, Nanoseconds now_ns) {
  Tables& t = *tables_;
  t.detectors.passed(packet, now_ns, {&t.arp, &t.nd, &t.source});
}

void Readings::make_for_transaction(const View& view, bool answer, bool first_time) {
  Tables& t = *tables_;
  if (view.flow == nullptr || view.facts == nullptr) return;
  if (t.detectors.any()) t.detectors.make_of_transaction(view, t.facts);
  const Ip& client = view.flow->ends.client;
  if (t.rates && first_time && !answer) {
    if (t.wants(kRateRequests)) t.number(kRateRequests, t.rates->arrive(RateKind::Requests, client, view.now_ns));
    if (t.wants(kRateRequestsTo)) t.number(kRateRequestsTo, t.rates->arrive(RateKind::RequestsTo, view.flow->ends.server, view.now_ns));
  }
  if (t.carried) {
    const Value* name = view.facts->value(view.vocabulary->field("dns.qname") == nullptr ? kNoField : view.vocabulary->field("dns.qname")->id);
    const FieldRow* domain_row = view.vocabulary->field("dns.domain");
    const Value* domain = domain_row == nullptr ? nullptr : view.facts->value(domain_row->id);
    if (name != nullptr) {
      const std::string_view under = domain == nullptr ? std::string_view() : domain->text();
      t.flag(kDnsTunnel, answer || !first_time ? t.carried->carries(client, under, view.now_ns)
                                               : t.carried->query(client, under, name->text(), view.now_ns));
    }
  }
  if (t.wants(kDhcpMacMismatch) && view.packet->has_eth) {
    const FieldRow* row = view.vocabulary->field("dhcp.client_mac");
    const Value* mac = row == nullptr ? nullptr : view.facts->value(row->id);
    // BOOTP's op 1 is a client's message; one with a relay's address (giaddr) comes from the relay's station (RFC 2131, 2).
    const Bytes message = view.packet->payload(*view.layer);
    const bool direct = message.size() >= 28 && message[0] == 1 && load_be32(&message[24]) == 0;
    if (mac != nullptr) t.flag(kDhcpMacMismatch, direct && mac->mac() != view.packet->eth_src);
  }
  if (t.wants(kAuthBinding)) {
    const Value* user = view.facts->value(kAuthUser);
    if (user == nullptr) return;
    const auto& accounts = t.rules.policy().accounts;
    const std::string_view who = user->text();
    auto at = std::lower_bound(accounts.begin(), accounts.end(), who, [](const policy::Account& a, std::string_view n) { return a.name < n; });
    state::Claim claim = state::Claim::Unlisted;
    for (; at != accounts.end() && at->name == who; ++at) {
      if (at->network.contains(client)) claim = state::Claim::Holds;
      else if (claim == state::Claim::Unlisted) claim = state::Claim::Contradicts;
    }
    t.claim(kAuthBinding, claim);
  }
}

void Readings::commit(const View& view) {
  Tables& t = *tables_;
  const Packet& p = *view.packet;
  const PortIndex port = p.frame->port;
  const Nanoseconds now = view.now_ns;
  if (t.wishes.arp.on && t.wishes.arp.learn == StateWishes::Learn::First && p.has_arp && !p.arp.sender_ip.is_unspecified() &&
      t.arp.judge(p.arp.sender_ip, p.arp.sender_mac, port, now) == state::Claim::Unlisted)
    t.arp.learn(p.arp.sender_ip, p.arp.sender_mac, port, now + kFirstClaimKeeps, now);
  if (view.layer == nullptr) return;
  if (t.wishes.nd.on && t.wishes.nd.learn == StateWishes::Learn::First) {
    const auto claim = wire::parse_neighbor_claim(p, *view.layer);
    if (claim && t.nd.judge(claim->ip, claim->mac, port, now) == state::Claim::Unlisted) t.nd.learn(claim->ip, claim->mac, port, now + kFirstClaimKeeps, now);
  }
  if (t.wishes.source.on && t.wishes.source.learn == StateWishes::Learn::First && p.has_eth &&
      t.source.judge(view.layer->src, p.eth_src, port, now) == state::Claim::Unlisted)
    t.source.learn(view.layer->src, p.eth_src, port, now + kFirstClaimKeeps, now);
}

std::uint32_t Readings::walk_learned(std::uint32_t first, std::uint32_t slots, Nanoseconds now_ns, const std::function<void(const Learned&)>& call) {
  Tables& t = *tables_;
  const std::size_t end = std::size_t{first} + slots;
  std::size_t begin = 0;  // Of the table at hand, in places of all.
  for (const auto& [of, table] : {std::pair{Learned::Of::Arp, &t.arp}, std::pair{Learned::Of::Nd, &t.nd}, std::pair{Learned::Of::Source, &t.source}}) {
    const std::size_t from = std::max<std::size_t>(first, begin), to = std::min(end, begin + table->places());
    if (from < to)
      table->walk(from - begin, to - from, now_ns, [&](const Ip& ip, const Mac& mac, PortIndex port, Nanoseconds until_ns) { call({of, ip, mac, port, until_ns}); });
    begin += table->places();
  }
  if (end <= begin) return static_cast<std::uint32_t>(end);
  if (state::Stations* const stations = t.detectors.sticky_stations())
    stations->for_each_sticky([&](PortIndex port, const Mac& mac) { call({.of = Learned::Of::Station, .ip = {}, .mac = mac, .port = port}); });
  return Engine::kNoMore;
}

std::size_t Readings::recall(std::span<const Learned> learned, Nanoseconds now_ns) {
  Tables& t = *tables_;
  const auto bind = [now_ns](const StateWishes::BindingTable& wish, state::Bindings& table, const Learned& one) {
    if (!wish.on || wish.learn == StateWishes::Learn::None) return false;
    table.learn(one.ip, one.mac, one.port, one.until_ns, now_ns);
    return true;
  };
  std::size_t taken = 0;
  for (const Learned& one : learned) {
    if (one.until_ns <= now_ns || one.mac.is_group()) continue;
    bool took = false;
    switch (one.of) {
      case Learned::Of::Arp: took = bind(t.wishes.arp, t.arp, one); break;
      case Learned::Of::Nd: took = bind(t.wishes.nd, t.nd, one); break;
      case Learned::Of::Source: took = bind(t.wishes.source, t.source, one); break;
      case Learned::Of::Station:
        if (state::Stations* const stations = t.detectors.sticky_stations()) {
          // No more of them than are allowed now.
          took = !stations->exceeds(one.port, one.mac, now_ns);
          if (took) stations->learn(one.port, one.mac, now_ns);
        }
        break;
    }
    taken += took ? 1U : 0U;
  }
  return taken;
}

}  // namespace weir::engine
