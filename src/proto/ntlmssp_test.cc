// SPDX-License-Identifier: Apache-2.0
#include "proto/ntlmssp.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/utf16.h"

namespace weir::proto {
namespace {

using namespace std::string_literals;

std::string le(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
std::string named(std::size_t size, std::size_t at) { return le(size, 2) + le(size, 2) + le(at, 4); }
/// An authenticate message: domain, user and workstation at 64 and on.
std::string authenticate(const std::string& domain, const std::string& user, const std::string& host, std::uint32_t flags) {
  const std::size_t d = 64, u = d + domain.size(), h = u + user.size();
  return "NTLMSSP\0"s + le(3, 4) + named(0, 64) + named(0, 64) + named(domain.size(), d) + named(user.size(), u) + named(host.size(), h) + named(0, 64) +
         le(flags, 4) + domain + user + host;
}

TEST(Ntlmssp, AuthenticateNamesUserDomainAndWorkstation) {
  struct Case {
    std::string message, user, domain, host;
  };
  const Case cases[] = {
      {authenticate("D\0O\0M\0"s, "b\0o\0b\0"s, "P\0C\0"s, 1), "bob", "DOM", "PC"},
      {authenticate("DOM", "bob", "PC", 2), "bob", "DOM", "PC"},  // The code page.
      {authenticate("", "", "", 1), "", "", ""},                  // Anonymous.
  };
  for (const Case& c : cases) {
    NtlmMessage m;
    ASSERT_TRUE(parse_ntlm(as_bytes(c.message), m));
    char text[32];
    EXPECT_EQ(m.type, 3U);
    EXPECT_EQ(ntlm_text(m, m.user, text), c.user);
    EXPECT_EQ(ntlm_text(m, m.domain, text), c.domain);
    EXPECT_EQ(ntlm_text(m, m.workstation, text), c.host);
    EXPECT_FALSE(m.cut);
  }
}

TEST(Ntlmssp, NamesMustLieInside) {
  std::string message = authenticate("D\0"s, "b\0"s, "", 1);
  message.pop_back();
  NtlmMessage m;
  ASSERT_TRUE(parse_ntlm(as_bytes(message), m));
  EXPECT_TRUE(m.cut);
  EXPECT_TRUE(m.user.empty());
}

TEST(Ntlmssp, OtherBytesAreNone) {
  NtlmMessage m;
  for (const std::string& bytes : {""s, "NTLMSSP"s, "NTLMSSP\0"s, "NTLMSSP\0\4\0\0\0"s, "NTLMSSP\0\0\0\0\0"s, "ntlmssp\0\1\0\0\0"s})
    EXPECT_FALSE(parse_ntlm(as_bytes(bytes), m)) << bytes;
}

TEST(Ntlmssp, TokensAreFoundInSpnego) {
  EXPECT_EQ(find_security_token(as_bytes("\x60\x20\x06\x06NTLMSSP\0\1\0\0\0"s)).kind, TokenKind::Ntlm);
  EXPECT_EQ(find_security_token(as_bytes("\x60\x20\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\1\0"s)).kind, TokenKind::Kerberos);
  EXPECT_EQ(find_security_token(as_bytes("\x60\x20\x06\x09"s)).kind, TokenKind::Unknown);
}

TEST(Utf16, ConvertsAndSaysWhatDoesNotFit) {
  struct Case {
    std::string in;
    std::optional<std::string> out;
  };
  const Case cases[] = {
      {"a\0\xe4\0\xac\x20"s, "a\xc3\xa4\xe2\x82\xac"},  // a, a umlaut, euro
      {"\x3d\xd8\x00\xde"s, "\xf0\x9f\x98\x80"},        // a pair: U+1F600
      {"\x3d\xd8z\0"s, "\xef\xbf\xbdz"},                // half a pair
      {"a\0\0\0b\0"s, "a"},                             // up to NUL
      {"a\0b"s, "a"},                                   // an odd byte
      {"a\0b\0c\0d\0e\0f\0g\0h\0i\0"s, std::nullopt},   // room is eight
  };
  for (const Case& c : cases) {
    char room[8];
    const auto out = utf8_of_utf16le(as_bytes(c.in), room);
    EXPECT_EQ(out.has_value() ? std::optional<std::string>(*out) : std::nullopt, c.out);
  }
}

}  // namespace
}  // namespace weir::proto
