// SPDX-License-Identifier: Apache-2.0
#include "proto/smtp/smtp.h"

#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using kit::C, kit::S, kit::Turns;

Match seen(std::string_view client, std::string_view server) {
  return smtp::identify({.client = as_bytes(client), .server = as_bytes(server)});
}

TEST(SmtpIdentify, GreetingOrCommandMustBeItsOwn) {
  EXPECT_EQ(seen("", "220 mx.example.org ESMTP\r\n"), Match::Yes);
  EXPECT_EQ(seen("", "220 ready\r\n"), Match::Maybe);
  EXPECT_EQ(seen("", "220 ftp.example.org FTP server\r\n"), Match::Maybe);
  EXPECT_EQ(seen("ehlo x\r\n", "220 ready\r\n"), Match::Yes);
  EXPECT_EQ(seen("USER x\r\n", "220 ready\r\n"), Match::No);
  EXPECT_EQ(seen("", "+OK\r\n"), Match::No);
  EXPECT_EQ(seen("", "* OK IMAP4rev1\r\n"), Match::No);
  EXPECT_EQ(seen("EHLO x\r\n", ""), Match::Yes);
}

const Turns kBegin = {{S, "220 mx ESMTP\r\n"}, {C, "EHLO Client.example\r\n"}, {S, "250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"}};
Turns after_hello(Turns more) {
  Turns all = kBegin;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(Smtp, OneMailIsOneTransaction) {
  const auto d = kit::play(kSmtp, after_hello({{C, "MAIL FROM:<a@example.org> SIZE=10\r\nRCPT TO:<b@example.net>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n"},
                                               {S, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                                               {C, "Subject: x\r\n\r\n..stuffed\r\nMAIL FROM:<not@a.command>\r\n.\r\n"},
                                               {S, "250 queued\r\n"},
                                               {C, "MAIL FROM:<>\r\n"}}));
  EXPECT_TRUE(d->said("end smtp.helo=Client.example smtp.from=a@example.org smtp.to=b@example.net smtp.to=c@example.net"));
  EXPECT_EQ(d->facts(), "smtp.helo=Client.example smtp.from=");
  EXPECT_FALSE(d->said("not@a.command"));
  EXPECT_FALSE(d->said("flaw"));
}

TEST(Smtp, OnlyCrlfDotCrlfEndsAMail) {
  for (const char* end : {"\n.\n", "\n.\r\n", "\r\n.\n"}) {
    const auto d = kit::play(kSmtp, after_hello({{C, "DATA\r\n"}, {S, "354 go\r\n"}, {C, "x" + std::string(end) + "MAIL FROM:<smuggled@example.org>\r\n"}}));
    EXPECT_TRUE(d->said("flaw bad-message"));
    EXPECT_FALSE(d->said("smuggled"));
  }
  const auto empty = kit::play(kSmtp, after_hello({{C, "DATA\r\n"}, {S, "354 go\r\n"}, {C, ".\r\nRSET\r\nMAIL FROM:<next@example.org>\r\n"}}));
  EXPECT_TRUE(empty->said("smtp.from=next@example.org"));
}

TEST(Smtp, RefusedDataLeavesCommands) {
  const auto d = kit::play(kSmtp, after_hello({{C, "DATA\r\n"}, {S, "503 no\r\n"}, {C, "MAIL FROM:<a@example.org>\r\n"}}));
  EXPECT_TRUE(d->said("smtp.from=a@example.org"));
}

TEST(Smtp, ChunksArePassedOver) {
  const auto d = kit::play(kSmtp, after_hello({{C, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 12\r\nRCPT TO:<x@y>BDAT 0 LAST\r\nMAIL FROM:<next@b>\r\n"}}));
  EXPECT_FALSE(d->said("x@y"));
  EXPECT_TRUE(d->said("smtp.from=next@b")) << d->outcome();
  EXPECT_TRUE(kit::play(kSmtp, {{C, "BDAT x\r\n"}})->said("flaw bad-length"));
}

TEST(Smtp, AuthTellsTheUser) {
  // NUL alice NUL secret; alice
  const auto plain = kit::play(kSmtp, after_hello({{C, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"}, {S, "235 ok\r\n"}}));
  EXPECT_TRUE(plain->said("auth.user=alice auth.scheme=password auth.result=ok"));
  const auto login = kit::play(kSmtp, after_hello({{C, "AUTH LOGIN\r\n"}, {S, "334 VXNlcm5hbWU6\r\n"}, {C, "YWxpY2U=\r\n"}, {S, "334 UGFzc3dvcmQ6\r\n"},
                                                   {C, "c2VjcmV0\r\n"}, {S, "535 no\r\n"}, {C, "AUTH PLAIN\r\n"}, {S, "334 \r\n"},
                                                   {C, "AGFsaWNlAHNlY3JldA==\r\n"}, {S, "535 no\r\n"}, {C, "QUIT\r\n"}}));
  EXPECT_EQ(std::count_if(login->log().begin(), login->log().end(), [](const std::string& l) { return l.starts_with("begin"); }), 2);
  EXPECT_TRUE(login->said("auth.user=alice auth.scheme=password auth.result=failed"));
}

TEST(Smtp, StartTlsCarries) {
  EXPECT_TRUE(kit::play(kSmtp, after_hello({{C, "STARTTLS\r\n"}, {S, "220 go\r\n"}}))->said("carry tls"));
  EXPECT_FALSE(kit::play(kSmtp, after_hello({{C, "STARTTLS\r\n"}, {S, "454 no\r\n"}}))->said("carry"));
}

}  // namespace
}  // namespace weir::proto
