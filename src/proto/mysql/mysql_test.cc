// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql.h"

#include "tests/kit/turns.h"

namespace weir::proto::mysql {
namespace {

using kit::C, kit::S, kit::Turns;
using namespace std::string_literals;

std::string le(std::uint64_t v, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += static_cast<char>(v >> (8 * i));
  return out;
}
std::string packet(unsigned sequence, const std::string& payload) { return le(payload.size(), 3) + le(sequence, 1) + payload; }
const std::string kGreeting = packet(0, "\x0a" "8.0.36\0"s + std::string(60, 'x'));
std::string login(std::string_view user, std::uint32_t capabilities = 0x000aa285) {
  return packet(1, le(capabilities, 4) + le(1 << 24, 4) + "\x21"s + std::string(23, '\0') + std::string(user) + "\0\x14"s + std::string(20, 's'));
}
const std::string kOk = packet(2, "\0\0\0\2\0\0\0"s), kError = packet(2, "\xff\x15\x04#28000Access denied");

TEST(Mysql, LoginTellsUserAndResult) {
  EXPECT_TRUE(kit::play(kMysql, {{S, kGreeting}, {C, login("alice")}, {S, kOk}})->said("end auth.user=alice auth.scheme=password auth.result=ok"));
  EXPECT_TRUE(kit::play(kMysql, {{S, kGreeting}, {C, login("root")}, {S, kError}})->said("end auth.user=root auth.scheme=password auth.result=failed"));
  const auto steps = kit::play(kMysql, {{S, kGreeting}, {C, login("alice")}, {S, packet(2, "\xfe" "caching_sha2_password\0salt"s)}, {C, packet(3, std::string(32, 'h'))},
                                        {S, packet(4, "\1\3")}, {S, packet(5, "\0\0\0\2\0\0\0"s)}});
  EXPECT_TRUE(steps->said("end auth.user=alice auth.scheme=password auth.result=ok")) << "with more steps between";
}

TEST(Mysql, TheUserMayChangeLater) {
  const auto d = kit::play(kMysql, {{S, kGreeting}, {C, login("alice")}, {S, kOk}, {C, packet(0, "\3SELECT 1")}, {S, packet(1, "\1") + packet(2, "\0x"s)},
                                    {C, packet(0, "\x11" "root\0\x14"s + std::string(20, 's'))}, {S, kError}});
  EXPECT_TRUE(d->said("end auth.user=root auth.scheme=password auth.result=failed"));
}

TEST(Mysql, TlsIsTheNextLayer) {
  const auto d = kit::play(kMysql, {{S, kGreeting}, {C, packet(1, le(0x000aae85, 4) + le(1 << 24, 4) + "\x21"s + std::string(23, '\0'))}});
  EXPECT_TRUE(d->said("carry tls"));
  EXPECT_FALSE(d->said("auth.user"));
}

TEST(Mysql, OldClientsAndBrokenOnes) {
  const std::string old = packet(1, le(0x0005, 2) + le(0xffffff, 3) + "bob\0scramble"s);
  EXPECT_TRUE(kit::play(kMysql, {{S, kGreeting}, {C, old}})->said("auth.user=bob")) << "before 4.1";
  EXPECT_TRUE(kit::play(kMysql, {{S, kGreeting}, {C, packet(1, le(0x000aa285, 4) + "x")}})->said("flaw bad-message"));
  EXPECT_TRUE(kit::play(kMysql, {{S, kGreeting}, {C, login(std::string(400, 'a'))}})->said("auth.user=hidden"));
}

}  // namespace
}  // namespace weir::proto::mysql
