// SPDX-License-Identifier: Apache-2.0
#pragma once

// Databases, brokers, clusters and the daemons beside them, which say who they are in their first message: rows in the manner of rows.h.
// Each function in stores.cc names the specification or the open client that says so.

#include "proto/protocol.h"

namespace weir::proto::identify {

Match aerospike(const Evidence& evidence);
Match amanda(const Evidence& evidence);
Match asterisk_ami(const Evidence& evidence);
Match bacula(const Evidence& evidence);
Match beanstalkd(const Evidence& evidence);
Match beats(const Evidence& evidence);
Match bolt(const Evidence& evidence);
Match clickhouse(const Evidence& evidence);
Match cvspserver(const Evidence& evidence);
Match dict(const Evidence& evidence);
Match distcc(const Evidence& evidence);
Match firebird(const Evidence& evidence);
Match freeswitch(const Evidence& evidence);
Match hadoop(const Evidence& evidence);
Match hana(const Evidence& evidence);
Match hazelcast(const Evidence& evidence);
Match hbase(const Evidence& evidence);
Match ibm_mq(const Evidence& evidence);
Match ignite(const Evidence& evidence);
Match iperf(const Evidence& evidence);
Match managesieve(const Evidence& evidence);
Match mpd(const Evidence& evidence);
Match msmq(const Evidence& evidence);
Match mysqlx(const Evidence& evidence);
Match nanomsg(const Evidence& evidence);
Match nsq(const Evidence& evidence);
Match pulsar(const Evidence& evidence);
Match rabbitmq_stream(const Evidence& evidence);
Match rethinkdb(const Evidence& evidence);
Match saprouter(const Evidence& evidence);
Match tarantool(const Evidence& evidence);
Match velocystream(const Evidence& evidence);
Match zookeeper(const Evidence& evidence);

namespace ports {
inline constexpr std::uint16_t kAerospikeTcp[] = {3000};
inline constexpr std::uint16_t kAmandaUdp[] = {10080};
inline constexpr std::uint16_t kAsteriskAmiTcp[] = {5038};
inline constexpr std::uint16_t kBaculaTcp[] = {9101, 9102, 9103};
inline constexpr std::uint16_t kBeanstalkdTcp[] = {11300};
inline constexpr std::uint16_t kBeatsTcp[] = {5044};
inline constexpr std::uint16_t kBoltTcp[] = {7687};
inline constexpr std::uint16_t kClickhouseTcp[] = {9000};
inline constexpr std::uint16_t kCvspserverTcp[] = {2401};
inline constexpr std::uint16_t kDictTcp[] = {2628};
inline constexpr std::uint16_t kDistccTcp[] = {3632};
inline constexpr std::uint16_t kFirebirdTcp[] = {3050};
inline constexpr std::uint16_t kFreeswitchTcp[] = {8021};
inline constexpr std::uint16_t kHadoopTcp[] = {8020};
inline constexpr std::uint16_t kHanaTcp[] = {30015};
inline constexpr std::uint16_t kHazelcastTcp[] = {5701};
inline constexpr std::uint16_t kHbaseTcp[] = {16000, 16020};
inline constexpr std::uint16_t kIbmMqTcp[] = {1414};
inline constexpr std::uint16_t kIgniteTcp[] = {10800};
inline constexpr std::uint16_t kIperfTcp[] = {5201};
inline constexpr std::uint16_t kManagesieveTcp[] = {4190};
inline constexpr std::uint16_t kMpdTcp[] = {6600};
inline constexpr std::uint16_t kMsmqTcp[] = {1801};
inline constexpr std::uint16_t kMysqlxTcp[] = {33060};
inline constexpr std::uint16_t kNsqTcp[] = {4150};
inline constexpr std::uint16_t kPulsarTcp[] = {6650};
inline constexpr std::uint16_t kRabbitmqStreamTcp[] = {5552};
inline constexpr std::uint16_t kRethinkdbTcp[] = {28015};
inline constexpr std::uint16_t kSaprouterTcp[] = {3299};
inline constexpr std::uint16_t kTarantoolTcp[] = {3301};
inline constexpr std::uint16_t kVelocystreamTcp[] = {8529};
inline constexpr std::uint16_t kZookeeperTcp[] = {2181};
}  // namespace ports

inline constexpr Protocol kAerospike = {.name = "aerospike", .tcp_ports = ports::kAerospikeTcp, .tcp = true,
    .identify = aerospike};
inline constexpr Protocol kAmanda = {.name = "amanda", .udp_ports = ports::kAmandaUdp, .udp = true, .identify = amanda};
inline constexpr Protocol kAsteriskAmi = {.name = "asterisk-ami", .tcp_ports = ports::kAsteriskAmiTcp, .tcp = true,
    .identify = asterisk_ami};
inline constexpr Protocol kBacula = {.name = "bacula", .tcp_ports = ports::kBaculaTcp, .tcp = true, .identify = bacula};
inline constexpr Protocol kBeanstalkd = {.name = "beanstalkd", .tcp_ports = ports::kBeanstalkdTcp, .tcp = true,
    .identify = beanstalkd};
inline constexpr Protocol kBeats = {.name = "beats", .tcp_ports = ports::kBeatsTcp, .tcp = true, .identify = beats};
inline constexpr Protocol kBolt = {.name = "bolt", .tcp_ports = ports::kBoltTcp, .tcp = true, .identify = bolt};
inline constexpr Protocol kClickhouse = {.name = "clickhouse", .tcp_ports = ports::kClickhouseTcp, .tcp = true,
    .identify = clickhouse};
inline constexpr Protocol kCvspserver = {.name = "cvspserver", .tcp_ports = ports::kCvspserverTcp, .tcp = true,
    .identify = cvspserver};
inline constexpr Protocol kDict = {.name = "dict", .tcp_ports = ports::kDictTcp, .tcp = true, .identify = dict};
inline constexpr Protocol kDistcc = {.name = "distcc", .tcp_ports = ports::kDistccTcp, .tcp = true, .identify = distcc};
inline constexpr Protocol kFirebird = {.name = "firebird", .tcp_ports = ports::kFirebirdTcp, .tcp = true, .identify = firebird};
inline constexpr Protocol kFreeswitch = {.name = "freeswitch", .tcp_ports = ports::kFreeswitchTcp, .tcp = true,
    .identify = freeswitch};
inline constexpr Protocol kHadoop = {.name = "hadoop", .tcp_ports = ports::kHadoopTcp, .tcp = true, .identify = hadoop};
inline constexpr Protocol kHana = {.name = "hana", .tcp_ports = ports::kHanaTcp, .tcp = true, .identify = hana};
inline constexpr Protocol kHazelcast = {.name = "hazelcast", .tcp_ports = ports::kHazelcastTcp, .tcp = true,
    .identify = hazelcast};
inline constexpr Protocol kHbase = {.name = "hbase", .tcp_ports = ports::kHbaseTcp, .tcp = true, .identify = hbase};
inline constexpr Protocol kIbmMq = {.name = "ibm-mq", .tcp_ports = ports::kIbmMqTcp, .tcp = true, .identify = ibm_mq};
inline constexpr Protocol kIgnite = {.name = "ignite", .tcp_ports = ports::kIgniteTcp, .tcp = true, .identify = ignite};
inline constexpr Protocol kIperf = {.name = "iperf3", .tcp_ports = ports::kIperfTcp, .tcp = true, .identify = iperf};
inline constexpr Protocol kManagesieve = {.name = "managesieve", .tcp_ports = ports::kManagesieveTcp, .tcp = true,
    .identify = managesieve};
inline constexpr Protocol kMpd = {.name = "mpd", .tcp_ports = ports::kMpdTcp, .tcp = true, .identify = mpd};
inline constexpr Protocol kMsmq = {.name = "msmq", .tcp_ports = ports::kMsmqTcp, .tcp = true, .identify = msmq};
inline constexpr Protocol kMysqlx = {.name = "mysqlx", .tcp_ports = ports::kMysqlxTcp, .tcp = true, .identify = mysqlx};
inline constexpr Protocol kNanomsg = {.name = "nanomsg", .tcp = true, .identify = nanomsg};
inline constexpr Protocol kNsq = {.name = "nsq", .tcp_ports = ports::kNsqTcp, .tcp = true, .identify = nsq};
inline constexpr Protocol kPulsar = {.name = "pulsar", .tcp_ports = ports::kPulsarTcp, .tcp = true, .identify = pulsar};
inline constexpr Protocol kRabbitmqStream = {.name = "rabbitmq-stream", .tcp_ports = ports::kRabbitmqStreamTcp, .tcp = true,
    .identify = rabbitmq_stream};
inline constexpr Protocol kRethinkdb = {.name = "rethinkdb", .tcp_ports = ports::kRethinkdbTcp, .tcp = true,
    .identify = rethinkdb};
inline constexpr Protocol kSaprouter = {.name = "saprouter", .tcp_ports = ports::kSaprouterTcp, .tcp = true,
    .identify = saprouter};
inline constexpr Protocol kTarantool = {.name = "tarantool", .tcp_ports = ports::kTarantoolTcp, .tcp = true,
    .identify = tarantool};
inline constexpr Protocol kVelocystream = {.name = "velocystream", .tcp_ports = ports::kVelocystreamTcp, .tcp = true,
    .identify = velocystream};
inline constexpr Protocol kZookeeper = {.name = "zookeeper", .tcp_ports = ports::kZookeeperTcp, .tcp = true,
    .identify = zookeeper};

}  // namespace weir::proto::identify
