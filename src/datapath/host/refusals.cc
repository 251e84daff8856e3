// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/refusals.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "base/text.h"
#include "facts/field_ids.h"
#include "facts/packet.h"
#include "policy/compile.h"
#include "policy/zone.h"

namespace weir::datapath {
namespace {

using namespace field;
using policy::Condition;
using policy::Values;

/// How a condition stands at the call.
enum class Known : std::uint8_t {
  Exactly,  ///< The row asks for it,
  True,     ///< nothing needs to be asked,
  False,    ///< it does not hold for any call,
  No,       ///< or only the packet tells.
};

constexpr std::uint32_t kEnds = WEIR_ASKS_PREFIX | WEIR_ASKS_PORT;

Ip successor(Ip ip) {
  for (std::size_t i = 16; i-- > 0;)
    if (++ip.bytes[i] != 0) break;
  return ip;
}

/// A range as prefixes: the largest that begins at `first`, and so on.
void add_range(std::vector<Prefix>& out, Ip first, const Ip& last) {
  while (first <= last && out.size() <= WEIR_PREFIXES_MAX) {
    std::uint8_t length = 128;
    Ip end = first;
    while (length > 0) {
      const std::size_t bit = length - 1U;
      const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
      if ((first.bytes[bit / 8] & mask) != 0) break;
      Ip wider = end;
      wider.bytes[bit / 8] |= mask;
      if (last < wider) break;
      end = wider;
      --length;
    }
    out.push_back({first, length});
    first = successor(end);
    if (first == Ip{}) return;
  }
}

void add_set(std::vector<Prefix>& out, const policy::PrefixSet& set) {
  set.for_each_range([&](const Ip& first, const Ip& last) {
    if (out.size() <= WEIR_PREFIXES_MAX) add_range(out, first, last);
  });
}

class Lowering {
 public:
  Lowering(const policy::Policy& policy, const HostFacts& host) : policy_(policy), zones_(policy.zones), host_(host) {}
  Refusals lower();

 private:
  struct Row {
    weir_refusal refusal{};
    std::vector<std::string> paths, parents;
  };
  Known ask(Row& row, const Condition& c) const;
  Known ask_paths(std::vector<std::string>& into, const Condition& c) const;
  Known ask_ids(std::uint32_t (&ids)[WEIR_IDS_MAX], weir_u32& count, const Condition& c,
                const std::function<std::optional<std::uint32_t>(std::string_view)>& id_of) const;
  Known ask_protocol(Row& row, const Condition& c) const;
  Known ask_ports(Row& row, const Condition& c) const;
  Known ask_other_end(Row& row, const Condition& c) const;
  Known ask_own_end(Row& row, const Condition& c) const;
  std::optional<Row> deny(const policy::Rule& rule) const;
  void superset(Row& row, const policy::AllOf& conditions, bool stream) const;
  bool add(Row row);
  bool let_pass(std::initializer_list<const policy::AllOf*> maps, bool essential);

