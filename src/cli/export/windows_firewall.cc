// SPDX-License-Identifier: Apache-2.0
// windows-firewall: New-NetFirewallRule. There a rule that blocks goes before every rule that allows, and the default comes last;
// so what blocks is cut to what no earlier rule lets pass. Rules about programs are what a network's filter cannot have: they are
// written from `process.path` and `process.name`.

#include <fmt/format.h>

#include "cli/export/target.h"
#include "facts/field_ids.h"
#include "facts/packet.h"

namespace weir::cli {
namespace {

constexpr std::size_t kAddressesMax = 1000;  ///< Of one rule; the system takes a few thousand.

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string list_of(const NumberSet& set) {
  std::string out;
  for (const NumberSet::Range& r : set.ranges())
    out +=
        (out.empty() ? "'" : ",'") + (r.first == r.last ? std::to_string(r.first) : fmt::format("{}-{}", r.first, r.last)) + "'";
  return out;
}

std::optional<std::string> list_of(const AddressSet& set) {
  if (set.ranges().size() > kAddressesMax) return std::nullopt;
  std::string out;
  const AddressSet written = as_written(set);
  for (const AddressSet::Range& r : written.ranges()) {
    const auto prefix = prefixes_of(AddressSet(r.first, r.last), 1);
    out += out.empty() ? "'" : ",'";
    out += prefix ? (prefix->front().length == 128 ? render(prefix->front().network) : render(prefix->front()))
                  : render(ip_of(r.first)) + "-" + render(ip_of(r.last));
    out += "'";
  }
  return out;
}

/// What a rule says of programs: full paths, or names in the system's own folders.
struct Programs {
  std::vector<std::string> paths;
  std::string reason;  ///< Why it cannot be said.
};

Programs programs_of(const policy::Rule& rule) {
  Programs out;
  const auto is_process = [](const policy::Condition& c) {
    return c.field >= field::kProcessPath && c.field <= field::kContainerImage;
  };
  for (const policy::AllOf& map : rule.unless)
    for (const policy::Condition& c : map)
      if (is_process(c)) out.reason = "a firewall rule names programs and spares none";
  for (const policy::Condition& c : rule.match) {
    if (!is_process(c)) continue;
    if ((c.field != field::kProcessPath && c.field != field::kProcessName) || c.negated ||
        c.values.sets.size() + (c.values.texts ? 0U : 1U) != 0) {
      out.reason = "of a program the firewall knows its path";
      return out;
    }
    for (const std::string& value : c.values.written) {
      const bool pattern = value.find_first_of("*?") != std::string::npos || value.starts_with("/") || value.starts_with("{");
      if (pattern)
        out.reason = "a program's path is written out here, without patterns and of Windows";
      else if (c.field == field::kProcessPath)
        out.paths.push_back(value);
      else
        for (const char* folder : {"%SystemRoot%\\System32\\", "%SystemRoot%\\SysWOW64\\"}) out.paths.push_back(folder + value);
    }
  }
  return out;
}

struct Protocol {
  std::string name;
  NumberSet numbers;
  bool ports = false, icmp = false;
};

std::vector<Protocol> protocols_of(const Box& box) {
  if (box.protocols == whole::protocols()) return {{"Any", box.protocols}};
  std::vector<Protocol> out;
  for (const NumberSet::Range& r : box.protocols.ranges())
    for (std::uint32_t p = r.first; p <= r.last; ++p)
      out.push_back({p == ip_protocol::kTcp      ? "TCP"
                     : p == ip_protocol::kUdp    ? "UDP"
                     : p == ip_protocol::kIcmp   ? "ICMPv4"
                     : p == ip_protocol::kIcmpv6 ? "ICMPv6"
                                                 : std::to_string(p),
                     NumberSet(p, p), p == ip_protocol::kTcp || p == ip_protocol::kUdp,
                     p == ip_protocol::kIcmp || p == ip_protocol::kIcmpv6});
  return out;
}

class Writer {
 public:
  explicit Writer(const policy::RuleSet& rules)
      : original_(header_rules(rules)), rules_(about_new_flows(original_, true, out_.losses)) {}

  Exported write() {
    // What names programs is not narrower than its boxes in the order of rules: others are cut by what is said of headers alone.
    std::vector<Programs> programs(rules_.size());
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      HeaderRule& rule = rules_[i];
      if (rule.rule == nullptr || rule.reason.empty()) continue;
      programs[i] = programs_of(*rule.rule);
      if (!programs[i].reason.empty()) rule.reason = programs[i].reason;
    }
    cut_by_passes(rules_);
    out_.text = "Remove-NetFirewallRule -Group 'Weir' -ErrorAction SilentlyContinue\n";
    for (std::size_t i = 0; i + 1 < rules_.size(); ++i) one(i, programs[i]);
    const char* const action = rules_.back().effect == Effect::Stop ? "Block" : "Allow";
    out_.text +=
        fmt::format("Set-NetFirewallProfile -All -Enabled True -DefaultInboundAction {0} -DefaultOutboundAction {0}\n", action);
    out_.remarks.push_back(
        "Run it as administrator on each host; it replaces the rules of the group Weir and sets the default of all profiles.");
    out_.remarks.push_back(
        "Each rule is written for both directions, since any host may be either end. Other rules of the host stay.");
    return std::move(out_);
  }

