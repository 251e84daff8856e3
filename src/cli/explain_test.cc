// SPDX-License-Identifier: Apache-2.0
// What `weir explain` says, by the verdict that it explains.

#include <gtest/gtest.h>

#include "cli/trial.h"
#include "policy/document.h"
#include "policy/settle.h"

namespace weir::cli {
namespace {

using policy::Fate;

constexpr std::string_view kHead = R"(weir: 1
default: allow
essential: false
zones:
  inside: { ports: [lan0], networks: [10.0.0.0/8] }
  outside: {}
sets:
  resolvers: { addresses: [10.0.0.53, 10.1.0.0/16] }
  bad-names: { domains: [evil.example, .tunnel.example] }
rules:
)";

std::shared_ptr<const policy::RuleSet> rules_of(std::string_view rules) {
  policy::Loaded loaded = policy::load_policy_text("test.yaml", std::string(kHead) + std::string(rules), engine::vocabulary());
  EXPECT_TRUE(loaded.policy) << policy::render(loaded.diagnostics);
  if (!loaded.policy) return nullptr;
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)),
                                                 engine::vocabulary());
}

/// Why the conversation's packet `number` (0: its last) met its verdict.
Why why_of(const std::shared_ptr<const policy::RuleSet>& rules, std::string_view convo, std::uint64_t number = 0) {
  Convo parsed = parse_convo(convo);
  EXPECT_TRUE(parsed.mistakes.empty());
  if (number == 0) number = parsed.steps.size();
  const Traffic traffic = Traffic::of_convo(std::move(parsed), rules->policy());
  auto why = ask_why(rules, traffic, number);
  EXPECT_TRUE(why);
  return why ? why.value() : Why{};
}

const policy::RuleNow& rule_of(const Why& why, std::string_view name) {
  for (const policy::RuleNow& rule : why.explanation->rules)
    if (rule.name == name) return rule;
  ADD_FAILURE() << "not considered: " << name;
  static const policy::RuleNow none;
  return none;
}

constexpr std::string_view kDnsRule = R"(  - name: only-company-dns
    match: { from: inside, app.protocol: dns }
    unless: [ { to: "@resolvers" } ]
    action: drop
)";

TEST(Explain, TellsTheRuleThatDecidesAndWhatWouldDiffer) {
  const auto rules = rules_of(kDnsRule);
  const Why why = why_of(rules, "10.0.0.5:40000 > 198.51.100.53:53 udp dns? A evil.example");
  EXPECT_EQ(why.answer.verdict, Verdict::Drop);
  ASSERT_TRUE(why.explanation);
  const policy::RuleNow& rule = rule_of(why, "only-company-dns");
  EXPECT_EQ(rule.fate, Fate::Decides);
  EXPECT_EQ(rule.place, "test.yaml:11");
  ASSERT_EQ(rule.unless.size(), 1U);
  EXPECT_EQ(rule.unless[0][0].truth, policy::Truth::False);
  EXPECT_NE(rule.would_differ.find("to were @resolvers"), std::string::npos) << rule.would_differ;
  const std::string text = policy::render(*why.explanation, rules->policy(), false);
  EXPECT_NE(text.find("from = 10.0.0.5 (inside); asked: inside"), std::string::npos) << text;
}

TEST(Explain, NamesTheEntryOfASetThatMatched) {
  const auto rules = rules_of(kDnsRule);
  const Why why = why_of(rules, "10.0.0.5:40000 > 10.1.2.3:53 udp dns? A evil.example");
  EXPECT_EQ(why.answer.verdict, Verdict::Pass);
  ASSERT_TRUE(why.explanation);
  const policy::RuleNow& rule = rule_of(why, "only-company-dns");
  EXPECT_EQ(rule.fate, Fate::NotMatched);
  EXPECT_NE(rule.unless[0][0].matched_by.find("10.1.0.0/16"), std::string::npos) << rule.unless[0][0].matched_by;
  EXPECT_NE(rule.would_differ.find("(unless) to were not @resolvers"), std::string::npos) << rule.would_differ;
}

