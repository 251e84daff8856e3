// SPDX-License-Identifier: Apache-2.0
#include "proto/identify/access.h"

#include <gtest/gtest.h>

#include "tests/kit/certain_rows.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_literals;
using namespace kit;

TEST(Access, StreamsByTheirFirstBytes) {
  const std::string dameware = le32(0x1130) + zeros(4) + "\xc3\xf5\x28\x5c\x8f\xc2\x28\x40"s + zeros(24);
  const std::string login = R"({"version":"0.52.3","os":"linux"})";
  const std::string hole = "\x42\x0f\x0a\x09" "123456789" "\x10\1\x20\0"s;
  const RowCase cases[] = {
      {"bore", "{\"Hello\":8080}\0"s, ""},
      {"bore", "{\"Hello\":0}\0"s, "{\"Challenge\":\"0af4"},
      {"bore", "{\"Accept\":\"0af4b1d2-1111-4222-8333-444455556666\"}\0"s, ""},
      {"unknown", "{\"Hello\":\"world\"}\0"s, ""},
      {"unknown", "{\"Hello\":8080,"s, ""},
      {"dameware", dameware, dameware},
      {"unknown", dameware, ""},
      {"frp", "o"s + be32(0) + be32(33) + login, ""},
      {"frp", "w"s + be32(0) + be32(30) + R"({"run_id":"3c5a","timestamp":1})", ""},
      {"frp", "\0\1\0\1"s + be32(1) + be32(0) + "\0\0\0\0"s + be32(1) + be32(42) + "o" + be32(0) + be32(33) + login, ""},
      {"frp", "\x17\x16\3\1\2\0\1\0\1\xfc\3\3"s, ""},
      {"unknown", "\0\1\0\1"s + be32(1) + be32(0) + "\0\0\0\0"s + be32(1) + be32(42) + "hello", ""},  // Another use of yamux.
      {"guacamole", "6.select,3.vnc;", ""},
      {"guacamole", "6.select,3.ssh;", "4.args,8.hostname"},
      {"hamachi", be32(400) + be32(0) + be32(1) + "\x7b\x7a\x0d\xad"s, ""},
      {"libp2p", "\x13/multistream/1.0.0\n", ""},
      {"pcanywhere", zeros(4), "\0X\x08\0\x7d\x08\r\n\0.\x08Please press <Enter>..."s},
      {"unknown", zeros(4), ""},
      {"rustdesk", std::string(1, static_cast<char>(hole.size() << 2)) + hole, ""},
      {"unknown", std::string(1, static_cast<char>(hole.size() << 2)) + "\x42\x0f\x0a\x09" "1234 6789" "\x10\1\x20\0"s, ""},
      {"rustdesk", "", "\x95\1\xca\1\x62\x0a\x60"s + std::string(96, 's')},
      {"synergy", "", be32(11) + "Barrier\0\1\0\x08"s},
      {"synergy", be32(20) + "Synergy\0\1\0\6"s + be32(5) + "desk1", be32(11) + "Synergy\0\1\0\6"s},
      {"vmware", "", "220 VMware Authentication Daemon Version 1.10: SSL Required\r\n"},
      {"vnc-repeater", "ID:1234" + zeros(243), ""},
      {"vnc-repeater", "ID:1234" + zeros(243), "RFB 00"},
      {"unknown", "ID: a header of something\r\n" + zeros(100), ""},
      {"xpra", "P\x10\0\0"s + be32(40) + "\xc2\x85hello\x67\x87version", ""},
      {"xpra", "P\0\0\0"s + be32(40) + "l5:hellod", ""},
      {"yggdrasil", "meta"s + be16(58) + be32(2) + be16(0) + be32(0x10002) + be16(5) + be32(0x20020) + std::string(32, 'k'), ""},
      {"yggdrasil", "meta\0\4"s + std::string(32, 'k'), ""},
      {"unknown", "metallica\r\n" + std::string(64, 'x'), ""},
  };
  for (const RowCase& c : cases) {
    EXPECT_EQ(certain_rows(c, false), c.protocol) << testing::PrintToString(c.client) << testing::PrintToString(c.server);
    if (c.protocol == "unknown") continue;
    EXPECT_EQ(cut_that_hides(c), std::string::npos) << c.protocol;
  }
}

