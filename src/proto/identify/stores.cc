// SPDX-License-Identifier: Apache-2.0
// Databases, brokers and the daemons beside them.

#include "proto/identify/stores.h"

#include <algorithm>

#include "base/text.h"
#include "proto/identify/probe.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

Match open(Match match) { return match == Match::No ? Match::No : Match::Maybe; }

/// Aerospike (its client library, as_proto.h): version 2, type 1 (a question in words), six bytes of length; the answer begins with the question.
Match aerospike_info(Bytes b) {
  return Probe(b).byte(0, 2).byte(1, 1).zero(2, 4).be16(6, 1, 8192).byte(8, 'a', 'z').byte(9, 'a', 'z').byte(10, '-', 'z').match();
}

/// Bacula (Developer's Guide, "Daemon Protocol"): a length, then who calls.
Match bacula_hello(Bytes b) {
  const Probe head = Probe(b).be16(0, 0).be16(2, 12, 512).text(4, "Hello ").least(12);
  if (head.match() != Match::Yes) return head.match();
  const std::string_view words = as_text(b).substr(10, 160);
  if (words.find(" calling"sv) != std::string_view::npos || words.starts_with("Start Job"sv)) return Match::Yes;
  const std::size_t line = words.find('\n');
  return line == std::string_view::npos && b.size() < 170 ? Match::Maybe : Match::No;
}

/// beanstalkd (its doc/protocol.txt).
Match beanstalkd_client(Bytes b) {
  return begins(b, {"put "sv, "use "sv, "watch "sv, "reserve\r\n"sv, "reserve-with-timeout "sv, "stats\r\n"sv, "list-tubes\r\n"sv});
}
Match beanstalkd_server(Bytes b) { return begins(b, {"INSERTED "sv, "USING "sv, "WATCHING "sv, "RESERVED "sv, "TIMED_OUT\r\n"sv}); }

/// Beats and Lumberjack (logstash-input-beats, PROTOCOL.md): a window in frames, and then the first of them.
Match beats_window(Bytes b) {
  const Match window = Probe(b).byte(0, '1', '2').byte(1, 'W').be16(2, 0).be16(4, 1, 65535).match();
  if (window != Match::Yes) return window;
  return std::min(Probe(b).byte(6, b[0]).match(), begins(b.subspan(std::min<std::size_t>(b.size(), 7)), {"C"sv, "D"sv, "J"sv}));
}

/// Neo4j's Bolt (Bolt Protocol Handshake Specification): a magic number, and versions that begin with a reserved byte.
Match bolt_client(Bytes b) { return Probe(b).be32(0, 0x6060b017).byte(4, 0).byte(7, 1, 255).byte(8, 0).least(20).match(); }
Match bolt_server(Bytes b) { return open(Probe(b).byte(0, 0).match()); }

/// ClickHouse's native protocol (its documentation): hello is packet 0, then a name behind its length; a client may have a name of its own.
Match clickhouse_client(Bytes b) {
  const Match name = Probe(b).byte(0, 0).byte(1, 4, 64).text(2, "ClickHouse"sv).match();
  return std::max(name, open(Probe(b).byte(0, 0).byte(1, 4, 64).printable(2, 4).match()));
}
Match clickhouse_server(Bytes b) {
  const Match name = Probe(b).byte(0, 0).byte(1, 10).text(2, "ClickHouse"sv).match();
  return std::max(name, open(Probe(b).byte(0, 2).match()));  // Or an exception.
}

/// DICT (RFC 2229, 3.1): a greeting with capabilities and a message id in angle brackets.
Match dict_server(Bytes b) {
  if (Probe(b).text(0, "220 ").failed()) return Match::No;
  if (!has_line(b)) return b.size() < 512 ? Match::Maybe : Match::No;
  const std::string_view line = first_line(b);
  const std::size_t at = line.find(" dictd ");
  return at != std::string_view::npos && line.find("> <", at) != std::string_view::npos && line.ends_with('>') ? Match::Yes : Match::No;
}

