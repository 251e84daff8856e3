// SPDX-License-Identifier: Apache-2.0
#include "proto/identify/things.h"

#include <gtest/gtest.h>

#include "tests/kit/certain_rows.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_literals;
using namespace kit;

const std::string kSlmpRead = "\x50\0\0\xff\xff\3\0\x0c\0\x10\0\1\4\0\0\x64\0\0\xa8\1\0"s;  // Batch read (0401h) of one word from D100.
const std::string kMelsoft = "\x57\0\0"s + be32(0x1111) + zeros(12) + le16(24) + zeros(24);

TEST(Things, StreamsByTheirFirstBytes) {
  const std::string dahua = "\xa0\1\0\0"s + zeros(20) + "\5\2\1\1\0\0\xa1\xaa"s;
  const std::string dvrip = "\xff\0\0\0"s + zeros(8) + zeros(2) + le16(1000) + le32(40) + "{ \"EncryptType\" : \"MD5\"";
  const RowCase cases[] = {
      {"baichuan", le32(0x0abcdef0) + le32(1) + le32(1836) + le32(0x1000000), ""},
      {"controller-area-network", "ISO11898\1\1"s, ""},
      {"codesys", "\0\1\x17\xe8"s + le32(40) + "\xc5\x73", ""},
      {"unknown", "\0\1\x17\xe8"s + le32(40) + "\xc6\x73", ""},
      {"dahua", dahua, ""},
      {"dahua", "\x20\0\0\0DHIP"s + zeros(24), ""},
      {"unknown", dahua.substr(0, 30) + "\xa2\xaa", ""},
      {"dvrip", dvrip, ""},
      {"unknown", "\xff\0\0\0"s + zeros(8) + zeros(2) + le16(1100) + le32(40) + "{ \"EncryptType\"", ""},
      {"fox", "fox a 1 -1 fox hello\n{\n", ""},
      {"fox", "fox a 1 -1 fox hello\n{\n", "fox a 0 -1 fox hello\n{\n"},
      {"unknown", "fox hunting\n", ""},
      {"melsec", kSlmpRead, ""},
      {"melsec", "\x54\0\x01\0\0\0"s + kSlmpRead.substr(2), "\xd4\0\1\0"s},
      {"melsec", kMelsoft, ""},
      {"unknown", kSlmpRead.substr(0, 11) + "\1\5\0\0", ""},  // No command has that number.
      {"pcworx", "\1\1\0\x1a\0\0\0\0\x78\x80\0\3\0\x0cIBETH01N0_M\0"s, ""},
      {"pjl", "\x1b%-12345X@PJL INFO ID\r\n", ""},
      {"proconos", "\xcc\1\0\x0b\x40\2\0\0\x47\xee"s, ""},
  };
  for (const RowCase& c : cases) {
    EXPECT_EQ(certain_rows(c, false), c.protocol) << testing::PrintToString(c.client) << testing::PrintToString(c.server);
    if (c.protocol == "unknown") continue;
    EXPECT_EQ(cut_that_hides(c), std::string::npos) << c.protocol;
  }
}

