// SPDX-License-Identifier: Apache-2.0
// DESIGN, "Settled flows" and invariant 5: a reload swaps the rules whole; flows alive under older ones are looked at again, from what
// they keep; what state remembers for a rule goes on where the rule is still there.

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

EngineOptions reloading() {
  EngineOptions options = small_engine();
  options.reloads = true;
  return options;
}

constexpr std::string_view kEmpty = "weir: 1";
constexpr std::string_view kNoTelnet = R"(weir: 1
rules: [ { name: no-telnet, match: { port: 23 }, action: drop } ])";
constexpr std::string_view kNoEvil = R"(weir: 1
rules: [ { name: no-evil, match: { tls.sni: evil.example }, action: drop } ])";
constexpr std::string_view kNoEvilHost = R"(weir: 1
rules: [ { name: no-evil, match: { http.host: evil.example }, action: drop } ])";

Connection to(Filter& f, std::uint16_t port, std::uint16_t from = 40000) { return Connection(f, "10.0.0.5", from, "198.51.100.80", port); }

TEST(Reload, AFlowThatStillMayPassGoesOn) {
  Filter f(kEmpty, reloading());
  Connection c = to(f, 80);
  c.open();
  EXPECT_EQ(c.client(http_get("a.example", "/")), "pass");
  f.reload(kNoTelnet);
  EXPECT_EQ(c.server(http_ok()), "pass");
  EXPECT_EQ(c.client(http_get("a.example", "/")), "pass");
  f.end();
  EXPECT_EQ(f.flows().size(), 1U) << "the same flow";
}

TEST(Reload, AFlowThatANewHeaderRuleDeniesIsCutBothWays) {
  Filter f(kEmpty, reloading());
  Connection c = to(f, 23);
  c.open();
  EXPECT_EQ(c.client("hello"), "pass");
  f.reload(kNoTelnet);
  EXPECT_EQ(c.server("login:"), "drop no-telnet");
  EXPECT_EQ(c.client("root"), "drop no-telnet");
  EXPECT_EQ(f.reason(), Reason::Tombstone) << "the flow is denied, not one packet after the other";
  f.end();
  EXPECT_EQ(f.count("alert blocked no-telnet"), 1U);
  EXPECT_EQ(f.count("flow 6 unknown dropped"), 1U);
}

TEST(Reload, ADefaultThatNowDeniesCutsWhatItPassed) {
  Filter f(kEmpty, reloading());
  Connection c = to(f, 23);
  c.open();
  f.reload("weir: 1\ndefault: drop");
  EXPECT_EQ(c.client("root"), "drop default");
  EXPECT_EQ(c.server("login:"), "drop default");
  f.end();
  EXPECT_EQ(f.count("alert blocked default"), 1U);
}

TEST(Reload, ASettledFlowKeepsItsNameForTheNextPolicy) {
  Filter f(R"(weir: 1
rules: [ { name: watched, match: { tls.sni: watched.example }, action: drop } ])", reloading());
  Connection c = to(f, 443);
  c.open();
  EXPECT_EQ(c.client(tls_hello("evil.example")), "pass");
  EXPECT_EQ(c.server(std::string("\x16\x03\x03\x00\x04", 5) + std::string("\x0e\x00\x00\x00", 4)), "pass");
  EXPECT_EQ(c.send(Side::Client, c.tcp(Side::Client, static_cast<std::int64_t>(tls_hello("evil.example").size()))), "pass");
  EXPECT_TRUE(f.settled());
  f.reload(kNoEvil);
  EXPECT_EQ(c.client("\x17\x03\x03 sealed"), "drop no-evil");
  EXPECT_EQ(c.server("\x17\x03\x03 sealed"), "drop no-evil");
}

TEST(Reload, WhatWasNotKeptIsHidden) {
  Filter f(kEmpty, reloading());  // Nobody asks for the name: it is not kept.
  Connection c = to(f, 443);
  c.open();
  EXPECT_EQ(c.client(tls_hello("evil.example")), "pass");
  f.reload(kNoEvil);
  EXPECT_EQ(c.client("\x17\x03\x03 sealed"), "pass") << "a hidden name is no match";
  Filter g(kEmpty, reloading());
  Connection d = to(g, 443);
  d.open();
  EXPECT_EQ(d.client(tls_hello("evil.example")), "pass");
  g.reload(R"(weir: 1
rules: [ { name: unread, match: { tls.sni: hidden }, action: drop } ])");
  EXPECT_EQ(d.client("\x17\x03\x03 sealed"), "drop unread") << "and a rule can ask for that";
}

