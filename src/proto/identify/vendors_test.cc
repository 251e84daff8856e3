// SPDX-License-Identifier: Apache-2.0
#include "proto/identify/vendors.h"

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
/// Bytes that all differ, as far as there are so many.
std::string random_bytes(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += static_cast<char>(i * 167 + 13);
  return out;
}

struct Case {
  std::string protocol;  ///< The one row that says Yes; "unknown" if none may.
  std::string client, server;
};

/// Rows that say Yes. `later`: the connection was picked up in its middle.
std::string certain(const Case& c, bool udp, bool later = false) {
  std::string out;
  for (const Protocol* row : protocols()) {
    if (row->identify == nullptr || (udp ? !row->udp : !row->tcp)) continue;
    Evidence evidence{.client = as_bytes(c.client), .server = as_bytes(c.server)};
    evidence.ip_protocol = udp ? 17 : 6;
    evidence.server_port = 40000;
    evidence.roles_unsure = later;
    if (row->identify(evidence) == Match::Yes) out += (out.empty() ? "" : " ") + std::string(row->name);
  }
  return out.empty() ? "unknown" : out;
}

TEST(Vendors, Streams) {
  const std::string weave = "\x20\0\0\x13\1\0\0\0"s + "\1\0\0\0\0\x30\xb4\x18"s + "\4\0\0\0\2\x30\xb4\x18"s;
  const Case cases[] = {
      {"alicloud", "\xce\xfa\xbe\xba\x80\0\0\0"s, ""},
      {"unknown", "\xce\xfa\xbe\xba\x80\0\0\0"s, "HTTP"},
      {"dingtalk", "\x10\x64\x87\x80\1\0\1\0\2\0\2\x64\x6b\3\0\x20"s, ""},
      {"nestlogsink", weave, ""},
      {"unknown", weave.substr(0, 21) + "\x30\xb4\x19"s, ""},
      {"worldofwarcraft", "", "\x30\0WORLD OF WARCRAFT CONNECTION - SERVER TO CLIENT\0"s},
      {"xiaomi", "\xc2\xfe\0\5\0\0\0\xcd\0\2\0\x16\0\0\0\xaf"s, ""},
      {"unknown", "\xc2\xfe\0\5\0\0\0\xcd\0\2\0\x17\0\0\0\xaf"s, ""},
  };
  for (const Case& c : cases) EXPECT_EQ(certain(c, false), c.protocol) << testing::PrintToString(c.client);
}