/// Firebird (its protocol.h): op_connect, the operation that follows (attach, create, service), a version, an architecture.
Match firebird_connect(Bytes b) { return Probe(b).be32(0, 1).be32(4, 18, 82).be32(8, 2, 3).be32(12, 1, 64).be32(16, 1, 1024).match(); }

/// Hadoop's calls (its Server.java): magic, version, class of service, authentication: none, or SASL. HBase has the like (its reference guide).
Match hadoop_client(Bytes b) {
  const Probe head = Probe(b).text(0, "hrpc").byte(4, 7, 9).byte(5, 0).least(7);
  return head.match() == Match::Yes && b[6] != 0 && b[6] != 0xdf && b[6] != 0x50 && b[6] != 0x51 ? Match::No : head.match();
}
Match hbase_client(Bytes b) { return Probe(b).text(0, "HBas").byte(4, 0).byte(5, 0x50, 0x53).match(); }

/// Hazelcast (its Open Binary Client Protocol): "CP2", then a frame of an authentication, whole in itself; members say "HZC" to each other.
Match hazelcast_client(Bytes b) {
  return std::max(Probe(b).text(0, "CP2").le32(3, 22, 1024).le16(7, 0xc000).le32(9, 0x100, 0x200).match(), open(Probe(b).text(0, "HZC").match()));
}
Match hazelcast_member(Bytes b) { return Probe(b).text(0, "HZC").match(); }

/// IBM MQ (Wireshark's description of the channel's segment header): a name in ASCII or EBCDIC, a length, and how numbers are written.
Match ibm_mq_segment(Bytes b) {
  const Match name = begins(b, {"TSH "sv, "TSHC"sv, "TSHM"sv, "\xe3\xe2\xc8\x40"sv, "\xe3\xe2\xc8\xc3"sv, "\xe3\xe2\xc8\xd4"sv});
  return name != Match::Yes ? name : Probe(b).be16(4, 0).be16(6, 28, 32767).least(28).match();
}

/// Apache Ignite's thin clients (Binary Client Protocol, "Connection Handshake"): a length, 1, version 1, the client's kind.
Match ignite_client(Bytes b) { return Probe(b).le32(0, 8, 1024).byte(4, 1).le16(5, 1).le16(7, 0, 9).le16(9, 0, 9).byte(11, 1, 3).match(); }

/// iperf3 (its net and api code): a cookie of 36 letters and digits of base 32, ended by NUL.
Match iperf_cookie(Bytes b) {
  for (std::size_t i = 0; i < std::min<std::size_t>(b.size(), 36); ++i)
    if (!((b[i] >= 'a' && b[i] <= 'z') || (b[i] >= '2' && b[i] <= '7'))) return Match::No;
  return Probe(b).byte(36, 0).match();
}

/// MSMQ (MS-MQMQ 2.2.19.1): version 10h, a signature, the packet's size.
Match msmq_packet(Bytes b) { return Probe(b).byte(0, 0x10).text(4, "LIOR").le32(8, 16, 4 << 20).match(); }

/// MySQL's X protocol (its manual, "Notices"): the server greets with an empty notice of type 5; a client asks for capabilities, or sets them.
Match mysqlx_client(Bytes b) { return open(Probe(b).le32(0, 1, 1 << 16).byte(4, 1, 5).match()); }
Match mysqlx_server(Bytes b) { return Probe(b).le32(0, 5).byte(4, 0x0b).text(5, "\x08\x05\x1a\0"sv).match(); }

/// Scalability protocols over TCP (nanomsg's sp-tcp-mapping-01, 2): both ends say "SP", the version and the kind of their socket.
Match sp_header(Bytes b) { return Probe(b).text(0, "\0SP\0"sv).be16(4, 1, 0x7f).be16(6, 0).match(); }

