// SPDX-License-Identifier: Apache-2.0
#include "cli/prove/layout.h"

#include <algorithm>

#include "base/text.h"
#include "facts/field_ids.h"

namespace weir::cli {
namespace {

constexpr unsigned kTriesMax = 2000;
constexpr std::size_t kNetworksMax = 64;
constexpr unsigned kHostsOfRangeMax = 8;
/// Where strangers live if the policy does not say: networks of documentation (RFC 5737, RFC 3849).
constexpr std::string_view kStrangers4[] = {"198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"};
constexpr std::string_view kStrangers6[] = {"2001:db8:ffff::/48"};

/// Roles of machines that stand at the trusted side of a segment.
constexpr std::string_view kTrustedRoles[] = {"gateway", "router", "dhcp-server", "resolver"};

Ip plus(Ip ip, std::uint64_t n) {
  for (std::size_t i = 16; i-- > 0 && n != 0;) {
    n += ip.bytes[i];
    ip.bytes[i] = static_cast<std::uint8_t>(n & 0xff);
    n >>= 8;
  }
  return ip;
}

/// `inside2-v6` is the second host of `inside`, at its IPv6 address.
struct ActorName {
  std::string role;
  unsigned index = 1;
  bool v6 = false;
};

ActorName split(std::string_view name) {
  ActorName out;
  if (name.ends_with("-v6")) out.v6 = true, name.remove_suffix(3);
  std::size_t digits = name.size();
  while (digits > 0 && is_digit(name[digits - 1])) --digits;
  if (digits < name.size()) out.index = static_cast<unsigned>(parse_number(name.substr(digits)).value_or(1));
  out.role = std::string(name.substr(0, digits));
  return out;
}

std::string untold(const std::string& role) {
  if (role == "account" || role == "elsewhere") return "the policy lists no `accounts`";
  return "the policy tells no role `" + role + "`";
}

bool is_role_letter(char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; }

/// A few addresses of a range, each a network of one; of a large range not the first address, which is the network's own.
void add_hosts(const Ip& first, const Ip& last, std::vector<Prefix>& out) {
  Ip at = first;
  if (plus(first, 2) <= last) at = plus(first, 1);
  for (unsigned i = 0; i < kHostsOfRangeMax && at <= last && out.size() < kNetworksMax; ++i, at = plus(at, 1)) out.push_back({at, 128});
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t block = 0;
    for (std::size_t k = 0; k < 3; ++k) block = block << 8 | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : kLetters[block >> (18 - 6 * k) & 63];
  }
  return out;
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = line.find_first_not_of(" \t", at);
    if (begin == std::string_view::npos) break;
    at = std::min(line.find_first_of(" \t", begin), line.size());
    out.push_back(line.substr(begin, at - begin));
  }
  return out;
}

/// The role's name in an end `inside2:40000`; empty if it is an address or everybody.
std::string_view role_in(std::string_view end) {
  const std::string_view name = end.substr(0, end.find(':'));
  if (name.empty() || !(name[0] >= 'a' && name[0] <= 'z') || parse_ip(end)) return {};
  return std::all_of(name.begin(), name.end(), is_role_letter) ? name : std::string_view();
}

}  // namespace

Layout::Layout(const policy::Policy& policy) : policy_(policy), zones_(policy.zones) {
  const auto& w = policy.wishes;
  for (const auto* table : {&w.arp, &w.nd, &w.source})
    for (const auto& binding : table->bindings) bound_.push_back(binding.ip);
  constexpr std::uint64_t kUnlisted = 2;
  for (const policy::Rule& rule : policy.rules) {
    if (!rule.guard) continue;
    for (const policy::Condition& c : rule.match)
      if (c.field == field::kArpBinding || c.field == field::kNdBinding || c.field == field::kSrcBinding)
        for (const auto& range : c.values.numbers) only_bound_ = only_bound_ || (range.first <= kUnlisted && range.last >= kUnlisted);
    for (const policy::AllOf& all : rule.unless)
      for (const policy::Condition& c : all)
        if (c.field == field::kInPort)
          for (const auto& range : c.values.numbers) trusted_.insert(static_cast<PortIndex>(range.first));
  }
}

bool Layout::has_role(std::string_view role) const {
  return std::any_of(policy_.roles.begin(), policy_.roles.end(), [&](const auto& r) { return r.first == role; });
}