  const policy::Policy& policy_;
  const policy::ZoneMap zones_;
  const HostFacts& host_;
  Refusals out_;
  std::map<std::string, weir_bits> named_;
};

/// Only what is written out: a pattern is the engine's.
Known Lowering::ask_paths(std::vector<std::string>& into, const Condition& c) const {
  if (c.values.texts == nullptr || !c.values.sets.empty() || c.values.texts->has_regexes()) return Known::No;
  bool plain = true;
  c.values.texts->for_each_glob([&](std::string_view) { plain = false; });
  c.values.texts->for_each_exact([&](std::string_view path) {
    plain = plain && path.starts_with('/') && path.size() < WEIR_PATH_BYTES && path.find("//") == std::string_view::npos;
    into.emplace_back(path);
  });
  return plain ? Known::Exactly : Known::No;
}

Known Lowering::ask_ids(std::uint32_t (&ids)[WEIR_IDS_MAX], weir_u32& count, const Condition& c,
                        const std::function<std::optional<std::uint32_t>(std::string_view)>& id_of) const {
  if (c.values.texts == nullptr || !c.values.sets.empty() || c.values.texts->has_regexes()) return Known::No;
  bool plain = true;
  count = 0;
  c.values.texts->for_each_glob([&](std::string_view) { plain = false; });
  c.values.texts->for_each_exact([&](std::string_view name) {
    const auto number = parse_number(name);
    const auto id = number && *number < UINT32_MAX ? std::optional(static_cast<std::uint32_t>(*number)) : id_of ? id_of(name) : std::nullopt;
    if (!id || count == WEIR_IDS_MAX) plain = false;
    else ids[count++] = *id;
  });
  return plain ? Known::Exactly : Known::No;
}

Known Lowering::ask_protocol(Row& row, const Condition& c) const {
  if (c.values.numbers.empty() || policy::asks_extension_headers(c)) return Known::No;
  for (const policy::NumberRange& range : c.values.numbers)
    for (std::uint64_t n = range.first; n <= range.last && n < 256; ++n) row.refusal.protocols[n / 32] |= 1U << n % 32;
  return Known::Exactly;
}

Known Lowering::ask_ports(Row& row, const Condition& c) const {
  if (c.values.numbers.empty() || c.values.numbers.size() > WEIR_PREFIXES_MAX) return Known::No;
  weir_u32& count = row.refusal.ports_count;
  for (const policy::NumberRange& range : c.values.numbers)
    row.refusal.ports[count++] = {static_cast<weir_u16>(std::min<std::uint64_t>(range.first, 65535)), static_cast<weir_u16>(std::min<std::uint64_t>(range.last, 65535))};
  return Known::Exactly;
}

/// Written prefixes, and zones that are all of their networks.
Known Lowering::ask_other_end(Row& row, const Condition& c) const {
  if (!c.values.sets.empty()) return Known::No;
  std::vector<Prefix> all;
  if (c.values.prefixes != nullptr) add_set(all, *c.values.prefixes);
  for (const ZoneId zone : c.values.zones) {
    if (zone >= policy_.zones.size() || policy_.zones[zone].networks.empty()) return Known::No;
    for (const Prefix& network : policy_.zones[zone].networks) {
      // Another zone's network within this one, or the same one, cuts a piece out of it.
      for (std::size_t other = 0; other < policy_.zones.size(); ++other)
        for (const Prefix& inner : policy_.zones[other].networks)
          if (other != zone && inner.length >= network.length && network.contains(inner.network)) return Known::No;
      all.push_back(network);
    }
    row.refusal.asks |= WEIR_ASKS_PLAIN;
  }
  if (all.empty() || all.size() > WEIR_PREFIXES_MAX) return Known::No;
  for (const Prefix& prefix : all) {
    weir_prefix& to = row.refusal.prefixes[row.refusal.prefixes_count++];
    std::memcpy(to.network_be, prefix.network.bytes.data(), 16);
    to.length = prefix.length;
  }
  return Known::Exactly;
}

/// The address that the system will choose is not known, but it is one of this host's.
Known Lowering::ask_own_end(Row& row, const Condition& c) const {
  if (!c.values.sets.empty() || host_.addresses.empty()) return Known::No;
  const Ip elsewhere = Ip::v4(0x08080808);
  const auto in = [&](const Ip& ip) {
    if (c.values.prefixes != nullptr && c.values.prefixes->contains(ip)) return true;
    const ZoneId zone = zones_.zone_of(ip, kNoPort, elsewhere);
    return std::find(c.values.zones.begin(), c.values.zones.end(), zone) != c.values.zones.end();
  };
  std::size_t inside = 0;
  for (const Ip& own : host_.addresses) {
    if (own.is_link_local() && !c.values.zones.empty()) return Known::No;  // Its zone is the other end's.
    inside += in(own) ? 1U : 0U;
  }
  if (inside != 0 && inside != host_.addresses.size()) return Known::No;
  row.refusal.asks |= WEIR_ASKS_OWN_NETNS | WEIR_ASKS_REMOTE;
  return (inside != 0) != c.negated ? Known::True : Known::False;
}

Known Lowering::ask(Row& row, const Condition& c) const {
  if (c.values.absent || c.values.present || c.values.hidden) return Known::No;
  weir_refusal& r = row.refusal;
  std::uint32_t key = 0;
  Known known = Known::No;
  switch (c.field) {
    case kProcessPath: known = (r.asks & (key = WEIR_ASKS_PATH)) != 0 ? Known::No : ask_paths(row.paths, c); break;
    // Who has no ancestors matches neither one nor its negation.
    case kProcessParentPath: known = c.negated || (r.asks & (key = WEIR_ASKS_PARENT)) != 0 ? Known::No : ask_paths(row.parents, c); break;
    case kUser: known = (r.asks & (key = WEIR_ASKS_UID)) != 0 ? Known::No : ask_ids(r.uids, r.uids_count, c, host_.uid_of); break;
    case kGroup: known = (r.asks & (key = WEIR_ASKS_GID)) != 0 ? Known::No : ask_ids(r.gids, r.gids_count, c, host_.gid_of); break;
    case kIpProtocol: known = (r.asks & (key = WEIR_ASKS_PROTOCOL)) != 0 ? Known::No : ask_protocol(row, c); break;
    case kPort:
    case kServerPort: known = (r.asks & (key = WEIR_ASKS_PORT)) != 0 ? Known::No : ask_ports(row, c); break;
    case kTo:
    case kServerIp: known = (r.asks & (key = WEIR_ASKS_PREFIX)) != 0 ? Known::No : ask_other_end(row, c); break;
    case kFrom:
    case kClientIp: return ask_own_end(row, c);
    default: return Known::No;
  }
  if (known != Known::Exactly) return known;
  r.asks |= key;
  if (c.negated) r.nots |= key;
  return known;
}

/// Its row, if the rule is certain at calls.
std::optional<Lowering::Row> Lowering::deny(const policy::Rule& rule) const {
  Row row;
  row.refusal.then = WEIR_THEN_REFUSE;
  bool own_end = false;
  for (const Condition& c : rule.match) {
    const Known known = ask(row, c);
    if (known == Known::No || known == Known::False) return std::nullopt;
    own_end = own_end || known == Known::True;
  }
  weir_refusal& r = row.refusal;
  const std::uint32_t raw = (r.nots & WEIR_ASKS_PROTOCOL) != 0 ? 0U : std::uint32_t{WEIR_AT_CREATE};  // A raw socket may send any protocol.
  if ((r.asks & kEnds) != 0) {
    r.at = WEIR_AT_CONNECT | WEIR_AT_PACKET;
    r.asks |= WEIR_ASKS_STREAM;
  } else if (own_end) {
    r.at = WEIR_AT_CONNECT | WEIR_AT_PACKET | raw;
    r.asks |= WEIR_ASKS_STREAM;
  } else {
    r.at = WEIR_AT_CONNECT | WEIR_AT_SEND | WEIR_AT_BIND | WEIR_AT_PACKET | raw;
  }
  return row;
}

const Condition* condition_on(const policy::AllOf& conditions, FieldId field) {
  const auto found = std::find_if(conditions.begin(), conditions.end(), [&](const Condition& c) { return c.field == field && !c.negated && !c.values.numbers.empty(); });
  return found == conditions.end() ? nullptr : &*found;
}

/// As much of the conditions as a call tells: it holds whenever they may. Which end of a datagram's flow is the client is not known.
void Lowering::superset(Row& row, const policy::AllOf& conditions, bool stream) const {
  for (const Condition& c : conditions) {
    const bool of_ends = c.field == kTo || c.field == kServerIp || c.field == kPort || c.field == kServerPort;
    if (c.field == kFrom || c.field == kClientIp || (of_ends && !stream)) continue;
    Row tried = row;
    if (ask(tried, c) == Known::Exactly) row = std::move(tried);
  }
  const Condition* const server = condition_on(conditions, kPort);
  const Condition* const client = condition_on(conditions, kClientPort);
  if (stream || server == nullptr || client == nullptr || (row.refusal.asks & WEIR_ASKS_PORT) != 0) return;
  Condition either = *server;  // Each of its two ports is one of these.
  either.values.numbers.insert(either.values.numbers.end(), client->values.numbers.begin(), client->values.numbers.end());
  Row tried = row;
  if (ask(tried, either) == Known::Exactly) row = std::move(tried);
}

bool Lowering::add(Row row) {
  if (out_.rows.size() == WEIR_REFUSALS_MAX) return false;
  const weir_u64 bit = weir_u64{1} << out_.rows.size();
  for (const std::string& path : row.paths) named_[path].own |= bit;
  for (const std::string& path : row.parents) named_[path].parent |= bit;
  out_.rows.push_back(row.refusal);
  return true;
}

/// In three: a TCP connection begins at the call, so its ends are known; of all else they are not, and a raw socket of IPPROTO_RAW sends
/// any protocol. What is essential does not count for raw sockets: a program that may send nothing is not to keep up the network. A frame of a
/// packet socket shows its ends, and is taken for a client's.
bool Lowering::let_pass(std::initializer_list<const policy::AllOf*> maps, bool essential) {
  constexpr std::uint32_t kTcp = ip_protocol::kTcp;
  Row stream, other;
  for (const policy::AllOf* map : maps) superset(stream, *map, true), superset(other, *map, false);
  stream.refusal.asks |= WEIR_ASKS_STREAM;
  other.refusal.at = WEIR_AT_CONNECT | WEIR_AT_SEND | WEIR_AT_BIND;
  other.refusal.asks |= WEIR_ASKS_NO_STREAM;
  Row raw = other;
  raw.refusal.at = WEIR_AT_CREATE;
  raw.refusal.asks &= ~std::uint32_t{kEnds};
  if ((raw.refusal.nots & WEIR_ASKS_PROTOCOL) != 0) raw.refusal.asks &= ~std::uint32_t{WEIR_ASKS_PROTOCOL};
  raw.refusal.protocols[7] |= 1U << 31;
  const bool protocol = (stream.refusal.asks & WEIR_ASKS_PROTOCOL) != 0, negated = (stream.refusal.nots & WEIR_ASKS_PROTOCOL) != 0;
  const bool no_tcp = protocol && ((stream.refusal.protocols[0] >> kTcp & 1) != 0) == negated;
  stream.refusal.at = (no_tcp ? 0U : std::uint32_t{WEIR_AT_CONNECT}) | (essential ? 0U : std::uint32_t{WEIR_AT_PACKET});
  for (Row* row : {&stream, &other, &raw}) {
    row->refusal.then = WEIR_THEN_PASS;
    if (row->refusal.at == 0 || (row == &raw && essential)) continue;
    if (!add(*row)) return false;
  }
  return true;
}

Refusals Lowering::lower() {
  if (policy_.monitor) return out_;
  std::size_t whole = 0;  // Rows up to the last rule that went in whole.
  for (RuleId id = 0; id < policy_.rules.size(); ++id) {
    const policy::Rule& rule = policy_.rules[id];
    if ((rule.datapaths & on::kHost) == 0 || rule.monitor) continue;
    const bool lasts = rule.expires_wall_ns == INT64_MAX;
    bool room = true;
    if (rule.action == policy::Action::Allow) {
      room = let_pass({&rule.match}, rule.essential);
    } else if ((rule.action == policy::Action::Drop || rule.action == policy::Action::Reject) && lasts) {
      std::optional<Row> row = deny(rule);
      if (!row) continue;
      row->refusal.rule = id;
      for (const policy::AllOf& exception : rule.unless) room = room && let_pass({&exception, &rule.match}, false);
      room = room && add(std::move(*row));
      out_.rules += room ? 1U : 0U;
    }
    if (!room) break;  // What comes after would miss what may let pass.
    whole = out_.rows.size();
  }
  out_.rows.resize(whole);
  // Behind the last refusal nothing needs to be asked.
  while (!out_.rows.empty() && out_.rows.back().then != WEIR_THEN_REFUSE) out_.rows.pop_back();
  for (const auto& [path, bits] : named_) {
    WhoProgram::NamedPath named{};
    std::string_view rest = path;
    std::size_t at = 0;
    while (!rest.empty()) {
      const std::size_t slash = rest.rfind('/');
      const std::string_view part = rest.substr(slash + 1);
      part.copy(named.path.path + at, part.size());
      at += part.size() + 1;
      rest = rest.substr(0, slash);
    }
    named.bits = bits;
    out_.named.push_back(named);
  }
  return std::move(out_);
}

}  // namespace

Refusals refusals_of(const policy::Policy& policy, const HostFacts& host) { return Lowering(policy, host).lower(); }

std::vector<Ip> own_addresses() {
  std::vector<Ip> out;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return out;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    if (one->ifa_addr->sa_family == AF_INET) out.push_back(Ip::v4(ntohl(reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr.s_addr)));
    else if (one->ifa_addr->sa_family == AF_INET6) out.push_back(Ip::v6_bytes(reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr.s6_addr));
  }
  freeifaddrs(all);
  return out;
}

}  // namespace weir::datapath
