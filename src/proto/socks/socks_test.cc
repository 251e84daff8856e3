// SPDX-License-Identifier: Apache-2.0
#include "proto/socks/socks.h"

#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using kit::C, kit::S, kit::Turns;
using namespace std::string_literals;

const std::string kHello = "\5\1\0"s;                                         // 5, one method: none
const std::string kHelloPassword = "\5\1\2"s;                                 // 5, one method: password
const std::string kNamed = "\5\1\0\3\x0c" "mail.example\0\x19"s;              // connect mail.example 25
const std::string kGranted = "\5\0\0\1\0\0\0\0\0\0"s;
const std::string kFour = "\4\1\0\x50\xc0\0\2\7bob\0"s;                       // connect 192.0.2.7:80 by bob
const std::string kFourNamed = "\4\1\1\xbb\0\0\0\1\0www.example.org\0"s;      // 4a: connect www.example.org:443

Match seen(std::string_view client, std::string_view server = {}) { return socks::identify({.client = as_bytes(client), .server = as_bytes(server)}); }

TEST(SocksIdentify, NeedsTheProxysAnswer) {
  EXPECT_EQ(seen(kHello), Match::Maybe);
  EXPECT_EQ(seen(kHello, "\5\0"s), Match::Yes);
  EXPECT_EQ(seen(kHello, "\5\2"s), Match::No) << "a method that was not offered";
  EXPECT_EQ(seen(kHello, "\5\xff"s), Match::Yes);
  EXPECT_EQ(seen(kFour), Match::Maybe);
  EXPECT_EQ(seen(kFour, "\0\x5a"s), Match::Yes);
  EXPECT_EQ(seen(kFourNamed), Match::Yes);
  EXPECT_EQ(seen(kFourNamed + "GET /" + std::string(400, 'a')), Match::Yes) << "the tunnel's first bytes may follow";
  EXPECT_EQ(seen("\5\0"s), Match::No);
  EXPECT_EQ(seen("GET / HTTP/1.1"), Match::No);
  EXPECT_EQ(seen("", "220 x"), Match::Maybe) << "a server that speaks too early rules out no request";
}

TEST(Socks, FiveThenAnotherProtocol) {
  const auto d = kit::play(kSocks, {{C, kHello}, {S, "\5\0"s}, {C, kNamed}, {S, kGranted}});
  EXPECT_TRUE(d->said("described socks.version=5 socks.command=connect socks.target=mail.example socks.port=25"));
  EXPECT_TRUE(d->said("server.name=mail.example"));
  EXPECT_EQ(d->log().back(), "carry ");
  const auto at_once = kit::play(kSocks, {{C, kHello + kNamed}, {S, "\5\0"s + kGranted}});
  EXPECT_EQ(at_once->log().back(), "carry ") << "a client that does not wait";
}

TEST(Socks, AddressesOfBothFamilies) {
  EXPECT_TRUE(kit::play(kSocks, {{C, kHello + "\5\2\0\1\xc0\0\2\7\0\x50"s}})->said("socks.command=bind socks.target=192.0.2.7 socks.port=80"));
  EXPECT_TRUE(kit::play(kSocks, {{C, kHello + "\5\3\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x35"s}})
                  ->said("socks.command=associate socks.target=2001:db8::1 socks.port=53"));
  EXPECT_TRUE(kit::play(kSocks, {{C, kHello + "\5\1\0\2x"s}})->said("flaw bad-message"));
}

TEST(Socks, UserAndPassword) {
  const Turns begin = {{C, kHelloPassword}, {S, "\5\2"s}, {C, "\1\3bob\6secret"s}};
  Turns refused = begin, granted = begin;
  refused.push_back({S, "\1\1"s});
  granted.push_back({S, "\1\0"s});
  granted.push_back({C, kNamed});
  EXPECT_TRUE(kit::play(kSocks, refused)->said("auth.user=bob auth.scheme=password auth.result=failed"));
  EXPECT_TRUE(kit::play(kSocks, granted)->said("auth.user=bob auth.scheme=password auth.result=ok"));
}

TEST(Socks, FourAndFourA) {
  const auto d = kit::play(kSocks, {{C, kFour}, {S, "\0\x5a\0\0\0\0\0\0"s}});
  EXPECT_TRUE(d->said("socks.version=4 socks.command=connect socks.target=192.0.2.7 socks.port=80 auth.user=bob"));
  EXPECT_EQ(d->log().back(), "carry ");
  EXPECT_TRUE(kit::play(kSocks, {{C, kFourNamed}})->said("socks.target=www.example.org socks.port=443"));
  EXPECT_FALSE(kit::play(kSocks, {{C, kFour}, {S, "\0\x5b\0\0\0\0\0\0"s}})->said("carry"));
  EXPECT_TRUE(kit::play(kSocks, {{C, "\4\1\0\x50\xc0\0\2\7"s + std::string(400, 'u')}})->said("flaw bad-message"));
}

}  // namespace
}  // namespace weir::proto
