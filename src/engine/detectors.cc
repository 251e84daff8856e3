// SPDX-License-Identifier: Apache-2.0
#include "engine/detectors.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "base/text.h"
#include "engine/generated_name.h"
#include "engine/metadata_address.h"
#include "facts/field_ids.h"
#include "proto/dhcp/fields.h"
#include "proto/dhcp/lease.h"
#include "proto/dns/fields.h"
#include "proto/dns/suffixes.h"
#include "proto/http/fields.h"
#include "proto/tls/fields.h"
#include "state/beats.h"
#include "state/connection_key.h"
#include "state/first_seen.h"
#include "state/leases.h"
#include "state/paces.h"
#include "state/stations.h"

namespace weir::engine {

using namespace field;
using policy::StateWishes;
namespace http = proto::http;
namespace dns = proto::dns::field;
namespace dhcp = proto::dhcp;

namespace {

constexpr Nanoseconds kConnectedFor = kMinute;  ///< A tunnel's hello follows its CONNECT at once.

void flag(Facts& out, FieldId f, bool value) { out.set(f, Scope::Reading, Value::of_number(value ? 1 : 0)); }
void number(Facts& out, FieldId f, std::uint64_t value) { out.set(f, Scope::Reading, Value::of_number(value)); }

/// What the name was bought as; one without a public suffix, or an address, stands for itself.
std::string_view site_of(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (parse_ip(name)) return name;
  const std::string_view site = proto::dns::registered_domain(name);
  return site.empty() ? name : site;
}

/// Alike for names of one site, case aside.
std::uint64_t hash_of_site(std::string_view name) {
  char lowered[256];
  if (name.size() > sizeof lowered) return hash_text(name);
  std::transform(name.begin(), name.end(), lowered, to_lower);
  return hash_text(site_of({lowered, name.size()}));
}

/// The value of a header line `Name: value`, or nothing if its name is another.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' || !starts_nocase(line, name)) return std::nullopt;
  return trim(line.substr(name.size() + 1));
}

bool contains_nocase(std::string_view text, std::string_view part) {
  for (std::size_t i = 0; i + part.size() <= text.size(); ++i)
    if (starts_nocase(text.substr(i), part)) return true;
  return false;
}

/// Programs that carry other traffic in requests, by what their requests alone have.
///   Upgrade to connect-udp, connect-ip (RFC 9298, 9484) or derp; WebSocket subprotocols of chisel and of wstunnel; the header that
///   reGeorg commands by; the parameter that GNU httptunnel tells caches apart by.
bool is_tunnel_header(std::string_view line) {
  if (const auto upgrade = value_of(line, "upgrade"))
    return equals_nocase(*upgrade, "connect-udp") || equals_nocase(*upgrade, "connect-ip") || equals_nocase(*upgrade, "derp");
  if (const auto protocol = value_of(line, "sec-websocket-protocol"))
    return starts_nocase(*protocol, "chisel-v") || contains_nocase(*protocol, "authorization.bearer.");
  if (const auto command = value_of(line, "x-cmd"))
    return equals_nocase(*command, "connect") || equals_nocase(*command, "forward") || equals_nocase(*command, "read") || equals_nocase(*command, "disconnect");
  return false;
}

bool is_tunnel_target(std::string_view uri) {
  const std::size_t at = uri.find("?crap=");
  if (at == std::string_view::npos || at + 6 == uri.size()) return false;
  return std::all_of(uri.begin() + static_cast<std::ptrdiff_t>(at) + 6, uri.end(), is_digit);
}

/// Headers that list addresses of clients: shared address space (RFC 6598) is at home there.
bool lists_clients(std::string_view line) {
  for (const std::string_view name : {"x-forwarded-for", "forwarded", "x-real-ip", "via", "x-client-ip", "true-client-ip", "cf-connecting-ip"})
    if (value_of(line, name)) return true;
  return false;
}

}  // namespace