TEST(Vendors, Datagrams) {
  const std::string minus_one = std::string(12, '\xff');
  const std::string unreal = "\x47\x1a\x20\0\x08\x98\x22\x65\x74\4"s + zeros(29) + "pUp-check-bytes";
  std::string challenge = "\x47\x1a\x20\x08\x08\x98\x22\x65\x74\4"s + std::string(29, 'c') + "check-byte";
  const std::string riot = "snd0rcv0" + std::string(20, 't') + be32(0xaaaaaaaa) + be32(0xbbbbbbbb);
  const std::string zoom = "\1\0\3\xc8"s + std::string(15, 'z') + zeros(4) + "\0\0\0\2"s + std::string(96, 'k');
  const std::string tags = "\0\x4f\x0e\x1d\0\0\x21\0\0\0\0\0\4SNI\0\x0e\0edge.agora.exaPDMD\4"s;
  const Case cases[] = {
      {"epicgames", unreal, challenge},
      {"unknown", unreal, ""},
      {"unknown", unreal, challenge.replace(3, 1, 1, '\0')},
      {"iqiyi", "\x1c\x40\x50\0tq"s + std::string(60, 'p') + "PPStream" + zeros(6), ""},
      {"unknown", "\x1c\x40\x51\0tq"s + std::string(60, 'p') + "PPStream" + zeros(6), ""},
      {"riotgames", riot, ""},
      {"sd-rtn", tags, ""},
      {"unknown", "\0\x4f\x0e\x1d\0\0\x21\0\0\0\0\0\4SNI\0\x12\0edge.agora.exaPDMD\4"s, ""},  // A length beyond the next tag.
      {"telegram", std::string(16, 't') + minus_one + "\xfe\xff\xff\xff" + "querysid", ""},
      {"unknown", std::string(16, 't') + minus_one + "\xfd\xff\xff\xff" + "querysid", ""},
      {"viber", "\xed\xf6\1\0\5\0"s + "tokenABC" + zeros(243), "\xed\xf6\x0c\0\1\0"s + "tokenABC" + zeros(40)},
      {"viber", "\xed\xf6\x19\0"s + "tokenABC" + zeros(22), "\xed\xf6\x1a\0"s + "tokenABC" + zeros(8)},
      {"unknown", "\xed\xf6\x19\0"s + "tokenABC" + zeros(22), "\xed\xf6\x1a\0"s + "tokenABD" + zeros(8)},
      {"zoom", zoom, "\2"s + zoom.substr(1, 18) + zeros(20)},
      {"unknown", zoom, ""},
      {"zug", "\0zUG\x10"s + std::string(117, 'b'), ""},
      {"nomachine", "\1\0\1\0\x0a\0\2\0\0\0"s, "\2\0\1\0\x0a\0\0\0\0\0"s},
      {"unknown", "\1\0\1\0\x0a\0\2\0\0\0"s, ""},
      {"coap", "\x42\1\xe9\x1b\7\x90\xb8separate"s, ""},
      {"coap", "\x41\1\x12\x34t\xb1" "a", "\x60\0\x12\x34"s},
      {"unknown", "\x42\1\xe9\x1b\7\x90\xb9separate"s, ""},  // An option longer than the datagram.
      {"discord", "\x81\xc9\0\7"s + std::string(48, 'e'), be32(0x1337cafe) + "\1\0\0\0"s},
      {"bfcp", "\x20\3\0\1\0\0\0\1\0\2\5\4"s, "\x20\4\0\1\0\0\0\1\0\2\5\4"s},
      {"unknown", "\x20\3\0\1\0\0\0\1\0\2\5\4"s, "\x20\4\0\1\0\0\0\1\0\3\5\4"s},  // Another transaction.
      {"dropbox", "{\"version\": [2, 0], \"port\": 17500, \"host_int\": 1, \"namespaces\": [3]}", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(certain(c, true), c.protocol) << testing::PrintToString(c.client);
}

TEST(Vendors, HandshakesOfBothSides) {
  const std::string auth = "\1\x02\4"s + random_bytes(257), ack = "\1\x0c\4"s + random_bytes(280);
  EXPECT_EQ(certain({"", auth, ack}, false), "ethereum");
  EXPECT_EQ(certain({"", auth, ""}, false), "unknown");
  EXPECT_EQ(certain({"", "\1\x02\4"s + std::string(257, 'x'), ack}, false), "unknown") << "no key is so even";
  EXPECT_EQ(certain({"", "\x20\3\0\1\0\0\0\1\0\2\5\4"s, "\x20\4\0\1\0\0\0\1\0\2\5\4"s}, false), "bfcp");
  EXPECT_EQ(certain({"", "\xca\x55\x2d\xfa\x0c\x0a\x0c\x11"s, ""}, false), "cassandra");
}

TEST(Vendors, ConnectionsInTheirMiddle) {
  const std::string publish = "\x32\x0a\0\4room\0\2on"s;  // QoS 1, packet 2.
  const std::string lnet = le32(0xc1) + zeros(36) + le32(12345) + le32(12345) + le32(1) + le32(520);
  const std::string produce = be32(60) + "\0\0\0\3"s + be32(2) + "\0\7rdkafka\xff\xff\0\1"s + be32(5000) + be32(1) + "\0\4logs"s;
  const Case cases[] = {
      {"amqp", "\1\0\1\0\0\0\x08\0\x3c\0\x28\0\0\0\0\xce"s, ""},
      {"mqtt", "\xd0\0"s + publish, "\xc0\0\x40\2\0\2"s},
      {"unknown", "\xd0\0"s + publish, "\xc0\0\x40\2\0\3"s},  // Acknowledges another.
      {"tds", "\1\1\0\x2c\0\0\1\0C\0O\0M\0M\0I\0T\0 \0T\0R\0A\0N\0"s, ""},
      {"tds", "\3\x09\1\x0c\0\0\1\0\5\0p\0r\0o\0c\0_\0\0\0\0\0\0\0"s, ""},
      {"unknown", "\1\1\0\x2c\0\0\1\0COMMIT TRANSACTION", ""},
      {"lustre", lnet, ""},
      {"kafka", produce, ""},
  };
  for (const Case& c : cases) EXPECT_EQ(certain(c, false, true), c.protocol) << testing::PrintToString(c.client);
  EXPECT_EQ(certain(cases[1], false), "unknown") << "a connection begins with CONNECT";
}

}  // namespace
}  // namespace weir::proto::identify
