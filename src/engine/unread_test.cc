// SPDX-License-Identifier: Apache-2.0
// DESIGN, "What learns from what": wrong checksums and senders that offload; flows picked up in their middle; captures that lost or cut
// packets; too many transactions in a frame; what happens when tables are full.

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr std::string_view kBad = R"(weir: 1
rules: [ { name: bad, match: { dns.qname: evil.example }, action: drop } ])";

EngineOptions with(Checksums checksums) {
  EngineOptions options = small_engine();
  options.checksums = checksums;
  return options;
}
std::string ask(std::string_view name, bool right_checksum, std::uint16_t port = 40000, std::string_view client = "10.0.0.5") {
  Udp udp(port, 53);
  if (!right_checksum) udp.checksum(0x1234);
  return Eth() / Ipv4(client, "198.51.100.53") / udp / dns_query(name);
}

TEST(Checksums, VerifyDoesNotReadWhatIsWrong) {
  Filter f(kBad, with(Checksums::Verify));
  EXPECT_EQ(f.send(ask("evil.example", false)), "pass") << "no host takes it";
  EXPECT_EQ(f.send(ask("evil.example", true, 40001)), "drop bad");
}

TEST(Checksums, IgnoreReadsAll) {
  Filter f(kBad, with(Checksums::Ignore));
  EXPECT_EQ(f.send(ask("evil.example", false)), "drop bad");
}

TEST(Checksums, AutoTakesASenderForOffloadingUntilItsFirstRightOne) {
  Filter f(kBad, with(Checksums::Auto));
  EXPECT_EQ(f.send(ask("evil.example", false)), "drop bad") << "its checksums are left to its hardware, it seems";
  EXPECT_EQ(f.send(ask("good.example", true, 40001)), "pass");
  EXPECT_EQ(f.send(ask("evil.example", false, 40002)), "pass") << "from then on its wrong ones are unread";
  EXPECT_EQ(f.send(ask("evil.example", false, 40002, "10.0.0.6")), "drop bad") << "another address is another sender";
}

TEST(Checksums, AutoReadsWhatAReceiverPutTogether) {
  constexpr std::string_view kUri = "weir: 1\nrules: [ { name: uri, match: { http.uri: /bad }, action: drop } ]";
  const std::string request = http_get("a.example", "/bad") + "X: " + std::string(2000, 'x');
  const auto long_segment = [&](Checksums checksums) {
    Filter f(kUri, with(checksums));
    Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
    c.open();
    EXPECT_EQ(c.client("G"), "pass") << "its first right one";
    return c.send(Side::Client, c.tcp(Side::Client, 1).flags("PA").checksum(0x1234), request.substr(1));
  };
  EXPECT_EQ(long_segment(Checksums::Auto), "drop uri") << "no link carries it: its checksum is the first segment's";
  EXPECT_EQ(long_segment(Checksums::Verify), "pass");
}

TEST(Checksums, AWrongOneIsAFlawThatARuleCanName) {
  Filter f("weir: 1\nrules: [ { name: broken, match: { flaw: bad-checksum }, action: drop } ]", with(Checksums::Verify));
  EXPECT_EQ(f.send(ask("good.example", false)), "drop broken");
  EXPECT_EQ(f.send(ask("good.example", true)), "pass");
  EXPECT_EQ(f.send(Eth() / Ipv4().checksum(0x1234) / Udp() / "x"), "drop broken");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("S").checksum(0x1234)), "drop broken");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Icmp(8).checksum(0x1234) / "ping"), "drop broken");
}

