// SPDX-License-Identifier: Apache-2.0
#include "proto/ldap/ldap.h"

#include "tests/kit/turns.h"

namespace weir::proto::ldap {
namespace {

using kit::C, kit::S, kit::Turns;

std::string element(std::uint8_t tag, std::string_view content) {
  std::string length = content.size() < 128 ? std::string(1, static_cast<char>(content.size()))
                                            : std::string{'\x82', static_cast<char>(content.size() >> 8), static_cast<char>(content.size())};
  return std::string(1, static_cast<char>(tag)) + length + std::string(content);
}
std::string message(std::uint8_t tag, std::string_view content, char id = 1) {
  return element(0x30, element(2, std::string(1, id)) + element(tag, content));
}
std::string bind_as(std::string_view name, const std::string& how) { return message(0x60, element(2, "\3") + element(4, name) + how); }
std::string simple(std::string_view name) { return bind_as(name, element(0x80, "secret")); }
std::string sasl(std::string_view mechanism, std::string_view token) { return bind_as("", element(0xa3, element(4, mechanism) + element(4, token))); }
std::string result(std::uint8_t tag, char code) { return message(tag, element(10, std::string(1, code)) + element(4, "") + element(4, "")); }

/// AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3) of a user and a domain in the OEM code page.
std::string ntlm(std::string_view user, std::string_view domain) {
  const auto le = [](std::size_t v, std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += static_cast<char>(v >> (8 * i));
    return out;
  };
  const auto place = [&](std::size_t size, std::size_t at) { return le(size, 2) + le(size, 2) + le(at, 4); };
  return std::string("NTLMSSP\0", 8) + le(3, 4) + place(0, 64) + place(0, 64) + place(domain.size(), 64) + place(user.size(), 64 + domain.size()) +
         place(0, 64) + place(0, 64) + le(2, 4) + std::string(domain) + std::string(user);
}

TEST(Ldap, SimpleBindTellsTheNameAndTheResult) {
  const auto d = kit::play(kLdap, {{C, simple("cn=admin,dc=example,dc=org")}, {S, result(0x61, 49)}, {C, simple("alice@example.org")}, {S, result(0x61, 0)}});
  EXPECT_TRUE(d->said("end ldap.op=bind auth.user=cn=admin,dc=example,dc=org auth.scheme=password"));
  EXPECT_TRUE(d->said("end ldap.op=bind-response auth.user=cn=admin,dc=example,dc=org auth.scheme=password auth.result=failed"));
  EXPECT_TRUE(d->said("end ldap.op=bind-response auth.user=alice@example.org auth.scheme=password auth.result=ok"));
  EXPECT_FALSE(d->said("secret"));
}

TEST(Ldap, SaslTellsTheMechanismAndTheTokensUser) {
  const auto d = kit::play(kLdap, {{C, sasl("GSS-SPNEGO", ntlm("alice", "CORP"))}, {S, result(0x61, 0)}});
  EXPECT_TRUE(d->said("end ldap.op=bind auth.user=alice auth.realm=CORP auth.scheme=ntlm"));
  EXPECT_TRUE(d->said("end ldap.op=bind-response auth.user=alice auth.realm=CORP auth.scheme=ntlm auth.result=ok"));
  EXPECT_TRUE(kit::play(kLdap, {{C, bind_as("", element(0x8b, ntlm("bob", "CORP")))}})->said("auth.user=bob auth.realm=CORP auth.scheme=ntlm")) << "MS-ADTS 5.1.1.1.3";
  EXPECT_TRUE(kit::play(kLdap, {{C, sasl("PLAIN", std::string_view("\0carol\0secret", 13))}})->said("auth.user=carol auth.scheme=password"));
  EXPECT_TRUE(kit::play(kLdap, {{C, sasl("DIGEST-MD5", "")}, {S, result(0x61, 14)}})->said("end ldap.op=bind-response auth.scheme=digest"));
  EXPECT_FALSE(kit::play(kLdap, {{C, simple("")}, {S, result(0x61, 0)}})->said("auth.user")) << "anonymous";
}

TEST(Ldap, StartTlsHandsOver) {
  const std::string ask = message(0x77, element(0x80, "1.3.6.1.4.1.1466.20037"));
  EXPECT_TRUE(kit::play(kLdap, {{C, ask}, {S, result(0x78, 0)}})->said("carry tls"));
  EXPECT_FALSE(kit::play(kLdap, {{C, ask}, {S, result(0x78, 2)}})->said("carry"));
  EXPECT_FALSE(kit::play(kLdap, {{C, message(0x77, element(0x80, "1.3.6.1.4.1.4203.1.11.3"))}, {S, result(0x78, 0)}})->said("carry")) << "who am I";
}

TEST(Ldap, LargeMessagesArePassedOver) {
  const auto d = kit::play(kLdap, {{C, message(0x63, std::string(3000, 's'))}, {S, message(0x64, std::string(30'000, 'e'))}, {S, result(0x65, 0)}, {C, simple("x")}});
  EXPECT_TRUE(d->said("end ldap.op=search-entry"));
  EXPECT_TRUE(d->said("end ldap.op=search-done"));
  EXPECT_TRUE(d->said("auth.user=x"));
}

TEST(Ldap, WhatIsNoMessageEndsTheReading) {
  const auto d = kit::play(kLdap, {{C, sasl("GSSAPI", "\x60\x01\x01")}, {S, result(0x61, 0)}, {C, std::string("\0\0\0\x20 sealed", 11)}, {C, simple("eve")}});
  EXPECT_FALSE(d->said("eve"));
  EXPECT_TRUE(kit::play(kLdap, {{C, bind_as("x", "")}})->said("flaw bad-message"));
  EXPECT_TRUE(kit::Dialogue(kLdap).datagram(C, message(0x63, "netlogon")).said("ldap.op=search"));
}

}  // namespace
}  // namespace weir::proto::ldap