const Layout::Place& Layout::place(const std::string& role) {
  const auto [at, fresh] = places_.try_emplace(role);
  Place& out = at->second;
  if (!fresh) return out;
  // Two roles that the accounts tell: where the first account may be used, and a host that is not there.
  if (role == "account" && !policy_.accounts.empty()) {
    out.told = true;
    out.networks.push_back(policy_.accounts.front().network);
    out.names.push_back(policy_.accounts.front().name);
  }
  if (role == "elsewhere" && !policy_.accounts.empty()) {
    out.told = true;
    for (const char* const other : {"inside", "outside"})
      for (const ZoneId zone : place(other).zones) out.zones.push_back(zone);
  }
  for (const auto& [name, value] : policy_.roles) {
    if (name != role) continue;
    out.told = true;
    if (const auto prefix = parse_prefix(value)) {
      out.networks.push_back(prefix->prefix);
      continue;
    }
    for (std::size_t z = 0; z < policy_.zones.size(); ++z)
      if (policy_.zones[z].name == value) out.zones.push_back(static_cast<ZoneId>(z));
    if (!value.starts_with('@')) continue;
    for (const auto& set : policy_.sets) {
      if (set->name != value.substr(1)) continue;
      if (set->addresses)
        set->addresses->for_each_range([&](const Ip& first, const Ip& last) { add_hosts(first, last, out.networks); });
      if (set->domains)
        set->domains->for_each([&](std::string_view domain, policy::NameSet::Reach reach, std::uint32_t) {
          if (out.names.size() < kNetworksMax)
            out.names.push_back((reach == policy::NameSet::Reach::Below ? "www." : "") + std::string(domain));
        });
    }
  }
  return out;
}

/// Not in a set that some other role or rule means something by.
bool Layout::is_plain(const std::string& role, const Ip& ip, ZoneId zone) const {
  if (zone != kNoZone && zones_.zone_of(ip, kNoPort, ip) != zone) return false;
  for (const auto& set : policy_.sets)
    if (set->addresses && set->addresses->contains(ip)) return false;
  if (role == "elsewhere" && policy_.accounts.front().network.contains(ip)) return false;
  for (const auto& [name, value] : policy_.roles) {
    if (name == role) continue;
    const auto prefix = parse_prefix(value);
    if (prefix && prefix->prefix.contains(ip)) return false;
  }
  return true;
}

std::optional<Ip> Layout::in_zone(const std::string& role, ZoneId zone, bool v6, unsigned index) const {
  std::vector<Prefix> networks = policy_.zones[zone].networks;
  if (networks.empty()) {
    if (v6) for (const std::string_view text : kStrangers6) networks.push_back(parse_prefix(text)->prefix);
    else for (const std::string_view text : kStrangers4) networks.push_back(parse_prefix(text)->prefix);
  }
  unsigned found = 0;
  if (only_bound_) {
    for (const Ip& ip : bound_)
      if (ip.is_v4() != v6 && is_plain(role, ip, zone) && ++found == index) return ip;
  }
  for (const Prefix& network : networks) {
    if (network.network.is_v4() == v6) continue;
    const unsigned bits = 128U - network.length;
    const std::uint64_t hosts = bits >= 16 ? 65536 : std::uint64_t{1} << bits;
    // Not the first ones, where servers and gateways are, nor the last, which is broadcast.
    const std::uint64_t begin = hosts > 64 ? 20 : hosts > 2 ? 1 : 0, end = hosts > 2 ? hosts - 1 : hosts;
    for (std::uint64_t n = begin; n < end && n < begin + kTriesMax; ++n) {
      const Ip ip = plus(network.network, n);
      if (is_plain(role, ip, zone) && ++found == index) return ip;
    }
  }
  return std::nullopt;
}

std::optional<Ip> Layout::address(const std::string& role, const Place& place, bool v6, unsigned index) const {
  unsigned found = 0;
  for (const Prefix& network : place.networks) {
    if (network.network.is_v4() == v6) continue;
    const unsigned bits = 128U - network.length;
    const std::uint64_t hosts = bits >= 8 ? 256 : std::uint64_t{1} << bits;
    for (std::uint64_t n = hosts > 2 ? 1 : 0; n < (hosts > 2 ? hosts - 1 : hosts); ++n)
      if (++found == index) return plus(network.network, n);
  }
  for (const ZoneId zone : place.zones)
    if (const auto ip = in_zone(role, zone, v6, index)) return ip;
  return std::nullopt;
}

std::string Layout::port_for(const std::string& role, const Ip& ip, unsigned index) const {
  const ZoneId zone = zones_.zone_of(ip, kNoPort, ip);
  if (zone == kNoZone) return {};
  std::vector<PortIndex> ports = policy_.zones[zone].ports;
  if (ports.empty()) return {};
  const bool trusted = std::find(std::begin(kTrustedRoles), std::end(kTrustedRoles), role) != std::end(kTrustedRoles);
  std::stable_partition(ports.begin(), ports.end(), [&](PortIndex p) { return trusted_.contains(p) == trusted; });
  const auto fits = static_cast<std::size_t>(std::count_if(ports.begin(), ports.end(), [&](PortIndex p) { return trusted_.contains(p) == trusted; }));
  const std::size_t of = fits == 0 ? ports.size() : fits;
  return policy_.port_names[ports[(index - 1) % of]];
}

