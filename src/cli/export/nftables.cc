// SPDX-License-Identifier: Apache-2.0
// nftables: one table, one chain in the order of the policy. Connections are tracked, so that answers pass with what they answer,
// as in Weir.

#include <fmt/format.h>

#include "cli/export/target.h"
#include "facts/flow.h"
#include "facts/packet.h"

namespace weir::cli {
namespace {

constexpr std::uint32_t kNew = static_cast<std::uint32_t>(FlowState::New),
                        kInvalid = static_cast<std::uint32_t>(FlowState::Invalid);

std::string element(std::uint32_t first, std::uint32_t last) {
  return first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
}

template <typename T, typename F>
std::string joined(const std::vector<T>& list, F&& text) {
  std::string out;
  for (const T& item : list) out += (out.empty() ? "" : ", ") + text(item);
  return list.size() == 1 ? out : "{ " + out + " }";
}

std::string numbers(const NumberSet& set, std::uint32_t less = 0) {
  return joined(set.ranges(), [less](const NumberSet::Range& r) { return element(r.first - less, r.last - less); });
}

/// A prefix where it is one, else a range.
std::string addresses(const AddressSet& set) {
  return joined(as_written(set).ranges(), [](const AddressSet::Range& r) {
    const auto prefixes = prefixes_of(AddressSet(r.first, r.last), 1);
    if (!prefixes) return render(ip_of(r.first)) + "-" + render(ip_of(r.last));
    const Prefix& p = prefixes->front();
    return p.length == 128 ? render(p.network) : render(p);
  });
}

std::string quoted(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 100)) out += c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 ? '_' : c;
  return "\"" + out + "\"";
}

/// Groups of protocols whose further keys differ: those with ports, ICMP, ICMPv6, and all others or any.
void add_transport(const Box& box, bool v6, std::vector<std::string>& out) {
  if (box.protocols == whole::protocols() && box.any_port() && box.any_icmp()) return out.push_back("");
  if (!box.any_port() || !box.any_client_port()) {
    std::string line = "meta l4proto " + numbers(box.protocols);
    if (!box.any_client_port()) line += " th sport " + numbers(box.client_ports);
    if (!box.any_port()) line += " th dport " + numbers(box.ports);
    return out.push_back(line);
  }
  if (box.any_icmp()) return out.push_back("meta l4proto " + numbers(box.protocols));
  const std::uint32_t protocol = v6 ? ip_protocol::kIcmpv6 : ip_protocol::kIcmp, first = v6 ? 256 : 0;
  if (!box.protocols.contains(protocol)) return;
  if (const NumberSet types = box.icmp & NumberSet(first, first + 255); !types.empty())
    out.push_back((v6 ? "icmpv6 type " : "icmp type ") + numbers(types, first));
}

/// The matches of a box, one line each.
std::vector<std::string> matches_of(const Box& box) {
  std::vector<std::string> out;
  const bool any = box.from == whole::addresses() && box.to == whole::addresses();
  const bool versions_alike = box.any_icmp();
  for (const bool v6 : {false, true}) {
    if (any && versions_alike && v6) break;
    const Boxes of = of_version({box}, v6);
    if (of.empty()) continue;
    std::string head = any && versions_alike ? "" : v6 ? "meta nfproto ipv6 " : "meta nfproto ipv4 ";
    const AddressSet& version = v6 ? whole::v6() : whole::v4();
    const char* const family = v6 ? "ip6" : "ip";
    if (!any) {
      if (of[0].from != version) head += fmt::format("{} saddr {} ", family, addresses(of[0].from));
      if (of[0].to != version) head += fmt::format("{} daddr {} ", family, addresses(of[0].to));
      if (of[0].from != version || of[0].to != version) head.erase(0, std::string_view("meta nfproto ipv4 ").size());
    }
    std::vector<std::string> transports;
    add_transport(box, v6, transports);
    for (const std::string& transport : transports) out.push_back(head + transport + (transport.empty() ? "" : " "));
  }
  if (!box.states.contains(kNew))
    for (std::string& line : out) line = "ct state invalid " + line;
  else if (!box.states.contains(kInvalid))
    for (std::string& line : out) line = "ct state new " + line;
  return out;
}

/// TCP is answered with a reset, all else with an error (RFC 1812 section 5.2.7.1).
Boxes split_tcp(const Boxes& boxes, bool tcp) {
  Box part;
  part.protocols = NumberSet(ip_protocol::kTcp, ip_protocol::kTcp);
  if (!tcp) part.protocols = whole::protocols() - part.protocols;
  return meeting(boxes, {part});
}

class Writer {
 public:
  explicit Writer(const policy::RuleSet& rules) : rules_(header_rules(rules)) {}

  Exported write() {
    out_.text =
        "table inet weir\ndelete table inet weir\ntable inet weir {\n  chain forward {\n    type filter hook forward priority "
        "filter; policy drop;\n"
        "    ct state established,related accept\n";
    for (std::size_t i = 0; i < rules_.size(); ++i) one(i);
    out_.text += "  }\n}\n";
    out_.remarks.push_back(
        "Load it with `nft -f`; it replaces the table `inet weir` and no other. It filters what is forwarded.");
    out_.remarks.push_back("Answers pass by connection tracking, also on connections that began before it was loaded.");
    return std::move(out_);
  }

 private:
  void one(std::size_t i) {
    const HeaderRule& rule = rules_[i];
    if (rule.effect == Effect::Pass && tracked(rule)) return;  // ct state established,related is there already.
    if (!rule.reason.empty()) return out_.losses.push_back(loss_of(rules_, i, rule.reason));
    const Box judged = [] {
      Box box;
      box.states = NumberSet(kNew, kNew);
      box.states.add(kInvalid, kInvalid);
      return box;
    }();
    const Boxes boxes = rule.effect == Effect::Pass ? meeting(rule.boxes, {judged}) : rule.boxes;
    Boxes seen = boxes;
    for (const Box& box : boxes)
      if (!box.states.contains(kNew) && !box.states.contains(kInvalid)) {
        out_.losses.push_back(
            loss_of(rules_, i, "it stops what belongs to connections that passed, which connection tracking lets pass"));
        return;
      }
    if (rule.effect == Effect::Report) return put(seen, fmt::format("log prefix {}", quoted(rule.name + ": ")), rule.name);
    if (rule.effect == Effect::Pass) return put(seen, "accept", rule.name);
    if (!rule.refuses) return put(seen, "drop", rule.name);
    put(split_tcp(seen, true), "reject with tcp reset", rule.name);
    put(split_tcp(seen, false), "reject with icmpx type admin-prohibited", rule.name);
  }

  static bool tracked(const HeaderRule& rule) {
    for (const Box& box : rule.boxes)
      if (box.states.contains(kNew) || box.states.contains(kInvalid)) return false;
    return true;
  }

  void put(const Boxes& boxes, const std::string& verdict, const std::string& name) {
    for (const Box& box : boxes)
      for (const std::string& match : matches_of(box))
        out_.text += fmt::format("    {}{} comment {}\n", match, verdict, quoted(name));
  }

  std::vector<HeaderRule> rules_;
  Exported out_;
};

}  // namespace

Exported to_nftables(const policy::RuleSet& rules) { return Writer(rules).write(); }

}  // namespace weir::cli
