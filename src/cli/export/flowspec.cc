// SPDX-License-Identifier: Apache-2.0
// flowspec: what our provider may drop before it reaches us (RFC 8955, RFC 8956). Routes have no order of ours and know packets
// alone, so only what is stopped is announced, cut to what no earlier rule lets pass: of TCP the opening packets, of everything
// else what cannot be an answer to something that passes. Nothing outside the prefixes that `upstream:` lets announce is.

#include <fmt/format.h>

#include "base/text.h"
#include "cli/export/target.h"
#include "facts/packet.h"

namespace weir::cli {
namespace {

constexpr std::uint32_t kClientPortsFrom = 32768;  ///< Systems choose the ports of their clients from here on.
constexpr std::size_t kRoutesMax = 500;            ///< Of one rule: routers take a few thousand.

struct Route {
  std::string name;
  Prefix from, to;
  bool any_from = false, any_to = false, v6 = false;
  NumberSet protocols, ports, client_ports, icmp;
  bool opening = false;  ///< TCP: the first packet alone.
};

AddressSet announced(const policy::Policy& policy, bool& told) {
  AddressSet out;
  for (const policy::Upstream& upstream : policy.upstreams) {
    if ((upstream.announce & policy::Upstream::kFlowspec) == 0) continue;
    told = true;
    for (const Prefix& p : upstream.prefixes) {
      const Address first = number_of(p.network), mask = p.length >= 128 ? 0 : ~static_cast<Address>(0) >> p.length;
      out.add(first & ~mask, first | mask);
    }
  }
  return told ? out : whole::addresses();
}

Box only_protocol(std::uint8_t protocol) {
  Box box;
  box.protocols = NumberSet(protocol, protocol);
  return box;
}

/// Types of ICMP that answer or report: a question alone cannot be one.
bool questions_alone(const Box& box) {
  NumberSet questions(8, 8);
  for (const std::uint32_t type : {9U, 10U, 13U, 15U, 17U, 256U + 128U}) questions.add(type, type);
  return !box.any_icmp() && questions.covers(box.icmp);
}

class Routes {
 public:
  explicit Routes(const policy::RuleSet& rules) : original_(header_rules_over_open_ground(rules)), policy_(rules.policy()) {}

  std::vector<Route> make(Exported& out) {
    rules_ = about_new_flows(original_, false, out.losses);
    cut_apart(rules_);
    bool told = false;
    const AddressSet ours = announced(policy_, told);
    for (std::size_t i = 0; i < rules_.size(); ++i) one(i, ours, out);
    if (!told)
      out.remarks.push_back("No `upstream:` of the policy takes flowspec: destinations are not limited to prefixes of ours.");
    out.remarks.push_back("What passes is not announced: it is what no route drops. Of TCP the opening packets are dropped.");
    out.remarks.push_back(
        "Routes that drop UDP towards ports below 32768 also drop answers to clients that use these themselves, as behind some "
        "translators.");
    return std::move(routes_);
  }

 private:
  void one(std::size_t i, const AddressSet& ours, Exported& out) {
    const HeaderRule& rule = rules_[i];
    if (!rule.reason.empty()) return out.losses.push_back(loss_of(original_, i, rule.reason));
    if (rule.effect == Effect::Pass) return;
    if (rule.effect == Effect::Report) return out.losses.push_back(loss_of(original_, i, "a route drops or does not"));
    Boxes boxes = rule.boxes;
    Box reachable;
    reachable.to = ours;
    if (const auto outside = without(boxes, {reachable}); outside && !outside->empty())
      out.losses.push_back(weaker(i, "it stops what is not on its way to prefixes that may be announced"));
    boxes = meeting(boxes, {reachable});
    std::vector<Route> made;
    for (const Box& box : boxes) {
      if (Box tcp = box & only_protocol(ip_protocol::kTcp); !tcp.empty() && !add(tcp, rule.name, true, made))
        return too_many(i, out);
      Box others = box;
      others.protocols = box.protocols - NumberSet(ip_protocol::kTcp, ip_protocol::kTcp);
      if (others.empty()) continue;
      if (answers(others)) {
        out.losses.push_back(weaker(i, "without memory of flows, what it stops cannot be told from answers to what passes"));
        continue;
      }
      if (!add(others, rule.name, false, made)) return too_many(i, out);
    }
    routes_.insert(routes_.end(), made.begin(), made.end());
  }

  Loss weaker(std::size_t i, const char* reason) const {
    return {.rule = original_[i].name, .place = original_[i].place, .reason = reason, .lost = Lost::Weaker, .instead = {}};
  }
  void too_many(std::size_t i, Exported& out) const { out.losses.push_back(weaker(i, "it takes too many routes")); }

  /// Whether packets of the box may answer a flow that passes.
  bool answers(const Box& box) const {
    if (questions_alone(box)) return false;
    NumberSet usual = whole::ports();
    if (!box.any_port() && NumberSet(0, kClientPortsFrom - 1).covers(box.ports)) usual = NumberSet(kClientPortsFrom, 65535);
    for (const HeaderRule& rule : rules_) {
      if (rule.effect != Effect::Pass || !rule.reason.empty()) continue;
      for (const Box& passing : rule.boxes) {
        Box back = passing;
        std::swap(back.from, back.to);
        std::swap(back.ports, back.client_ports);
        back.icmp = whole::icmp();
        back.states = whole::states();
        back.ports = back.ports & usual;
        if (!(back & box).empty()) return true;
      }
    }
    return false;
  }

