// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/dtls.h"

#include <gtest/gtest.h>

#include "tests/kit/dialogue.h"
#include "tests/kit/tls.h"

namespace weir::proto::tls::dtls {
namespace {

using kit::be;
using kit::Dialogue;
using kit::sized;

std::string record(std::uint8_t type, std::string_view body, std::uint16_t epoch = 0) {
  return be(type, 1) + be(0xfefd, 2) + be(epoch, 2) + be(0, 6) + sized(body, 2);
}
std::string fragment(std::uint8_t type, std::string_view whole, std::size_t at, std::size_t size) {
  return be(type, 1) + be(whole.size(), 3) + be(0, 2) + be(at, 3) + sized(whole.substr(at, size), 3);
}
std::string hello() {
  kit::tls::ClientHelloText text;
  text.version = 0xfefd;
  text.datagram = true;
  return text.sni("www.example.com").body();
}
std::string one(std::uint8_t type, std::string_view body) { return record(22, fragment(type, body, 0, body.size())); }
Match client(std::string_view bytes) { return identify({.client = as_bytes(bytes), .server = {}, .ip_protocol = 17}); }

TEST(Dtls, RecordsMustFillTheDatagram) {
  EXPECT_EQ(client(one(1, hello())), Match::Yes);
  EXPECT_EQ(client(one(1, hello()) + "x"), Match::No);
  EXPECT_EQ(client(one(2, hello())), Match::No) << "a server's hello";
  EXPECT_EQ(client(record(23, "application", 1)), Match::Yes);
  EXPECT_EQ(client(record(99, "application", 1)), Match::No);
}

TEST(Dtls, HelloAndChoice) {
  Dialogue d(kDtls);
  d.datagram(Side::Client, one(1, hello())).datagram(Side::Server, one(2, be(0xfefd, 2) + std::string(32, 's') + sized("", 1) + be(0xc02f, 2) + be(0, 1)));
  EXPECT_NE(d.facts().find("tls.sni=www.example.com tls.version=1.2 tls.version_offered=1.2"), std::string::npos) << d.facts();
  EXPECT_NE(d.facts().find("tls.ja4=dd2d02"), std::string::npos) << d.facts();
}

TEST(Dtls, HelloInFragments) {
  const std::string whole = hello();
  Dialogue d(kDtls);
  d.datagram(Side::Client, record(22, fragment(1, whole, 0, 40)));
  EXPECT_EQ(d.state_of(field::kTlsSni), FactState::NotYet);
  d.datagram(Side::Client, record(22, fragment(1, whole, 30, whole.size() - 30)));
  EXPECT_NE(d.facts().find("tls.sni=www.example.com"), std::string::npos);
}

TEST(Dtls, HeartbeatThatAsksForMore) {
  Dialogue d(kDtls);
  d.datagram(Side::Client, record(24, be(1, 1) + be(16384, 2)));
  EXPECT_TRUE(d.said("flaw bad-heartbeat"));
}

TEST(Dtls, MiddleHidesTheHello) {
  Dialogue d(kDtls);
  d.datagram(Side::Client, record(23, "application", 1));
  EXPECT_EQ(d.state_of(field::kTlsSni), FactState::Hidden);
  EXPECT_EQ(d.state_of(field::kTlsVersion), FactState::Hidden);
}

}  // namespace
}  // namespace weir::proto::tls::dtls
