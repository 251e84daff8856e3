// SPDX-License-Identifier: Apache-2.0
#include "proto/ftp/ftp.h"

#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using kit::C, kit::S, kit::Turns;

Match seen(std::string_view client, std::string_view server) {
  return ftp::identify({.client = as_bytes(client), .server = as_bytes(server), .server_first = true});
}

TEST(FtpIdentify, GreetingOrCommandMustBeItsOwn) {
  EXPECT_EQ(seen("", "220 ProFTPD Server ready.\r\n"), Match::Yes);
  EXPECT_EQ(seen("", "220 (vsFTPd 3.0.3)\r\n"), Match::Yes);
  EXPECT_EQ(seen("", "220 ready\r\n"), Match::Maybe);
  EXPECT_EQ(seen("USER anonymous\r\n", "220 ready\r\n"), Match::Yes);
  EXPECT_EQ(seen("AUTH TLS\r\n", "220 ready\r\n"), Match::Yes);
  EXPECT_EQ(seen("feat\r\n", "220 ready\r\n"), Match::Yes);
  EXPECT_EQ(seen("QUIT\r\n", "220 ready\r\n"), Match::Maybe) << "SMTP has it too";
  EXPECT_EQ(seen("EHLO x\r\n", "220 ready\r\n"), Match::No);
  EXPECT_EQ(seen("", "220 mx.example.org ESMTP\r\n"), Match::Maybe);
  EXPECT_EQ(seen("USER bob\r\n", "+OK POP3\r\n"), Match::No);
  EXPECT_EQ(seen("USER bob\r\n", ""), Match::Maybe);
  EXPECT_EQ(seen("", "SSH-2.0-x\r\n"), Match::No);
  EXPECT_EQ(seen("GET / HTTP/1.1\r\n", ""), Match::No);
}

TEST(Ftp, LoginAndItsResult) {
  const auto d = kit::play(kFtp, {{S, "220 ready\r\n"}, {C, "user bob\r\n"}, {S, "331 password\r\n"}, {C, "PASS secret\r\n"}, {S, "230-Hello\r\n230 in\r\n"}});
  EXPECT_TRUE(d->said("described ftp.command=USER ftp.argument=bob auth.user=bob auth.scheme=password"));
  EXPECT_TRUE(d->said("end ftp.command=PASS auth.user=bob auth.scheme=password auth.result=ok"));
  EXPECT_FALSE(d->said("secret"));
  const auto bad = kit::play(kFtp, {{C, "USER bob\r\nPASS x\r\n"}, {S, "331 p\r\n530 no\r\n"}});
  EXPECT_TRUE(bad->said("auth.result=failed"));
}

// The client is 192.0.2.1, the server 198.51.100.2.
TEST(Ftp, DataConnectionsAreExpected) {
  const auto active = kit::play(kFtp, {{C, "PORT 192,0,2,1,7,232\r\n"}, {S, "200 ok\r\n"}});
  EXPECT_TRUE(active->said("expect ftp-data client:2024"));
  EXPECT_TRUE(active->said("ftp.bounce=false"));
  const auto passive = kit::play(kFtp, {{C, "PASV\r\n"}, {S, "227 Entering Passive Mode (198,51,100,2,7,233).\r\n"}});
  EXPECT_TRUE(passive->said("expect ftp-data server:2025"));
  EXPECT_TRUE(passive->said("ftp.bounce=false"));
  EXPECT_TRUE(kit::play(kFtp, {{C, "EPSV\r\n"}, {S, "229 Extended (|||6446|)\r\n"}})->said("expect ftp-data server:6446"));
  EXPECT_TRUE(kit::play(kFtp, {{C, "EPRT |2|2001:db8::1|6447|\r\n"}})->said("expect ftp-data client:6447"));
}

TEST(Ftp, DataTellsTheTypeOfTheFile) {
  EXPECT_TRUE(kit::play(kFtpData, {{S, "\x7f" "ELF" + std::string(600, 'x')}})->said("end file.type=elf"));
  const auto listing = kit::play(kFtpData, {{S, std::string(600, 'l')}});
  EXPECT_FALSE(listing->said("file.type"));
  kit::Dialogue small(kFtpData);
  EXPECT_TRUE(small.send(C, "#!/bin/sh\n", true).said("end file.type=script")) << "an upload that is over";
}

TEST(Ftp, BounceIsAnAddressOfAnotherHost) {
  EXPECT_TRUE(kit::play(kFtp, {{C, "PORT 203,0,113,7,0,25\r\n"}})->said("ftp.bounce=true"));
  EXPECT_TRUE(kit::play(kFtp, {{C, "EPRT |1|203.0.113.7|25|\r\n"}})->said("ftp.bounce=true"));
  EXPECT_TRUE(kit::play(kFtp, {{C, "PASV\r\n"}, {S, "227 =10,0,0,1,1,1\r\n"}})->said("ftp.bounce=true"));
  EXPECT_TRUE(kit::play(kFtp, {{C, "PORT 1,2,3\r\n"}})->said("flaw bad-message"));
  EXPECT_TRUE(kit::play(kFtp, {{C, "PORT 1,2,3,4,5,999\r\n"}})->said("flaw bad-message"));
}

TEST(Ftp, AuthTlsCarries) {
  EXPECT_TRUE(kit::play(kFtp, {{S, "220-a\r\n220 b\r\n"}, {C, "AUTH TLS\r\n"}, {S, "234 go\r\n"}})->said("carry tls"));
  EXPECT_FALSE(kit::play(kFtp, {{C, "AUTH TLS\r\n"}, {S, "534 no\r\n"}})->said("carry"));
}

TEST(Ftp, LinesAreBounded) {
  EXPECT_TRUE(kit::play(kFtp, {{C, "STOR " + std::string(9000, 'a') + "\r\nNOOP\r\n"}})->said("flaw too-large"));
  EXPECT_TRUE(kit::play(kFtp, {{C, "STOR " + std::string(9000, 'a') + "\r\nNOOP\r\n"}})->said("ftp.command=NOOP"));
  EXPECT_TRUE(kit::play(kFtp, {{C, "RETR dir/file.bin\r\n"}})->said("file.name=file.bin"));
}

}  // namespace
}  // namespace weir::proto
