// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "facts/field_ids.h"
#include "facts/packet.h"
#include "policy/expansion.h"
#include "policy/sections.h"

namespace weir::policy {
namespace {

using namespace field;

constexpr std::string_view kEssential[] = {"nd", "mld", "pmtu", "dhcp", "dhcpv6"};
constexpr std::uint64_t kIcmp6 = 256;  // values of icmp.type are ICMP's number, or 256 and ICMPv6's

void add(Policy& policy, std::string_view name, AllOf match, Position position) {
  Rule rule;
  rule.name = sentence("essential.", name);
  rule.match = std::move(match);
  rule.action = Action::Allow;
  rule.log = Log::None;
  rule.essential = true;
  rule.position = position;
  policy.rules.push_back(std::move(rule));
}

// Each is certain from the headers alone, so what is essential never waits for content.
void add_one(const Vocabulary& words, Policy& policy, std::string_view name, Position at) {
  const auto icmp6 = [&](std::uint64_t first, std::uint64_t last) {
    return AllOf{numbers(kIpProtocol, {{58, 58}}, "icmpv6"), numbers(kIcmpType, {{kIcmp6 + first, kIcmp6 + last}}, name)};
  };
  const auto ports = [&](std::uint64_t first, std::string_view written) {
    return AllOf{numbers(kIpProtocol, {{17, 17}}, "udp"), numbers(kPort, {{first, first + 1}}, written), numbers(kClientPort, {{first, first + 1}}, written)};
  };
  if (name == "nd") add(policy, name, icmp6(133, 136), at);  // RS, RA, NS, NA; not redirects (RFC 4861)
  if (name == "mld") {                                       // RFC 2710, RFC 3810
    add(policy, name, icmp6(130, 132), at);
    add(policy, name, icmp6(143, 143), at);
  }
  if (name == "pmtu") {  // RFC 8201, RFC 1191: only of a flow that there is
    AllOf too_big = icmp6(2, 2);
    too_big.push_back(word(words, kFlowState, {"related"}));
    add(policy, name, std::move(too_big), at);
    add(policy, name, {numbers(kIpProtocol, {{1, 1}}, "icmp"), numbers(kIcmpType, {{3, 3}}, "unreachable"), numbers(kIcmpCode, {{4, 4}}, "4"),
                       word(words, kFlowState, {"related"})}, at);
  }
  if (name == "dhcp") add(policy, name, ports(67, "67-68"), at);
  if (name == "dhcpv6") add(policy, name, ports(546, "546-547"), at);
}

}  // namespace

void read_essential(Reading& reading, const Node* node) {
  std::vector<std::string_view> wanted(std::begin(kEssential), std::end(kEssential));
  Position at;
  if (node != nullptr) {
    at = reading.position(*node);
    if (node->is_scalar() && node->text == "false") {
      wanted.clear();
    } else if (!(node->is_scalar() && node->text == "true")) {
      wanted.clear();
      reading.each(*node, "a list of nd, mld, pmtu, dhcp and dhcpv6, or true or false", [&](const Node& item) {
        if (const auto place = reading.choice(item, "what is essential", kEssential)) wanted.push_back(kEssential[*place]);
      });
    }
  }
  for (std::string_view name : kEssential)
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) add_one(reading.words, reading.policy, name, at);
}

}  // namespace weir::policy
