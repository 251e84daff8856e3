// SPDX-License-Identifier: Apache-2.0
// DESIGN, "How a verdict comes about", first part: facts that are not yet there, absent, hidden or known, and what follows for rules.

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;
using namespace std::string_literals;

TEST(Verdict, IsGivenAtTheFirstPacketWhereHeadersDecide) {
  Filter f(R"(weir: 1
rules: [ { name: no-telnet, match: { port: 23 }, action: drop } ])");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 23).flags("S")), "drop no-telnet");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 22).flags("S")), "pass");
  EXPECT_EQ(f.end().count("flow"), 1U) << "a deny from header facts alone makes no flow entry";
}

TEST(Verdict, OfANameWaitsForTheName) {
  Filter f(R"(weir: 1
rules: [ { name: bad, match: { tls.sni: evil.example }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  EXPECT_EQ(c.open(), "pass");
  const std::string hello = tls_hello("evil.example");
  EXPECT_EQ(c.client(hello.substr(0, 20)), "pass");
  EXPECT_EQ(c.client(hello.substr(20)), "drop bad");
}

TEST(Verdict, OfAShareAndAUri) {
  Filter f(R"(weir: 1
rules:
  - { name: share, match: { smb.share: secret }, action: drop }
  - { name: uri, match: { http.uri: /bad }, action: drop }
  - { name: name, match: { dns.qname: evil.example }, action: drop })");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 445);
  c.open();
  EXPECT_EQ(c.client(smb_negotiate()), "pass");
  EXPECT_EQ(c.server(smb_negotiated()), "pass");
  EXPECT_EQ(c.client(smb_connect("\\\\srv\\secret")), "drop share");
  Connection h(f, "10.0.0.5", 40001, "198.51.100.80", 80);
  h.open();
  EXPECT_EQ(h.client(http_get("a.example", "/good")), "pass");
  EXPECT_EQ(h.server(http_ok()), "pass");
  EXPECT_EQ(h.client(http_get("a.example", "/bad")), "drop uri");
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("good.example")), "pass");
  EXPECT_EQ(d.ask(dns_query("evil.example", 2)), "drop name");
  Connection t(f, "10.0.0.5", 40002, "198.51.100.80", 53);
  t.open();
  EXPECT_EQ(t.client(over_tcp(dns_query("evil.example", 2))), "drop name");
}

// ---- Numbers that grow

TEST(Verdict, OfABodyInChunksWaitsForItsEndWhereAnUpperBoundIsAsked) {
  const struct {
    const char* condition;
    const char *chunks, *end;  ///< Verdicts of the second of two chunks of 8 bytes, and of the last chunk.
  } kRows[] = {
      {"http.body_bytes: 10-", "drop r", "drop r"},
      {"http.body_bytes: -10", "pass", "pass"},
      {"http.body_bytes: -20", "pass", "drop r"},
      {"http.body_bytes: 16", "pass", "drop r"},
      {"not.http.body_bytes: -10", "drop r", "drop r"},
      {"not.http.body_bytes: 20-", "pass", "drop r"},
  };
  for (const auto& row : kRows) {
    Filter f("weir: 1\nrules: [ { name: r, match: { http.method: POST, " + std::string(row.condition) + " }, action: drop } ]");
    Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
    c.open();
    EXPECT_EQ(c.client("POST /up HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabcdefgh\r\n"), "pass") << row.condition;
    EXPECT_EQ(c.client("8\r\nabcdefgh\r\n"), row.chunks) << row.condition;
    EXPECT_EQ(c.client("0\r\n\r\n"), row.end) << row.condition;
  }
}

// ---- Whom a request is for

TEST(Verdict, OfAClientBehindProxiesThatAreTrusted) {
  const struct {
    const char *proxies, *client, *headers;
    bool bad;  ///< The request is for 203.0.113.9.
  } kRows[] = {
      // Without a list the nearest proxy is believed, whoever it is.
      {"", "10.0.0.5", "X-Forwarded-For: 198.51.100.1, 203.0.113.9", true},
      {"", "10.0.0.5", "X-Forwarded-For: 203.0.113.9, 198.51.100.1", false},
      // A proxy of ours: the last that is none of ours.
      {"[10.0.0.0/8]", "10.0.0.5", "X-Forwarded-For: 203.0.113.9", true},
      {"[10.0.0.0/8]", "10.0.0.5", "X-Forwarded-For: 203.0.113.9, 10.0.0.7, 10.0.0.6", true},
      {"[10.0.0.0/8]", "10.0.0.5", "X-Forwarded-For: 203.0.113.9, 198.51.100.1, 10.0.0.6", false},
      {"[10.0.0.0/8]", "10.0.0.5", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.0.0.6", true},
      {"[10.0.0.0/8]", "10.0.0.5", "Forwarded: for=203.0.113.9;proto=https, for=\"10.0.0.6:4711\"", true},
      {"[10.0.0.0/8]", "10.0.0.5", "Forwarded: for=203.0.113.9, for=unknown, for=10.0.0.6", false},
      {"[10.0.0.0/8]", "10.0.0.5", "Forwarded: for=198.51.100.1\r\nX-Forwarded-For: 203.0.113.9", true},
      // None of ours: what it says is not believed, it is the client.
      {"[10.0.0.0/8]", "192.0.2.1", "X-Forwarded-For: 203.0.113.9", false},
      {"[10.0.0.0/8]", "203.0.113.9", "X-Forwarded-For: 198.51.100.1", true},
      {"[10.0.0.0/8]", "203.0.113.9", "Accept: */*", true},
  };
  for (const auto& row : kRows) {
    const std::string proxies = *row.proxies == 0 ? "" : "trusted_proxies: " + std::string(row.proxies) + "\n";
    Filter f("weir: 1\n" + proxies + "rules: [ { name: r, match: { http.client_ip: 203.0.113.9 }, action: drop } ]");
    Connection c(f, row.client, 40000, "198.51.100.80", 80);
    c.open();
    EXPECT_EQ(c.client("GET / HTTP/1.1\r\nHost: a.example\r\n" + std::string(row.headers) + "\r\n\r\n"), row.bad ? "drop r" : "pass")
        << row.proxies << " " << row.client << " " << row.headers;
  }
}

// ---- URLs

TEST(Verdict, OfAUrlOfASet) {
  const struct {
    const char* request;
    bool listed;
  } kRows[] = {
      {"GET /kit/x HTTP/1.1\r\nHost: evil.example", true},
      {"GET /kit/x HTTP/1.1\r\nHost: EVIL.example.:80", true},
      {"GET /a/..//./kit/x HTTP/1.1\r\nHost: evil.example", false},
      {"GET /a/../%6bit/./x?y HTTP/1.1\r\nHost: evil.example", true},
      {"GET http://evil.example/kit/x HTTP/1.1\r\nHost: harmless.example", true},
      {"GET /kit/x HTTP/1.1\r\nHost: harmless.example", false},
      {"GET /kitten HTTP/1.1\r\nHost: evil.example", false},
      {"GET /i HTTP/1.0\r\nAccept: */*", true},  // The server's address, where there is no Host.
      {"GET /i HTTP/1.1\r\nHost: 198.51.100.80", true},
      {"GET /q?id=7 HTTP/1.1\r\nHost: evil.example", true},
      {"GET /q?id=8 HTTP/1.1\r\nHost: evil.example", false},
      {"GET /q%3Fid=7 HTTP/1.1\r\nHost: evil.example", false},
      {"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example", false},
  };
  for (const char* key : {"http.uri", "http.url"})
    for (const auto& row : kRows) {
      Filter f("weir: 1\nsets: { bad: { urls: [ evil.example/kit/, \"evil.example/q?id=7\", 'http://198.51.100.80/i' ] } }\n"
               "rules: [ { name: r, match: { " + std::string(key) + ": '@bad' }, action: drop } ]");
      Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
      c.open();
      EXPECT_EQ(c.client(std::string(row.request) + "\r\n\r\n"), row.listed ? "drop r" : "pass") << key << " " << row.request;
    }
  // Who pads the query hides nothing.
  Filter f("weir: 1\nrules: [ { name: r, match: { http.url: 'http://evil.example/kit/*' }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.client("GET /kit/x?" + std::string(1300, 'a')), "pass");
  EXPECT_EQ(c.client(std::string(1400, 'a')), "pass");
  EXPECT_EQ(c.client(std::string(1300, 'a') + " HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "drop r");
}

// ---- Not yet, absent, hidden, values

/// Plays a request over TCP under one rule; the verdict of its last segment.
std::string over_tcp_port(std::string_view rule, std::uint16_t port, std::string_view text) {
  Filter f("weir: 1\nrules: [ { name: r, match: { " + std::string(rule) + " }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", port);
  c.open();
  return c.client(text);
}

TEST(Facts, AbsentOrForeignKeysAreFalseAlsoUnderNot) {
  EXPECT_EQ(over_tcp_port("tls.sni: evil.example", 443, tls_hello("evil.example")), "drop r");
  EXPECT_EQ(over_tcp_port("not.tls.sni: evil.example", 443, tls_hello("good.example")), "drop r");
  EXPECT_EQ(over_tcp_port("not.tls.sni: evil.example", 443, tls_hello("evil.example")), "pass");
  EXPECT_EQ(over_tcp_port("not.tls.sni: evil.example", 80, http_get("a.example", "/")), "pass") << "of a protocol that this flow does not speak";
  EXPECT_EQ(over_tcp_port("tls.sni: absent", 80, http_get("a.example", "/")), "drop r");
  EXPECT_EQ(over_tcp_port("tls.sni: present", 443, tls_hello("a.example")), "drop r");
  EXPECT_EQ(over_tcp_port("tls.sni: absent", 443, tls_hello("a.example")), "pass");
  EXPECT_EQ(over_tcp_port("http.user_agent: absent", 80, http_get("a.example", "/")), "drop r");
  EXPECT_EQ(over_tcp_port("not.http.user_agent: curl*", 80, http_get("a.example", "/")), "pass") << "absent is false, also under not";
}

TEST(Facts, ManyValuesHoldIfAnyMatchesAndNotIfNoneDoes) {
  const std::string request = "GET / HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\nX-B: 2\r\n\r\n";
  EXPECT_EQ(over_tcp_port("http.header: 'X-B: 2'", 80, request), "drop r");
  EXPECT_EQ(over_tcp_port("not.http.header: 'X-B: 2'", 80, request), "pass");
  EXPECT_EQ(over_tcp_port("not.http.header: 'X-C: 2'", 80, request), "drop r");
}

TEST(Facts, OfATransactionReturnToNotYetWithTheNext) {
  Filter f(R"(weir: 1
rules: [ { name: bare, match: { http.user_agent: absent }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.client("GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: x\r\n\r\n"), "pass");
  EXPECT_EQ(c.server(http_ok()), "pass");
  EXPECT_EQ(c.client("GET / HTTP/1.1\r\nHost: a.example\r\n"), "pass") << "not yet: headers may follow";
  EXPECT_EQ(c.client("\r\n"), "drop bare");
}

TEST(Facts, RunPerDescribedTransactionWithinOneFrame) {
  Filter f(R"(weir: 1
rules: [ { name: uri, match: { http.uri: /bad }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.client(http_get("a.example", "/1") + http_get("a.example", "/bad") + http_get("a.example", "/3")), "drop uri")
      << "the frame takes the strictest answer";
}

// ---- app.protocol, a set of candidates

TEST(App, NotTlsIsCertainAtTheFirstByteThatCannotBeTls) {
  Filter f(R"(weir: 1
rules: [ { name: only-tls, match: { port: 443, not.app.protocol: tls }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  EXPECT_EQ(c.open(), "pass");
  EXPECT_EQ(c.client("S"), "drop only-tls");
  Connection t(f, "10.0.0.5", 40001, "198.51.100.80", 443);
  t.open();
  for (const char byte : tls_hello("a.example")) EXPECT_EQ(t.client(std::string_view(&byte, 1)), "pass");
}

TEST(App, IsAbsentElsewhereThanOnTcpUdpAndSctp) {
  Filter f(R"(weir: 1
rules:
  - { name: not-dns, match: { not.app.protocol: dns }, action: drop }
  - { name: none, match: { app.protocol: absent, ip.protocol: gre }, action: drop })");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Icmp(8) / "ping"), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4().protocol(47) / std::string(8, '\0')), "drop none");
}

TEST(App, IsAChainAndARuleMatchesAnyLayer) {
  const auto starttls = [](std::string_view match) {
    Filter f("weir: 1\nrules: [ { name: r, match: { " + std::string(match) + " }, action: drop } ]");
    Connection c(f, "10.0.0.5", 40000, "198.51.100.25", 25);
    c.open();
    c.server("220 mx.example ESMTP\r\n");
    std::string worst = c.client("EHLO a.example\r\n");
    c.server("250-mx.example\r\n250 STARTTLS\r\n");
    c.client("STARTTLS\r\n");
    c.server("220 go ahead\r\n");
    return c.client(tls_hello("mx.example"));
  };
  EXPECT_EQ(starttls("app.protocol: tls"), "drop r");
  EXPECT_EQ(starttls("app.protocol: smtp"), "drop r");
  EXPECT_EQ(starttls("tls.sni: mx.example"), "drop r");
  EXPECT_EQ(starttls("not.app.protocol: smtp"), "pass") << "not. looks at the outermost layer";
  EXPECT_EQ(starttls("not.app.protocol: tls, port: 25"), "drop r");
}

TEST(App, BothSidesBytesShrinkTheCandidates) {
  Filter f(R"(weir: 1
rules: [ { name: only-http, match: { port: 80, not.app.protocol: http }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.server("SSH-2.0-OpenSSH_9.2\r\n"), "drop only-http");
}

TEST(App, OfAFlowPickedUpWhoseBytesSayNothingIsHidden) {
  Filter f(R"(weir: 1
rules:
  - { name: only-tls, match: { port: 443, not.app.protocol: tls }, action: drop }
  - { name: hid, match: { app.protocol: hidden }, action: alert })");
  for (int i = 0; i < 12; ++i) {
    const std::string bytes(200, static_cast<char>(0x80 + i * 7));
    EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Tcp(40000, 443).flags("PA").seq(5000U + 200U * static_cast<unsigned>(i)) / bytes), "pass")
        << "it never counts as cannot be";
  }
  f.end();
  EXPECT_EQ(f.count("alert allowed hid"), 1U);
}

TEST(App, IsKnownToBeConfirmedOnceBothSpokeIt) {
  Filter f(R"(weir: 1
rules: [ { name: sure, match: { app.protocol: http, app.confirmed: true }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.client(http_get("a.example", "/")), "pass");
  EXPECT_EQ(c.server(http_ok()), "drop sure");
}

// ---- Now: R, its class, and what is unknown before it

TEST(Now, AnUnknownDenyBeforeAnAllowLeavesTheVerdictOpen) {
  Filter f(R"(weir: 1
undecided: hold
rules:
  - { name: bad, match: { tls.sni: evil.example }, action: drop }
  - { name: web, match: { port: 443 }, action: allow })");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  c.open();
  const std::string hello = tls_hello("evil.example");
  EXPECT_EQ(c.client(hello.substr(0, 30)), "hold");
  EXPECT_EQ(c.client(hello.substr(30)), "drop bad");
  EXPECT_EQ(f.verdict(4), "drop bad");
}

TEST(Now, AnUnknownAllowBeforeAnAllowLeavesNothingOpen) {
  Filter f(R"(weir: 1
undecided: hold
rules:
  - { name: good, match: { tls.sni: good.example }, action: allow }
  - { name: web, match: { port: 443 }, action: allow })");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  c.open();
  EXPECT_EQ(c.client("\x16"), "pass web");
}

TEST(Now, AnUnknownDenyBeforeADenyIsCertain) {
  Filter f(R"(weir: 1
rules:
  - { name: bad, match: { tls.sni: evil.example }, action: drop }
  - { name: no-web, match: { port: 443 }, action: reject })");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 443).flags("S")), "drop no-web");
}

TEST(Now, TheFirstMatchDecides) {
  Filter f(R"(weir: 1
rules:
  - { name: first, match: { port: 80-90 }, action: allow }
  - { name: second, match: { port: 85 }, action: drop })");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 85).flags("S")), "pass first");
}

TEST(Now, UnlessTakesAwayAndMonitorNeverDecides) {
  Filter f(R"(weir: 1
rules:
  - { name: watched, match: { port: 53 }, action: drop, mode: monitor }
  - { name: told, match: { port: 53 }, action: alert }
  - { name: dns, match: { port: 53 }, unless: [ { to: 10.0.0.53 }, { from: 10.0.0.99, ip.ttl: 64 } ], action: drop })");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "10.0.0.53") / Udp() / dns_query("a.example")), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "10.0.0.54") / Udp() / dns_query("a.example")), "drop dns");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.99", "10.0.0.54") / Udp() / dns_query("a.example")), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.99", "10.0.0.54").ttl(9) / Udp(40001) / dns_query("a.example")), "drop dns");
  f.end();
  EXPECT_EQ(f.count("alert would-block watched"), 4U);
  EXPECT_EQ(f.count("alert allowed told"), 4U);
}

TEST(Now, APolicyThatMonitorsStopsNothing) {
  Filter f(R"(weir: 1
mode: monitor
default: drop
guards: { tcp-state: true }
rules: [ { name: bad, match: { dns.qname: evil.example }, action: drop } ])");
  Datagrams d{f};
  EXPECT_EQ(plain(d.ask(dns_query("evil.example"))), "pass");
  EXPECT_EQ(plain(f.send(Eth() / Ipv4() / Tcp(40000, 81).flags("A") / "x")), "pass");
  f.end();
  EXPECT_EQ(f.count("alert would-block bad"), 1U);
  EXPECT_GE(f.count("alert would-block default"), 1U);
}

TEST(Now, WhatIsEssentialPassesAfterTheGuardsAndBeforeTheRules) {
  Filter f(R"(weir: 1
default: drop
rules: [ { name: all, match: { ip.version: [4, 6] }, action: drop } ])");
  EXPECT_EQ(plain(f.send(Eth() / Ipv6("fe80::1", "ff02::1:ff00:2").ttl(255) / Icmpv6(135) / std::string(16, 'x'))), "pass");
  EXPECT_EQ(plain(f.send(Eth() / Ipv4("0.0.0.0", "255.255.255.255") / Udp(68, 67) / "discover")), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv6() / Icmpv6(137) / std::string(32, 'x')), "drop all") << "redirects are not among it";
  Filter g("weir: 1\ndefault: drop\nessential: false");
  EXPECT_EQ(g.send(Eth() / Ipv4("0.0.0.0", "255.255.255.255") / Udp(68, 67) / "discover"), "drop default");
}

TEST(Now, DefaultGovernsIpOnly) {
  Filter f("weir: 1\ndefault: drop");
  EXPECT_EQ(f.send(Eth() / ArpPacket(1)), "pass");
  EXPECT_EQ(f.send(Eth().type(0x88cc) / "lldp"), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Udp(40000, 9) / "x"), "drop default");
  Filter g(R"(weir: 1
rules: [ { name: no-arp, match: { eth.type: arp }, action: drop } ])");
  EXPECT_EQ(g.send(Eth() / ArpPacket(1)), "drop no-arp");
  EXPECT_EQ(g.send(Eth() / Ipv4() / Udp(40000, 9) / "x"), "pass");
}

TEST(Now, ARuleThatIsExpiredSleeps) {
  Filter f(R"(weir: 1
rules:
  - { name: old, match: { port: 53 }, action: drop, expires: 2023-12-31 }
  - { name: young, match: { port: 54 }, action: drop, expires: 2030-12-31 })");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Udp(40000, 53) / "x"), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Udp(40000, 54) / "x"), "drop young");
}

// ---- Tunnels

TEST(Tunnels, TheStrictestOfAllLayersWins) {
  constexpr std::string_view policy = R"(weir: 1
rules:
  - { name: inner, match: { dns.qname: evil.example }, action: drop }
  - { name: vni, match: { tunnel.kind: vxlan, outer.to: 203.0.113.9 }, action: drop })";
  Filter f(policy);
  const auto carried = [](std::string_view to, std::string_view name) {
    return Eth() / Ipv4("192.0.2.1", to) / Udp(50000, 4789) / Vxlan(42) / Eth() / Ipv4("10.0.0.5", "10.0.0.53") / Udp() / dns_query(name);
  };
  EXPECT_EQ(f.send(carried("203.0.113.8", "good.example")), "pass");
  EXPECT_EQ(f.send(carried("203.0.113.8", "evil.example")), "drop inner");
  EXPECT_EQ(f.send(carried("203.0.113.9", "good.example")), "drop vni");
}

TEST(Tunnels, WhatIsEssentialInsideNeverSavesADeniedCarrier) {
  Filter f(R"(weir: 1
rules: [ { name: no-gre, match: { ip.protocol: gre }, action: drop } ])");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Gre() / Ipv6("fe80::1", "ff02::1:ff00:2").ttl(255) / Icmpv6(135) / std::string(16, 'x')), "drop no-gre");
}

// ---- Later: settling

TEST(Later, AFlowSettlesWhenNothingCanChangeItsVerdict) {
  struct Case {
    std::string rule;
    bool settles;
  };
  const Case cases[] = {
      {"port: 23", true},
      {"app.protocol: ssh", true},
      {"tls.sni: evil.example", true},
      {"ip.ttl: 1", false},
      {"tcp.flags: FPU", false},
      {"http.uri: /bad", true},
      {"rate.packets: 1000-", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.rule);
    Filter f("weir: 1\nrules: [ { name: r, match: { " + c.rule + " }, action: drop } ]");
    Connection t(f, "10.0.0.5", 40000, "198.51.100.80", 443);
    t.open();
    t.client(tls_hello("good.example"));
    for (int i = 0; i < 4; ++i) {
      t.server(std::string("\x17\x03\x03\x00\x08", 5) + "12345678");
      t.client(std::string("\x17\x03\x03\x00\x08", 5) + "12345678");
    }
    EXPECT_EQ(f.settled(), c.settles);
  }
}

TEST(Later, TransactionsKeepAFlowOpen) {
  Filter f(R"(weir: 1
rules: [ { name: uri, match: { http.uri: /bad }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(c.client(http_get("a.example", "/good")), "pass");
    EXPECT_EQ(c.server(http_ok()), "pass");
    EXPECT_FALSE(f.settled());
  }
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "drop uri");
}

}  // namespace
}  // namespace weir::engine