/// Apache Pulsar (its binary protocol): sizes of the frame and of the command, which is all of it: CONNECT, with the client's version.
Match pulsar_connect(Bytes b) {
  Probe probe(b);
  probe.be16(0, 0).be16(4, 0).text(8, "\x08\x02\x12"sv).least(12);
  return b.size() >= 8 && probe.be32_at(0) != probe.be32_at(4) + 4 ? Match::No : probe.match();
}

/// RabbitMQ's streams (its PROTOCOL.adoc): a size, key 17 (PeerProperties), version 1, and properties by name.
Match rabbitmq_properties(Bytes b) { return Probe(b).be32(0, 12, 8192).be16(4, 17).be16(6, 1).be32(12, 1, 64).be16(16, 1, 64).printable(18, 4).match(); }

/// SAP's router (SAP note on NI; pysap's description): a length, and words that end with NUL.
Match saprouter_message(Bytes b) {
  const Match head = Probe(b).be16(0, 0).be16(2, 8, 8192).match();
  return head != Match::Yes ? head : begins(b.subspan(4), {"NI_ROUTE\0"sv, "NI_RTERR\0"sv, "NI_PING\0"sv, "NI_PONG\0"sv, "ROUTER_ADM\0"sv});
}

/// Apache ZooKeeper (zookeeper.jute, ConnectRequest): a length, version 0, time-out, a session, a password of sixteen bytes; or a word of four
/// letters, which only its answer confirms.
Match zookeeper_client(Bytes b) {
  const Match connect = Probe(b).be32(0, 44, 45).be32(4, 0).be32(16, 1, 10'000'000).be32(28, 16).match();
  return std::max(connect, open(begins(b, {"ruok"sv, "srvr"sv, "stat"sv, "mntr"sv, "conf"sv, "envi"sv, "isro"sv})));
}
Match zookeeper_server(Bytes b) {
  const Match words = begins(b, {"imok"sv, "Zookeeper version: "sv, "zk_version\t"sv, "clientPort="sv});
  return std::max(words, open(Probe(b).be32(0, 36, 37).match()));
}

}  // namespace

