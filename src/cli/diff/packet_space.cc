// SPDX-License-Identifier: Apache-2.0
#include "cli/diff/packet_space.h"

#include <map>

#include "policy/explain.h"

namespace weir::cli {
namespace {

using policy::RuleSet;

std::string text_of(const std::vector<TrafficClass>& classes) {
  std::string out;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const TrafficClass& t = classes[i];
    if (!t.has_ports()) {
      out += out.empty() ? "" : ", ";
      out += t.protocol == ip_protocol::kIcmp ? "icmp echo" : t.protocol == 253 ? "other protocols" : "protocol " + std::to_string(t.protocol);
      continue;
    }
    const char* const name = t.protocol == ip_protocol::kTcp ? "tcp" : t.protocol == ip_protocol::kUdp ? "udp" : "sctp";
    if (i == 0 || classes[i - 1].protocol != t.protocol) out += std::string(out.empty() ? "" : ", ") + name;
    else out += ",";
    std::uint16_t last = t.last;
    while (i + 1 < classes.size() && classes[i + 1].protocol == t.protocol && classes[i + 1].first == last + 1) last = classes[++i].last;
    if (t.first == 0 && last == 65535) continue;
    out += " " + std::to_string(t.first) + (last == t.first ? "" : "-" + std::to_string(last));
  }
  return out;
}

/// The answer of one side, with the rule's name.
struct Answered {
  FirstAnswer answer = FirstAnswer::Allow;
  std::string rule;
};

Answered answer_of(Asked& asked, const RuleSet& rules, const Packet& packet) {
  const Asked::Said said = asked.ask(packet);
  if (said.answer == FirstAnswer::Open) return {said.answer, {}};
  const std::string rule = policy::name_of_rule(rules.policy(), said.rule);
  return {said.answer, rule.empty() ? "default" : rule};
}

}  // namespace

SpaceDifference compare_spaces(const RuleSet& before, const RuleSet& after) {
  SpaceDifference out;
  const RuleSet* const both[] = {&before, &after};
  const std::vector<AddressClass> addresses = address_classes(both, after, {}, out.whole);
  const std::vector<TrafficClass> traffic = traffic_classes(both, {});
  Asked old_rules(before), new_rules(after);
  using Change = std::pair<std::pair<FirstAnswer, std::string>, std::pair<FirstAnswer, std::string>>;
  // For each pair of ends and each change, its traffic; then servers, then clients that share it are joined.
  std::map<Change, std::map<std::string, std::map<std::vector<std::string>, std::vector<std::string>>>> grouped;
  for (const AddressClass& from : addresses) {
    std::map<Change, std::map<std::string, std::vector<std::string>>> of_client;
    for (const AddressClass& to : addresses) {
      if (from.ip.is_v4() != to.ip.is_v4()) continue;
      std::map<Change, std::vector<TrafficClass>> found;
      for (const TrafficClass& t : traffic) {
        const FirstPacket first(from.ip, to.ip, t);
        if (first.packet().layers_count == 0) continue;
        const Answered a = answer_of(old_rules, before, first.packet()), b = answer_of(new_rules, after, first.packet());
        if (a.answer != b.answer) found[{{a.answer, a.rule}, {b.answer, b.rule}}].push_back(t);
      }
      for (const auto& [change, list] : found) of_client[change][text_of(list)].push_back(to.name);
    }
    for (const auto& [change, by_text] : of_client)
      for (const auto& [text, to] : by_text) grouped[change][text][to].push_back(from.name);
  }
  for (const auto& [change, by_text] : grouped)
    for (const auto& [text, by_server] : by_text)
      for (const auto& [to, from] : by_server)
        out.changes.push_back({text, from, to, change.first.first, change.second.first, change.first.second, change.second.second});
  return out;
}

}  // namespace weir::cli