struct Detectors::Tables {
  const StateWishes& wishes;
  bool generated, ssrf, fronting, http_tunnel, ssh_tunnel, pool_free, leases_wanted;
  std::optional<state::FirstSeen> first_seen;
  std::optional<state::Beats> beats;
  std::optional<state::Paces> paces;
  std::optional<state::Stations> stations;
  std::optional<state::Leases> leases;
  std::optional<state::BoundedMap<state::ConnectionKey, std::uint64_t>> connected;  ///< The site that a CONNECT asked for.
  AppId http, http2, ssh, websocket;
  AppSet carried_openly;  ///< What HTTP carries by its own design: TLS behind CONNECT, and the layers that name a use of HTTP.

  Tables(const policy::RuleSet& rules, std::size_t entries, const Vocabulary& words);
};

Detectors::Tables::Tables(const policy::RuleSet& rules, std::size_t entries, const Vocabulary& words) : wishes(rules.policy().wishes) {
  generated = rules.wants(kDnsGenerated);
  ssrf = rules.wants(kHttpSsrf);
  fronting = rules.wants(kHttpFronting);
  http_tunnel = rules.wants(kHttpTunnel);
  ssh_tunnel = rules.wants(kSshTunnel);
  pool_free = rules.wants(kDhcpPoolFree);
  leases_wanted = pool_free;
  for (const StateWishes::BindingTable* table : {&wishes.arp, &wishes.nd, &wishes.source})
    leases_wanted = leases_wanted || (table->on && table->learn == StateWishes::Learn::Dhcp);
  if (rules.wants(kDnsFirstSeen)) first_seen.emplace(entries);
  if (rules.wants(kFlowBeacon)) beats.emplace(entries);
  if (rules.wants(kFlowSlow)) paces.emplace(state::Paces::Bounds{wishes.slow_client.headers_within_ns, wishes.slow_client.body_bytes_per_s}, entries);
  if (rules.wants(kPortMacsExceeded)) stations.emplace(std::max(wishes.port_macs_max, 1U), wishes.port_macs_sticky);
  if (leases_wanted) leases.emplace(entries);
  if (fronting) connected.emplace(entries);
  const auto app = [&](std::string_view name) { return words.app(name).value_or(kUnknownApp); };
  http = app("http"), http2 = app("http2"), ssh = app("ssh"), websocket = app("websocket");
  for (const std::string_view name : {"http", "http2", "grpc", "tls", "websocket", "doh", "bits", "webdav", "winrm", "mqtt", "xmpp", "amqp", "stratum"})
    carried_openly.add(app(name));
}

Detectors::Detectors(const policy::RuleSet& rules, std::size_t entries, const Vocabulary& words) {
  constexpr FieldId kMade[] = {kDnsGenerated, kDnsFirstSeen, kHttpSsrf, kHttpFronting, kHttpTunnel, kSshTunnel, kFlowSlow, kFlowBeacon, kDhcpPoolFree, kPortMacsExceeded};
  for (const FieldId f : kMade) any_ = any_ || rules.wants(f);
  const StateWishes& wishes = rules.policy().wishes;
  for (const StateWishes::BindingTable* table : {&wishes.arp, &wishes.nd, &wishes.source})
    any_ = any_ || (table->on && table->learn == StateWishes::Learn::Dhcp);
  if (!any_) return;
  tables_ = std::make_unique<Tables>(rules, entries, words);
  learns_ = tables_->stations || tables_->leases;
}

Detectors::~Detectors() = default;

state::Stations* Detectors::sticky_stations() {
  return tables_ != nullptr && tables_->stations && tables_->stations->sticky() ? &*tables_->stations : nullptr;
}

void Detectors::go_on(Detectors& before) {
  if (tables_ == nullptr || before.tables_ == nullptr) return;
  Tables &was = *before.tables_, &now = *tables_;
  if (was.first_seen && now.first_seen) now.first_seen = std::move(was.first_seen);
  if (was.beats && now.beats) now.beats = std::move(was.beats);
  if (was.paces && now.paces && was.wishes.slow_client == now.wishes.slow_client) now.paces = std::move(was.paces);
  const bool stations_alike = was.wishes.port_macs_max == now.wishes.port_macs_max && was.wishes.port_macs_sticky == now.wishes.port_macs_sticky;
  if (was.stations && now.stations && stations_alike) now.stations = std::move(was.stations);
  if (was.leases && now.leases) now.leases = std::move(was.leases);
  if (was.connected && now.connected) now.connected = std::move(was.connected);
}

