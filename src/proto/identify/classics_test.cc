// SPDX-License-Identifier: Apache-2.0
#include "proto/identify/classics.h"

#include <gtest/gtest.h>

#include "tests/kit/certain_rows.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_literals;
using namespace kit;

/// Characters that follow each other from `first` on, and an end of line (RFC 864).
std::string pattern(char first) {
  std::string out;
  for (int i = 0; i < 72; ++i, first = first == 0x7e ? ' ' : static_cast<char>(first + 1)) out += first;
  return out + "\r\n";
}

TEST(Classics, StreamsByTheirFirstBytes) {
  const RowCase cases[] = {
      {"chargen", "", pattern(' ') + pattern('!')},
      {"chargen", "", pattern('M')},
      {"unknown", "", "!\"#$%&'()*+-./0123456789:;<=>?@" + std::string(64, 'x')},
      {"finger", "alice\r\n", "Login: alice           \t\t\tName: Alice"},
      {"unknown", "alice\r\n", ""},
      {"unknown", "alice\r\n", "Hello alice"},
      {"gopher", "\r\n", "iWelcome\tfake\t(NULL)\t0\r\n1About\t/about\tgopher.example\t70\r\n"},
      {"gopher", "/about\r\n", "0A text\t/about.txt\tgopher.example\t70\t+\r\n"},
      {"unknown", "/about\r\n", "0A text\t/about.txt\tgopher.example\r\n"},
      {"ident", "6193, 23\r\n", "6193, 23 : USERID : UNIX : stjohns\r\n"},
      {"ident", "6195,23\r\n", "6195 , 23 : ERROR : NO-USER\r\n"},
      {"unknown", "6193, 23\r\n", ""},
      {"unknown", "6193, 23\r\n", "6193, 24\r\n"},
      {"lotusnotes", "\x3a\0\0\0\x2f\0\0\0\2\0\0\x40\2\x0f\0\1\0\x3d"s, ""},
      {"nmea-0183", "", "$GPRMC,123519,A,4807.038,N"},
      {"nmea-0183", "!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*23\r\n", ""},
      {"unknown", "", "$GPL-3.0 applies\n"},
      {"rlogin", "\0alice\0root\0xterm/38400\0"s, ""},
      {"rlogin", "\0alice\0root\0vt100/9600\0"s, "\0"s},
      {"rsh", "\0alice\0root\0ls /\0"s, ""},
      {"uucp", "", "\x10Shere=uucphost\0"s},
  };
  for (const RowCase& c : cases) {
    EXPECT_EQ(certain_rows(c, false), c.protocol) << testing::PrintToString(c.client) << testing::PrintToString(c.server);
    if (c.protocol == "unknown") continue;
    EXPECT_EQ(cut_that_hides(c), std::string::npos) << c.protocol;
  }
}

TEST(Classics, DatagramsByTheirContent) {
  const std::string rwho = "\1\1\0\0"s + be32(1700000000) + be32(0) + "host1" + zeros(27) + zeros(16);
  const RowCase cases[] = {
      {"chargen", "x", pattern(' ')},
      {"unknown", "x", ""},
      {"unknown", "x", "answer"},
      {"gtp-prime", "\x4e\1\0\0\0\1"s, ""},
      {"gtp-prime", "\x0e\1\0\0\0\1"s + zeros(14), ""},
      {"unknown", "\x4e\1\0\1\0\1"s, ""},
      {"h323", "\0\xa0\0\x29\6\0\x08\x91\x4a\0\4\1"s, ""},
      {"unknown", "\0\xa0\0\x29\6\0\x08\x91\x4b\0\4\1"s, ""},
      {"nmea-0183", "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n", ""},
      {"rwho", rwho, ""},
      {"rwho", rwho + zeros(24), ""},
      {"unknown", rwho + zeros(23), ""},
  };
  for (const RowCase& c : cases) EXPECT_EQ(certain_rows(c, true), c.protocol) << testing::PrintToString(c.client);
}

}  // namespace
}  // namespace weir::proto::identify