TEST(Reload, TheApplicationOfASettledFlowIsKept) {
  Filter f(kEmpty, reloading());
  Connection c = to(f, 8081);
  c.open();
  EXPECT_EQ(c.client(http_get("a.example", "/")), "pass");
  EXPECT_EQ(c.server(http_ok()), "pass");
  f.reload(R"(weir: 1
rules: [ { name: no-http, match: { app.protocol: http }, action: drop } ])");
  EXPECT_EQ(c.client(http_get("a.example", "/")), "drop no-http");
}

TEST(Reload, HalfARequestBeforeAndHalfAfter) {
  Filter f(kNoEvilHost, reloading());
  Connection c = to(f, 80);
  c.open();
  const std::string request = http_get("evil.example", "/x");
  EXPECT_EQ(c.client(request.substr(0, 20)), "pass");
  f.reload(std::string(kNoEvilHost) + "\ndefault: allow\nmode: enforce");
  EXPECT_EQ(c.client(request.substr(20)), "drop no-evil");
  // And where the rule came with the reload: the flow was read for its name, so the rest of the request still tells its host.
  Filter g(R"(weir: 1
rules: [ { name: other, match: { http.host: other.example }, action: drop } ])", reloading());
  Connection d = to(g, 80);
  d.open();
  EXPECT_EQ(d.client(request.substr(0, 20)), "pass");
  g.reload(kNoEvilHost);
  EXPECT_EQ(d.client(request.substr(20)), "drop no-evil");
}

TEST(Reload, TheNextTransactionIsJudgedByTheNewRules) {
  Filter f(R"(weir: 1
rules: [ { name: other, match: { http.host: other.example }, action: drop } ])", reloading());
  Connection c = to(f, 80);
  c.open();
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "pass");
  EXPECT_EQ(c.server(http_ok()), "pass");
  f.reload(R"(weir: 1
rules: [ { name: uri, match: { http.uri: /bad }, action: drop } ])");
  EXPECT_EQ(c.client(http_get("a.example", "/good")), "pass");
  EXPECT_EQ(c.server(http_ok()), "pass");
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "drop uri");
}

TEST(Reload, DatagramsAreReadFromThenOn) {
  Filter f(kEmpty, reloading());
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("evil.example", 1)), "pass");
  EXPECT_EQ(d.answer(dns_answer("evil.example", "192.0.2.66", 1)), "pass");
  f.reload(R"(weir: 1
rules: [ { name: bad, match: { dns.qname: evil.example }, action: drop } ])");
  EXPECT_EQ(d.ask(dns_query("good.example", 2)), "pass");
  EXPECT_EQ(d.ask(dns_query("evil.example", 3)), "drop bad") << "on the flow that had settled";
}

TEST(Reload, WhatWasDeniedMayPassAgain) {
  Filter f(R"(weir: 1
rules: [ { name: no-dns, match: { app.protocol: dns }, action: drop } ])", reloading());
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("good.example", 1)), "drop no-dns");
  f.reload(kEmpty);
  EXPECT_EQ(d.ask(dns_query("good.example", 2)), "pass");
  f.reload(R"(weir: 1
rules: [ { name: ours, match: { from: 10.0.0.0/8 }, action: allow }, { name: no-dns, match: { app.protocol: dns }, action: drop } ])");
  EXPECT_EQ(d.ask(dns_query("good.example", 3)), "pass ours");
}

TEST(Reload, ADenialStandsWhileItsRuleDoes) {
  Filter f(kNoEvilHost, reloading());
  Connection c = to(f, 80);
  c.open();
  EXPECT_EQ(c.client(http_get("evil.example", "/")), "drop no-evil");
  f.reload(R"(weir: 1
rules: [ { name: first, match: { port: 23 }, action: drop }, { name: no-evil, match: { http.host: evil.example }, action: drop } ])");
  EXPECT_EQ(c.client("GET"), "drop no-evil") << "which request that was, nobody remembers; the rule does";
  f.end();
  EXPECT_EQ(f.count("alert blocked no-evil"), 1U) << "told once";
}

TEST(Reload, RulesThatAreGoneTakeTheirBansAlong) {
  const auto policy = [](std::string_view name) {
    return "weir: 1\nrules: [ { name: " + std::string(name) + ", match: { port: 23 }, action: { ban: source, for: 10m } } ]";
  };
  Filter f(policy("ban-telnet"), reloading());
  Connection c = to(f, 23);
  EXPECT_EQ(plain(c.syn()), "drop");
  EXPECT_EQ(to(f, 80, 41000).syn(), "drop ban-telnet");
  EXPECT_EQ(f.reload("weir: 1\nrules: [ { name: a, match: { port: 7 }, action: drop }, { name: ban-telnet, match: { port: 23 }, action: { ban: source, for: 10m } } ]").bans_dropped, 0U);
  EXPECT_EQ(to(f, 80, 41001).syn(), "drop ban-telnet") << "its rule has another number now";
  EXPECT_EQ(f.reload(policy("other")).bans_dropped, 1U);
  EXPECT_EQ(to(f, 80, 41002).syn(), "pass");
}