void Detectors::also_wanted(const policy::RuleSet& rules, FieldSet& wanted) {
  const auto also = [&](FieldId reading, std::initializer_list<FieldId> fields) {
    if (!rules.wants(reading)) return;
    for (const FieldId f : fields) wanted.set(f);
  };
  also(kDnsGenerated, {dns::kDomain});
  also(kDnsFirstSeen, {dns::kDomain});
  also(kHttpSsrf, {http::kUri, http::kPath, http::kHeader, http::kBody, dns::kAnswer, dns::kQname});
  also(kHttpFronting, {http::kMethod, http::kHost, http::kUri, http::kHeader, kTlsSni});
  also(kHttpTunnel, {http::kMethod, http::kUri, http::kHeader});
  also(kFlowSlow, {http::kMethod});
  also(kDhcpPoolFree, {dhcp::field::kType, dhcp::field::kServerId});
}

void Detectors::own(Vocabulary& words) {
  const auto reading_of = [&words](FieldId field, std::initializer_list<std::string_view> apps) {
    for (const std::string_view name : apps)
      if (const auto id = words.app(name)) words.add_owner(field, *id);
  };
  for (const FieldId f : {kDnsGenerated, kDnsFirstSeen}) reading_of(f, {"dns", "mdns", "llmnr", "nbns"});
  reading_of(kHttpSsrf, {"http", "http2", "dns"});
  reading_of(kHttpFronting, {"http", "http2", "tls", "quic"});
  reading_of(kHttpTunnel, {"http", "http2"});
  reading_of(kSshTunnel, {"ssh"});
  reading_of(kFlowSlow, {"http"});
  reading_of(kDhcpPoolFree, {"dhcp"});
}

// ---- of headers

void Detectors::make(const View& view, bool opens, bool from_client, std::uint32_t window, Facts& out) {
  Tables& t = *tables_;
  const Packet& p = *view.packet;
  if (t.stations && p.has_eth) flag(out, kPortMacsExceeded, t.stations->exceeds(p.frame->port, p.eth_src, view.now_ns));
  if (view.flow == nullptr || view.layer == nullptr) return;
  if (t.beats && view.flow->state != FlowState::Invalid)
    flag(out, kFlowBeacon, opens && from_client ? t.beats->open(view.flow->ends, view.now_ns) : t.beats->beats(view.flow->ends, view.now_ns));
  const IpLayer& layer = *view.layer;
  if (t.paces && from_client && layer.is_tcp() && view.flow->state == FlowState::Established) {
    constexpr std::uint8_t kNoData = tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kFin;
    const bool tells_window = (layer.tcp_flags & kNoData) == 0 && (layer.tcp_flags & tcp_flag::kAck) != 0;
    if (tells_window)
      flag(out, kFlowSlow,
           t.paces->arrive(view.flow->ends, layer.payload_wire_bytes, window, view.flow->bytes[1], view.flow->start_ns, view.now_ns));
  }
  make_of_layers(view, out);
}

// ---- of content

/// What carries what, and by which names.
void Detectors::make_of_layers(const View& view, Facts& out) {
  Tables& t = *tables_;
  const AppChain& app = view.flow->app;
  if (t.ssh_tunnel && app.count > 1 && app.innermost() == t.ssh) flag(out, kSshTunnel, true);
  if (t.http_tunnel && app.count > 1 && app.has(t.http) && !t.carried_openly.has(app.innermost())) flag(out, kHttpTunnel, true);
  if (!t.fronting || view.facts == nullptr || app.count < 2) return;
  const Value* sni = view.facts->value(kTlsSni);
  if (sni == nullptr) return;
  const state::ConnectionKey key(view.flow->ends);
  const std::uint64_t* site = t.connected->find(key, key.hash(), view.now_ns, kConnectedFor);
  if (site != nullptr) flag(out, kHttpFronting, *site != hash_of_site(sni->text()));
}

