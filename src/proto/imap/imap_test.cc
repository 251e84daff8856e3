// SPDX-License-Identifier: Apache-2.0
#include "proto/imap/imap.h"

#include "proto/irc/irc.h"
#include "proto/pop3/pop3.h"
#include "proto/telnet/telnet.h"
#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using kit::C, kit::S, kit::Turns;

Match seen(const Protocol& protocol, std::string_view client, std::string_view server) {
  return protocol.identify({.client = as_bytes(client), .server = as_bytes(server), .server_first = client.empty()});
}

TEST(MailIdentify, GreetingsAreToldApart) {
  EXPECT_EQ(seen(kImap, "", "* OK [CAPABILITY IMAP4rev1] ready\r\n"), Match::Yes);
  EXPECT_EQ(seen(kImap, "", "+OK ready\r\n"), Match::No);
  EXPECT_EQ(seen(kImap, "a1 CAPABILITY\r\n", ""), Match::Maybe);
  EXPECT_EQ(seen(kImap, "GET / HTTP/1.1\r\n", ""), Match::No);
  EXPECT_EQ(seen(kPop3, "", "+OK ready\r\n"), Match::Yes);
  EXPECT_EQ(seen(kPop3, "", "* OK ready\r\n"), Match::No);
  EXPECT_EQ(seen(kPop3, "AUTH secret\r\n", "+OK\r\n"), Match::Maybe) << "Redis answers so";
  EXPECT_EQ(seen(kPop3, "SET a b\r\n", "+OK\r\n"), Match::No);
  EXPECT_EQ(seen(kPop3, "USER bob\r\n", "+OK\r\n"), Match::Yes);
}

TEST(Imap, LoginAndLiterals) {
  const auto d = kit::play(kImap, {{S, "* OK ready\r\n"}, {C, "a1 login \"bob\" secret\r\n"}, {S, "* CAPABILITY IMAP4\r\na1 NO wrong\r\n"},
                                   {C, "a2 APPEND box {22}\r\na3 LOGIN eve not-this\r\n\r\na4 NOOP\r\n"}, {S, "* 1 FETCH {9}\r\na4 OK no\n)\r\na4 OK\r\n"}});
  EXPECT_TRUE(d->said("end imap.command=LOGIN auth.user=bob auth.scheme=password auth.result=failed"));
  EXPECT_TRUE(d->said("end imap.command=NOOP"));
  EXPECT_FALSE(d->said("eve"));
  EXPECT_FALSE(d->said("secret"));
}

TEST(Imap, AuthenticateAndStartTls) {
  const auto d = kit::play(kImap, {{C, "a AUTHENTICATE PLAIN\r\n"}, {S, "+ \r\n"}, {C, "AGFsaWNlAHNlY3JldA==\r\n"}, {S, "a OK in\r\n"}});  // NUL alice NUL secret
  EXPECT_TRUE(d->said("auth.user=alice auth.scheme=password auth.result=ok"));
  EXPECT_TRUE(kit::play(kImap, {{C, "a STARTTLS\r\n"}, {S, "a OK go\r\n"}})->said("carry tls"));
  EXPECT_FALSE(kit::play(kImap, {{C, "a STARTTLS\r\n"}, {S, "a BAD no\r\n"}})->said("carry"));
}

TEST(Pop3, LoginListingsAndStls) {
  const auto d = kit::play(kPop3, {{S, "+OK ready\r\n"}, {C, "USER bob\r\n"}, {S, "+OK\r\n"}, {C, "PASS secret\r\n"}, {S, "-ERR no\r\n"}, {C, "CAPA\r\n"},
                                   {S, "+OK\r\nTOP\r\n-ERR inside\r\n.\r\n"}, {C, "STLS\r\n"}, {S, "+OK\r\n"}});
  EXPECT_TRUE(d->said("end pop3.command=PASS auth.user=bob auth.scheme=password auth.result=failed"));
  EXPECT_EQ(d->log().back(), "carry tls");
  EXPECT_FALSE(d->said("secret"));
  EXPECT_FALSE(d->said("flaw"));
  EXPECT_TRUE(kit::play(kPop3, {{C, "AUTH PLAIN\r\n"}, {S, "+ \r\n"}, {C, "AGFsaWNlAHNlY3JldA==\r\n"}, {S, "+OK\r\n"}})->said("auth.user=alice auth.scheme=password auth.result=ok"));
}

TEST(IrcIdentify, ByRegistrationOrPrefix) {
  EXPECT_EQ(seen(kIrc, "NICK bot\r\nUSER bot 0 * :Bot\r\n", ""), Match::Yes);
  EXPECT_EQ(seen(kIrc, "PASS x\r\n", ""), Match::Maybe);
  EXPECT_EQ(seen(kIrc, "PASS x\r\nNICK y\r\n", ""), Match::Yes);
  EXPECT_EQ(seen(kIrc, "USER bob\r\n", ""), Match::No);
  EXPECT_EQ(seen(kIrc, "", ":irc.example.org NOTICE AUTH :hello\r\n"), Match::Yes);
  EXPECT_EQ(seen(kIrc, "", "220 ready\r\n"), Match::No);
}

TEST(TelnetIdentify, ByNegotiation) {
  EXPECT_EQ(seen(kTelnet, "", "\xff\xfd\x18\xff\xfd\x20"), Match::Yes);  // DO terminal-type, DO terminal-speed
  EXPECT_EQ(seen(kTelnet, "", "\xff\xfb\x01"), Match::Maybe);            // WILL echo
  EXPECT_EQ(seen(kTelnet, "\xff\xfd\x01", "\xff\xfb\x01"), Match::Yes);  // DO echo, WILL echo
  EXPECT_EQ(seen(kTelnet, "", "\xff\xd8\xff"), Match::No);
  EXPECT_EQ(seen(kTelnet, "", "login: "), Match::No);
}

}  // namespace
}  // namespace weir::proto
