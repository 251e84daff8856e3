// SPDX-License-Identifier: Apache-2.0
#include "proto/tds/tds.h"

#include "tests/kit/turns.h"

namespace weir::proto::tds {
namespace {

using kit::C, kit::S, kit::Turns;
using namespace std::string_literals;

std::string le(std::uint64_t v, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += static_cast<char>(v >> (8 * i));
  return out;
}
std::string wide(std::string_view text) {
  std::string out;
  for (char c : text) out += std::string(1, c) + '\0';
  return out;
}
std::string packet(std::uint8_t type, const std::string& body, bool last = true) {
  const std::size_t size = body.size() + 8;
  return std::string{static_cast<char>(type), static_cast<char>(last ? 1 : 0), static_cast<char>(size >> 8), static_cast<char>(size), 0, 0, 1, 0} + body;
}
/// ENCRYPTION alone (2.2.6.5).
std::string prelogin(std::uint8_t type, std::uint8_t encryption) { return packet(type, "\1\0\6\0\1\xff"s + static_cast<char>(encryption)); }
std::string login7(std::string_view user, bool integrated = false, std::string_view sspi = {}) {
  std::string m(94, '\0');
  const std::string name = wide(user);
  m[25] = static_cast<char>(integrated ? 0x80 : 0);
  m.replace(40, 4, le(94, 2) + le(user.size(), 2));
  m.replace(78, 4, le(94 + name.size(), 2) + le(sspi.size(), 2));
  m += name + std::string(sspi);
  m.replace(0, 4, le(m.size(), 4));
  return m;
}
std::string token(std::uint8_t type, const std::string& body) { return le(type, 1) + le(body.size(), 2) + body; }
const std::string kClear = prelogin(0x12, 2) , kClearToo = prelogin(4, 2);

TEST(Tds, LoginInTheClearTellsUserAndResult) {
  EXPECT_TRUE(kit::play(kTds, {{C, kClear}, {S, kClearToo}, {C, packet(0x10, login7("sa"))}, {S, packet(4, token(0xe3, "x") + token(0xad, "ack"))}})
                  ->said("end auth.user=sa auth.scheme=password auth.result=ok"));
  EXPECT_TRUE(kit::play(kTds, {{C, packet(0x10, login7("sa"))}, {S, packet(4, token(0xaa, "Login failed"))}})->said("end auth.user=sa auth.scheme=password auth.result=failed"));
  const std::string whole = login7("alice");
  EXPECT_TRUE(kit::play(kTds, {{C, packet(0x10, whole.substr(0, 60), false) + packet(0x10, whole.substr(60))}})->said("auth.user=alice")) << "over two packets";
}

TEST(Tds, IntegratedLoginTellsTheTokensUser) {
  const auto place = [](std::size_t size, std::size_t at) { return le(size, 2) + le(size, 2) + le(at, 4); };
  const std::string ntlm = "NTLMSSP\0"s + le(3, 4) + place(0, 64) + place(0, 64) + place(4, 64) + place(5, 68) + place(0, 64) + place(0, 64) + le(2, 4) + "CORPalice";
  const auto d = kit::play(kTds, {{C, packet(0x10, login7("", true, "NTLMSSP\0\1\0\0\0"s))}, {S, packet(4, token(0xed, "challenge"))}, {C, packet(0x11, ntlm)}, {S, packet(4, token(0xad, "ack"))}});
  EXPECT_TRUE(d->said("end auth.user=alice auth.realm=CORP auth.scheme=ntlm auth.result=ok"));
}

TEST(Tds, AnEncryptedLoginIsHidden) {
  const auto d = kit::play(kTds, {{C, prelogin(0x12, 0)}, {S, prelogin(4, 1)}, {C, packet(0x12, "\x16\3\1")}});
  EXPECT_TRUE(d->said("auth.user=hidden"));
}

TEST(Tds, BrokenOnesAreFlaws) {
  EXPECT_TRUE(kit::play(kTds, {{C, packet(0x10, "short")}})->said("flaw bad-message"));
  EXPECT_TRUE(kit::play(kTds, {{C, "\x10\1\0\4\0\0\1\0"s}})->said("flaw bad-length"));
  std::string outside = login7("sa");
  outside.replace(40, 2, le(60'000, 2));
  EXPECT_TRUE(kit::play(kTds, {{C, packet(0x10, outside)}})->said("flaw bad-message"));
}

}  // namespace
}  // namespace weir::proto::tds
