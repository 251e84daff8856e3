// SPDX-License-Identifier: Apache-2.0
// cisco-acl: named extended lists of IOS, one for each direction through one interface, for IPv4 and for IPv6. An access list
// knows packets and no flows, so each permit reflects: what answers it comes back through the list of the other direction, and
// nothing else does.

#include <fmt/format.h>

#include "cli/export/target.h"
#include "facts/flow.h"
#include "facts/packet.h"

namespace weir::cli {
namespace {

constexpr std::size_t kLinesMax = 2000;  ///< Of one rule.
constexpr std::uint32_t kNew = static_cast<std::uint32_t>(FlowState::New);

std::string address(const Prefix& prefix, bool v6) {
  const int length = prefix.written_length();
  if (length == 0) return "any";
  if (length == (v6 ? 128 : 32)) return "host " + render(prefix.network);
  if (v6) return render(prefix);
  return render(prefix.network) + " " + render(Ip::v4(0xffffffffU >> length));
}

std::vector<std::string> port_words(const NumberSet& ports) {
  if (ports == whole::ports()) return {""};
  std::vector<std::string> out;
  for (const NumberSet::Range& r : ports.ranges())
    out.push_back(r.first == r.last ? fmt::format(" eq {}", r.first) : fmt::format(" range {} {}", r.first, r.last));
  return out;
}

/// Protocols as an access list names them, with whether they have ports.
struct ProtocolWord {
  std::string name;
  bool ports = false, icmp = false;
};
std::vector<ProtocolWord> protocol_words(const NumberSet& set, bool v6) {
  if (set == whole::protocols()) return {{v6 ? "ipv6" : "ip"}};
  std::vector<ProtocolWord> out;
  for (const NumberSet::Range& r : set.ranges())
    for (std::uint32_t p = r.first; p <= r.last; ++p) {
      if (p == ip_protocol::kTcp)
        out.push_back({"tcp", true});
      else if (p == ip_protocol::kUdp)
        out.push_back({"udp", true});
      else if (p == ip_protocol::kSctp)
        out.push_back({v6 ? "sctp" : "132", v6});
      else if (p == (v6 ? ip_protocol::kIcmpv6 : ip_protocol::kIcmp))
        out.push_back({"icmp", false, true});
      else if (p != (v6 ? ip_protocol::kIcmp : ip_protocol::kIcmpv6))
        out.push_back({std::to_string(p)});
    }
  return out;
}

/// What a box is in the words of a list, without `permit` or `deny`; nothing if it takes too many lines.
std::optional<std::vector<std::string>> lines_of(const Box& box, bool v6) {
  const auto from = prefixes_of(box.from, kLinesMax), to = prefixes_of(box.to, kLinesMax);
  if (!from || !to) return std::nullopt;
  std::vector<std::string> out;
  for (const ProtocolWord& protocol : protocol_words(box.protocols, v6)) {
    std::vector<std::string> sources{""}, targets{""};
    if (protocol.ports) sources = port_words(box.client_ports), targets = port_words(box.ports);
    if (protocol.icmp && !box.any_icmp()) {
      targets.clear();
      const std::uint32_t first = v6 ? 256 : 0;
      const NumberSet types = box.icmp & NumberSet(first, first + 255);
      for (const NumberSet::Range& r : types.ranges())
        for (std::uint32_t type = r.first; type <= r.last; ++type) targets.push_back(fmt::format(" {}", type - first));
    }
    if (out.size() + from->size() * to->size() * sources.size() * targets.size() > kLinesMax) return std::nullopt;
    for (const Prefix& f : *from)
      for (const Prefix& t : *to)
        for (const std::string& source : sources)
          for (const std::string& target : targets)
            out.push_back(protocol.name + " " + address(f, v6) + source + " " + address(t, v6) + target);
  }
  return out;
}

class Writer {
 public:
  explicit Writer(const policy::RuleSet& rules) : rules_(header_rules(rules)) {}

  Exported write() {
    for (std::size_t i = 0; i < rules_.size(); ++i) one(i);
    for (const char* direction : {"IN", "OUT"}) {
      const char* const other = direction[0] == 'I' ? "OUT" : "IN";
      out_.text += list(fmt::format("ip access-list extended WEIR-{}\n evaluate WEIR-{}-BACK\n", direction, other), v4_,
                        fmt::format("WEIR-{}-BACK", direction));
      out_.text += list(fmt::format("ipv6 access-list WEIR6-{}\n evaluate WEIR6-{}-BACK\n", direction, other), v6_,
                        fmt::format("WEIR6-{}-BACK", direction));
    }
    out_.remarks.push_back(
        "On the interface between the zones: `ip access-group WEIR-IN in`, `ip access-group WEIR-OUT out`, and `ipv6 "
        "traffic-filter WEIR6-IN in`,");
    out_.remarks.push_back(
        "`ipv6 traffic-filter WEIR6-OUT out`. Remove lists of these names before. Errors of ICMP about permitted flows are no "
        "answers to a reflexive list.");
    return std::move(out_);
  }

 private:
  struct Line {
    std::string remark, text;
    bool permits = false;
  };

  static std::string list(std::string out, const std::vector<Line>& lines, const std::string& back) {
    for (const Line& line : lines) {
      if (!line.remark.empty()) out += " remark " + line.remark + "\n";
      out += std::string(line.permits ? " permit " : " deny ") + line.text + (line.permits ? " reflect " + back : "") + "\n";
    }
    return out;
  }

  void one(std::size_t i) {
    const HeaderRule& rule = rules_[i];
    if (!rule.reason.empty()) return out_.losses.push_back(loss_of(rules_, i, rule.reason));
    if (rule.effect == Effect::Report)
      return out_.losses.push_back(loss_of(rules_, i, "access lists log what they decide, and go on after nothing"));
    Boxes sctp;
    for (const Box& box : rule.boxes) {
      if (!box.states.contains(kNew))
        return out_.losses.push_back(loss_of(rules_, i, "it asks for flow.state, and access lists keep none"));
      if (box.any_port() && box.any_client_port()) continue;
      Box part = box;
      part.protocols = box.protocols & NumberSet(ip_protocol::kSctp, ip_protocol::kSctp);
      part.from = box.from & whole::v4();
      part.to = box.to & whole::v4();
      if (!part.empty()) sctp.push_back(part);  // There it has no ports.
    }
    std::vector<Line> added[2];
    for (const bool v6 : {false, true})
      for (Box box : of_version(rule.boxes, v6)) {
        if (!v6 && (!box.any_port() || !box.any_client_port()))
          box.protocols = box.protocols - NumberSet(ip_protocol::kSctp, ip_protocol::kSctp);
        const auto lines = lines_of(box, v6);
        if (!lines) return out_.losses.push_back(loss_of(rules_, i, fmt::format("it takes more than {} lines", kLinesMax)));
        for (const std::string& line : *lines)
          added[v6].push_back({added[v6].empty() ? rule.name : "", line, rule.effect == Effect::Pass});
      }
    if (!sctp.empty()) out_.losses.push_back(loss_of(rules_, i, sctp, "ports of SCTP are unknown to lists of IPv4"));
    v4_.insert(v4_.end(), added[0].begin(), added[0].end());
    v6_.insert(v6_.end(), added[1].begin(), added[1].end());
  }

  std::vector<HeaderRule> rules_;
  std::vector<Line> v4_, v6_;
  Exported out_;
};

}  // namespace

Exported to_cisco_acl(const policy::RuleSet& rules) { return Writer(rules).write(); }

}  // namespace weir::cli