TEST(Things, DatagramsByTheirContent) {
  const std::string cnp = be16(32) + "\1\1\0\0\0\0sess"s + be32(1) + zeros(16), cnp_answer = be16(32) + "\1\1\0\0\0\0sess"s + be32(2) + zeros(16);
  const std::string ethercat = "\x0d\x10"s + "\7\0\0\0\x30\1\1\0\0\0"s + "\0\0\0"s;  // APRD's like: one byte of data, and a counter.
  const std::string lifx = le16(36) + le16(0x3400) + "src1" + zeros(8) + zeros(6) + "\1\0"s + zeros(8) + le16(2) + zeros(2);
  const std::string mndp = zeros(4) + be16(1) + be16(6) + "MACADR" + be16(5) + be16(8) + "MikroTik" + be16(7) + be16(4) + "7.15";
  const std::string pnio = "\4\0\x20\0\x10\0\0\0"s + std::string(16, 'o') + "\1\0\xa0\xde\x97\x6c\xd1\x11\x82\x71\0\xa0\x24\x42\xdf\x7d"s + zeros(40);
  const auto srt = [](std::uint32_t version, unsigned extension) {
    return be32(0x80000000) + be32(0) + be32(7) + be32(0) + be32(version) + be16(0) + be16(extension) + be32(99) + be32(1500) + be32(8192) + be32(1) + zeros(24);
  };
  const RowCase cases[] = {
      {"addp", "DIGI\0\1\0\6\xff\xff\xff\xff\xff\xff"s, "", true},
      {"art-net", "Art-Net\0\0\x20\0\x0e\0\0"s, ""},
      {"baichuan", "\x3a\xcf\x87\x2a"s + zeros(20), ""},
      {"controller-area-network", "ISO11898\1\1"s + zeros(12), ""},
      {"cnp-ip", cnp, cnp_answer},
      {"cnp-ip", cnp_answer, "", false, cnp},
      {"unknown", cnp, ""},
      {"dahua", "\x20\0\0\0DHIP"s + zeros(24) + "{ \"method\" : \"DHDiscover.search\"}", ""},
      {"dvrip", "\xff\0\0\0"s + zeros(10) + le16(1530) + le32(0), "", true},
      {"ethercat", ethercat, ""},
      {"ethercat", ethercat + zeros(20), ""},
      {"unknown", ethercat + "more", ""},
      {"lantronix", "\0\0\0\xf6"s, "\0\0\0\xf7"s + std::string(26, 's')},
      {"unknown", "\0\0\0\xf6"s, ""},
      {"unknown", "\0\0\0\xf6"s, "\0\0\0\xf9"s + std::string(26, 's')},
      {"lifx", lifx, ""},
      {"unknown", lifx + "more", ""},
      {"melsec", kSlmpRead, ""},
      {"melsec", kMelsoft, ""},
      {"miio", "\x21\x31\0\x20"s + std::string(28, '\xff'), ""},
      {"miio", "\x21\x31\0\x30"s + zeros(4) + std::string(40, 'd'), ""},
      {"unknown", "\x21\x31\0\x31"s + zeros(4) + std::string(40, 'd'), ""},
      {"mndp", mndp, "", true},
      {"unknown", mndp + "more", "", true},
      {"moxa", be32(0x01000008) + be32(0), "\x81\0\0\x18"s + zeros(20)},
      {"unknown", be32(0x01000008) + be32(0), ""},
      {"pppp", "\xf1\x30\0\0"s, "\xf1\x41\0\x14"s + std::string(20, 'd')},
      {"pppp", "\xf1\0\0\0"s, "\xf1\1\0\x10"s + std::string(16, 'a')},
      {"unknown", "\xf1\x30\0\0"s, ""},
      {"profinet-io", pnio, ""},
      {"unknown", pnio.substr(0, 39) + "\x7e" + pnio.substr(40), ""},
      {"sacn", be32(0x100000) + "ASC-E1.17\0\0\0"s + std::string(30, 'd'), ""},
      {"sadp", R"(<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>13A888A9</Uuid><Types>inquiry</Types></Probe>)", "", true},
      {"srt", srt(4, 2), srt(5, 0x4a17)},
      {"srt", srt(5, 5), ""},
      {"unknown", srt(4, 2), ""},
      {"unknown", srt(4, 2), srt(4, 2)},  // UDT.
      {"tzsp", be32(0x01000001) + "\1" + std::string(12, 'm') + be16(0x0800) + "\x45" + zeros(30), ""},
      {"unknown", be32(0x01000001) + "\1" + std::string(12, 'm') + be16(0x1234) + "\x45" + zeros(30), ""},
  };
  for (const RowCase& c : cases) EXPECT_EQ(certain_rows(c, true), c.protocol) << testing::PrintToString(c.client);
}

}  // namespace
}  // namespace weir::proto::identify