  bool add(const Box& box, const std::string& name, bool opening, std::vector<Route>& out) const {
    for (const bool v6 : {false, true}) {
      const AddressSet& version = v6 ? whole::v6() : whole::v4();
      for (const Box& part : of_version({box}, v6)) {
        const auto from = prefixes_of(part.from, kRoutesMax), to = prefixes_of(part.to, kRoutesMax);
        if (!from || !to || out.size() + from->size() * to->size() > kRoutesMax) return false;
        for (const Prefix& f : *from)
          for (const Prefix& t : *to)
            out.push_back({name, f, t, part.from == version, part.to == version, v6, part.protocols, part.ports,
                           part.client_ports, part.icmp, opening});
      }
    }
    return true;
  }

  std::vector<HeaderRule> original_, rules_;
  const policy::Policy& policy_;
  std::vector<Route> routes_;
};

std::string prefix_text(const Prefix& p) { return render(p.network) + "/" + std::to_string(p.written_length()); }

std::string numbers_text(const NumberSet& set, std::string_view equal, std::uint32_t less = 0) {
  std::string out;
  for (const NumberSet::Range& r : set.ranges())
    out += (out.empty() ? "" : " ") + (r.first == r.last ? fmt::format("{}{}", equal, r.first - less)
                                                         : fmt::format(">={}&<={}", r.first - less, r.last - less));
  return out;
}

NumberSet icmp_of(const Route& r) { return r.icmp & (r.v6 ? NumberSet(256, 511) : NumberSet(0, 255)); }

std::string name_text(std::string_view name, std::size_t number) {
  std::string out = "weir-" + std::to_string(number) + "-";
  for (const char c : name.substr(0, 40)) out += is_alpha(c) || is_digit(c) ? c : '-';
  return out;
}

}  // namespace

Exported to_flowspec_exabgp(const policy::RuleSet& rules) {
  Exported out;
  const std::vector<Route> routes = Routes(rules).make(out);
  out.text = "flow {\n";
  std::size_t number = 0;
  for (const Route& r : routes) {
    out.text += fmt::format("  route {} {{\n    match {{\n", name_text(r.name, ++number));
    if (!r.any_from) out.text += fmt::format("      source {};\n", prefix_text(r.from));
    if (!r.any_to) out.text += fmt::format("      destination {};\n", prefix_text(r.to));
    if (r.protocols != whole::protocols())
      out.text += fmt::format("      {} [ {} ];\n", r.v6 ? "next-header" : "protocol", numbers_text(r.protocols, "="));
    if (r.client_ports != whole::ports())
      out.text += fmt::format("      source-port [ {} ];\n", numbers_text(r.client_ports, "="));
    if (r.ports != whole::ports()) out.text += fmt::format("      destination-port [ {} ];\n", numbers_text(r.ports, "="));
    if (r.icmp != whole::icmp())
      out.text += fmt::format("      icmp-type [ {} ];\n", numbers_text(icmp_of(r), "=", r.v6 ? 256 : 0));
    if (r.opening) out.text += "      tcp-flags [ SYN&!ACK ];\n";
    out.text += "    }\n    then {\n      discard;\n    }\n  }\n";
  }
  out.text += "}\n";
  out.remarks.push_back(
      "It belongs into a `neighbor` of ExaBGP's configuration, whose `family` has `ipv4 flow` and `ipv6 flow`.");
  return out;
}

Exported to_flowspec_gobgp(const policy::RuleSet& rules) {
  Exported out{.first_line = "#!/bin/sh", .text = "set -eu\n", .losses = {}, .remarks = {}};
  for (const Route& r : Routes(rules).make(out)) {
    out.text += fmt::format("gobgp global rib -a {} add match", r.v6 ? "ipv6-flowspec" : "ipv4-flowspec");
    const auto add = [&](std::string_view key, const std::string& value) { out.text += fmt::format(" {} {}", key, value); };
    if (!r.any_from) add("source", prefix_text(r.from));
    if (!r.any_to) add("destination", prefix_text(r.to));
    if (r.protocols != whole::protocols()) add("protocol", "'" + numbers_text(r.protocols, "==") + "'");
    if (r.client_ports != whole::ports()) add("source-port", "'" + numbers_text(r.client_ports, "==") + "'");
    if (r.ports != whole::ports()) add("destination-port", "'" + numbers_text(r.ports, "==") + "'");
    if (r.icmp != whole::icmp()) add("icmp-type", "'" + numbers_text(icmp_of(r), "==", r.v6 ? 256 : 0) + "'");
    if (r.opening) add("tcp-flags", "'=S&!A'");
    out.text += " then discard  # " + r.name + "\n";
  }
  return out;
}

}  // namespace weir::cli
