// SPDX-License-Identifier: Apache-2.0
#include "cli/learn/observer.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "facts/field_ids.h"
#include "policy/document.h"

namespace weir::cli {
namespace {

constexpr std::string_view kObserving = R"(weir: 1
mode: monitor
default: drop
undecided: pass
rules: [ { name: names, match: { server.name: present }, action: alert } ]
)";

/// A name that a rule can ask for: no address, no stray bytes.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || name.front() == '.' || name.back() == '.' || parse_ip(name)) return false;
  bool letter = false;
  for (const char c : name) {
    letter = letter || is_alpha(c);
    if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return letter && name.find("..") == std::string_view::npos;
}

/// `server.name` is of flows that have ports.
bool has_names(std::uint8_t protocol) { return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || protocol == ip_protocol::kSctp; }

}  // namespace

void Tally::add(const Tally& more) {
  if (flows == 0 || (more.flows != 0 && more.first_wall_ns < first_wall_ns)) {
    first_wall_ns = more.first_wall_ns;
    example = more.example;
  }
  last_wall_ns = std::max(last_wall_ns, more.last_wall_ns);
  flows += more.flows;
  packets += more.packets;
  bytes += more.bytes;
}

std::shared_ptr<const policy::RuleSet> observing(const policy::Policy* base) {
  policy::Loaded loaded = policy::load_policy_text("observing", kObserving, engine::vocabulary());
  CHECK(loaded.policy.has_value());
  policy::Policy policy = std::move(*loaded.policy);
  if (base != nullptr) {
    const policy::Rule names = policy.rules.back();
    policy = *base;
    policy.monitor = true;
    policy.default_action = policy::Action::Drop;
    policy.undecided.hold = false;
    // What denies is told and stops nothing; what allows is asked as it is.
    for (policy::Rule& rule : policy.rules) rule.monitor = rule.action != policy::Action::Allow;
    policy.rules.insert(policy.rules.begin(), names);
  }
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(policy)), engine::vocabulary());
}

Observer::Observer(const policy::RuleSet& rules, Options options)
    : words_(rules.vocabulary()), sni_(words_.field("tls.sni")->id), server_name_(field::kServerName), options_(std::move(options)) {
  const auto& all = rules.policy().rules;
  const auto names = std::find_if(all.begin(), all.end(), [](const policy::Rule& r) { return r.action == policy::Action::Alert && r.name == "names"; });
  learn_rule_ = static_cast<std::size_t>(names - all.begin());
}

std::uint64_t Observer::layer_of(std::uint64_t flow_id, const Ip& a, const Ip& b, std::uint8_t protocol) {
  return mix64(mix64(flow_id, protocol), hash_ip(a, 1) + hash_ip(b, 1));
}

void Observer::on_alert(const engine::AlertRecord& record) {
  if (record.flow_id == 0 || record.rule == learn_rule_ || defaulted_.size() + denied_.size() > kFlowsMax) return;
  const std::uint64_t layer = layer_of(record.flow_id, record.src, record.dst, record.protocol);
  if (record.rule == kDefaultRule) defaulted_.insert(layer);
  else if (record.action != policy::Action::Alert) denied_.insert(layer);
}

/// The name that a flow says of itself, else the first that it was told.
void Observer::on_frame(const View& view, const Decision&) {
  if (view.flow == nullptr || view.layer == nullptr || view.facts == nullptr) return;
  const Value* value = view.facts->value(sni_);
  const bool said = value != nullptr;
  if (!said) value = view.facts->value(server_name_);
  if (value == nullptr) return;
  const std::string_view text = value->text();
  if (!is_host_name(text)) return;
  std::string& name = names_[view.flow->ends];
  if (name.empty() || (said && !equals_nocase(name, text))) name = lower(text);
}

std::ptrdiff_t Observer::atom_of(Atom atom) {
  Identity identity(atom.process, atom.own, atom.client, atom.server, atom.chain, atom.name, atom.port, atom.protocol, atom.icmp_type);
  const auto known = by_identity_.find(identity);
  if (known != by_identity_.end()) {
    atoms_[known->second].tally.add(atom.tally);
    return static_cast<std::ptrdiff_t>(known->second);
  }
  if (atoms_.size() == kAtomsMax) return -1;
  by_identity_.emplace(std::move(identity), atoms_.size());
  atoms_.push_back(std::move(atom));
  return static_cast<std::ptrdiff_t>(atoms_.size()) - 1;
}

void Observer::on_flow(const engine::FlowRecord& record) {
  ++flows_;
  Atom atom;
  if (const auto named = names_.find(record.ends); named != names_.end()) {
    atom.name = std::move(named->second);
    names_.erase(named);
  }
  FlowEnds ends = record.ends;
  if (ends.protocol == ip_protocol::kIcmp || ends.protocol == ip_protocol::kIcmpv6) ends.client_port = ends.server_port = 0;  // They hold its identifier.
  if (!has_names(ends.protocol)) atom.name.clear();
  atom.tally = {1, record.packets[0] + record.packets[1], record.bytes[0] + record.bytes[1], record.start_wall_ns, record.end_wall_ns, ends};
  all_.add(atom.tally);
  const std::uint64_t layer = layer_of(record.flow_id, ends.client, ends.server, ends.protocol);
  const bool by_default = defaulted_.erase(layer) != 0;
  if (denied_.erase(layer) != 0) {
    ++denied_count_;
    return;
  }
  if (!by_default) {
    ++covered_;
    return;
  }
  if (record.sender != nullptr) atom.process = record.sender->path;
  atom.own = options_.is_own && options_.is_own(ends.client);
  atom.closeness = options_.closeness;
  atom.client = ends.client;
  atom.server = ends.server;
  if (!record.app_hidden)
    for (std::size_t i = 0; i < record.chain_count; ++i)
      if (record.chain[i] != kUnknownApp) atom.chain.push_back(record.chain[i]);
  atom.protocol = ends.protocol;
  if (ends.protocol == ip_protocol::kIcmp) atom.icmp_type = record.icmp_type;
  else if (ends.protocol == ip_protocol::kIcmpv6) atom.icmp_type = 256 + record.icmp_type;
  else atom.port = ends.server_port;
  const std::ptrdiff_t at = atom_of(std::move(atom));
  if (at < 0) ++untold_;
  else if (atom_of_ends_.size() < options_.ends_max) atom_of_ends_[ends] = static_cast<std::size_t>(at);
}

std::ptrdiff_t Observer::find(const FlowEnds& ends) const {
  auto found = atom_of_ends_.find(ends);
  if (found == atom_of_ends_.end()) found = atom_of_ends_.find({ends.server, ends.client, ends.server_port, ends.client_port, ends.protocol});
  return found == atom_of_ends_.end() ? -1 : static_cast<std::ptrdiff_t>(found->second);
}

std::size_t Observer::add_stray(const FlowEnds& ends, int icmp_type, std::uint64_t bytes, Nanoseconds wall_ns) {
  Atom atom;
  atom.client = ends.client;
  atom.server = ends.server;
  atom.port = ends.server_port;
  atom.protocol = ends.protocol;
  atom.icmp_type = icmp_type;
  atom.closeness = Closeness::Headers;
  atom.tally = {1, 1, bytes, wall_ns, wall_ns, ends};
  const std::ptrdiff_t at = atom_of(std::move(atom));
  if (at < 0) return SIZE_MAX;
  atom_of_ends_.emplace(ends, static_cast<std::size_t>(at));
  return static_cast<std::size_t>(at);
}

}  // namespace weir::cli