TEST(Midstream, AFlowWithoutAHandshakeIsPickedUpAtOnceWithoutTheGuard) {
  Filter f(R"(weir: 1
rules: [ { name: uri, match: { http.uri: /bad }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  EXPECT_EQ(c.client(http_get("a.example", "/good")), "pass");
  EXPECT_EQ(c.server(http_ok()), "pass");
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "drop uri");
  Filter s(R"(weir: 1
rules: [ { name: uri, match: { http.uri: /bad }, action: drop } ])");
  Connection from_server(s, "10.0.0.5", 40000, "198.51.100.80", 80);
  EXPECT_EQ(from_server.server(http_ok()), "pass") << "picked up from the server's side";
  EXPECT_EQ(from_server.client(http_get("a.example", "/bad")), "drop uri");
}

TEST(Midstream, OneSideAloneIsReadToo) {
  Filter f(R"(weir: 1
rules: [ { name: uri, match: { http.uri: /bad }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.syn();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(c.client(http_get("a.example", "/good")), "pass");
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "drop uri");
}

TEST(Lost, BytesThatTheReceiverAcknowledgedAreAHole) {
  Filter f(R"(weir: 1
rules: [ { name: sni, match: { tls.sni: absent, port: 443 }, action: drop }, { name: hid, match: { tls.sni: hidden }, action: alert } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  c.open();
  const std::string hello = tls_hello("a.example");
  EXPECT_EQ(c.client(hello.substr(0, 30)), "pass");
  c.skip(Side::Client, hello.size() - 30);  // The capture lost it; the server has it.
  EXPECT_EQ(c.server(std::string("\x16\x03\x03\x00\x02\x02\x00", 7)), "pass");
  EXPECT_EQ(c.client("\x14\x03\x03"), "pass") << "bytes missing: hidden, not absent";
  f.end();
  EXPECT_EQ(f.count("alert allowed hid"), 1U);
}

TEST(Lost, AHoleBeyondTheWindowIsPassedOnceItIsAcknowledged) {
  constexpr std::string_view kUri = "weir: 1\nrules: [ { name: uri, match: { http.uri: /bad }, action: drop } ]";
  Filter f(kUri);
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  c.client(http_get("a.example", "/"));
  EXPECT_EQ(c.server("HTTP/1.1 200 OK\r\n"), "pass");
  c.skip(Side::Server, 300'000);
  EXPECT_EQ(c.put(Side::Server, 300'017, "x"), "drop") << "table-full: it may still come: TCP sends this again";
  EXPECT_EQ(c.client(http_get("a.example", "/next")), "pass") << "acknowledges them";
  EXPECT_EQ(c.put(Side::Server, 300'017, "x"), "pass");
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "drop uri") << "what the client asks is read on";
}

TEST(Lost, OfAServerThatWasPickedUpNothingIsWaitedForBeyondTheWindow) {
  Filter f("weir: 1\nrules: [ { name: uri, match: { http.uri: /bad }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.client(http_get("a.example", "/"));
  c.server("HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(c.put(Side::Server, 300'017, "x"), "pass") << "the capture is sparse";
  EXPECT_EQ(c.put(Side::Client, 400'000, "x"), "drop") << "table-full: a client's are: its request may lie there";
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "drop uri");
}

TEST(Bulk, OfOneMessageThatIsTooLongToReadPasses) {
  // An LDAP answer of 90,000 bytes (RFC 4511, 4.5.2: a searchResEntry, its length in three bytes), which no parser waits for.
  Filter f("weir: 1\nrules: [ { name: dn, match: { ldap.op: compare }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 389);
  c.open();
  EXPECT_EQ(c.client(std::string("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", 14)), "pass");
  EXPECT_EQ(c.server(std::string("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", 14)), "pass");
  EXPECT_EQ(c.server(std::string("\x30\x83\x01\x5f\x90\x02\x01\x02\x64\x83\x01\x5f\x88", 13)), "pass");
  for (int i = 0; i < 62; ++i) EXPECT_EQ(c.server(std::string(1452, 'x')), "pass") << i;
}

TEST(Transactions, MoreThanEightInAFrameAreAFlaw) {
  Filter f("weir: 1\nrules: [ { name: many, match: { flaw: too-many-transactions }, action: drop }, { name: uri, match: { http.uri: /bad }, action: drop } ]");
  std::string few, lots;
  for (int i = 0; i < 7; ++i) few += http_get("a.example", "/" + std::to_string(i));
  for (int i = 0; i < 12; ++i) lots += http_get("a.example", "/" + std::to_string(i));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80), d(f, "10.0.0.5", 40001, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.client(few), "pass");
  d.open();
  EXPECT_EQ(d.client(lots), "drop many");
}

TEST(Transactions, BeyondTheEighthNoneGetsThroughUnread) {
  for (int bad = 0; bad < 14; ++bad) {
    Filter f("weir: 1\nrules: [ { name: uri, match: { http.uri: /bad }, action: drop } ]");
    std::string lots;
    for (int i = 0; i < 14; ++i) lots += http_get("a.example", i == bad ? "/bad" : "/" + std::to_string(i));
    Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
    c.open();
    EXPECT_EQ(c.client(lots), "drop uri") << bad;
  }
}

TEST(Full, AFlowTableMakesRoomAndFramesKeepTheirVerdicts) {
  EngineOptions options = small_engine();
  options.flows_max = 32;
  Filter f("weir: 1\nrules: [ { name: bad, match: { http.uri: /bad }, action: drop } ]", options);
  for (std::uint16_t i = 0; i < 300; ++i) EXPECT_EQ(plain(f.send(Eth() / Ipv4() / Tcp(static_cast<std::uint16_t>(40000 + i), 80).flags("S"))), "pass");
  Connection c(f, "10.0.0.5", 39000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.client(http_get("a.example", "/bad")), "drop bad");
  EXPECT_GT(f.counters().flows_evicted, 0U);
}

TEST(Full, APoolThatIsUsedUpDecidesAsAtTheBoundAndNeverStops) {
  EngineOptions options = small_engine();
  options.pool_bytes = 64 << 10;
  Filter f("weir: 1\nundecided: hold\nrules: [ { name: bad, match: { tls.sni: evil.example }, action: drop } ]", options);
  for (std::uint16_t i = 0; i < 60; ++i) {
    Connection c(f, "10.0.0.5", static_cast<std::uint16_t>(40000 + i), "198.51.100.80", 443);
    c.open();
    c.client(tls_hello("evil.example").substr(0, 40));
  }
  f.end();
  EXPECT_GT(f.counters().pool_empty, 0U);
}

TEST(Time, NeverGoesBackInTheEngine) {
  Filter f(R"(weir: 1
rules: [ { name: few, match: { port: 80 }, action: { limit: { rate: 1/h, burst: 1, per: from } } } ])");
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 80).flags("S")), "pass");
  f.after(-100 * kSecond);
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40001, 80).flags("S")), "drop few");
  f.after(200 * kHour);
  EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40002, 80).flags("S")), "pass");
}

}  // namespace
}  // namespace weir::engine