TEST(Reload, LimitsGoOnCounting) {
  const auto policy = [](std::string_view before, std::string_view name, std::string_view per) {
    return "weir: 1\nrules: [ " + std::string(before) + "{ name: " + std::string(name) + ", match: { port: 80 }, action: { limit: { rate: 1 flows/h, burst: 2, per: " + std::string(per) + " } } } ]";
  };
  Filter f(policy("", "slow", "from"), reloading());
  EXPECT_EQ(to(f, 80, 1001).syn(), "pass");
  EXPECT_EQ(to(f, 80, 1002).syn(), "pass");
  EXPECT_EQ(to(f, 80, 1003).syn(), "drop slow");
  EXPECT_EQ(f.reload(policy("{ name: a, match: { port: 7 }, action: drop }, ", "slow", "from")).meters_dropped, 0U);
  EXPECT_EQ(to(f, 80, 1004).syn(), "drop slow");
  EXPECT_EQ(f.reload(policy("", "slow", "to")).meters_dropped, 1U) << "it counts something else now";
  EXPECT_EQ(to(f, 80, 1005).syn(), "pass");
}

TEST(Reload, AFlowIsCountedOnceWhenItBegins) {
  const auto policy = [](std::string_view before) {
    return "weir: 1\nrules: [ " + std::string(before) + "{ name: slow, match: { port: 80 }, action: { limit: { rate: 1 flows/h, burst: 2, per: from } } } ]";
  };
  Filter f(policy(""), reloading());
  Connection c = to(f, 80);
  c.open();
  for (int i = 0; i < 5; ++i) {
    f.reload(policy(i % 2 == 0 ? "{ name: a, match: { port: 7 }, action: drop }, " : ""));
    EXPECT_EQ(c.client("x"), "pass");
  }
  EXPECT_EQ(to(f, 80, 1001).syn(), "pass");
  EXPECT_EQ(to(f, 80, 1002).syn(), "drop slow");
}

TEST(Reload, ZonesAreReadAnew) {
  const auto policy = [](std::string_view inside) {
    return "weir: 1\nzones: { inside: { networks: [" + std::string(inside) + "] }, outside: {} }\nrules: [ { name: in-only, match: { from: inside }, action: allow } ]\ndefault: drop";
  };
  Filter f(policy("10.0.0.0/8"), reloading());
  Connection c = to(f, 80);
  c.open();
  EXPECT_EQ(c.client("x"), "pass in-only");
  f.reload(policy("10.1.0.0/16"));
  EXPECT_EQ(c.client("x"), "drop default");
}

TEST(Reload, HeldFramesAreDecidedByTheNewRules) {
  const auto policy = [](std::string_view name) {
    return "weir: 1\nundecided: hold\nrules: [ { name: r, match: { http.host: " + std::string(name) + " }, action: drop } ]";
  };
  Filter f(policy("evil.example"), reloading());
  Connection c = to(f, 80);
  c.open();
  const std::string request = http_get("evil.example", "/");
  EXPECT_EQ(c.client(request.substr(0, 10)), "hold");
  const std::uint64_t held = f.number();
  f.reload(policy("other.example"));
  EXPECT_EQ(c.client(request.substr(10)), "pass");
  EXPECT_EQ(f.verdict(held), "pass");
}

TEST(Reload, CountersGoWithTheirRule) {
  Filter f(kNoTelnet, reloading());
  to(f, 23, 1001).syn();
  f.reload("weir: 1\nrules: [ { name: a, match: { port: 7 }, action: drop }, { name: no-telnet, match: { port: 23 }, action: drop } ]");
  to(f, 23, 1002).syn();
  EXPECT_EQ(f.counters().rules[1 + (f.counters().rules.size() - 3)].packets, 2U);
}

TEST(Reload, ManyGenerationsLaterAFlowIsStillKnown) {
  Filter f(kNoEvilHost, reloading());
  Connection c = to(f, 80), d = to(f, 80, 40001);
  c.open();
  d.open();
  EXPECT_EQ(c.client(http_get("evil.example", "/")), "drop no-evil");
  EXPECT_EQ(d.client(http_get("a.example", "/")), "pass");
  for (int i = 0; i < 200; ++i) f.reload(i % 2 == 0 ? kEmpty : kNoEvilHost);
  EXPECT_EQ(d.server(http_ok()), "pass");
  EXPECT_EQ(d.client(http_get("a.example", "/")), "pass");
}

