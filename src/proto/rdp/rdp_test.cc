// SPDX-License-Identifier: Apache-2.0
#include "proto/rdp/rdp.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/kit/dialogue.h"

namespace weir::proto::rdp {
namespace {

using namespace std::string_literals;

std::string request(const std::string& rest) {
  return "\3\0\0"s + static_cast<char>(11 + rest.size()) + static_cast<char>(6 + rest.size()) + "\xe0\0\0\0\0\0"s + rest;
}
const std::string kNegotiation = "\1\0\x08\0\3\0\0\0"s;

TEST(Rdp, CookieNamesTheUser) {
  kit::Dialogue d(kRdp);
  d.client(request("Cookie: mstshash=alice\r\n" + kNegotiation));
  EXPECT_EQ(d.facts(), "rdp.cookie=alice auth.user=alice");
  EXPECT_TRUE(d.done());
}

TEST(Rdp, WithoutACookieItIsAbsent) {
  for (const std::string& rest : {kNegotiation, "Cookie: msts=3640205228.15629.0000\r\n"s, ""s}) {
    kit::Dialogue d(kRdp);
    d.drip(Side::Client, request(rest));
    EXPECT_EQ(d.state_of(kCookie), FactState::Absent);
    EXPECT_FALSE(d.said("flaw"));
  }
}

TEST(Rdp, AnUnendedCookieIsAFlaw) {
  kit::Dialogue d(kRdp);
  d.client(request("Cookie: mstshash=alice"));
  EXPECT_TRUE(d.said("flaw bad-message"));
}

TEST(Rdp, TransportParametersAreAnothers) {
  struct Case {
    std::string client, server;
    Match match;
  };
  const Case cases[] = {
      {request(kNegotiation), "", Match::Yes},
      {request("Cookie: mstshash=a\r\n"), "", Match::Yes},
      {request(""), "", Match::Yes},
      {request("\xc1\2\1\0"s), "", Match::No},
      {request(kNegotiation).substr(0, 13), "", Match::Maybe},
      {"", "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\x1f\x08\0\2\0\0\0"s, Match::Yes},
      {"", "\3\0\0\x0f\x0a\xd0\0\0\x12\x34\0\xc0\1\x0a"s, Match::No},
  };
  for (const Case& c : cases) EXPECT_EQ(identify({.client = as_bytes(c.client), .server = as_bytes(c.server)}), c.match);
}

}  // namespace
}  // namespace weir::proto::rdp
