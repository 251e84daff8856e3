// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql.h"

#include "tests/kit/turns.h"

namespace weir::proto::pgsql {
namespace {

using kit::C, kit::S, kit::Turns;
using namespace std::string_literals;

std::string be32(std::uint32_t v) { return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string startup(const std::string& parameters) { return be32(static_cast<std::uint32_t>(parameters.size() + 9)) + be32(0x30000) + parameters + '\0'; }
std::string message(char type, const std::string& body) { return std::string(1, type) + be32(static_cast<std::uint32_t>(body.size() + 4)) + body; }
const std::string kStartup = startup("user\0alice\0database\0shop\0"s), kAskTls = be32(8) + be32(80877103);

TEST(Pgsql, LoginTellsUserSchemeAndResult) {
  const auto ok = kit::play(kPgsql, {{C, kStartup}, {S, message('R', be32(5) + "salt")}, {C, message('p', "md5secret\0"s)}, {S, message('R', be32(0))}, {C, "Q"}});
  EXPECT_TRUE(ok->said("end auth.user=alice auth.scheme=digest auth.result=ok"));
  EXPECT_FALSE(ok->said("secret"));
  const auto failed = kit::play(kPgsql, {{C, kStartup}, {S, message('R', be32(10) + "SCRAM-SHA-256\0\0"s)}, {C, message('p', "x")}, {S, message('E', "SFATAL\0"s)}});
  EXPECT_TRUE(failed->said("end auth.user=alice auth.scheme=cram auth.result=failed"));
  EXPECT_TRUE(kit::play(kPgsql, {{C, kStartup}, {S, message('R', be32(0))}})->said("end auth.user=alice auth.result=ok")) << "trusted: nothing is asked";
}

TEST(Pgsql, AskedForTlsTheAnswerDecides) {
  EXPECT_TRUE(kit::play(kPgsql, {{C, kAskTls}, {S, "S"}})->said("carry tls"));
  EXPECT_TRUE(kit::play(kPgsql, {{C, kAskTls}, {S, "N"}, {C, kStartup}})->said("auth.user=alice"));
  EXPECT_FALSE(kit::play(kPgsql, {{C, kAskTls}, {C, kStartup}})->said("auth.user")) << "not before the answer";
  EXPECT_FALSE(kit::play(kPgsql, {{C, be32(8) + be32(80877104)}, {S, "G"}, {C, kStartup}})->said("auth.user")) << "encrypted by GSS";
}

TEST(Pgsql, BrokenStartups) {
  EXPECT_TRUE(kit::play(kPgsql, {{C, startup("database\0shop\0"s)}})->said("flaw bad-message")) << "without a user";
  EXPECT_TRUE(kit::play(kPgsql, {{C, be32(4) + be32(0x30000)}})->said("flaw bad-length"));
  EXPECT_FALSE(kit::play(kPgsql, {{C, be32(16) + be32(80877102) + be32(1) + be32(2)}})->said("begin")) << "a cancellation";
}

}  // namespace
}  // namespace weir::proto::pgsql