TEST(Explain, FactsOfATransactionAreThoseOfItsMoment) {
  const auto rules = rules_of("  - { name: bad, match: { dns.qname: \"@bad-names\" }, action: drop }\n");
  const Why dropped = why_of(rules, "10.0.0.5:40000 > 10.0.0.53:53 udp dns? A a.b.tunnel.example");
  EXPECT_EQ(dropped.answer.verdict, Verdict::Drop);
  EXPECT_EQ(rule_of(dropped, "bad").match[0].values, std::vector<std::string>{"a.b.tunnel.example"});
  EXPECT_NE(rule_of(dropped, "bad").match[0].matched_by.find(".tunnel.example"), std::string::npos);
  const Why passed = why_of(rules, "10.0.0.5:40000 > 10.0.0.53:53 udp dns? A www.example.com");
  EXPECT_EQ(passed.answer.verdict, Verdict::Pass);
  EXPECT_EQ(rule_of(passed, "bad").match[0].values, std::vector<std::string>{"www.example.com"});
}

TEST(Explain, WhatIsNotYetKnownIsOpen) {
  const auto rules = rules_of("  - { name: named, match: { tls.sni: x.example }, action: drop }\n");
  const Why why = why_of(rules, "10.0.0.5:40000 > 198.51.100.7:443 tcp S");
  const policy::RuleNow& rule = rule_of(why, "named");
  EXPECT_EQ(rule.fate, Fate::Open);
  EXPECT_EQ(rule.match[0].state, FactState::NotYet);
  EXPECT_FALSE(why.explanation->certain);
  EXPECT_EQ(rule.would_differ, "it is open until tls.sni is known");
}

TEST(Explain, AFactOfAnotherProtocolIsAbsent) {
  const auto rules = rules_of("  - { name: named, match: { tls.sni: x.example }, action: drop }\n");
  const Why why = why_of(rules, "10.0.0.5:40000 > 10.0.0.53:53 udp dns? A x.example");
  EXPECT_EQ(rule_of(why, "named").match[0].state, FactState::Absent);
}

TEST(Explain, LaterPacketsOfADeniedFlowPointBack) {
  const auto rules = rules_of("  - { name: uri, match: { http.uri: /x }, action: drop }\n");
  const Why why = why_of(rules, R"(a 10.0.0.5   b 198.51.100.7
a:40000 > b:80 tcp open
a:40000 > b:80 tcp http? GET /x www.example.com drop
a:40000 > b:80 tcp http? GET /y www.example.com drop
)");
  EXPECT_EQ(why.answer.reason, Reason::Tombstone);
  EXPECT_EQ(why.judged, 4U);
  ASSERT_TRUE(why.explanation);
  EXPECT_EQ(rule_of(why, "uri").fate, Fate::Decides);
}

TEST(Explain, HeldPacketsPointToWhatDecidedThem) {
  const auto rules = rules_of("  - { name: named, match: { tls.sni: x.example }, action: drop }\nundecided: hold\n");
  const Why why = why_of(rules, R"(a 10.0.0.5   b 198.51.100.7
a:40000 > b:443 tcp open
a:40000 > b:443 tcp hex:160301
a:40000 > b:443 tcp hex:0005
a:40000 > b:443 tcp "no hello, and no end of it"
)", 4);
  EXPECT_TRUE(why.answer.held);
  EXPECT_GT(why.judged, 4U);
}

TEST(Explain, AlertsGoOnToTheNextRule) {
  const auto rules = rules_of(
      "  - { name: told, match: { port: 22 }, action: alert }\n  - { name: stopped, match: { port: 22 }, action: drop }\n");
  const Why why = why_of(rules, "10.0.0.5:40000 > 198.51.100.7:22 tcp S");
  EXPECT_EQ(rule_of(why, "told").fate, Fate::GoesOn);
  EXPECT_EQ(rule_of(why, "stopped").fate, Fate::Decides);
}

TEST(Explain, RulesBehindTheOneThatDecidesAreNotConsidered) {
  const auto rules = rules_of(
      "  - { name: first, match: { port: 22 }, action: allow }\n  - { name: second, match: { port: 22 }, action: drop }\n");
  const Why why = why_of(rules, "10.0.0.5:40000 > 198.51.100.7:22 tcp S");
  ASSERT_TRUE(why.explanation);
  EXPECT_EQ(why.explanation->rules.size(), 1U);
}

