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

}  // namespace
}  // namespace weir::engine
