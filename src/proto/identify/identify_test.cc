// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "proto/identify/rows.h"
#include "proto/registry.h"
#include "tests/kit/dialogue.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_literals;

std::string le32(std::uint32_t v) { return {static_cast<char>(v), static_cast<char>(v >> 8), static_cast<char>(v >> 16), static_cast<char>(v >> 24)}; }
std::string be32(std::uint32_t v) { return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string zeros(std::size_t n) { return std::string(n, '\0'); }

struct Case {
  std::string protocol;  ///< The one row that says Yes; "unknown" if none may.
  std::string client, server;
};

/// Rows that say Yes, in the order of the registry.
std::string certain(const Case& c, bool udp, std::uint16_t port = 40000) {
  std::string out;
  for (const Protocol* row : protocols()) {
    if (row->identify == nullptr || (udp ? !row->udp : !row->tcp)) continue;
    Evidence evidence{.client = as_bytes(c.client), .server = as_bytes(c.server)};
    evidence.ip_protocol = udp ? 17 : 6;
    evidence.server_port = port;
    if (row->identify(evidence) == Match::Yes) out += (out.empty() ? "" : " ") + std::string(row->name);
  }
  return out.empty() ? "unknown" : out;
}

const std::string kMysqlGreeting = "\x4a\0\0\0\x0a"s + "8.0.36\0"s + std::string(67, 'x');
const std::string kRpcNfs = be32(7) + be32(0) + be32(2) + be32(100003) + be32(3) + be32(1) + zeros(16);
const std::string kStunBinding = "\0\1\0\0\x21\x12\xa4\x42"s + std::string(12, 't');
const std::string kWireguardInitiation = "\1\0\0\0sndr"s + std::string(124, 'k') + zeros(16);
const std::string kIkeInit = "initiate"s + zeros(8) + "\x21\x20\x22\x08"s + zeros(4) + be32(48) + std::string(20, 'p');

TEST(Identify, StreamsByTheirFirstBytes) {
  const Case cases[] = {
      {"adb", "CNXN\0\0\0\1\0\0\1\0"s, ""},
      {"ajp", "\x12\x34\0\x40\2\2\0\x08HTTP/1.1"s, ""},
      {"amqp", "AMQP\0\0\x09\1"s, ""},
      {"bgp", std::string(16, '\xff') + "\0\x2d\1\4"s, ""},
      {"bitcoin", "\xf9\xbe\xb4\xd9version\0\0\0\0\0"s, ""},
      {"bittorrent", "\x13" "BitTorrent protocol", ""},
      {"cassandra", "\4\0\0\0\5\0\0\0\0"s + zeros(8), ""},
      {"citrix", "", "\x7f\x7fICA\0"s},
      {"diameter", "\1\0\0\x14\x80\0\1\1\0\0\0\0"s + std::string(8, 'i'), ""},
      {"dicom", "\1\0\0\0\0\xcd\0\1\0\0"s + std::string(16, 'A'), ""},
      {"dnp3", "\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x21"s, ""},  // reset of link 1 by 1024
      {"unknown", "\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x22"s, ""},  // with a wrong CRC
      {"edonkey", "\xe3\x4d\0\0\0\1\x10"s + std::string(16, 'h'), ""},
      {"enip", "\x65\0\4\0"s + zeros(20) + "\1\0\0\0"s, ""},
      {"gearman", "\0REQ\0\0\0\7\0\0\0\4"s, ""},
      {"git", "0032git-upload-pack /project.git\0"s, ""},
      {"gnutella", "GNUTELLA CONNECT/0.6\r\n", ""},
      {"hl7", "\x0bMSH|^~\\&|", ""},
      {"iec104", "\x68\4\7\0\0\0"s, ""},
      {"jdwp", "JDWP-Handshake", ""},
      {"kafka", "\0\0\0\x18\0\x12\0\3\0\0\0\1\0\4rdkc"s, ""},
      {"krb5", "\0\0\0\x80\x6a\x7e\x30\x7c\xa1\3\2\1\5\xa2\3\2\1\x0a"s + std::string(20, 'x'), ""},
      {"ldap", "\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0"s, ""},
      {"ldap", "\x30\x84\0\0\0\x10\2\1\1\x61\x84\0\0\0\7\x0a\1\0\4\0\4\0"s, ""} /* replaced below: an answer is the server's */,
      {"memcached", "set key 0 60 5\r\nhello\r\n", ""},
      {"memcached", "version\r\n", "VERSION 1.6.18\r\n"},
      {"memcached", "\x80\x0b\0\0\0\0\0\0\0\0\0\0"s + zeros(12), ""},
      {"modbus", "\0\1\0\0\0\6\1\3\0\0\0\x0a"s, ""},
      {"unknown", "\0\1\0\0\0\7\1\3\0\0\0\x0a"s, ""},  // A length that is not its function's.
      {"mongodb", le32(58) + le32(1) + le32(0) + le32(2013) + zeros(4), ""},
      {"mqtt", "\x10\x0c\0\4MQTT\5\2"s, ""},
      {"mysql", "", kMysqlGreeting},
      {"nats", "", "INFO {\"server_id\":"},
      {"ncp", "DmdT\0\0\0\x17"s, ""},
      {"nfs", "\x80\0\0\x28"s + kRpcNfs, ""},
      {"nomachine", "NXSH-8.0", ""},
      {"opcua", "HELF" + le32(60) + le32(0), ""},
      {"openvpn", "\0\x0e\x38sessionA\0\0\0\0\0"s, "\0\x1a\x40sessionB\1\0\0\0\0sessionA\0\0\0\0"s},
      {"pgsql", "\0\0\0\x08\x04\xd2\x16\x2f"s, ""},
      {"pgsql", "\0\0\0\x29\0\3\0\0user\0"s, ""},
      {"pptp", "\0\x9c\0\1\x1a\x2b\x3c\x4d\0\1\0\0"s, ""},
      {"radmin", "\1\0\0\0\1\0\0\0\x08\x08"s, ""},
      {"rdp", "\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0"s, ""},
      {"redis", "*1\r\n$4\r\nPING\r\n", ""},
      {"redis", "PING\r\n", "+PONG\r\n"},
      {"unknown", "PING\r\n", ""},
      {"jrmi", "JRMI\0\2K"s, ""},
      {"rsync", "", "@RSYNCD: 31.0\n"},
      {"rtmp", "\3\0\0\0\1\0\0\0\0"s + std::string(1000, 'r'), "\3\0\0\0\1\0\0\0\0"s},
      {"rtsp", "DESCRIBE rtsp://192.0.2.1/a RTSP/1.0\r\n", ""},
      {"s7comm", "\3\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2"s + "\3\0\0\x19\2\xf0\x80\x32\1"s, ""},
      {"unknown", "\3\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2"s, ""},  // TSAPs alone may be MMS.
      {"sip", "REGISTER sip:example.org SIP/2.0\r\n", ""},
      {"smart-install", be32(1) + be32(1) + be32(4) + be32(8), ""},
      {"smb", "\0\0\0\x55\xffSMBr"s, ""},
      {"spice", "REDQ" + le32(2), ""},
      {"stratum", "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n", ""},
      {"sunrpc", "\x80\0\0\x28"s + be32(7) + be32(0) + be32(2) + be32(100000) + be32(2) + be32(4) + zeros(16), ""},
      {"svn", "", "( success ( 2 2 ( ) ( edit-pipeline"},
      {"tds", "\x12\1\0\x2f\0\0\1\0\0\0\x1a\0\6\1"s, ""},
      {"teamviewer", "\x17\x24\x10\4\0"s, "\x17\x24\x11\4\0"s},
      {"tinc", "0 alpha 17.7\n", ""},
      {"x11", "l\0\x0b\0\0\0\0\0\0\0\0\0"s, ""},
      {"xmpp", "<?xml version='1.0'?><stream:stream to='example.org'", ""},
      {"zabbix", "ZBXD\1", ""},
      {"zmtp", "\xff\0\0\0\0\0\0\0\1\x7f\3"s, ""},
      {"http", "GET / HTTP/1.1\r\n", ""},
      {"tls", "\x16\3\1\2\0\1\0\1\xfc\3\3"s, ""},
      {"ssh", "SSH-2.0-OpenSSH_9.2\r\n", ""},
      {"unknown", zeros(200), zeros(200)},
      {"unknown", std::string(200, 'A'), ""},
  };
  for (const Case& c : cases) {
    if (c.protocol == "ldap" && c.client.find('\x61') != std::string::npos) {
      EXPECT_EQ(certain({"ldap", "", c.client}, false), "ldap");
      continue;
    }
    EXPECT_EQ(certain(c, false), c.protocol) << testing::PrintToString(c.client);
  }
}

TEST(Identify, DatagramsByTheirContent) {
  const Case cases[] = {
      {"bacnet", "\x81\x0b\0\x0c\1\x20\xff\xff\0\xff\x10\x08"s, ""},
      {"bittorrent", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping", ""},
      {"bittorrent", "\0\0\4\x17\x27\x10\x19\x80\0\0\0\0tran"s, ""},
      {"coap", "\x41\1\x12\x34t\xb1" "a", "\x61\x45\x12\x34t\xff" "b"},
      {"unknown", "\x41\1\x12\x34t\xb1" "a", ""},
      {"collectd", "\0\0\0\x09host\0\0\1\0\x0c"s + zeros(8) + "\0\2\0\x08" "cpu\0"s, ""},
      {"dropbox", "{\"host_int\": 1, \"version\": [2, 0], \"namespaces\": [3]}", ""},
      {"gtp", "\x32\1\0\4\0\0\0\0\0\0\0\0"s, ""},
      {"ike", kIkeInit, ""},
      {"ike", zeros(4) + kIkeInit, ""},
      {"ipmi", "\6\0\xff\7\0\0\0\0\0\0\0\0\0\x09\x20\x18\xc8\x81\0\x38\x8e\4\xb5"s, ""},
      {"krb5", "\x6a\x7e\x30\x7c\xa1\3\2\1\5\xa2\3\2\1\x0a"s + std::string(20, 'x'), ""},
      {"l2tp", "\xc8\2\0\x14"s + zeros(8) + "\x80\x08\0\0\0\0\0\1"s, ""},
      {"ldap", "\x30\x0e\2\1\1\x63\x09\4\0\x0a\1\0\x0a\1\0\2"s, ""},
      {"memcached", "\0\1\0\0\0\1\0\0stats\r\n"s, ""},
      {"mgcp", "AUEP 1 aaln/1@gw MGCP 1.0\r\n", ""},
      {"natpmp", "\0\1\0\0\x1f\x90\x1f\x90\0\0\x0e\x10"s, "\0\x81\0\0\0\0\0\1\x1f\x90\x1f\x90\0\0\x0e\x10"s},
      {"unknown", "\0\0"s, ""},
      {"netflow", "\0\5\0\1"s + zeros(20 + 48), ""},
      {"openvpn", "\x38sessionA\0\0\0\0\0"s, "\x40sessionB\1\0\0\0\0sessionA\0\0\0\0"s},
      {"unknown", "\x38sessionA\0\0\0\0\0"s, ""},
      {"pcp", "\2\1\0\0\0\0\x0e\x10"s + zeros(10) + "\xff\xff\xc0\0\2\1"s + std::string(12, 'n') + "\6\0\0\0\x1f\x90\0\0"s + zeros(16), ""},
      {"radius", "\1\7\0\x1b"s + std::string(16, 'a') + "\1\7alice", ""},
      {"unknown", "\1\7\0\x1b"s + std::string(16, 'a') + "\1\x08" "alice", ""},
      {"rtcp", "\x81\xc9\0\7"s + std::string(28, 'r'), ""},
      {"rtp", "\x80\0\0\1\0\0\0\1srcAx"s, "\x80\0\0\1\0\0\0\1srcBx"s},
      {"unknown", "\x80\0\0\1\0\0\0\1srcAx"s, ""},
      {"sflow", be32(5) + be32(1) + be32(1) + zeros(12) + be32(1) + be32(1) + be32(4) + zeros(4), ""},
      {"sip", "INVITE sip:bob@example.org SIP/2.0\r\n", ""},
      {"ssdp", "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", ""},
      {"ssdp", "", "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n"},
      {"stun", kStunBinding, ""},
      {"nfs", kRpcNfs, ""},
      {"syslog", "<34>Oct 11 22:14:15 mymachine su: failed", ""},
      {"syslog", "<165>1 2003-08-24T05:14:15Z host app - - -", ""},
      {"tailscale", "TS\xf0\x9f\x92\xac" + std::string(60, 'd'), ""},
      {"vxlan", "\x08\0\0\0\0\0\5\0"s + std::string(12, 'm') + "\x08\0\x45"s + zeros(30), ""},
      {"wireguard", kWireguardInitiation, ""},
      {"wireguard", "\4\0\0\0"s + std::string(28, 'd'), "\4\0\0\0"s + std::string(28, 'd')},
      {"unknown", "\4\0\0\0"s + std::string(28, 'd'), ""},
      {"unknown", zeros(48), zeros(48)},
      {"dns", "\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\0\0\1\0\1"s, ""},
  };
  for (const Case& c : cases) EXPECT_EQ(certain(c, true), c.protocol) << testing::PrintToString(c.client);
  EXPECT_EQ(certain({"natpmp", "\0\0"s, ""}, true, 5351), "natpmp");
}

TEST(Identify, FactsOfOneMessage) {
  struct Said {
    const Protocol* row;
    bool udp;
    std::string client;
    std::string_view line;
  };
  const Said cases[] = {
      {&kSip, true, "INVITE sip:bob@example.org SIP/2.0\r\n", "sip.method=INVITE"},
      {&kSip, true, "REGISTER sip:example.org SIP/2.0\r\nAuthorization: Digest username=\"bob\", realm=\"example.org\", nonce=\"x\"\r\n\r\n",
       "sip.method=REGISTER auth.user=bob auth.realm=example.org auth.scheme=digest"},
      {&kSsdp, true, "M-SEARCH * HTTP/1.1\r\n\r\n", "ssdp.method=M-SEARCH"},
      {&kStun, true, kStunBinding, "stun.method=binding"},
      {&kStun, true, "\0\3\0\0\x21\x12\xa4\x42"s + std::string(12, 't'), "stun.method=allocate"},
      {&kMemcached, true, "\0\1\0\0\0\1\0\0stats\r\n"s, "memcached.command=stats"},
      {&kMemcached, false, "set k 0 0 3\r\nget\r\nflush_all\r\n", "memcached.command=flush_all"},
      {&kRedis, false, "*3\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$3\r\ndir\r\n", "redis.command=CONFIG"},
      {&kModbus, false, "\0\1\0\0\0\6\1\5\0\0\xff\0"s, "modbus.function=write-single-coil"},
      {&kDnp3, false, "\5\x64\x08\xc4\1\0\0\4\x0d\x71\xc0\xc1\5\x11\x22"s, "dnp3.function=direct-operate"},
  };
  for (const Said& c : cases) {
    kit::Dialogue d(*c.row);
    if (c.udp) d.datagram(Side::Client, c.client);
    else d.client(c.client);
    EXPECT_TRUE(d.said("end " + std::string(c.line))) << d.outcome();
    if (c.udp) continue;
    kit::Dialogue drip(*c.row);
    drip.drip(Side::Client, c.client);
    EXPECT_EQ(drip.outcome(), d.outcome());
  }
}

const std::string kDtlsHello = "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x34\1\0\0\x28\0\0\0\0\0\0\0\x28\xfe\xfd"s + std::string(32, 'r') + zeros(6);

TEST(Identify, StunHandsOverToWhatItOpenedThePathFor) {
  kit::Dialogue secure(kStun);
  secure.datagram(Side::Client, kStunBinding);
  EXPECT_FALSE(secure.said("carry")) << secure.outcome();
  secure.datagram(Side::Client, kDtlsHello);
  EXPECT_TRUE(secure.said("carry dtls")) << secure.outcome();

  const std::string first = "\x80\x78\0\1\0\0\0\1srcAx"s, second = "\x80\x78\0\2\0\0\0\xa1srcAx"s, other = "\x80\x78\0\2\0\0\0\xa1srcBx"s;
  kit::Dialogue media(kStun);
  media.datagram(Side::Client, kStunBinding);
  media.datagram(Side::Client, first);
  media.datagram(Side::Client, other);
  media.datagram(Side::Client, first);
  EXPECT_FALSE(media.said("refine")) << "no two of one source follow each other: " << media.outcome();
  media.datagram(Side::Client, second);
  EXPECT_TRUE(media.said("refine rtp") && media.said("refine srtp")) << media.outcome();

  kit::Dialogue classic(kStun);  // RFC 3489: no cookie.
  classic.datagram(Side::Client, "\0\1\0\x08"s + std::string(16, 't') + "\0\3\0\4\0\0\0\0"s);
  classic.datagram(Side::Server, first);
  classic.datagram(Side::Server, second);
  EXPECT_TRUE(classic.said("refine rtp") && !classic.said("refine srtp")) << classic.outcome();
}

}  // namespace
}  // namespace weir::proto::identify
