// SPDX-License-Identifier: Apache-2.0
// What carries the content: `tcp-state: {strict: true}`, tunnels that a rule leaves closed, SCTP, and a QUIC hello in several datagrams.

#include <gtest/gtest.h>

#include "tests/kit/quic.h"
#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

// DESIGN: `strict` reads every packet of a settled flow as exactly as the others, where the window is otherwise twice its size.
TEST(TcpState, StrictKeepsTheWindowExact) {
  struct Row {
    std::int64_t offset;
    const char* verdict;
  };
  for (const Row& row : {Row{0, "pass"}, Row{65'534, "pass"}, Row{65'535, "drop guard.tcp-state"}, Row{131'069, "drop guard.tcp-state"}}) {
    Filter f("weir: 1\nguards: { tcp-state: { strict: true } }\nrules: []");
    Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
    c.open();
    c.client(http_get("a.example", "/"));
    c.server(http_ok());
    // What the server has acknowledged is where the window begins.
    EXPECT_EQ(c.send(Side::Client, c.tcp(Side::Client, static_cast<std::int64_t>(http_get("a.example", "/").size()) + row.offset), "x"), row.verdict)
        << row.offset;
  }
}

TEST(TcpState, StrictStopsAResetBesideTheWindow) {
  Filter f("weir: 1\nguards: { tcp-state: { strict: true } }\nrules: []");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.send(Side::Server, c.tcp(Side::Server, 70'000).flags("R")), "drop guard.tcp-state");
  EXPECT_EQ(c.client("x"), "pass") << "it ended nothing";
  EXPECT_EQ(c.send(Side::Server, c.tcp(Side::Server, 0).flags("R")), "pass");
}

std::string in_gre(Filter& f, std::uint16_t port) {
  return f.send(Eth() / Ipv4("192.0.2.1", "192.0.2.2") / Gre() / Ipv4("10.0.0.5", "10.9.0.7") / Tcp(40000, port).flags("S"));
}

TEST(Tunnel, WhatIsInsideIsJudgedToo) {
  Filter f(R"(weir: 1
rules: [ { name: telnet, match: { port: 23 }, action: drop }, { name: carrier, match: { ip.protocol: gre }, action: allow } ])");
  EXPECT_EQ(in_gre(f, 22), "pass");
  EXPECT_EQ(in_gre(f, 23), "drop telnet");
  EXPECT_FALSE(f.settled());
  EXPECT_EQ(in_gre(f, 22), "pass");
  EXPECT_FALSE(f.settled()) << "each frame of it must be opened";
}

TEST(Tunnel, OpaqueLeavesItClosedAndLetsItSettle) {
  Filter f(R"(weir: 1
rules: [ { name: carrier, match: { ip.protocol: gre, from: 192.0.2.1/32 }, action: allow, tunnel: opaque }, { name: telnet, match: { port: 23 }, action: drop } ])");
  EXPECT_EQ(in_gre(f, 23), "pass carrier");
  EXPECT_EQ(in_gre(f, 23), "pass carrier");
  EXPECT_TRUE(f.settled());
  EXPECT_EQ(f.send(Eth() / Ipv4("192.0.2.9", "192.0.2.2") / Gre() / Ipv4("10.0.0.5", "10.9.0.7") / Tcp(40000, 23).flags("S")), "drop telnet")
      << "another carrier is opened";
}

TEST(Tunnel, OpaqueDoesNotSaveACarrierThatIsDenied) {
  Filter f(R"(weir: 1
rules: [ { name: no-gre, match: { ip.protocol: gre }, action: drop, tunnel: opaque } ])");
  EXPECT_EQ(in_gre(f, 22), "drop no-gre");
}

TEST(SctpFlow, HasPortsAndBothDirectionsAreOneFlow) {
  Filter f(R"(weir: 1
rules: [ { name: only-m3ua, match: { ip.protocol: sctp, not.port: 2905 }, action: drop }, { name: in, match: { to: 10.0.0.0/8 }, action: drop } ])");
  const auto client = [&](std::uint16_t port) { return f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Sctp(40000, port) / "init"); };
  const auto server = [&](std::uint16_t port) { return f.send(Eth() / Ipv4("198.51.100.80", "10.0.0.5") / Sctp(port, 40000) / "init-ack"); };
  EXPECT_EQ(client(2905), "pass");
  EXPECT_EQ(server(2905), "pass") << "an answer of the flow, not a flow to the inside";
  EXPECT_EQ(client(2904), "drop only-m3ua");
  f.end();
  ASSERT_EQ(f.flows().size(), 1U);
  EXPECT_EQ(f.flows()[0].ends.protocol, 132);
  EXPECT_EQ(f.flows()[0].packets[0], 1U);
  EXPECT_EQ(f.flows()[0].packets[1], 1U);
}

TEST(SctpFlow, ADenyByItsFlowKeepsItDenied) {
  Filter f(R"(weir: 1
rules: [ { name: few, match: { ip.protocol: sctp, flow.packets: 3- }, action: drop } ])");
  for (const char* expected : {"pass", "pass", "drop few"}) EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Sctp() / "data"), expected);
}

/// A hello to a name, in two Initials of one connection (RFC 9000, 19.6): the name is in the second half.
struct LongHello {
  explicit LongHello(std::string_view name) {
    const std::string hello = tls::ClientHelloText().extension(21, std::string(900, '\0')).sni(name).alpn({"h3"}).versions({0x0304}).message();
    quic::Initial a, b;
    a.number = 0, b.number = 1;
    first = a.seal(quic::crypto(0, hello.substr(0, 700)));
    second = b.seal(quic::crypto(700, hello.substr(700)));
  }
  std::string first, second;
};

constexpr std::string_view kBadSni = "rules: [ { name: sni, match: { tls.sni: evil.example }, action: drop } ]";

TEST(QuicHello, InTwoDatagramsIsReadInAnyOrder) {
  const LongHello evil("evil.example"), good("good.example");
  for (const bool swapped : {false, true}) {
    Filter f("weir: 1\nundecided: pass\n" + std::string(kBadSni));
    Datagrams e{f, "10.0.0.5", 40000, "198.51.100.80", 443}, g{f, "10.0.0.5", 40001, "198.51.100.80", 443};
    EXPECT_EQ(e.ask(swapped ? evil.second : evil.first), "pass");
    EXPECT_EQ(e.ask(swapped ? evil.first : evil.second), "drop sni");
    EXPECT_EQ(e.ask(swapped ? evil.second : evil.first), "drop sni") << "the flow is denied";
    EXPECT_EQ(g.ask(swapped ? good.second : good.first), "pass");
    EXPECT_EQ(g.ask(swapped ? good.first : good.second), "pass");
  }
}

TEST(QuicHello, WaitsWholeWherePayloadIsHeld) {
  const LongHello evil("evil.example"), good("good.example");
  Filter f("weir: 1\nundecided: hold\n" + std::string(kBadSni));
  Datagrams e{f, "10.0.0.5", 40000, "198.51.100.80", 443}, g{f, "10.0.0.5", 40001, "198.51.100.80", 443};
  EXPECT_EQ(e.ask(evil.first), "hold");
  EXPECT_EQ(e.ask(evil.second), "drop sni");
  EXPECT_EQ(f.verdict(1), "drop sni") << "its first half never went out";
  EXPECT_EQ(g.ask(good.first), "hold");
  EXPECT_EQ(g.ask(good.second), "pass");
  EXPECT_EQ(f.verdict(3), "pass");
}

/// The head of a DTLS client's hello of 40 bytes, which is all of the first flight that matters here.
std::string dtls_hello() {
  return be(0x16fefd, 3) + be(0, 8) + be(0x34, 2) + be(1, 1) + be(0x28, 3) + be(0, 2) + be(0, 3) + be(0x28, 3) + be(0xfefd, 2) + std::string(32, 'r') + be(0, 6);
}

TEST(Stun, IsNoCoverForWhatComesBehindIt) {
  const std::string binding = be(1, 2) + be(0, 2) + be(0x2112a442, 4) + std::string(12, 't');
  for (const char* rule : {"app.protocol: dtls", "tls.version_offered: \"1.2\""}) {
    Filter f("weir: 1\nrules: [ { name: hidden, match: { " + std::string(rule) + " }, action: drop } ]");
    const auto send = [&](const std::string& bytes) { return f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 3478) / bytes); };
    EXPECT_EQ(send(binding), "pass") << rule;
    EXPECT_EQ(send(binding), "pass") << rule;
    EXPECT_EQ(send(dtls_hello()), "drop hidden") << rule;
  }
  Filter f("weir: 1\nrules: [ { name: media, match: { app.protocol: rtp }, action: drop } ]");
  const auto send = [&](const std::string& bytes) { return f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 3478) / bytes); };
  const auto packet = [](unsigned number) { return be(0x8078, 2) + be(number, 2) + be(number * 160, 4) + "srcA" + std::string(40, 'v'); };
  EXPECT_EQ(send(binding), "pass");
  EXPECT_EQ(send(packet(1)), "pass");
  EXPECT_EQ(send(packet(2)), "drop media");
}

}  // namespace
}  // namespace weir::engine
