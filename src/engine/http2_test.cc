// SPDX-License-Identifier: Apache-2.0
// HTTP/2 as flows: by prior knowledge and after an Upgrade; rules hold however streams lie between each other.

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;
using namespace std::string_literals;

std::string frame(char type, char flags, std::uint32_t stream, const std::string& payload) {
  return be(payload.size(), 3) + type + flags + be(stream, 4) + payload;
}
/// A literal header that nobody remembers (RFC 7541, 6.2.2).
std::string field(std::string_view name, std::string_view value) {
  return "\0"s + static_cast<char>(name.size()) + std::string(name) + static_cast<char>(value.size()) + std::string(value);
}
std::string request(std::uint32_t stream, std::string_view method, std::string_view path, bool ends = true, std::string_view host = "a.example") {
  return frame(1, ends ? 5 : 4, stream, field(":method", method) + field(":scheme", "http") + field(":authority", host) + field(":path", path));
}
std::string data(std::uint32_t stream, const std::string& bytes, bool ends = true) { return frame(0, ends ? 1 : 0, stream, bytes); }
std::string answer(std::uint32_t stream, std::string_view status) { return frame(1, 5, stream, field(":status", status)); }
const std::string kHello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, "");

constexpr std::string_view kNoBad = "weir: 1\nrules: [ { name: bad, match: { http.path: /bad }, action: drop } ]";

TEST(Http2Flow, EachRequestIsJudged) {
  Filter f(kNoBad);
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 8080);
  c.open();
  EXPECT_EQ(c.client(kHello + request(1, "GET", "/good")), "pass");
  EXPECT_EQ(c.server(frame(4, 0, 0, "") + answer(1, "200")), "pass");
  EXPECT_EQ(c.client(request(3, "GET", "/also")), "pass");
  EXPECT_EQ(c.client(request(5, "GET", "/bad")), "drop bad");
}

TEST(Http2Flow, AnUpgradeIsFollowed) {
  Filter f(kNoBad);
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(c.client("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"), "pass");
  EXPECT_EQ(c.server("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + frame(4, 0, 0, "") + answer(1, "200")), "pass");
  EXPECT_EQ(c.client(kHello), "pass");
  EXPECT_EQ(c.client(request(3, "GET", "/good")), "pass");
  EXPECT_EQ(c.client(request(5, "GET", "/bad")), "drop bad");
  f.end();
  ASSERT_EQ(f.flows().size(), 1U);
  EXPECT_EQ(f.flows()[0].chain_count, 2) << "http, then http2";
}

TEST(Http2Flow, ABodyIsHeldAgainstItsOwnRequest) {
  Filter f("weir: 1\nrules: [ { name: evil, match: { http.host: shop.example, http.path: /up, http.body: \"/evil/\" }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 8080);
  c.open();
  EXPECT_EQ(c.client(kHello + request(1, "POST", "/up", false, "shop.example") + request(3, "POST", "/up", false, "other.example")), "pass");
  EXPECT_EQ(c.client(data(1, "ev", false)), "pass");
  EXPECT_EQ(c.client(data(3, "evil")), "pass") << "the other host's";
  EXPECT_EQ(c.client(request(5, "GET", "/")), "pass");
  EXPECT_EQ(c.client(data(1, "il")), "drop evil");
}

TEST(Http2Flow, ManyRequestsInASegmentAreNormal) {
  Filter f(std::string(kNoBad.substr(0, kNoBad.size() - 1)) + ", { name: many, match: { flaw: too-many-transactions }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 8080);
  c.open();
  std::string many = kHello;
  std::uint32_t stream = 1;
  for (int i = 0; i < 14; ++i, stream += 2) many += request(stream, "GET", "/" + std::to_string(i));
  EXPECT_EQ(c.client(many), "pass");
  EXPECT_EQ(c.client(request(stream, "GET", "/bad")), "drop bad");
}

TEST(Http2Flow, OneAmongManyIsSeen) {
  for (int bad = 0; bad < 14; ++bad) {
    Filter f(kNoBad);
    Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 8080);
    c.open();
    std::string many = kHello;
    for (int i = 0; i < 14; ++i) many += request(static_cast<std::uint32_t>(2 * i + 1), "GET", i == bad ? "/bad" : "/ok");
    EXPECT_EQ(c.client(many), "drop bad") << bad;
  }
}

TEST(Http2Flow, GrpcIsAName) {
  Filter f("weir: 1\nrules: [ { name: grpc, match: { app.protocol: grpc }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 8080);
  c.open();
  EXPECT_EQ(c.client(kHello + request(1, "GET", "/")), "pass");
  EXPECT_EQ(c.client(frame(1, 4, 3, field(":method", "POST") + field(":scheme", "http") + field(":path", "/s/m") + field("content-type", "application/grpc"))), "drop grpc");
}

TEST(Http2Flow, ReadingsOfHttpAreMadeOfItToo) {
  Filter f("weir: 1\nrules: [ { name: tunnel, match: { http.tunnel: true }, action: drop }, { name: ssrf, match: { http.ssrf: true }, action: drop } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 8080);
  c.open();
  EXPECT_EQ(c.client(kHello + frame(1, 5, 1, field(":method", "POST") + field(":scheme", "http") + field(":path", "/s/m") + field("content-type", "application/grpc"))), "pass");
  EXPECT_EQ(c.client(request(3, "GET", "/fetch?url=http://169.254.169.254/latest/meta-data/")), "drop ssrf");
}

TEST(Http2Flow, AStreamCountsOnce) {
  Filter f("weir: 1\nrules: [ { name: three, match: { http.method: present }, action: { limit: { rate: 3/m, burst: 3, per: from } } } ]");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 8080);
  c.open();
  EXPECT_EQ(plain(c.client(kHello + request(1, "POST", "/1", false))), "pass");
  EXPECT_EQ(plain(c.client(request(3, "POST", "/3", false))), "pass");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(plain(c.client(data(1, "x", i == 3) + data(3, "y", i == 3))), "pass") << i;
  EXPECT_EQ(plain(c.server(frame(4, 0, 0, "") + answer(1, "200") + answer(3, "200"))), "pass");
  EXPECT_EQ(plain(c.client(request(5, "GET", "/5"))), "pass");
  EXPECT_EQ(plain(c.client(request(7, "GET", "/7"))), "drop");
}

}  // namespace
}  // namespace weir::engine
