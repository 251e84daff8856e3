// SPDX-License-Identifier: Apache-2.0
// The form between a policy and its exports: boxes answer as the policy's own matching does, whatever is cut out of them.

#include <gtest/gtest.h>

#include "cli/diff/packet_space.h"
#include "cli/export/target.h"
#include "cli/import/rule_text.h"
#include "engine/engine.h"
#include "policy/document.h"

namespace weir::cli {
namespace {

using policy::RuleSet;

std::shared_ptr<const RuleSet> rules_of(std::string_view text) {
  policy::Loaded loaded = policy::load_policy_text("p.yaml", text, engine::vocabulary());
  EXPECT_TRUE(loaded.policy) << policy::render(loaded.diagnostics);
  if (!loaded.policy) return nullptr;
  return std::make_shared<const RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
}

constexpr std::string_view kPolicy = R"(weir: 1
zones:
  inside:  { networks: [10.0.0.0/8, "fd00::/8"] }
  servers: { networks: [10.9.0.0/16, 10.20.0.0/15] }
  guests:  { networks: [10.66.0.0/16] }
  outside: {}
sets: { admins: { addresses: [10.1.1.0/24, 10.1.3.7, "fd00:1::/64"] } }
default: drop
rules:
  - { name: a, match: { peer: guests, to: servers }, action: drop }
  - { name: b, match: { from: "@admins", port: 22 }, action: allow }
  - { name: c, match: { from: inside, not.to: [servers, inside], ip.protocol: tcp }, unless: [ { port: [25, 137-139] }, { to: 198.51.100.0/24, port: -1023 } ], action: allow }
  - { name: d, match: { ip.protocol: udp, not.port: 53, from.zone: servers }, action: reject }
  - { name: e, match: { ip.protocol: udp, client.port: 1024-, from: servers }, action: allow }
  - { name: f, match: { ip.version: 6, ip.protocol: [icmpv6], icmp.type: echo-request }, action: allow }
  - { name: g, match: { ip.protocol: 47, not.peer: guests }, action: allow }
  - { name: h, match: { not.ip.protocol: [tcp, udp], to: 10.9.0.0/24 }, action: allow }
)";

Box box_of(const Packet& packet) {
  const IpLayer& l = packet.inner();
  Box out;
  out.from = AddressSet(number_of(l.src), number_of(l.src));
  out.to = AddressSet(number_of(l.dst), number_of(l.dst));
  out.protocols = NumberSet(l.protocol, l.protocol);
  out.states = NumberSet(0, 0);
  if (l.has_transport &&
      (l.protocol == ip_protocol::kTcp || l.protocol == ip_protocol::kUdp || l.protocol == ip_protocol::kSctp)) {
    out.ports = NumberSet(l.dst_port, l.dst_port);
    out.client_ports = NumberSet(l.src_port, l.src_port);
  }
  if (l.is_icmp()) {
    const std::uint32_t type = l.icmp_type + (l.protocol == ip_protocol::kIcmpv6 ? 256U : 0U);
    out.icmp = NumberSet(type, type);
  }
  return out;
}

/// The first rule whose boxes hold the packet.
const HeaderRule& first_of(const std::vector<HeaderRule>& rules, const Box& box) {
  for (const HeaderRule& rule : rules)
    if (rule.effect != Effect::Report && meet(rule.boxes, {box})) return rule;
  return rules.back();
}

template <typename F>
void each_class(const RuleSet& rules, F&& call) {
  bool whole = true;
  const RuleSet* const one[] = {&rules};
  const ClassBounds bounds{.client_ports = true};
  const auto traffic = traffic_classes(one, bounds);
  std::size_t asked = 0;
  const auto addresses = address_classes(one, rules, bounds, whole);
  for (const AddressClass& from : addresses)
    for (const AddressClass& to : addresses)
      for (const TrafficClass& t : traffic) {
        if (from.ip.is_v4() != to.ip.is_v4()) continue;
        ++asked;
        call(FirstPacket(from.ip, to.ip, t), packet_text(from.ip, to.ip, t));
      }
  EXPECT_TRUE(whole);
  EXPECT_GT(asked, 5000U);
}

TEST(HeaderRules, BoxesAnswerAsThePolicyDoes) {
  const auto rules = rules_of(kPolicy);
  const std::vector<HeaderRule> boxes = header_rules(*rules);
  for (const HeaderRule& rule : boxes) EXPECT_EQ(rule.reason, rule.name == "essential.pmtu" ? rule.reason : "") << rule.name;
  Asked asked(*rules);
  std::size_t wrong = 0;
  each_class(*rules, [&](const FirstPacket& first, const std::string& text) {
    const Asked::Said said = asked.ask(first.packet());
    const HeaderRule& rule = first_of(boxes, box_of(first.packet()));
    const bool same = (rule.effect == Effect::Pass) == (said.answer == FirstAnswer::Allow) &&
                      (said.rule == kDefaultRule || rule.rule == &rules->policy().rules[said.rule]);
    if (!same && ++wrong < 5)
      ADD_FAILURE() << text << ": " << rule.name << ", and the policy says " << name_of(said.answer) << " by " << said.rule;
  });
  EXPECT_EQ(wrong, 0U);
}

TEST(HeaderRules, CutApartNoOrderIsNeeded) {
  const auto rules = rules_of(kPolicy);
  const std::vector<HeaderRule> in_order = header_rules(*rules);
  std::vector<HeaderRule> apart = in_order;
  cut_apart(apart);
  each_class(*rules, [&](const FirstPacket& first, const std::string& text) {
    const Box box = box_of(first.packet());
    const Effect effect = first_of(in_order, box).effect;
    for (const HeaderRule& rule : apart) {
      const bool decides = rule.reason.empty() && meet(rule.boxes, {box});
      ASSERT_TRUE(!decides || rule.effect == effect) << text << " " << rule.name;
    }
  });
}

TEST(Space, PrefixesMakeUpTheSet) {
  struct Row {
    const char *first, *last, *prefixes;
  };
  constexpr Row kRows[] = {
      {"10.0.0.0", "10.255.255.255", "10.0.0.0/8"},
      {"0.0.0.0", "255.255.255.255", "0.0.0.0/0"},
      {"10.0.0.1", "10.0.0.6", "10.0.0.1 10.0.0.2/31 10.0.0.4/31 10.0.0.6"},
      {"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"},
      {"2001:db8::", "2001:db8::1", "2001:db8::/127"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
  };
  for (const Row& row : kRows) {
    std::string text;
    const auto prefixes = prefixes_of(AddressSet(number_of(*parse_ip(row.first)), number_of(*parse_ip(row.last))));
    ASSERT_TRUE(prefixes);
    for (const Prefix& p : *prefixes) text += (text.empty() ? "" : " ") + (p.length == 128 ? render(p.network) : render(p));
    EXPECT_EQ(text, row.prefixes);
  }
  // What is written inside ::ffff:0:0/96 is no packet's of IPv6, and not cut out of what is written.
  EXPECT_EQ(prefixes_of(whole::v6())->size(), 1U);
}

TEST(Space, WithoutIsWhatIsLeft) {
  Box all, hole;
  hole.ports = NumberSet(80, 90);
  hole.protocols = NumberSet(6, 6);
  hole.from = AddressSet(number_of(Ip::v4(0x0a000000)), number_of(Ip::v4(0x0affffff)));
  const auto left = without({all}, {hole});
  ASSERT_TRUE(left);
  EXPECT_FALSE(meet(*left, {hole}));
  Box beside = hole;
  beside.ports = NumberSet(79, 79);
  EXPECT_TRUE(meet(*left, {beside}));
  EXPECT_EQ(without({hole}, {all}), Boxes());
  EXPECT_EQ(without({all}, {}), Boxes{all});
}

std::vector<std::string> lost(std::string_view rules, Exported (*to)(const RuleSet&),
                              std::string_view head = "default: allow\n") {
  const auto set = rules_of("weir: 1\nzones: { inside: { networks: [10.0.0.0/8] }, outside: {} }\nessential: false\n" +
                            std::string(head) + "rules:\n" + std::string(rules));
  std::vector<std::string> out;
  for (const Loss& loss : to(*set).losses)
    out.push_back(loss.rule + ": " + std::string(name_of(loss.lost)) + (loss.instead.empty() ? "" : " by " + loss.instead[0]));
  return out;
}

TEST(Export, WhatIsLeftOutSaysWhatThatDoes) {
  using List = std::vector<std::string>;
  const std::string content = "  - { name: x, match: { dns.qname: a.example }, action: drop }\n",
                    allow = "  - { name: y, match: { ip.protocol: udp, port: 53 }, action: allow }\n";
  // A deny that cannot be said, before what lets pass.
  EXPECT_EQ(lost(content, to_nftables), List{"x: WEAKER by default"});
  EXPECT_EQ(lost(content + allow, to_nftables, "default: drop\n"), List{"x: WEAKER by y"});
  EXPECT_EQ(lost(allow + content, to_nftables, "default: drop\n"), List{"x: no verdict changes"});
  // One that lets pass, before a deny.
  EXPECT_EQ(lost("  - { name: x, match: { tls.sni: a.example }, action: allow }\n", to_nftables, "default: drop\n"),
            List{"x: stricter by default"});
  EXPECT_EQ(lost("  - { name: x, match: { port: 23 }, action: drop, mode: monitor }\n", to_cisco_acl), List{"x: not reported"});
  EXPECT_EQ(lost("  - { name: x, match: { port: 23 }, action: { limit: { rate: 1/s } } }\n", to_nftables),
            List{"x: WEAKER by default"});
}

TEST(Export, FlowspecNeverStopsAnswers) {
  // Nothing comes in unasked: of TCP that is opening packets; UDP from outside may answer.
  const std::string closed = "  - { name: closed, match: { from: outside, to: inside }, action: drop }\n";
  EXPECT_EQ(lost(closed, to_flowspec_exabgp), std::vector<std::string>{"closed: WEAKER"});
  const auto set = rules_of(
      "weir: 1\nzones: { inside: { networks: [10.0.0.0/8] }, outside: {} }\nessential: false\ndefault: allow\nrules:\n" + closed +
      "  - { name: memcached, match: { from: outside, to: inside, ip.protocol: udp, port: 111 }, action: drop }\n");
  const std::string text = to_flowspec_exabgp(*set).text;
  EXPECT_NE(text.find("tcp-flags [ SYN&!ACK ]"), std::string::npos) << text;
  EXPECT_EQ(text.find("weir-1-closed"), text.find("weir-")) << text;
  EXPECT_NE(text.find("destination-port [ =111 ]"), std::string::npos) << text;
}

TEST(Import, WhatNftListsOfAnExportAnswersAlike) {
  // Without the program: the JSON of a table as it lists it.
  const Imported imported = import_nftables(R"({"nftables":[
    {"chain":{"family":"inet","table":"weir","name":"forward","handle":1,"type":"filter","hook":"forward","prio":0,"policy":"drop"}},
    {"rule":{"family":"inet","table":"weir","chain":"forward","handle":2,"expr":[{"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},{"accept":null}]}},
    {"rule":{"family":"inet","table":"weir","chain":"forward","handle":3,"comment":"web","expr":[
      {"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":{"prefix":{"addr":"10.0.0.0","len":8}}}},
      {"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":"tcp"}},
      {"match":{"op":"==","left":{"payload":{"protocol":"th","field":"dport"}},"right":{"set":[80,{"range":[8080,8090]}]}}},{"accept":null}]}}]})");
  EXPECT_TRUE(imported.unfit.empty());
  const auto here = rules_of(
      "weir: 1\nessential: false\ndefault: drop\nrules:\n  - { name: web, match: { from: 10.0.0.0/8, ip.protocol: tcp, port: "
      "[80, 8080-8090] }, action: allow }\n");
  const auto there = rules_of(policy_text(imported, "test"));
  ASSERT_TRUE(here && there);
  EXPECT_TRUE(compare_spaces(*here, *there).changes.empty());
}

TEST(Import, WhatIsOfAStrangerStaysAText) {
  const Imported imported = import_suricata("drop tcp any any -> any 23 (msg:\"x\\\"\\ny: {\"; sid:1;)\n", {});
  ASSERT_EQ(imported.rules.size(), 1U);
  EXPECT_NE(rules_of(policy_text(imported, "a\nweir: 2")), nullptr);
}

}  // namespace
}  // namespace weir::cli