 private:
  void one(std::size_t i, const Programs& programs) {
    const HeaderRule& rule = rules_[i];
    const bool of_program = !rule.reason.empty() && programs.reason.empty() && only_programs(rule);
    if (!rule.reason.empty() && !of_program) return out_.losses.push_back(loss_of(original_, i, rule.reason));
    if (rule.effect == Effect::Report) return out_.losses.push_back(loss_of(original_, i, "a firewall rule lets pass or blocks"));
    if (of_program && rule.effect == Effect::Stop)
      for (std::size_t j = 0; j < i; ++j)  // (A program is no part of what is essential: the system does that.)
        if (rules_[j].effect == Effect::Pass && rules_[j].reason.empty() && !rules_[j].rule->essential &&
            meet(rules_[j].boxes, rule.boxes)) {
          out_.losses.push_back({.rule = rules_[j].name,
                                 .place = rules_[j].place,
                                 .reason = "what blocks a program goes first here",
                                 .lost = Lost::Stricter,
                                 .instead = {rule.name}});
          break;
        }
    if (of_program && rule.effect == Effect::Pass)
      for (std::size_t j = i + 1; j + 1 < rules_.size(); ++j)
        if (rules_[j].effect == Effect::Stop && rules_[j].reason.empty() && meet(rules_[j].boxes, rule.boxes)) {
          out_.losses.push_back(loss_of(original_, i, "it lets a program pass before what blocks; here what blocks goes first"));
          break;
        }
    std::string text;
    // What blocks a program blocks it whatever else passes, so it need not be cut.
    for (const Box& whole_box : usual_protocols(original_, i, of_program ? original_[i].boxes : rule.boxes, out_.losses)) {
      for (const bool v6 : {false, true})
        for (const Box& box : of_version({whole_box}, v6)) {
          const bool both = whole_box.from == whole::addresses() && whole_box.to == whole::addresses() && whole_box.any_icmp();
          if (both && v6) continue;
          if (!lines(i, both ? whole_box : box, v6, both, programs, of_program, text)) return;
        }
    }
    out_.text += text;
  }

  static bool only_programs(const HeaderRule& rule) {
    const std::string_view reason = rule.reason;
    return reason == "it asks for process.name" || reason == "it asks for process.path" ||
           reason == "it asks for process.path; it asks for process.name" ||
           reason == "it asks for process.name; it asks for process.path";
  }

  bool lines(std::size_t i, const Box& box, bool v6, bool both, const Programs& programs, bool of_program, std::string& text) {
    const HeaderRule& rule = rules_[i];
    const auto from = list_of(box.from), to = list_of(box.to);
    if (!from || !to) {
      out_.losses.push_back(loss_of(original_, i, fmt::format("it names more than {} ranges of addresses", kAddressesMax)));
      return false;
    }
    const std::vector<Protocol> protocols = protocols_of(box);
    const AddressSet& version = v6 ? whole::v6() : whole::v4();
    for (const Protocol& protocol : protocols) {
      if (protocol.icmp && !both && protocol.numbers.contains(ip_protocol::kIcmpv6) != v6) continue;
      const bool needs_ports = !box.any_port() || !box.any_client_port();
      if (needs_ports && !protocol.ports && protocol.name != "Any") {
        Box part = box;
        part.protocols = protocol.numbers;
        out_.losses.push_back(loss_of(original_, i, {part}, "ports of SCTP are unknown to it"));
        continue;
      }
      std::string types;
      if (protocol.icmp && !box.any_icmp()) {
        const std::uint32_t first = v6 ? 256 : 0;
        const NumberSet numbers = box.icmp & NumberSet(first, first + 255);
        for (const NumberSet::Range& r : numbers.ranges())
          for (std::uint32_t t = r.first; t <= r.last; ++t) types += fmt::format("{}'{}'", types.empty() ? "" : ",", t - first);
        if (types.empty()) continue;
      }
      const std::vector<std::string> paths = of_program ? programs.paths : std::vector<std::string>{""};
      for (const std::string& path : paths)
        for (const bool outbound : {true, false}) {
          text += fmt::format("New-NetFirewallRule -Group 'Weir' -DisplayName {} -Direction {} -Action {} -Protocol {}",
                              quoted(rule.name), outbound ? "Outbound" : "Inbound",
                              rule.effect == Effect::Stop ? "Block" : "Allow", protocol.name);
          const bool plain_from = both || box.from == whole::addresses() || (box.from == version && box.to != version);
          const bool plain_to = both || box.to == whole::addresses() || (box.to == version && box.from != version);
          if (!plain_from) text += fmt::format(" -{} {}", outbound ? "LocalAddress" : "RemoteAddress", *from);
          if (!plain_to) text += fmt::format(" -{} {}", outbound ? "RemoteAddress" : "LocalAddress", *to);
          if (protocol.ports && !box.any_client_port())
            text += fmt::format(" -{} {}", outbound ? "LocalPort" : "RemotePort", list_of(box.client_ports));
          if (protocol.ports && !box.any_port())
            text += fmt::format(" -{} {}", outbound ? "RemotePort" : "LocalPort", list_of(box.ports));
          if (!types.empty()) text += " -IcmpType " + types;
          if (!path.empty()) text += " -Program " + quoted(path);
          text += "\n";
        }
    }
    return true;
  }

  Exported out_;
  std::vector<HeaderRule> original_, rules_;
};

}  // namespace

Exported to_windows_firewall(const policy::RuleSet& rules) { return Writer(rules).write(); }

}  // namespace weir::cli