void Detectors::make_of_content(const View& view, bool from_client, bool inside_body, Facts& out) {
  Tables& t = *tables_;
  if (view.flow == nullptr) return;
  make_of_layers(view, out);
  if (!t.paces || view.facts == nullptr || !from_client || view.layer == nullptr || view.layer->payload_bytes == 0) return;
  using enum state::Paces::Request;
  const AppChain& app = view.flow->app;
  const bool may_be_http = app.open && app.candidates.has(t.http);
  auto request = may_be_http ? Head : Whole;
  if (!may_be_http && view.parser != t.http) return;
  if (!app.open)
    request = !view.facts->complete(http::kUserAgent) ? Head : inside_body || !view.facts->complete(http::kBody) ? Body : Whole;
  t.paces->read(view.flow->ends, request, view.now_ns);
}

// ---- of transactions

namespace {

bool is_metadata_request(const View& view) {
  // A request to the service itself is no forged one: who may send it is a rule's business, by address.
  if (is_metadata_address(view.flow->ends.server)) return false;
  const Facts& facts = *view.facts;
  const auto names = [](const Value& v) { return names_metadata(v.text()); };
  if (facts.any_value(http::kUri, names) || facts.any_value(http::kPath, names) || facts.any_value(http::kBody, names)) return true;
  return facts.any_value(http::kHeader, [](const Value& v) { return !lists_clients(v.text()) && names_metadata(v.text()); });
}

/// An answer that leads to the service by another name than its own.
bool is_metadata_answer(const View& view) {
  if (!view.facts->any_value(dns::kAnswer, [](const Value& v) { return is_metadata_address(v.ip()); })) return false;
  return !view.facts->any_value(dns::kQname, [](const Value& v) { return is_metadata_name(v.text()); });
}

/// In the request itself: the target of a proxy's request against its Host.
bool is_fronted_request(const Facts& facts) {
  const Value *uri = facts.value(http::kUri), *host = facts.value(http::kHost);
  if (uri == nullptr || host == nullptr || uri->text().find("://") == std::string_view::npos || uri->text().front() == '/') return false;
  return facts.any_value(http::kHeader, [&](const Value& line) {
    auto named = value_of(line.text(), "host");
    if (!named || named->empty()) return false;
    if (const std::size_t colon = named->rfind(':'); colon != std::string_view::npos && named->front() != '[') *named = named->substr(0, colon);
    return hash_of_site(*named) != hash_of_site(host->text());
  });
}

}  // namespace

void Detectors::make_of_transaction(const View& view, Facts& out) {
  Tables& t = *tables_;
  const Facts& facts = *view.facts;
  if (t.generated || t.first_seen) {
    const Value* first = facts.value(dns::kDomain);
    if (first != nullptr) {
      if (t.generated) flag(out, kDnsGenerated, facts.any_value(dns::kDomain, [](const Value& v) { return is_generated_name(v.text()); }));
      if (t.first_seen) number(out, kDnsFirstSeen, t.first_seen->ask(first->text(), view.now_ns));
    }
  }
  const bool is_http = view.parser == t.http || view.parser == t.http2;
  if (t.ssrf) {
    if (is_http) flag(out, kHttpSsrf, is_metadata_request(view));
    else if (facts.state(dns::kAnswer) == FactState::Known) flag(out, kHttpSsrf, is_metadata_answer(view));
  }
  if (t.fronting && is_http) {
    flag(out, kHttpFronting, is_fronted_request(facts));
    const Value *method = facts.value(http::kMethod), *host = facts.value(http::kHost);
    if (method != nullptr && host != nullptr && method->text() == "CONNECT") {
      const state::ConnectionKey key(view.flow->ends);
      *t.connected->insert(key, key.hash(), view.now_ns, kConnectedFor) = hash_of_site(host->text());
    }
  }
  if (t.http_tunnel && is_http) {
    const Value* uri = facts.value(http::kUri);
    flag(out, kHttpTunnel, (uri != nullptr && is_tunnel_target(uri->text())) ||
                               facts.any_value(http::kHeader, [](const Value& v) { return is_tunnel_header(v.text()); }));
  }
  if (t.pool_free && facts.state(dhcp::field::kType) == FactState::Known) {
    t.leases->expire(view.now_ns);  // Here too: where a rule stops every message, none would pass to give them back.
    const Value* server = facts.value(dhcp::field::kServerId);
    std::uint64_t left = 0;
    if (server != nullptr ? t.leases->free_of(server->ip(), left) : t.leases->least_free(left)) number(out, kDhcpPoolFree, left);
  }
  }

// ---- what passed teaches

