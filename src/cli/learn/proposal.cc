// SPDX-License-Identifier: Apache-2.0
#include "cli/learn/proposal.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "proto/dns/suffixes.h"

namespace weir::cli {
namespace {

Prefix whole(const Ip& ip) { return {ip, 128}; }

Prefix enclosing(const Ip& ip, std::uint8_t length) {
  Prefix out{ip, length};
  for (std::size_t bit = length; bit < 128; ++bit) out.network.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  return out;
}

bool holds(const Prefix& wide, const Prefix& narrow) { return wide.length <= narrow.length && wide.contains(narrow.network); }
bool holds(const std::vector<Prefix>& wide, const std::vector<Prefix>& narrow) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const Prefix& n) { return std::any_of(wide.begin(), wide.end(), [&](const Prefix& w) { return holds(w, n); }); });
}

bool names_it(std::string_view wide, std::string_view narrow) {
  if (wide == narrow) return true;
  if (!wide.starts_with('.')) return false;
  return narrow.ends_with(wide) || narrow == wide.substr(1);
}
bool holds(const std::vector<std::string>& wide, const std::vector<std::string>& narrow) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const std::string& n) { return std::any_of(wide.begin(), wide.end(), [&](const std::string& w) { return names_it(w, n); }); });
}
bool holds(const std::vector<PortRange>& wide, const std::vector<PortRange>& narrow) {
  return std::all_of(narrow.begin(), narrow.end(),
                     [&](const PortRange& n) { return std::any_of(wide.begin(), wide.end(), [&](const PortRange& w) { return w.first <= n.first && n.last <= w.last; }); });
}

/// An empty part asks for nothing.
template <typename T>
bool part_covers(const std::vector<T>& wide, const std::vector<T>& narrow) {
  return wide.empty() || (!narrow.empty() && holds(wide, narrow));
}

bool covers(const Proposal& wide, const Proposal& narrow) {
  if (wide.reversed != narrow.reversed || wide.protocol != narrow.protocol) return false;
  if (!wide.process.empty() && wide.process != narrow.process) return false;
  if (wide.app != kNoApp && wide.app != narrow.app) return false;
  const bool types = wide.icmp_types.empty() ||
                     (!narrow.icmp_types.empty() && std::includes(wide.icmp_types.begin(), wide.icmp_types.end(), narrow.icmp_types.begin(), narrow.icmp_types.end()));
  return types && part_covers(wide.from, narrow.from) && part_covers(wide.names, narrow.names) && part_covers(wide.to, narrow.to) &&
         part_covers(wide.ports, narrow.ports);
}