TEST(Access, DatagramsByTheirContent) {
  const std::string warp = "\1\x11\x22\x33sndr"s + std::string(124, 'k') + zeros(16);
  const std::string n2n = "\3\2\0\5mynetwork"s + zeros(11) + "cookie..", n2n_answer = "\3\2\0\x27mynetwork"s + zeros(11) + "cookie..";
  const std::string nebula = "\x10\0\0\0"s + be32(0) + be32(0) + be32(1) + std::string(64, 'k') + "\x0a\x80\1"s + std::string(128, 'd');
  const std::string zerotier = "packetid" "\x99\x19\xd1\x4b\x1c" "\x8a\x01\x02\x03\x04" + zeros(1) + "mac12345" "\1\x0b\1\x0e\0\2"s + std::string(8, 't') +
                               "\x8a\x01\x02\x03\x04" + zeros(1) + std::string(64, 'k') + zeros(1) + "dest";
  const std::string pack = be32(9) + be32(7) + "opcode" + be32(2) + be32(1) + be32(9) + "get_token";
  const RowCase cases[] = {
      {"ard", "\0\x14\0\0"s, "\0\1\3\xea"s + std::string(1002, 'm')},
      {"unknown", "\0\x14\0\0"s, ""},
      {"unknown", "\0\x14\0\0"s, "\0\1\3\xeb"s + std::string(1002, 'm')},
      {"cloudflarewarp", warp, ""},
      {"wireguard", "\1\0\0\0sndr"s + std::string(124, 'k') + zeros(16), ""},
      {"n2n", n2n, n2n_answer},
      {"unknown", n2n, ""},
      {"unknown", n2n, "\3\2\0\x27othernet"s + zeros(12) + "cookie.."},
      {"nebula", nebula, ""},
      {"nebula", nebula, "\x10\0\0\0idx1"s + be32(0) + be32(2) + std::string(200, 'e')},
      {"unknown", nebula.substr(0, 80) + "\x0b" + nebula.substr(81), ""},
      {"pcanywhere", "NQ", "NRHOSTNAME____________\x02"},
      {"unknown", "NQ", ""},
      {"rustdesk", "\x32\x0b\x0a\x09" "123456789"s, ""},
      {"rustdesk", "\x32\x0d\x0a\x09" "123456789" "\x10\x07"s, ""},
      {"rustdesk", "\x7a\x35\x0a\x09" "123456789" "\x12\x10" "0123456789abcdef" "\x1a\x16"s + std::string(22, 'k'), ""},
      {"unknown", "\x32\x0b\x0a\x09" "1234\0" "6789"s, ""},
      {"softether", "A", "IP=192.0.2.1,PORT=40000"},
      {"softether", pack, ""},
      {"unknown", "A", ""},
      {"unknown", "A", "B"},
      {"yggdrasil", be16(0) + be16(5) + std::string(32, 'k') + be16(40001) + be16(64) + std::string(64, 'h'), "", true},
      {"unknown", be16(0) + be16(5) + std::string(32, 'k') + be16(40001) + be16(64) + std::string(64, 'h'), ""},
      {"zerotier", zerotier, ""},
      {"unknown", zerotier.substr(0, 41) + "\x8a\x01\x02\x03\x05" + zerotier.substr(46), ""},  // Not the sender's identity.
  };
  for (const RowCase& c : cases) EXPECT_EQ(certain_rows(c, true), c.protocol) << testing::PrintToString(c.client);
}

}  // namespace
}  // namespace weir::proto::identify