std::optional<Mac> Layout::bound_mac(const Ip& ip) const {
  const auto& w = policy_.wishes;
  for (const auto* table : {&w.arp, &w.nd, &w.source})
    for (const auto& binding : table->bindings)
      if (binding.ip == ip) return binding.mac;
  return std::nullopt;
}

const Layout::Actor* Layout::actor(std::string_view name, LaidTraffic& out) {
  if (const auto found = actors_.find(name); found != actors_.end()) return &found->second;
  const ActorName wanted = split(name);
  const Place& where = place(wanted.role);
  if (!where.told) return out.missing = untold(wanted.role), nullptr;
  const auto ip = address(wanted.role, where, wanted.v6, wanted.index);
  if (!ip) {
    const bool empty = where.networks.empty() && where.zones.empty();
    out.none = empty && where.names.empty();
    out.missing = out.none ? "the role `" + wanted.role + "` is empty"
                           : "the role `" + wanted.role + "` has no " + (wanted.v6 ? "IPv6 " : "IPv4 ") + "address" +
                                 (wanted.index > 1 ? " to spare" : "");
    return nullptr;
  }
  Actor made{*ip, bound_mac(*ip), port_for(wanted.role, *ip, wanted.index)};
  return &actors_.emplace(std::string(name), std::move(made)).first->second;
}

std::string Layout::name_of(std::string_view role, LaidTraffic& out) {
  const ActorName wanted = split(role);
  const Place& where = place(wanted.role);
  if (!where.told) return out.missing = untold(wanted.role), std::string();
  if (where.names.size() >= wanted.index && wanted.index > 0) return where.names[wanted.index - 1];
  out.none = where.names.empty();
  return out.missing = "the role `" + wanted.role + "` has no name", std::string();
}

/// `{role}` becomes its address, `{role.name}` a name of its set, `{role.port}` the port that its frames come in by.
std::optional<std::string> Layout::filled(std::string_view line, LaidTraffic& out) {
  std::string text;
  while (!line.empty()) {
    const std::size_t open = line.find('{'), close = open == std::string_view::npos ? open : line.find('}', open);
    if (close == std::string_view::npos) return text + std::string(line);
    text += line.substr(0, open);
    const std::string_view inner = line.substr(open + 1, close - open - 1);
    const std::string_view role = inner.substr(0, inner.find('.')), what = inner.substr(std::min(role.size(), inner.size()));
    std::string value;
    if (what == ".name" || what == ".basic") {  // .basic: as HTTP's Basic scheme carries it, with a password (RFC 7617)
      value = name_of(role, out);
      if (what == ".basic" && !value.empty()) value = base64(value + ":x");
    } else if (const Actor* who = actor(role, out)) {
      const std::size_t skip = who->ip.is_v4() ? 12 : 0;
      value = what == ".port"  ? who->port
              : what == ".hex" ? hex(std::span(who->ip.bytes).subspan(skip))
                               : render(who->ip);
      if (value.empty()) out.missing = "the zone of `" + std::string(role) + "` has no port";
    }
    if (value.empty()) return std::nullopt;
    text += value;
    line.remove_prefix(close + 1);
  }
  return text;
}

LaidTraffic Layout::lay(std::string_view traffic) {
  LaidTraffic out;
  std::string body;
  std::set<std::string, std::less<>> used;
  bool failed = false;
  for_each_line(traffic, [&](std::string_view line) {
    if (failed) return;
    const auto text = filled(line, out);
    if (!text) return void(failed = true);
    body += *text + "\n";
    const auto words = split_words(*text);
    const auto arrow = std::find(words.begin(), words.end(), ">");
    if (words.empty() || words[0].front() == '#' || arrow == words.begin() || arrow == words.end() || arrow + 1 == words.end()) return;
    for (const std::string_view end : {*(arrow - 1), *(arrow + 1)}) {
      const std::string_view role = role_in(end);
      if (role.empty() || used.contains(role)) continue;
      if (actor(role, out) == nullptr) return void(failed = true);
      used.emplace(role);
    }
  });
  if (failed) return out;
  for (const std::string& name : used) {
    const Actor& who = actors_.find(name)->second;
    out.text += name + " " + render(who.ip) + (who.mac ? " mac " + render(*who.mac) : "") + (who.port.empty() ? "" : " in " + who.port) + "\n";
  }
  out.text += body;
  return out;
}

}  // namespace weir::cli
