// SPDX-License-Identifier: Apache-2.0
#include "policy/document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "facts/field_ids.h"
#include "policy/scalars.h"
#include "policy/values.h"
#include "tests/kit/vocabulary.h"

namespace weir::policy {
namespace {

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Loaded load(std::string_view text, const LoadOptions& options = {}) { return load_policy_text("p.yaml", text, kit::vocabulary(), options); }

Policy sound(std::string_view text, const LoadOptions& options = {}) {
  Loaded loaded = load(text, options);
  EXPECT_TRUE(loaded.policy.has_value()) << render(loaded.diagnostics);
  return loaded.policy ? std::move(*loaded.policy) : Policy{};
}

/// The one rule of a policy without guards and essentials, with these parts.
Rule rule_of(std::string_view parts, std::string_view before = "") {
  Policy policy = sound(sentence("weir: 1\nessential: false\n", before, "\nrules:\n  - {name: x, ", parts, "}\n"));
  return policy.rules.empty() ? Rule{} : std::move(policy.rules.back());
}

/// Whether `match: {KEY: VALUES}` holds for a value.
bool matches(std::string_view condition, const Value& value, std::string_view before = "", ZoneId zone = kNoZone) {
  const Rule rule = rule_of(sentence("match: {", condition, "}, action: drop"), before);
  if (rule.match.empty()) return false;
  return value_matches(rule.match[0], *kit::vocabulary().field(rule.match[0].field), value, zone);
}

Value text(std::string_view t) { return Value::of_text(t); }
Value number(std::uint64_t n) { return Value::of_number(n); }
Value ip(std::string_view t) { return Value::of_ip(*parse_ip(t)); }

// tests/policy/fail: each file opens with the errors that it must give, all of them and no other.
TEST(Document, BrokenPoliciesAreRefusedWithTheExactPlaceAndMessage) {
  const std::filesystem::path folder = "tests/policy/fail";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++files;
    const std::string content = file_text(entry.path());
    std::vector<std::string> expected, found;
    for_each_line(content, [&](std::string_view line) {
      constexpr std::string_view kMark = "# expect: ";
      if (line.starts_with(kMark)) expected.emplace_back(line.substr(kMark.size()));
    });
    LoadOptions options;
    options.read_file = [&](const std::string& path) -> Result<std::string> {
      if (!std::filesystem::exists(folder / path)) return Error{"there is no such file", 2};
      return file_text(folder / path);
    };
    const Loaded loaded = load_policy_text(entry.path().filename(), content, kit::vocabulary(), options);
    EXPECT_FALSE(loaded.policy.has_value()) << entry.path();
    for (const Diagnostic& d : loaded.diagnostics.all())
      if (d.severity == Severity::Error) found.push_back(sentence(d.line, ":", d.column, ": ", d.message));
    EXPECT_EQ(found, expected) << entry.path();
  }
  EXPECT_GE(files, 40U);
}

TEST(Document, DiagnosticsReadAsCompilersWriteThem) {
  const Loaded loaded = load("weir: 1\nrulez: []\n");
  EXPECT_EQ(render(loaded.diagnostics), "p.yaml:2:1: error: unknown key `rulez` in a policy; did you mean `rules`?\n");
}

TEST(Document, NothingAtAllIsNoPolicy) {
  EXPECT_EQ(render(load(std::string_view()).diagnostics), "p.yaml:1:1: error: there is nothing here; a policy starts with `weir: 1`\n");
}

TEST(Document, ScalarsAreNeverSilentlySomethingElse) {
  EXPECT_TRUE(matches("dns.qtype: NULL", number(10)));
  EXPECT_TRUE(matches("ftp.command: no", text("NO")));
  EXPECT_FALSE(matches("ftp.command: 'on'", text("true")));
  EXPECT_TRUE(matches("http.user_agent: 1:30", text("1:30")));
}

TEST(Document, NumbersAreNumbersRangesAndNames) {
  EXPECT_TRUE(matches("port: [22, 1024-2048]", number(1500)));
  EXPECT_FALSE(matches("port: [22, 1024-2048]", number(23)));
  EXPECT_TRUE(matches("port: 60000-", number(65535)));
  EXPECT_TRUE(matches("port: -1023", number(0)));
  EXPECT_TRUE(matches("ip.protocol: [gre, 50]", number(47)));
  EXPECT_TRUE(matches("icmp.type: echo-request", number(8)));
  EXPECT_TRUE(matches("icmp.type: echo-request", number(256 + 128)));
  EXPECT_TRUE(matches("icmp.type: 3", number(256 + 3)));
}

TEST(Document, TextsAreExactGlobsOrRegularExpressions) {
  EXPECT_TRUE(matches("http.uri: /login", text("/login")));
  EXPECT_FALSE(matches("http.uri: /login", text("/login2")));
  EXPECT_FALSE(matches("http.uri: /login", text("/Login")));
  EXPECT_TRUE(matches("http.uri: {exact: /admin/}", text("/admin/")));
  EXPECT_TRUE(matches("http.uri: {regex: '^/a.c'}", text("/abcd")));
  EXPECT_TRUE(matches("http.user_agent: \"Microsoft BITS/*\"", text("Microsoft BITS/7.8")));
  EXPECT_TRUE(matches("http.user_agent: '/cur[l]/'", text("a curl b")));
  EXPECT_TRUE(matches("smb.share: \"ADMIN$\"", text("admin$")));
}

TEST(Document, DomainsReachBelowOnlyWithALeadingDot) {
  EXPECT_TRUE(matches("dns.qname: example.org", text("EXAMPLE.org")));
  EXPECT_FALSE(matches("dns.qname: example.org", text("www.example.org")));
  EXPECT_TRUE(matches("dns.qname: .example.org", text("www.example.org")));
  EXPECT_TRUE(matches("dns.qname: .example.org", text("example.org")));
  EXPECT_FALSE(matches("dns.qname: .example.org", text("badexample.org")));
  EXPECT_TRUE(matches("dns.qname: \"aaa*\"", text("aaab.example")));
  EXPECT_TRUE(matches("dns.qname: \"@bad\"", text("x.bad.example"), "sets: {bad: {domains: [.bad.example]}}"));
}

TEST(Document, AddressesAreZonesPrefixesAndSets) {
  constexpr std::string_view kBefore = "zones: {inside: {networks: [10.0.0.0/8]}, outside: {}}\nsets: {a: {addresses: [192.0.2.0/24]}, e: {addresses: none}}";
  EXPECT_TRUE(matches("from: outside", ip("198.51.100.1"), kBefore, 1));
  EXPECT_FALSE(matches("from: outside", ip("198.51.100.1"), kBefore, 0));
  EXPECT_TRUE(matches("from: [10.1.0.0/16, \"@a\"]", ip("192.0.2.9"), kBefore));
  EXPECT_FALSE(matches("from: \"@e\"", ip("192.0.2.9"), kBefore));
}

TEST(Document, FlagsMacsPortsAndProtocols) {
  EXPECT_TRUE(matches("tcp.flags: [S, FPU]", number(0x29)));
  EXPECT_FALSE(matches("tcp.flags: S", number(0x12)));
  EXPECT_TRUE(matches("tcp.flags.any: [S, R]", number(0x12)));
  EXPECT_TRUE(matches("tcp.flags: none", number(0)));
  EXPECT_TRUE(matches("eth.src: \"00:11:22\"", Value::of_mac(*parse_mac("00:11:22:aa:bb:cc"))));
  EXPECT_FALSE(matches("eth.src: \"00:11:22\"", Value::of_mac(*parse_mac("00:11:23:aa:bb:cc"))));
  EXPECT_TRUE(matches("in.port: lan1", number(1), "zones: {a: {ports: [lan0, lan1]}}"));
  EXPECT_TRUE(matches("app.protocol: [dns, http]", number(*kit::vocabulary().app("http"))));
}

TEST(Document, WordsForTheStateOfAFact) {
  const Rule rule = rule_of("match: {smb.share: [hidden, absent], not.dns.qname: present}, action: drop");
  ASSERT_EQ(rule.match.size(), 2U);
  EXPECT_TRUE(rule.match[0].values.hidden && rule.match[0].values.absent && !rule.match[0].values.present);
  EXPECT_TRUE(rule.match[1].negated && rule.match[1].values.present);
}

TEST(Document, ABareRateCountsRequestsWhereAKeyIsAboutThem) {
  EXPECT_EQ(rule_of("match: {http.uri: /login}, action: {limit: {rate: 10/s, per: from}}").limit.unit, LimitUnit::Requests);
  const Limit flows = rule_of("match: {port: 22}, action: {limit: {rate: 30/m, per: [from/24, to]}}").limit;
  EXPECT_EQ(flows.unit, LimitUnit::Flows);
  EXPECT_DOUBLE_EQ(flows.rate, 0.5);
  EXPECT_DOUBLE_EQ(flows.burst, 1);
  ASSERT_EQ(flows.per.size(), 2U);
  EXPECT_EQ(flows.per[0].prefix_v4, 24);
  EXPECT_EQ(flows.per[0].prefix_v6, 64);
  const Limit bits = rule_of("match: {port: 22}, action: {limit: {rate: 8 Mbit/s, burst: 20, over: reject}}").limit;
  EXPECT_EQ(bits.unit, LimitUnit::Bits);
  EXPECT_DOUBLE_EQ(bits.rate, 8e6);
  EXPECT_EQ(bits.over, Action::Reject);
}

TEST(Document, BansRememberForAsLongAsTheyLast) {
  const Rule rule = rule_of("match: {port: 22}, action: {ban: source, for: 1h30m, after: 5}");
  EXPECT_EQ(rule.action, Action::Ban);
  EXPECT_EQ(rule.ban.for_ns, 90 * kMinute);
  EXPECT_EQ(rule.ban.within_ns, 90 * kMinute);
  EXPECT_EQ(rule.ban.after, 5U);
}

TEST(Document, RulesStandInTheOrderGuardsEssentialOwn) {
  const Policy policy = sound("weir: 1\nguards: {scan: true, normalise: true}\nrules:\n  - {name: x, match: {port: 1}, action: drop}\n");
  std::vector<std::string> names;
  for (const Rule& rule : policy.rules)
    if (names.empty() || names.back() != rule.name) names.push_back(rule.name);
  EXPECT_EQ(names, (std::vector<std::string>{"guard.normalise", "guard.scan", "essential.nd", "essential.mld", "essential.pmtu", "essential.dhcp",
                                             "essential.dhcpv6", "x"}));
}

TEST(Document, UndecidedHoldsWhereTheDefaultDenies) {
  EXPECT_FALSE(sound("weir: 1\nrules: []\n").undecided.hold);
  EXPECT_TRUE(sound("weir: 1\ndefault: {action: drop, technique: [T1095]}\nrules: []\n").undecided.hold);
  EXPECT_FALSE(sound("weir: 1\ndefault: drop\nundecided: pass\nrules: []\n").undecided.hold);
}

TEST(Document, MonitorOfThePolicyHoldsForEveryRule) {
  const Policy policy = sound("weir: 1\nmode: monitor\nessential: false\nguards: {scan: true}\nrules:\n  - {name: x, match: {port: 1}, action: drop}\n");
  for (const Rule& rule : policy.rules) EXPECT_TRUE(rule.monitor) << rule.name;
}

TEST(Document, IncludesBringRulesSetsAndGuardsAndOwnOnesStand) {
  LoadOptions options;
  options.read_file = [](const std::string& path) -> Result<std::string> {
    if (path == "sub/a.yaml")
      return std::string("weir: 1\ninclude: [b.yaml]\nsets: {s: {addresses: [192.0.2.1]}, t: {addresses: [192.0.2.2]}}\nguards: {tcp-state: {midstream: drop}}\n"
                         "rules:\n  - {name: a, match: {from: \"@s\", to: \"@t\"}, action: drop}\n");
    if (path == "sub/b.yaml") return std::string("rules:\n  - {name: b, match: {port: 1}, action: drop}\n");
    return Error{"no such file", 2};
  };
  const Policy policy = sound("weir: 1\nessential: false\ninclude: sub/a.yaml\nsets: {s: {addresses: [10.0.0.1]}}\nguards: {tcp-state: {midstream: pick-up}}\n"
                              "rules:\n  - {name: own, match: {from: \"@s\"}, action: drop}\n", options);
  ASSERT_EQ(policy.rules.size(), 5U);
  EXPECT_EQ(policy.rules[2].name, "own");
  EXPECT_EQ(policy.rules[3].name, "a");
  EXPECT_EQ(policy.rules[4].name, "b");
  EXPECT_TRUE(policy.rules[3].match[0].values.sets[0]->addresses->contains(*parse_ip("10.0.0.1")));
  EXPECT_FALSE(policy.wishes.tcp_midstream_drop);
  EXPECT_EQ(policy.files, (std::vector<std::string>{"p.yaml", "sub/a.yaml", "sub/b.yaml"}));
}

TEST(Document, ProfilesComeFromTheCaller) {
  LoadOptions options;
  options.profile = [](std::string_view name) -> std::optional<std::string> {
    if (name == "m1037/client") return "rules:\n  - {name: p, match: {port: 1}, action: drop}\n";
    return std::nullopt;
  };
  options.profile_names = {"m1037/client"};
  EXPECT_EQ(sound("weir: 1\ninclude: [weir:m1037/client]\n", options).rules.back().name, "p");
  EXPECT_EQ(render(load("weir: 1\ninclude: [weir:m1037/server]\n", options).diagnostics),
            "p.yaml:2:11: error: unknown profile `weir:m1037/server`; known are weir:m1037/client\n");
}

TEST(Document, AnchorsAreShared) {
  const Policy policy = sound("weir: 1\nessential: false\nrules:\n  - {name: x, match: {port: &p [1, 2]}, action: drop}\n  - {name: y, match: {port: *p}, action: drop}\n");
  ASSERT_EQ(policy.rules.size(), 2U);
  EXPECT_EQ(policy.rules[1].match[0].values.numbers.size(), 1U);
}

TEST(Document, UnusedSetsAreWarnedOf) {
  const Loaded loaded = load("weir: 1\nsets: {s: {addresses: [10.0.0.1]}}\nrules: []\n");
  EXPECT_TRUE(loaded.policy.has_value());
  EXPECT_EQ(render(loaded.diagnostics), "p.yaml:2:8: warning: nothing names the set `s`\n");
}

TEST(Document, TheWordOfAListSaysWhichAlternativeMatched) {
  const Rule rule = rule_of("match: {dns.qname: [a.example, .b.example]}, action: drop");
  EXPECT_EQ(which_matched(rule.match[0], *kit::vocabulary().field(rule.match[0].field), text("x.b.example"), kNoZone), ".b.example");
}

TEST(Scalars, DurationsRatesAndDates) {
  EXPECT_EQ(parse_duration("1h30m"), 90 * kMinute);
  for (std::string_view bad : {"", "10", "m", "0s", "10m 30s", "99999999d", "1w"}) EXPECT_FALSE(parse_duration(bad)) << bad;
  EXPECT_DOUBLE_EQ(parse_rate("60 requests/m")->per_second, 1);
  EXPECT_DOUBLE_EQ(parse_rate("packets/s")->per_second, 1);
  for (std::string_view bad : {"", "/s", "10", "10/d", "-1/s", "0/s", "10 apples/s"}) EXPECT_FALSE(parse_rate(bad)) << bad;
  EXPECT_EQ(parse_date("1970-01-02"), 86400 * kSecond);
  EXPECT_EQ(parse_date("2024-02-29T01:00:00+01:00"), parse_date("2024-02-29"));
  for (std::string_view bad : {"2023-02-29", "2024-13-01", "24-01-01", "2024-01-01T", "2024-01-01T00:00:00"}) EXPECT_FALSE(parse_date(bad)) << bad;
}

}  // namespace
}  // namespace weir::policy