namespace {

constexpr Nanoseconds kOfferStands = kMinute;

Nanoseconds ends_at(std::uint32_t lifetime_s, Nanoseconds now_ns) {
  return lifetime_s == 0xffffffff ? INT64_MAX : now_ns + Nanoseconds{lifetime_s} * kSecond;
}

/// RFC 6620: who first says that it takes an address (RFC 4862, 5.4: a solicitation from no address) has it. DHCP hands out none of
/// these, so that a table of leases would know no host's link-local address.
std::optional<Ip> probed_address(const Packet& packet, const IpLayer& layer) {
  if (layer.protocol != ip_protocol::kIcmpv6 || layer.icmp_type != 135 || !layer.src.is_unspecified() || layer.ttl != 255) return std::nullopt;
  const Bytes payload = packet.payload(layer);
  if (payload.size() < 16) return std::nullopt;
  const Ip target = Ip::v6_bytes(payload.data());
  return target.is_link_local() ? std::optional(target) : std::nullopt;
}

}  // namespace

void Detectors::passed(const Packet& packet, Nanoseconds now_ns, const BindingTables& tables) {
  Tables& t = *tables_;
  const PortIndex port = packet.frame->port;
  if (t.stations && packet.has_eth) t.stations->learn(port, packet.eth_src, now_ns);
  if (!t.leases || packet.layers_count == 0) return;
  const IpLayer& layer = packet.inner();
  const auto learn = [&](const Ip& ip, const Mac& mac, PortIndex where, Nanoseconds until_ns) {
    const auto into = [&](const StateWishes::BindingTable& wish, state::Bindings* table) {
      if (wish.on && wish.learn == StateWishes::Learn::Dhcp) table->learn(ip, mac, where, until_ns, now_ns);
    };
    if (ip.is_v4()) into(t.wishes.arp, tables.arp);
    else into(t.wishes.nd, tables.nd);
    into(t.wishes.source, tables.source);
  };
  if (packet.has_eth)
    if (const auto target = probed_address(packet, layer); target && tables.nd->judge(*target, packet.eth_src, port, now_ns) == state::Claim::Unlisted &&
                                                           tables.source->judge(*target, packet.eth_src, port, now_ns) == state::Claim::Unlisted)
      learn(*target, packet.eth_src, port, now_ns + 4 * kHour);
  if (!layer.is_udp()) return;
  const Bytes payload = packet.payload(layer);
  const auto lease = layer.version == 4 ? dhcp::parse_lease_v4(payload) : dhcp::parse_lease_v6(payload);
  if (!lease) return;
  using Kind = dhcp::Lease::Kind;
  const std::span<const dhcp::Lease::Address> addresses(lease->addresses.data(), lease->addresses_count);
  switch (lease->kind) {
    case Kind::Asks: {
      const std::optional<Mac> mac = lease->client ? lease->client : packet.has_eth ? std::optional(packet.eth_src) : std::nullopt;
      if (mac) t.leases->ask(lease->transaction, *mac, port, lease->relayed, now_ns);
      break;
    }
    case Kind::Offers:
      for (const auto& a : addresses)
        if (lease->server && t.leases->asked(lease->transaction, now_ns)) t.leases->take(*lease->server, a.ip, lease->prefix_bits, now_ns + kOfferStands, now_ns);
      break;
    case Kind::Leases: {
      const state::Leases::Client* client = t.leases->asked(lease->transaction, now_ns);
      if (client == nullptr) break;
      for (const auto& a : addresses) {
        const Nanoseconds until_ns = ends_at(a.lifetime_s, now_ns);
        learn(a.ip, Mac::from_value(client->mac), client->port, until_ns);
        if (lease->server) t.leases->take(*lease->server, a.ip, lease->prefix_bits, until_ns, now_ns);
      }
      break;
    }
    case Kind::GivesBack:
      for (const auto& a : addresses) {
        const Mac mac = lease->client ? *lease->client : packet.eth_src;
        for (state::Bindings* table : {tables.arp, tables.nd, tables.source}) table->forget(a.ip, mac, now_ns);
        if (lease->server) t.leases->release(*lease->server, a.ip, now_ns);
      }
      break;
  }
  t.leases->expire(now_ns);
}

}  // namespace weir::engine
