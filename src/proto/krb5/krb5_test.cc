// SPDX-License-Identifier: Apache-2.0
#include "proto/krb5/krb5.h"

#include "tests/kit/turns.h"

namespace weir::proto::krb5 {
namespace {

using kit::C, kit::S, kit::Turns;

std::string element(std::uint8_t tag, std::string_view content) {
  std::string length = content.size() < 128 ? std::string(1, static_cast<char>(content.size()))
                                            : std::string{'\x82', static_cast<char>(content.size() >> 8), static_cast<char>(content.size())};
  return std::string(1, static_cast<char>(tag)) + length + std::string(content);
}
std::string field_of(int number, std::string_view content) { return element(static_cast<std::uint8_t>(0xa0 | number), content); }
std::string integer(int value) { return element(2, std::string(1, static_cast<char>(value))); }
std::string text(std::string_view value) { return element(0x1b, value); }
std::string name(std::initializer_list<std::string_view> parts) {
  std::string strings;
  for (const std::string_view part : parts) strings += text(part);
  return element(0x30, field_of(0, integer(1)) + field_of(1, element(0x30, strings)));
}
std::string message(int type, std::string_view fields) { return element(static_cast<std::uint8_t>(0x60 | type), element(0x30, fields)); }
std::string request(int type, const std::string& client) {
  const std::string body = field_of(0, element(3, std::string(5, '\0'))) + client + field_of(2, text("EXAMPLE.ORG")) + field_of(3, name({"krbtgt", "EXAMPLE.ORG"}));
  return message(type, field_of(1, integer(5)) + field_of(2, integer(type)) + field_of(4, element(0x30, body)));
}
std::string as_req(std::initializer_list<std::string_view> client) { return request(10, field_of(1, name(client))); }
std::string as_rep() {
  return message(11, field_of(0, integer(5)) + field_of(1, integer(11)) + field_of(3, text("EXAMPLE.ORG")) + field_of(4, name({"alice"})) + field_of(5, element(0x61, "ticket")));
}
std::string error(int code) {
  return message(30, field_of(0, integer(5)) + field_of(1, integer(30)) + field_of(4, text("20240101000000Z")) + field_of(5, integer(0)) + field_of(6, integer(code)) +
                         field_of(9, text("EXAMPLE.ORG")));
}
std::string framed(const std::string& m) { return std::string{0, 0, static_cast<char>(m.size() >> 8), static_cast<char>(m.size())} + m; }

TEST(Krb5, RequestAndAnswerNameTheClient) {
  const auto d = kit::play(kKrb5, {{C, framed(as_req({"alice"}))}, {S, framed(as_rep())}});
  EXPECT_TRUE(d->said("end krb5.type=as-req auth.user=alice auth.realm=EXAMPLE.ORG auth.scheme=kerberos"));
  EXPECT_TRUE(d->said("end krb5.type=as-rep auth.user=alice auth.realm=EXAMPLE.ORG auth.scheme=kerberos auth.result=ok"));
  EXPECT_TRUE(kit::Dialogue(kKrb5).datagram(C, as_req({"host", "web.example.org"})).said("auth.user=host/web.example.org"));
}

TEST(Krb5, ErrorsAreFailuresSaveThoseThatAskForMore) {
  const auto d = kit::play(kKrb5, {{C, framed(as_req({"alice"}))}, {S, framed(error(25))}});
  EXPECT_TRUE(d->said("end krb5.type=error auth.user=alice auth.realm=EXAMPLE.ORG auth.scheme=kerberos"));
  EXPECT_FALSE(d->said("auth.result"));
  EXPECT_TRUE(kit::play(kKrb5, {{C, framed(as_req({"alice"}))}, {S, framed(error(24))}})->said("auth.user=alice auth.realm=EXAMPLE.ORG auth.scheme=kerberos auth.result=failed"));
}

TEST(Krb5, WhoComesWithATicketIsHidden) {
  const auto d = kit::play(kKrb5, {{C, framed(request(12, ""))}});
  EXPECT_TRUE(d->said("krb5.type=tgs-req"));
  EXPECT_TRUE(d->said("auth.user=hidden"));
}

TEST(Krb5, WhatIsTooLargeIsToldByItsTypeAlone) {
  const std::string large = element(0x6c, element(0x30, std::string(60'000, 'x')));
  const auto d = kit::play(kKrb5, {{C, framed(large) + framed(as_req({"bob"}))}});
  EXPECT_TRUE(d->said("krb5.type=tgs-req"));
  EXPECT_TRUE(d->said("auth.user=bob"));
}

TEST(Krb5, BrokenMessagesAreFlaws) {
  EXPECT_TRUE(kit::Dialogue(kKrb5).datagram(C, message(10, "")).said("flaw bad-message"));
  EXPECT_TRUE(kit::Dialogue(kKrb5).datagram(C, as_req({"alice"}).substr(0, 40)).said("flaw bad-message"));
  EXPECT_TRUE(kit::Dialogue(kKrb5).datagram(S, message(30, field_of(6, ""))).said("flaw bad-message"));
  EXPECT_FALSE(kit::play(kKrb5, {{C, "GET / HTTP/1.1\r\n\r\n"}})->said("krb5.type"));
}

}  // namespace
}  // namespace weir::proto::krb5