TEST(Preview, SaysWhichFlowsWouldBeCut) {
  Filter f(kEmpty, reloading());
  Connection telnet = to(f, 23), web = to(f, 80, 40001);
  telnet.open();
  telnet.client("hello");
  web.open();
  web.client(http_get("a.example", "/"));
  const auto next = rules_of(kNoTelnet);
  Preview preview = f.engine().begin_preview(next, policy::changes_between(f.engine().rules(), *next));
  std::vector<std::string> cut;
  std::size_t slices = 0;
  while (!preview.done) {
    f.engine().go_on(preview, 1, [&](const FlowNow& flow, RuleId rule) {
      cut.push_back(std::to_string(flow.record.ends.server_port) + " " + next->policy().rules[rule].name);
    });
    ++slices;
  }
  EXPECT_EQ(cut, std::vector<std::string>{"23 no-telnet"});
  EXPECT_EQ(preview.looked_at, 2U);
  EXPECT_GE(slices, 2U) << "in slices";
  EXPECT_EQ(telnet.client("more"), "pass") << "nothing has changed yet";
}

TEST(Preview, KnowsTheNamesThatSettledFlowsKept) {
  Filter f(R"(weir: 1
rules: [ { name: watched, match: { tls.sni: watched.example }, action: drop } ])", reloading());
  Connection c = to(f, 443);
  c.open();
  c.client(tls_hello("evil.example"));
  c.server(std::string("\x16\x03\x03\x00\x04", 5) + std::string("\x0e\x00\x00\x00", 4));
  c.send(Side::Client, c.tcp(Side::Client, static_cast<std::int64_t>(tls_hello("evil.example").size())));
  const auto next = rules_of(kNoEvil);
  Preview preview = f.engine().begin_preview(next, policy::changes_between(f.engine().rules(), *next));
  f.engine().go_on(preview, 1000, {});
  EXPECT_TRUE(preview.done);
  EXPECT_EQ(preview.cut, 1U);
}

TEST(Preview, OfAnEqualPolicyCutsNothing) {
  Filter f(kNoEvilHost, reloading());
  Connection c = to(f, 80);
  c.open();
  c.client(http_get("a.example", "/"));
  const auto next = rules_of(kNoEvilHost);
  Preview preview = f.engine().begin_preview(next, policy::changes_between(f.engine().rules(), *next));
  EXPECT_TRUE(preview.changes.identical);
  f.engine().go_on(preview, 1000, {});
  EXPECT_EQ(preview.cut, 0U);
}

TEST(Survey, FlowsAndBansInSlices) {
  Filter f(kEmpty, reloading());
  for (std::uint16_t i = 0; i < 20; ++i) to(f, 80, static_cast<std::uint16_t>(2000 + i)).syn();
  std::size_t seen = 0;
  for (std::uint32_t at = 0; at != Engine::kNoMore;) at = f.engine().walk_flows(at, 7, [&](const FlowNow&) { ++seen; });
  EXPECT_EQ(seen, 20U);
  f.engine().ban({state::BanKind::Source, 0, 0, ip_of("10.0.0.5")}, kMinute);
  EXPECT_EQ(f.engine().bans_made(), 1U);
  EXPECT_EQ(plain(to(f, 80, 3000).syn()), "drop");
  EXPECT_EQ(f.reason(), Reason::Banned);
  std::vector<RuleId> by;
  for (std::uint32_t at = 0; at != Engine::kNoMore;) at = f.engine().walk_bans(at, 100, [&](const BanNow& ban) { by.push_back(ban.rule); });
  EXPECT_EQ(by, std::vector<RuleId>{kOperatorRule});
  EXPECT_TRUE(f.engine().unban({state::BanKind::Source, 0, 0, ip_of("10.0.0.5")}));
  EXPECT_FALSE(f.engine().unban({state::BanKind::Source, 0, 0, ip_of("10.0.0.5")}));
  EXPECT_EQ(to(f, 80, 3001).syn(), "pass");
}

TEST(Survey, AnOperatorsBanOutlivesReloads) {
  Filter f(kEmpty, reloading());
  f.engine().ban({state::BanKind::Source, 0, 0, ip_of("10.0.0.5")}, kMinute);
  EXPECT_EQ(f.reload(kNoTelnet).bans_dropped, 0U);
  EXPECT_EQ(plain(to(f, 80).syn()), "drop");
  f.wait(2 * kMinute);
  EXPECT_EQ(to(f, 80, 40001).syn(), "pass");
}

}  // namespace
}  // namespace weir::engine
