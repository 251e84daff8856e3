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

/// A mail of these lines by DATA, with its envelope.
Turns mail(const std::string& lines) {
  return after_hello({{C, "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n"},
                      {S, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                      {C, lines + "\r\n.\r\n"},
                      {S, "250 queued\r\n"}});
}
const std::string kMixed = "Subject: x\r\nContent-Type: multipart/mixed;\r\n boundary=\"=_b1\"\r\n\r\npreamble\r\n--=_b1\r\n";
const std::string kExe = "Content-Type: application/octet-stream; name=wrong.txt\r\nContent-Transfer-Encoding: base64\r\n"
                         "Content-Disposition: attachment; filename=\"invoice.exe\"\r\n\r\nTVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAA=\r\n";

TEST(SmtpFiles, AnAttachmentIsToldWithItsMail) {
  const auto d = kit::play(kSmtp, mail(kMixed + "Content-Type: text/plain\r\n\r\nHello\r\n--=_b1\r\n" + kExe + "--=_b1--\r\nepilogue"));
  EXPECT_TRUE(d->said("end smtp.helo=Client.example smtp.from=a@example.org smtp.to=b@example.net smtp.to=c@example.net file.type=pe file.name=invoice.exe "
                      "file.bytes=32")) << d->outcome();
  EXPECT_FALSE(d->said("flaw"));
}

TEST(SmtpFiles, EachFurtherFileIsATransactionWithTheSameEnvelope) {
  const auto d = kit::play(kSmtp, mail(kMixed + "Content-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF-1.7\r\n--=_b1\r\n" + kExe + "--=_b1--"));
  EXPECT_TRUE(d->said("file.type=pdf file.name=a.pdf file.bytes=10")) << d->outcome();
  EXPECT_TRUE(d->said("end smtp.helo=Client.example smtp.from=a@example.org smtp.to=b@example.net smtp.to=c@example.net file.type=pe file.name=invoice.exe "
                      "file.bytes=32")) << d->outcome();
}

TEST(SmtpFiles, QuotedPrintableIsUndone) {
  const auto d = kit::play(kSmtp, mail("Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: attachment;\r\n filename=run.sh\r\n\r\n=23!/bin=\r\n/sh\r\necho"));
  EXPECT_TRUE(d->said("file.type=script file.name=run.sh file.bytes=17")) << d->outcome();
}

TEST(SmtpFiles, NamesMayBeWrittenInManyWays) {
  const std::pair<const char*, const char*> names[] = {
      {"filename*=UTF-8''r%C3%A9sum%C3%A9.exe", "r\xc3\xa9sum\xc3\xa9.exe"},
      {"filename*0=\"long\"; filename*1=\"er.exe\"", "longer.exe"},
      {"filename=\"=?utf-8?B?bmFtZS5leGU=?=\"", "name.exe"},
      {"filename=\"=?iso-8859-1?Q?my_file=2Eexe?=\"", "my file.exe"},
      {"filename=\"a\\\"b.exe\"", "a\"b.exe"},
      {"size=3; FILENAME = plain.exe", "plain.exe"},
  };
  for (const auto& [written, name] : names) {
    const auto d = kit::play(kSmtp, mail("Content-Disposition: attachment; " + std::string(written) + "\r\n\r\nx"));
    EXPECT_TRUE(d->said("file.name=" + std::string(name) + " file.bytes")) << written << "\n" << d->outcome();
  }
}

TEST(SmtpFiles, PartsMayLieInPartsAndInMails) {
  const auto d = kit::play(kSmtp, mail(kMixed + "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/related; boundary=b2\r\n\r\n--b2\r\n" +
                                       kExe + "--=_b1\r\nContent-Disposition: attachment; filename=behind.txt\r\n\r\nx\r\n--=_b1--"));
  EXPECT_TRUE(d->said("file.name=invoice.exe")) << d->outcome();
  EXPECT_TRUE(d->said("file.name=behind.txt")) << "an outer boundary ends what is inside\n" << d->outcome();
}

TEST(SmtpFiles, ChunksHoldFilesToo) {
  const std::string text = kMixed + kExe + "--=_b1--\r\n";
  const auto d = kit::play(kSmtp, after_hello({{C, "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nBDAT 100\r\n" + text.substr(0, 100) + "BDAT " +
                                                       std::to_string(text.size() - 100) + " LAST\r\n" + text.substr(100)},
                                               {S, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n"}}));
  EXPECT_TRUE(d->said("smtp.to=b@example.net file.type=pe file.name=invoice.exe file.bytes=32")) << d->outcome();
}

TEST(SmtpFiles, AStuffedDotIsNoPartOfTheFile) {
  const auto d = kit::play(kSmtp, mail("Content-Disposition: attachment; filename=x\r\n\r\n..\r\n.a"));
  EXPECT_TRUE(d->said("file.bytes=6")) << d->outcome();
}

}  // namespace
}  // namespace weir::proto
