// SPDX-License-Identifier: Apache-2.0
#include "proto/identify/signatures.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/registry.h"
#include "tests/kit/dialogue.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_literals;

std::string be32(std::uint32_t v) { return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string le32(std::uint32_t v) { return {static_cast<char>(v), static_cast<char>(v >> 8), static_cast<char>(v >> 16), static_cast<char>(v >> 24)}; }
std::string zeros(std::size_t n) { return std::string(n, '\0'); }

struct Case {
  std::string protocol;  ///< The one row that says Yes; "unknown" if none may.
  std::string client, server;
  bool group = false;
};

std::string certain(const Case& c, bool udp) {
  std::string out;
  for (const Protocol* row : protocols()) {
    if (row->identify == nullptr || (udp ? !row->udp : !row->tcp)) continue;
    Evidence evidence{.client = as_bytes(c.client), .server = as_bytes(c.server)};
    evidence.ip_protocol = udp ? 17 : 6;
    evidence.server_port = 40000;
    evidence.group_destination = c.group;
    if (row->identify(evidence) == Match::Yes) out += (out.empty() ? "" : " ") + std::string(row->name);
  }
  return out.empty() ? "unknown" : out;
}

TEST(Signatures, Streams) {
  const Case cases[] = {
      {"atg", "\1I20100\n", ""},
      {"beckhoffads", "\0\0\x20\0\0\0"s + std::string(16, 'n') + "\1\0\4\0"s + zeros(12), ""},
      {"bfcp", "\x20\x0b\0\0\0\0\0\1\0\1\0\1"s, ""},
      {"ceph", "", "ceph v2\n"},
      {"checkmk", "", "<<<check_mk>>>\nVersion: 2\n"},
      {"corba", "GIOP\1\2\0\0"s, ""},
      {"elasticsearch", "ES\0\0\0\x30"s + zeros(8) + "\0\0\x6c"s, ""},
      {"fastcgi", "\1\1\0\1\0\x08\0\0\0\1\0"s + zeros(5), ""},
      {"fins", "FINS\0\0\0\x0c\0\0\0\0"s, ""},
      {"fix", "8=FIX.4.2\1" "9=65\1", ""},
      {"haproxy", "PROXY TCP4 192.0.2.1 198.51.100.2 4000 80\r\n", ""},
      {"haproxy", "\r\n\r\n\0\r\nQUIT\n\x21"s, ""},
      {"hart-ip", "\1\0\0\0\0\1\0\x0d\1\0\0\x75\x30"s, ""},
      {"kismet", "", "*KISMET: 0.0.0 1"},
      {"ldp", "\0\1\0\x20\xc0\0\2\1\0\0\2\0\0\x16\0\0\0\1"s, ""},
      {"lustre", "\0\x71\xce\xac\1\0\0\0"s, ""},
      {"munin", "", "# munin node at a.example\n"},
      {"nano", "RC\x14\x14\x12\x0a\5\0"s, ""},
      {"ookla", "HI 12345678-1234-1234-1234-123456789012\n", ""},
      {"ookla", "HI\n", "HELLO 2.9 (2.9.2)\n"},
      {"openflow", "\4\0\0\x08\0\0\0\1"s, "\4\0\0\x08\0\0\0\2"s},
      {"unknown", "\4\0\0\x08\0\0\0\1"s, ""},
      {"openwire", "\0\0\0\xf0\1" "ActiveMQ"s, ""},
      {"oscar", "*\1\x12\x34\0\4\0\0\0\1"s, ""},
      {"rsh", "1023\0root\0admin\0id\0"s, ""},
      {"service-location-protocol", "\2\1\0\0\x31\0\0\0\0\0\0\1\0\2en"s, ""},
      {"ciscoskinny", le32(40) + le32(0x14) + le32(1) + "SEP001122334455", ""},
      {"smpp", be32(40) + be32(2) + be32(0) + be32(1) + "user\0"s, ""},
      {"someip", "\x12\x34\0\1"s + be32(8) + "\0\1\0\1\1\1\0\0"s, ""},
      {"steam", le32(32) + "VT01", ""},
      {"stomp", "CONNECT\naccept-version:1.2\n", ""},
      {"tacacs", "\xc0\1\1\0"s + be32(7) + be32(20), ""},
      {"thrift", "\x80\1\0\1\0\0\0\4ping\0\0\0\1"s, ""},
      {"thrift", be32(17) + "\x80\1\0\1\0\0\0\4ping\0\0\0\1"s, ""},
      {"tns", "\0\xc8\0\0\1\0\0\0\1\x3a\1\x2c"s, ""},
      {"usenet", "MODE READER\r\n", "200 news.example ready\r\n"},
      {"unknown", "", "200 news.example ready\r\n"},
      {"whatsapp", "WA\6\3\0\0\x24"s, ""},
      {"whois-das", "example.org\r\n", "% IANA WHOIS server\r\n"},
      {"unknown", "example.org\r\n", ""},
      {"afp", "\0\4\0\1"s + zeros(4) + be32(6) + zeros(4) + "\1\4\0\0\4\0"s, "\1\4\0\1"s + zeros(4) + be32(6) + zeros(4)},
      {"unknown", "\0\4\0\1"s + zeros(4) + be32(6) + zeros(4), "\1\4\0\2"s + zeros(4) + be32(6) + zeros(4)},
      {"c1222", "\x60\x0e\xa2\3\6\1\x0a\xbe\7\x28\5\x81\3\x80\1\2"s, ""},
      {"doip", "\2\xfd\0\5"s + be32(7) + "\x0e\x80\0\0\0\0\0"s, ""},
      {"drda", "\0\x50\xd0\x41\0\1\0\x4a\x10\x41"s, ""},
      {"hislip", "HS\0\0"s + zeros(2) + zeros(2) + zeros(6) + "\0\7"s, ""},
      {"iscsi", "\x43\x87\0\0\0\0\0\x40"s + std::string(40, 'i') + "InitiatorName=iqn.", ""},
      {"minecraft", "\x11\0\xfb\5\x0amc.example\x63\xdd\1"s, ""},
      {"unknown", "\x11\0\xfb\5\x0amc.example\x63\xdd\4"s, ""},
      {"z3950", "\xb4\x58\x83\2\0\xe0\x84\3\0\xc1\xa2\x85\4\4"s + zeros(4), ""},
  };
  for (const Case& c : cases) EXPECT_EQ(certain(c, false), c.protocol) << testing::PrintToString(c.client);
}

TEST(Signatures, Datagrams) {
  const std::string raknet = "\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78"s;
  const Case cases[] = {
      {"bjnp", "BJNP\2\1\0\0\0\1\0\0\0\0\0\0"s, ""},
      {"capwap", "\0\x10\2\0\0\0\0\0\0\0\0\1\0\0\3\0"s, ""},
      {"cip", "\2\0\2\x80\x08\0"s + zeros(8) + "\xb1\0\2\0ab"s, ""},
      {"discord", "\0\1\0\x46"s + zeros(70), ""},
      {"dlep", "DLEP\0\1\0\0"s, ""},
      {"dnscrypt", "", "r6fnvWj8" + std::string(60, 'c')},
      {"hsrp", "\0\0\x10\3\x0a\x78\1\0"s + "cisco\0\0\0"s + "\xc0\0\2\1"s, "", true},
      {"unknown", "\0\0\x10\3\x0a\x78\1\0"s + "cisco\0\0\0"s + "\xc0\0\2\1"s, ""},
      {"iax", "\x80\1\0\0\0\0\0\1\0\0\6\1\x0b\2\0\2"s, ""},
      {"knxnet-ip", "\6\x10\2\1\0\x0e\x08\1\xc0\0\2\1\x0e\x57"s, ""},
      {"megaco", "MEGACO/1 [192.0.2.1]:2944\r\n", ""},
      {"mgcp", "RQNT 1 *@gw MGCP 0.1\r\n", ""},
      {"mpeg-ts", "\x47\x40\0\x10"s + std::string(184, 'p') + "\x47\1\0\x11"s + std::string(184, 'p'), ""},
      {"pfcp", "\x20\5\0\x0c\0\0\1\0\0\x3c\0\5\0\xc0\0\2"s, ""},
      {"quake", "\xff\xff\xff\xffgetstatus\n"s, ""},
      {"raknet", "\5"s + raknet + "\6", ""},
      {"rdp", "\xff\xff\xff\xff\0\x40\x18\1\0\0\0\1\4\xd0\4\xd0"s + zeros(1216), ""},
      {"roughtime", "ROUGHTIM" + le32(8) + zeros(8), ""},
      {"rtps", "RTPS\2\3\1\1" + std::string(12, 'g'), ""},
      {"rx", zeros(8) + be32(1) + be32(1) + be32(1) + "\1\5\0\0\0\0\0\x34"s + be32(504), ""},
      {"service-location-protocol", "\2\1\0\0\x14\x20\0\0\0\0\0\1\0\2en\0\0\0\0"s, ""},
      {"someip", "\xff\xff\x81\0"s + be32(12) + "\0\0\0\1\1\1\2\0"s + zeros(4), ""},
      {"source-engine", "\xff\xff\xff\xffTSource Engine Query\0"s, ""},
      {"spotify", "SpotUdp0" + zeros(30), ""},
      {"stun", "\0\1\0\x08"s + std::string(16, 't') + "\0\3\0\4\0\0\0\0"s, ""},
      {"syncthing", "\x2e\xa7\xd9\x0b"s + std::string(40, 's'), ""},
      {"teamspeak", "TS3INIT1" + zeros(26), ""},
      {"tftp", "\0\1rfc1350.txt\0octet\0"s, ""},
      {"tivoconnect", "TiVoConnect=1\n", ""},
      {"tplink-shp", "\xd0\xf2\x81\xf8\x8b\xff\x9a\xf7"s, ""},  // {"syste
      {"trdp", be32(0) + "\1\0Pd"s + zeros(12) + be32(0) + zeros(16), ""},
      {"tuyalp", be32(0x55aa) + zeros(8) + be32(8) + zeros(4) + be32(0xaa55), ""},
      {"uftp", "\x40\1\0\0"s + std::string(10, 'u') + zeros(2) + "\1\6"s + zeros(22), ""},
      {"ayiya", "\x44\x52\x11\x29"s + std::string(60, 'a'), ""},
      {"bfd", "\x20\x40\3\x18"s + be32(1) + be32(0) + be32(1000000) + be32(1000000) + be32(0), ""},
      {"unknown", "\x20\xc0\3\x18"s + be32(1) + be32(0) + be32(1000000) + be32(1000000) + be32(0), ""},  // Up, without the other.
      {"c1222", "\x60\x0e\xa2\3\6\1\x0a\xbe\7\x28\5\x81\3\x80\1\2"s, ""},
      {"cpha", "\x1a\x90\0\6\0\1\0\1"s + zeros(32), ""},
      {"doip", "\2\xfd\0\1"s + be32(0), ""},
      {"egd", "\x0d\1\0\1\xc0\0\2\1"s + le32(1) + le32(1500000000) + le32(1) + be32(1) + be32(0) + be32(0) + "data", ""},
      {"ethersio", "ESIO\0\1"s + zeros(20), ""},
      {"flute", "\x10\xa0\4\0"s + zeros(12) + "<?xml version=\"1.0\"?><FDT-Instance Expires=\"1\">", ""},
      {"glbp", "\1\0\0\1\0\0"s + "\0\7\xb4\0\1\1"s + "\1\6\0\x20\0\0"s, "", true},
      {"lisp", "\x30\0\1\1"s + std::string(8, 'n') + "\0\1\0\x14"s + std::string(20, 'a') + zeros(24), ""},
      {"mumble", zeros(4) + "identity", "\0\1\2\3"s + "identity" + be32(1) + be32(100) + be32(72000)},
      {"unknown", zeros(4) + "identity", "\0\1\2\3"s + "identify" + be32(1) + be32(100) + be32(72000)},
      {"oicq", "\2\x14\x15\0\x12\0\1\0\0\x27\x10qqqqqq\3"s, "\2\1\0\0\x12\0\1\0\0\x27\x10rrrr\3"s},
      {"ptpv2", "\0\2\0\x2c"s + zeros(28) + "\0\1"s + zeros(10), ""},
      {"rip", "\2\2\0\0\0\2\0\0"s + be32(0xc0000200) + be32(0xffffff00) + be32(0) + be32(1), ""},
      {"unknown", "\2\2\0\0\0\2\0\0"s + be32(0xc0000200) + be32(0xffffff00) + be32(0) + be32(17), ""},
      {"ubntac2", "\1\0\0\x0c\1\0\6macadr\x0b\0\0"s, ""},
      {"yojimbo", "\0NETCODE 1.01\0"s + std::string(1064, 'n'), ""},
      {"xdmcp", "\0\1\0\1\0\1\0"s, ""},
  };
  for (const Case& c : cases) EXPECT_EQ(certain(c, true), c.protocol) << testing::PrintToString(c.client);
}

TEST(Signatures, ChecksumsMustBeRight) {
  // A SNRM frame of IEC 62056-46 whose check is 0x9303, little-endian at the end.
  const std::string snrm = "\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e"s;
  EXPECT_EQ(certain({"", snrm, ""}, true), "iec62056");
  EXPECT_EQ(certain({"", "\x7e\xa0\x07\x03\x21\x93\x0f\x02\x7e"s, ""}, true), "unknown");
}

TEST(Signatures, PacketsOfOneSourceFollowEachOther) {
  const std::string first = "\x80\x60\0\1\0\0\0\1srcAx"s, second = "\x80\x60\0\2\0\0\0\xa1srcAx"s, third = "\x80\x60\0\1\0\0\0\xa1srcBx"s;
  for (const Protocol* row : protocols()) {
    if (row->name != "rtp") continue;
    EXPECT_EQ(row->identify({.client = as_bytes(second), .before = as_bytes(first), .ip_protocol = 17}), Match::Yes);
    EXPECT_EQ(row->identify({.client = as_bytes(third), .before = as_bytes(first), .ip_protocol = 17}), Match::Maybe);
  }
}

}  // namespace
}  // namespace weir::proto::identify
