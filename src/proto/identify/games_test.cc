// SPDX-License-Identifier: Apache-2.0
#include "proto/identify/games.h"

#include <gtest/gtest.h>

#include "tests/kit/certain_rows.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_literals;
using namespace kit;

TEST(Games, StreamsByTheirFirstBytes) {
  const std::string login = le32(1) + le32(5) + "alice" + le32(8) + "password" + le32(160) + le32(32) + std::string(32, 'f') + le32(1);
  const RowCase cases[] = {
      {"applejuice", "ajprot\r\n", ""},
      {"blizzard", "\1\xff\x50"s + le16(58) + le32(0) + "68XIPX3W", ""},
      {"unknown", "\1\xff\x50"s + le16(58) + le32(0) + "PX3W68XI", ""},
      {"directconnect", "", "$Lock EXTENDEDPROTOCOLABCABCABC Pk=escapeABCABC|"},
      {"directconnect", "HSUP ADBASE ADTIGR\n", ""},
      {"directconnect", "$MyNick alice|$Lock EXTENDEDPROTOCOL Pk=a|", ""},
      {"maplestory", "", "\x0e\0\x53\0\1\0\x31" "ivivIVIV" "\x08"s},
      {"unknown", "", "\x0e\0\x53\0\1\0\x31" "ivivIVIV" "\x38"s},
      {"monero", "\1\x21\1\1\1\1\1\1"s + le32(226) + le32(0) + "\1" + le32(1001), ""},
      {"soulseek", le32(static_cast<std::uint32_t>(login.size())) + login, ""},
      {"unknown", le32(60) + le32(1) + le32(5) + "al\1ce" + zeros(50), ""},
      {"starcraft", "\x4a\0\0\x0a\x66\2\x0a\xed\x2d\x66"s, ""},
  };
  for (const RowCase& c : cases) {
    EXPECT_EQ(certain_rows(c, false), c.protocol) << testing::PrintToString(c.client) << testing::PrintToString(c.server);
    if (c.protocol == "unknown") continue;
    EXPECT_EQ(cut_that_hides(c), std::string::npos) << c.protocol;
  }
}

TEST(Games, DatagramsByTheirContent) {
  const std::string first = "head" "\x97\x27\x14\xf7\x3f\x95\xaa\xe0\x3e\x36" "\x40\0\x1a\xbc\x63\xb3"s;
  const std::string second = "head" "\x2f\x9d\xbb\x13\x81\xe6\xd0\x76\x79\x64" "\x40\0\x1a\xc0\x63\xbf"s;
  const RowCase cases[] = {
      {"armagetron", be32(0x000b0000) + be16(3) + be16(8) + "word" + zeros(2), ""},
      {"unknown", be32(0x000b0000) + be16(4) + be16(8) + "word" + zeros(2), ""},
      {"crossfire", be32(0xc7d91999) + be16(0x0200) + zeros(16) + be16(0x7d00) + "\1", ""},
      {"edonkey", "\xe4\x21\2"s + std::string(16, 't') + std::string(16, 'c'), "\xe4\x29"s + std::string(16, 't') + "\1" + std::string(25, 'n')},
      {"unknown", "\xe4\x21\2"s + std::string(16, 't') + std::string(16, 'c'), ""},
      {"unknown", "\xe4\x21\2"s + std::string(16, 't') + std::string(16, 'c'), "\xe4\x29"s + std::string(16, 'u') + "\1" + std::string(25, 'n')},
      {"edonkey", "\xe4\1"s, "\xe4\x09"s + std::string(21, 'm') + std::string(50, 'c')},
      {"edonkey", "\xe3\x96" "numb"s, "\xe3\x97" "numb"s + zeros(30)},
      {"genshinimpact", be32(0xff) + zeros(8) + be32(1234567890) + be32(0xffffffff), ""},
      {"genshinimpact", be32(0xff) + zeros(8) + be32(1234567890) + be32(0xffffffff), be32(0x145) + zeros(12) + be32(0x14514545)},
      {"unknown", be32(0xff) + zeros(8) + be32(1234567890) + be32(0xfffffffe), ""},
      {"heroes-of-the-storm", second, "", false, first},
      {"unknown", second, ""},
      {"unknown", second, "", false, "other" + first.substr(5)},
      {"nintendo", be32(0x32ab9864) + zeros(20), ""},
  };
  for (const RowCase& c : cases) EXPECT_EQ(certain_rows(c, true), c.protocol) << testing::PrintToString(c.client);
}

}  // namespace
}  // namespace weir::proto::identify
