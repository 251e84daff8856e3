// SPDX-License-Identifier: Apache-2.0
#include "proto/identify/stores.h"

#include <gtest/gtest.h>

#include "tests/kit/certain_rows.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_literals;
using namespace kit;

TEST(Stores, StreamsByTheirFirstBytes) {
  const std::string zookeeper = be32(45) + be32(0) + zeros(8) + be32(30000) + zeros(8) + be32(16) + zeros(17);
  const RowCase cases[] = {
      {"aerospike", "\2\1"s + zeros(4) + be16(5) + "node\n", "\2\1"s + zeros(4) + be16(22) + "node\tBB9A1B2C3D4E5F6\n"},
      {"unknown", "\2\1"s + zeros(4) + be16(5) + "node\n", ""},
      {"asterisk-ami", "", "Asterisk Call Manager/5.0.2\r\n"},
      {"bacula", be32(34) + "Hello *UserAgent* calling 10002 tls", ""},
      {"bacula", be32(22) + "Hello Start Job 4711\n", ""},
      {"unknown", be32(34) + "Hello world, this is a message.\n", ""},
      {"beanstalkd", "use mail\r\n", "USING mail\r\n"},
      {"unknown", "use mail\r\n", ""},
      {"beats", "2W" + be32(10) + "2C" + be32(200), ""},
      {"beats", "1W" + be32(1) + "1D" + be32(1), ""},
      {"unknown", "2W" + be32(10) + "2X", ""},
      {"bolt", "\x60\x60\xb0\x17\0\0\4\5\0\0\0\4"s + zeros(8), ""},
      {"unknown", "\x60\x60\xb0\x17\1"s + zeros(15), ""},
      {"clickhouse", "\0\x11" "ClickHouse client\x17"s, ""},
      {"clickhouse", "\0\x0f" "native-client/2\2"s, "\0\x0a" "ClickHouse\x17"s},
      {"unknown", "\0\x0f" "native-client/2\2"s, ""},
      {"cvspserver", "BEGIN AUTH REQUEST\n/cvs\n", ""},
      {"dict", "", "220 dict.example dictd 1.12.1/rf on Linux <auth.mime> <4711.1@dict.example>\r\n"},
      {"unknown", "", "220 mail.example dictd is not here\r\n"},
      {"distcc", "DIST00000001ARGC0000000cARGV", ""},
      {"firebird", be32(1) + be32(19) + be32(3) + be32(1) + be32(8) + "/data/db", ""},
      {"freeswitch", "", "Content-Type: auth/request\n\n"},
      {"hadoop", "hrpc\x09\0\xdf"s, ""},
      {"unknown", "hrpc\x09\0\x41"s, ""},
      {"hana", "\xff\xff\xff\xff\4\x20\0\4\1\0\0\1\1\1"s, ""},
      {"hazelcast", "CP2" + le32(22) + le16(0xc000) + le32(0x100) + zeros(12), ""},
      {"hazelcast", "HZC", "HZC"},
      {"unknown", "HZC", ""},
      {"hbase", "HBas\0\x50"s, ""},
      {"ibm-mq", "TSH " + be32(268) + "\2\1\x31" + zeros(20), ""},
      {"ibm-mq", "\xe3\xe2\xc8\xd4"s + be32(276) + "\1\1\x31" + zeros(20), ""},
      {"ignite", le32(8) + "\1" + le16(1) + le16(7) + le16(0) + "\2", ""},
      {"unknown", le32(8) + "\1" + le16(1) + le16(7) + le16(0) + "\7", ""},
      {"iperf3", "abcdefghijklmnopqrstuvwxyz234567abcd\0"s, ""},
      {"iperf3", "abcdefghijklmnopqrstuvwxyz234567abcd\0"s, "\x09"},
      {"unknown", "abcdefghijklmnopqrstuvwxyz234567abcde", ""},
      {"managesieve", "", "\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n"},
      {"mpd", "", "OK MPD 0.23.5\n"},
      {"msmq", "\x10\xc0\x0b\0LIOR"s + le32(572) + "\xff\xff\xff\xff", ""},
      {"mysqlx", "", "\5\0\0\0\x0b\x08\5\x1a\0"s},
      {"mysqlx", "\1\0\0\0\1"s, "\5\0\0\0\x0b\x08\5\x1a\0"s},
      {"nanomsg", "\0SP\0\0\x10\0\0"s, ""},
      {"unknown", "\0SP\1\0\x10\0\0"s, ""},
      {"nsq", "  V2IDENTIFY\n"s + be32(2) + "{}", ""},
      {"pulsar", be32(0x20) + be32(0x1c) + "\x08\2\x12\x18\x0a\x06" "go-1.0"s, ""},
      {"unknown", be32(0x20) + be32(0x1d) + "\x08\2\x12\x18\x0a\x06" "go-1.0"s, ""},
      {"rabbitmq-stream", be32(40) + be16(17) + be16(1) + be32(1) + be32(1) + be16(7) + "product", ""},
      {"rethinkdb", "\xc3\xbd\xc2\x34{\"protocol_version\":0", ""},
      {"saprouter", be32(48) + "NI_ROUTE\0\2\x28"s, ""},
      {"saprouter", "", be32(80) + "NI_RTERR\0"s},
      {"tarantool", "", "Tarantool 2.11.0 (Binary) 7170b4af-c72b-4f07-8729-08fc678543b1 \n"s + std::string(64, 's')},
      {"velocystream", "VST/1.1\r\n\r\n", ""},
      {"zookeeper", zookeeper, ""},
      {"zookeeper", "ruok", "imok"},
      {"unknown", "ruok", ""},
      {"unknown", zookeeper.substr(0, 31) + "\x11" + zookeeper.substr(32), ""},
  };
  for (const RowCase& c : cases) {
    EXPECT_EQ(certain_rows(c, false), c.protocol) << testing::PrintToString(c.client) << testing::PrintToString(c.server);
    if (c.protocol == "unknown") continue;
    EXPECT_EQ(cut_that_hides(c), std::string::npos) << c.protocol;
  }
}

TEST(Stores, DatagramsByTheirContent) {
  EXPECT_EQ(certain_rows({"amanda", "Amanda 2.6 REQ HANDLE 000-00000000 SEQ 1700000000\n", ""}, true), "amanda");
  EXPECT_EQ(certain_rows({"unknown", "Amanda was here, and there was more of it.", ""}, true), "unknown");
}

}  // namespace
}  // namespace weir::proto::identify