/// Members that an element with them holds go.
template <typename T>
void tidy(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

void collapse(std::vector<Prefix>& list, std::size_t most) {
  constexpr std::size_t kListMax = 64;
  tidy(list);
  // By IPv4's lengths, and those of IPv6 that are as usual.
  constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 3> kSteps = {{{120, 64}, {112, 48}, {104, 32}}};
  for (std::size_t step = 0; step < kSteps.size(); ++step) {
    if (step != 0 && list.size() <= kListMax) break;
    std::map<Prefix, std::vector<Prefix>> by_net;
    for (const Prefix& p : list) {
      const std::uint8_t length = p.network.is_v4() ? kSteps[step].first : kSteps[step].second;
      by_net[p.length <= length ? p : enclosing(p.network, length)].push_back(p);
    }
    list.clear();
    for (auto& [net, members] : by_net) {
      if (members.size() > most) list.push_back(net);
      else list.insert(list.end(), members.begin(), members.end());
    }
    tidy(list);
  }
  if (list.size() > kListMax) list.clear();  // It is spoken with everywhere.
}

void collapse(std::vector<std::string>& names, std::size_t most) {
  tidy(names);
  std::map<std::string, std::vector<std::string>> by_domain;
  for (const std::string& name : names) {
    const std::string_view bare = name.starts_with('.') ? std::string_view(name).substr(1) : std::string_view(name);
    const std::string_view domain = proto::dns::registered_domain(bare);
    by_domain[domain.empty() ? std::string(bare) : std::string(domain)].push_back(name);
  }
  names.clear();
  for (auto& [domain, members] : by_domain) {
    const bool is_wide = std::find(members.begin(), members.end(), "." + domain) != members.end();
    if (members.size() > most || is_wide) names.push_back("." + domain);
    else names.insert(names.end(), members.begin(), members.end());
  }
  tidy(names);
}

void collapse(std::vector<PortRange>& ports) {
  tidy(ports);
  std::vector<PortRange> joined;
  for (const PortRange& range : ports) {
    if (!joined.empty() && range.first <= joined.back().last + 1U) joined.back().last = std::max(joined.back().last, range.last);
    else joined.push_back(range);
  }
  if (joined.size() > Proposal::kPortsMax) joined = {{joined.front().first, joined.back().last}};
  ports = std::move(joined);
}

/// Everything but one part, as text: what is alike in all of it is put together in that part.
enum class Part : std::uint8_t { From, Where, Ports, Types };
std::string key_without(const Proposal& p, Part part) {
  std::string key = p.process + '\n' + std::to_string(p.app) + ' ' + std::to_string(p.protocol) + (p.reversed ? " r" : " f");
  const auto put = [&](const auto& list, const auto& text) {
    key += '\n' + std::to_string(list.size());
    for (const auto& one : list) key += ' ' + text(one);
  };
  // Lists that are empty and those that are not never meet.
  const auto kind = [&](bool empty) { key += empty ? " any" : " some"; };
  if (part == Part::From) kind(p.from.empty());
  else put(p.from, [](const Prefix& x) { return render(x); });
  if (part == Part::Where) kind(p.names.empty()), kind(p.to.empty());
  else {
    put(p.names, [](const std::string& x) { return x; });
    put(p.to, [](const Prefix& x) { return render(x); });
  }
  if (part == Part::Ports) kind(p.ports.empty());
  else put(p.ports, [](const PortRange& x) { return std::to_string(x.first) + "-" + std::to_string(x.last); });
  if (part == Part::Types) kind(p.icmp_types.empty());
  else put(p.icmp_types, [](int x) { return std::to_string(x); });
  return key;
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

void merge(std::vector<Proposal>& all, Part part, const Granularity& how) {
  std::map<std::string, Proposal> merged;
  for (Proposal& p : all) {
    const auto [at, fresh] = merged.try_emplace(key_without(p, part), p);
    if (fresh) continue;
    Proposal& into = at->second;
    append(into.from, p.from);
    append(into.names, p.names);
    append(into.to, p.to);
    append(into.ports, p.ports);
    append(into.icmp_types, p.icmp_types);
    into.tally.add(p.tally);
  }
  all.clear();
  for (auto& [key, p] : merged) {
    collapse(p.from, how.hosts_max);
    collapse(p.names, how.names_max);
    collapse(p.to, how.hosts_max);
    collapse(p.ports);
    tidy(p.icmp_types);
    all.push_back(std::move(p));
  }
}

/// Whether a server's port is a service's: below the ephemeral range, registered for what is spoken there, or met again and again.
class Services {
 public:
  explicit Services(std::span<const Atom> atoms) {
    for (const Atom& a : atoms) flows_[{a.server, a.protocol, a.port}] += a.tally.flows;
  }
  bool has(const Atom& atom) const {
    constexpr std::uint64_t kAgain = 3;
    if (atom.port < Proposal::kEphemeralBegins) return true;
    const Vocabulary& words = engine::vocabulary();
    for (const AppId app : atom.chain)
      if (words.is_registered_port(atom.protocol, atom.port, app)) return true;
    return flows_.at({atom.server, atom.protocol, atom.port}) >= kAgain;
  }

 private:
  std::map<std::tuple<Ip, std::uint8_t, std::uint16_t>, std::uint64_t> flows_;
};

bool has_ports(std::uint8_t protocol) {
  return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || protocol == ip_protocol::kSctp;
}

/// A question and its answer are one flow, and a rule sees each packet's own type.
std::vector<int> types_of(int type) {
  constexpr std::pair<int, int> kPairs[] = {{8, 0}, {13, 14}, {17, 18}, {256 + 128, 256 + 129}};
  for (const auto& [question, answer] : kPairs)
    if (type == question || type == answer) return {std::min(question, answer), std::max(question, answer)};
  return {type};
}

Proposal proposal_of(const Atom& atom, const Services& services) {
  Proposal p;
  p.process = atom.process;
  if (!(atom.own && !atom.process.empty())) p.from = {whole(atom.client)};
  p.protocol = atom.protocol;
  p.tally = atom.tally;
  const bool content = atom.closeness < Closeness::Headers;
  if (content && !atom.chain.empty()) p.app = atom.closeness == Closeness::Inner ? atom.chain.back() : atom.chain.front();
  if (atom.closeness < Closeness::Address && !atom.name.empty()) p.names = {atom.name};
  else p.to = {whole(atom.server)};
  if (has_ports(atom.protocol)) {
    if (services.has(atom)) p.ports = {{atom.port, atom.port}};
    else p.ports = {{Proposal::kEphemeralBegins, 65535}};
  }
  if (content && atom.icmp_type >= 0) p.icmp_types = types_of(atom.icmp_type);
  return p;
}

}  // namespace

std::vector<Proposal> propose(std::span<const Atom> atoms, const Granularity& how) {
  const Services services(atoms);
  std::vector<Proposal> all;
  for (const Atom& atom : atoms) {
    all.push_back(proposal_of(atom, services));
    if (atom.closeness != Closeness::BothWays) continue;
    Proposal back = all.back();
    back.from = {whole(atom.server)};
    back.to = {whole(atom.client)};
    back.reversed = !back.ports.empty();
    all.push_back(std::move(back));
  }
  // What was widened may let more be put together; it soon ends.
  for (std::size_t rounds = 0, before = all.size() + 1; rounds < 4 && all.size() < before; ++rounds) {
    before = all.size();
    for (const Part part : {Part::From, Part::Where, Part::Ports, Part::Types}) merge(all, part, how);
  }
  // By whom each is covered; of two that cover each other the first stays.
  std::vector<std::size_t> by(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    by[i] = i;
    for (std::size_t k = 0; k < all.size() && by[i] == i; ++k)
      if (k != i && covers(all[k], all[i]) && !(k > i && covers(all[i], all[k]))) by[i] = k;
  }
  std::vector<Proposal> kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (by[i] == i) continue;
    std::size_t root = by[i];
    while (by[root] != root) root = by[root];
    all[root].tally.add(all[i].tally);
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (by[i] == i) kept.push_back(std::move(all[i]));
  return kept;
}

}  // namespace weir::cli