Match aerospike(const Evidence& e) { return both_sides(e, aerospike_info, aerospike_info); }
Match amanda(const Evidence& e) {
  return datagrams(e, [](Bytes b) { return b.size() > 24 && Probe(b).text(0, "Amanda ").byte(7, '1', '9').byte(8, '.').holds(); });
}
Match asterisk_ami(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return begins(b, {"Asterisk Call Manager/"sv}); }); }
Match bacula(const Evidence& e) { return sides(e, bacula_hello, any_side); }
Match beanstalkd(const Evidence& e) { return both_sides(e, beanstalkd_client, beanstalkd_server); }
Match beats(const Evidence& e) { return sides(e, beats_window, [](Bytes b) { return open(Probe(b).byte(0, '1', '2').byte(1, 'A').match()); }); }
Match bolt(const Evidence& e) { return sides(e, bolt_client, bolt_server); }
Match clickhouse(const Evidence& e) { return sides(e, clickhouse_client, clickhouse_server); }
// CVS (its client/server protocol, "Connection and Authentication").
Match cvspserver(const Evidence& e) {
  return sides(e, [](Bytes b) { return begins(b, {"BEGIN AUTH REQUEST\n"sv, "BEGIN VERIFICATION REQUEST\n"sv, "BEGIN GSSAPI REQUEST\n"sv}); }, any_side);
}
Match dict(const Evidence& e) { return sides(e, any_side, dict_server); }
// distcc (its doc/protocol-1.txt): tokens of four letters with eight digits; the version, and how many arguments come.
Match distcc(const Evidence& e) {
  return sides(e, [](Bytes b) { return Probe(b).text(0, "DIST0000000").byte(11, '1', '3').text(12, "ARGC").match(); },
               [](Bytes b) { return open(Probe(b).text(0, "DONE").match()); });
}
Match firebird(const Evidence& e) { return sides(e, firebird_connect, [](Bytes b) { return open(Probe(b).zero(0, 3).match()); }); }
// FreeSWITCH's event socket (its mod_event_socket).
Match freeswitch(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return begins(b, {"Content-Type: auth/request\n\n"sv}); }); }
Match hadoop(const Evidence& e) { return sides(e, hadoop_client, any_side); }
// SAP HANA (SQL Command Network Protocol, "Communication Initialization").
Match hana(const Evidence& e) { return sides(e, [](Bytes b) { return begins(b, {"\xff\xff\xff\xff\x04\x20\x00\x04"sv}); }, any_side); }
Match hazelcast(const Evidence& e) { return sides(e, hazelcast_client, [](Bytes b) { return b.empty() || b[0] != 'H' ? Match::Maybe : hazelcast_member(b); }); }
Match hbase(const Evidence& e) { return sides(e, hbase_client, any_side); }
Match ibm_mq(const Evidence& e) { return sides(e, ibm_mq_segment, ibm_mq_segment); }
Match ignite(const Evidence& e) { return sides(e, ignite_client, [](Bytes b) { return open(Probe(b).le32(0, 1, 4096).byte(4, 0, 1).match()); }); }
Match iperf(const Evidence& e) { return sides(e, iperf_cookie, [](Bytes b) { return open(Probe(b).byte(0, 9).match()); }); }
// ManageSieve (RFC 5804, 1.7): the first capability of a greeting.
Match managesieve(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return begins(b, {"\"IMPLEMENTATION\" \""sv}); }); }
// The Music Player Daemon (its protocol's documentation).
Match mpd(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return begins(b, {"OK MPD 0."sv}); }); }
Match msmq(const Evidence& e) { return sides(e, msmq_packet, msmq_packet); }
Match mysqlx(const Evidence& e) { return sides(e, mysqlx_client, mysqlx_server); }
Match nanomsg(const Evidence& e) { return sides(e, sp_header, sp_header); }
// NSQ (its TCP protocol specification): the version, and what every client says first.
Match nsq(const Evidence& e) { return sides(e, [](Bytes b) { return begins(b, {"  V2IDENTIFY\n"sv}); }, any_side); }
Match pulsar(const Evidence& e) { return sides(e, pulsar_connect, [](Bytes b) { return open(Probe(b).byte(0, 0).byte(4, 0).match()); }); }
Match rabbitmq_stream(const Evidence& e) { return sides(e, rabbitmq_properties, [](Bytes b) { return open(Probe(b).byte(0, 0).match()); }); }
// RethinkDB ("Writing RethinkDB drivers", its ql2.proto): magic numbers of versions 0.2 to 1.0, little-endian.
Match rethinkdb(const Evidence& e) {
  return sides(e, [](Bytes b) { return begins(b, {"\xc3\xbd\xc2\x34"sv, "\x20\x2d\x0c\x40"sv, "\x3e\xe8\x75\x5f"sv, "\xe1\x81\x30\x72"sv}); },
               [](Bytes b) { return open(Probe(b).byte(0, 'E', '{').match()); });
}
Match saprouter(const Evidence& e) { return sides(e, saprouter_message, saprouter_message); }
// Tarantool (its "Binary protocol", greeting): a line of 64 bytes.
Match tarantool(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return Probe(b).text(0, "Tarantool ").byte(10, '1', '9').byte(63, '\n').match(); }); }
// ArangoDB's VelocyStream (its documentation).
Match velocystream(const Evidence& e) { return sides(e, [](Bytes b) { return Probe(b).text(0, "VST/1.").byte(6, '0', '1').text(7, "\r\n\r\n").match(); }, any_side); }
Match zookeeper(const Evidence& e) { return sides(e, zookeeper_client, zookeeper_server); }

}  // namespace weir::proto::identify