TEST(Explain, ThereMustBeSuchAPacket) {
  const auto rules = rules_of(kDnsRule);
  const Traffic traffic = Traffic::of_convo(parse_convo("10.0.0.5:1 > 10.0.0.6:2 tcp S"), rules->policy());
  EXPECT_FALSE(ask_why(rules, traffic, 2));
  EXPECT_FALSE(ask_why(rules, traffic, 0));
}

TEST(Convo, PayloadsAreWhatTheirWordsSay) {
  struct {
    std::string_view app, packet;
  } const kCases[] = {
      {"dns", "10.0.0.5:40000 > 10.0.0.53:53 udp dns? A www.example.com"},
      {"dns", "10.0.0.5:40000 > 10.0.0.53:53 tcp dns? AAAA www.example.com"},
      {"nbns", "10.0.0.5:137 > 10.0.0.255:137 udp nbns? FILES"},
      {"http", "10.0.0.5:40000 > 10.0.0.80:80 tcp http? GET / www.example.com"},
      {"tls", "10.0.0.5:40000 > 10.0.0.80:443 tcp tls-hello www.example.com alpn h2"},
      {"smb", "10.0.0.5:40000 > 10.0.0.80:445 tcp smb-negotiate"},
      {"smb", "10.0.0.5:40000 > 10.0.0.80:445 tcp smb1-negotiate"},
      {"snmp", "10.0.0.5:40000 > 10.0.0.1:161 udp snmp-get public 1.3.6.1.2.1.1.1.0"},
      {"dhcp", "0.0.0.0:68 > *:67 udp dhcp discover"},
      {"dhcp", "10.0.0.2:67 > *:68 udp dhcp offer 10.0.0.77"},
  };
  for (const auto& c : kCases) {
    const auto rules = rules_of("  - { name: r, match: { app.protocol: " + std::string(c.app) + " }, action: drop }\n");
    std::string convo(c.packet);
    if (const std::size_t tcp = convo.find(" tcp "); tcp != std::string::npos) convo = convo.substr(0, tcp) + " tcp open\n" + convo;
    EXPECT_EQ(why_of(rules, convo).answer.verdict, Verdict::Drop) << c.packet;
  }
}

TEST(Settle, SaysWhenOrWhichRulePrevents) {
  struct {
    std::string_view rule, app;
    bool settles;
    std::string_view when;
  } const kCases[] = {
      {"match: { port: 22 }, action: drop", "ssh", true, "with the first packet"},
      {"match: { app.protocol: ssh }, action: drop", "http", true, "when app.protocol is certain"},
      {"match: { tls.sni: x.example }, action: drop", "tls", true, "when tls.sni is known or absent"},
      {"match: { tls.sni: x.example }, action: drop", "ssh", true, "when app.protocol is certain"},
      {"match: { http.uri: /x }, action: drop", "http", false, "http.uri is asked of each transaction"},
      {"match: { http.uri: /x, ip.protocol: udp }, action: drop", "http", true, "with the first packet"},
      {"match: { ip.ttl: 1 }, action: drop", "ssh", false, "ip.ttl is asked of each packet"},
      {"match: { flow.state: established }, action: allow", "ssh", true, "with the first answer"},
      {"match: { port: 22 }, action: { limit: { rate: 8 Mbit/s } }", "ssh", false, "it counts as long as the flow lives"},
  };
  for (const auto& c : kCases) {
    const auto rules = rules_of("  - { name: r, " + std::string(c.rule) + " }\n");
    const auto app = engine::vocabulary().app(c.app);
    ASSERT_TRUE(rules != nullptr && app);
    const policy::Settling settling = policy::settling_of(*rules, *app, ip_protocol::kTcp);
    EXPECT_EQ(settling.settles, c.settles) << c.rule << " for " << c.app;
    EXPECT_EQ(settling.when, c.when) << c.rule << " for " << c.app;
  }
}

}  // namespace
}  // namespace weir::cli
