// SPDX-License-Identifier: Apache-2.0
#pragma once

// Protocols that are recognised and not parsed further (a few say one fact: facts.h): a row each, its identify function in a file by theme
// beside this one, with the specification it follows. They promise to be strict: where a few loose bytes of one side are
// all there is, both sides must agree. Ports are those of the IANA registry; what has none there has none here.

#include "proto/identify/facts.h"
#include "proto/protocol.h"

namespace weir::proto::identify {

Match adb(const Evidence& evidence);
Match ajp(const Evidence& evidence);
Match amqp(const Evidence& evidence);
Match bacnet(const Evidence& evidence);
Match bgp(const Evidence& evidence);
Match bitcoin(const Evidence& evidence);
Match bittorrent(const Evidence& evidence);
Match cassandra(const Evidence& evidence);
Match citrix(const Evidence& evidence);
Match coap(const Evidence& evidence);
Match collectd(const Evidence& evidence);
Match dicom(const Evidence& evidence);
Match diameter(const Evidence& evidence);
Match dnp3(const Evidence& evidence);
Match dropbox(const Evidence& evidence);
Match edonkey(const Evidence& evidence);
Match enip(const Evidence& evidence);
Match ethereum(const Evidence& evidence);
Match gearman(const Evidence& evidence);
Match git(const Evidence& evidence);
Match gnutella(const Evidence& evidence);
Match gtp(const Evidence& evidence);
Match h323(const Evidence& evidence);
Match hl7(const Evidence& evidence);
Match iec104(const Evidence& evidence);
Match ike(const Evidence& evidence);
Match ipmi(const Evidence& evidence);
Match jdwp(const Evidence& evidence);
Match kafka(const Evidence& evidence);
Match krb5(const Evidence& evidence);
Match l2tp(const Evidence& evidence);
Match ldap(const Evidence& evidence);
Match memcached(const Evidence& evidence);
Match mgcp(const Evidence& evidence);
Match modbus(const Evidence& evidence);
Match mongodb(const Evidence& evidence);
Match mqtt(const Evidence& evidence);
Match mysql(const Evidence& evidence);
Match nats(const Evidence& evidence);
Match natpmp(const Evidence& evidence);
Match nbdgm(const Evidence& evidence);
Match ncp(const Evidence& evidence);
Match netflow(const Evidence& evidence);
Match nfs(const Evidence& evidence);
Match nomachine(const Evidence& evidence);
Match opcua(const Evidence& evidence);
Match openvpn(const Evidence& evidence);
Match pcp(const Evidence& evidence);
Match pgsql(const Evidence& evidence);
Match pptp(const Evidence& evidence);
Match radius(const Evidence& evidence);
Match radmin(const Evidence& evidence);
Match redis(const Evidence& evidence);
Match rmi(const Evidence& evidence);
Match rsync(const Evidence& evidence);
Match rtcp(const Evidence& evidence);
Match rtmp(const Evidence& evidence);
Match rtp(const Evidence& evidence);
Match rtsp(const Evidence& evidence);
Match s7comm(const Evidence& evidence);
Match sflow(const Evidence& evidence);
Match sip(const Evidence& evidence);
Match smart_install(const Evidence& evidence);
Match spice(const Evidence& evidence);
Match ssdp(const Evidence& evidence);
Match stratum(const Evidence& evidence);
Match stun(const Evidence& evidence);
Match sunrpc(const Evidence& evidence);
Match svn(const Evidence& evidence);
Match syslog(const Evidence& evidence);
Match tailscale(const Evidence& evidence);
Match tds(const Evidence& evidence);
Match teamviewer(const Evidence& evidence);
Match teredo(const Evidence& evidence);
Match tinc(const Evidence& evidence);
Match vxlan(const Evidence& evidence);
Match wireguard(const Evidence& evidence);
Match ws_discovery(const Evidence& evidence);
Match x11(const Evidence& evidence);
Match xmpp(const Evidence& evidence);
Match zabbix(const Evidence& evidence);
Match zmtp(const Evidence& evidence);

bool bittorrent_is_answer(Bytes datagram);
bool ike_is_answer(Bytes datagram);
bool krb5_is_answer(Bytes datagram);
bool ldap_is_answer(Bytes datagram);
bool memcached_is_answer(Bytes datagram);
bool natpmp_is_answer(Bytes datagram);
bool pcp_is_answer(Bytes datagram);
bool radius_is_answer(Bytes datagram);
bool sip_is_answer(Bytes datagram);
bool ssdp_is_answer(Bytes datagram);
/// RFC 3550, 5.1: the head of a packet.
bool is_rtp(Bytes datagram);
/// The next packet of the same source, after one of which twelve bytes are at hand: its number follows, its payload type is the same.
bool rtp_follows(Bytes before, Bytes datagram);
bool stun_is_answer(Bytes datagram);

namespace ports {
inline constexpr std::uint16_t kAjpTcp[] = {8009};
inline constexpr std::uint16_t kAmqpTcp[] = {5672};
inline constexpr std::uint16_t kBacnetUdp[] = {47808};
inline constexpr std::uint16_t kBgpTcp[] = {179};
inline constexpr std::uint16_t kBitcoinTcp[] = {8333};
inline constexpr std::uint16_t kBittorrentTcp[] = {6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889};
inline constexpr std::uint16_t kBittorrentUdp[] = {6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889};
inline constexpr std::uint16_t kCassandraTcp[] = {9042};
inline constexpr std::uint16_t kCitrixTcp[] = {1494, 2598};
inline constexpr std::uint16_t kCoapUdp[] = {5683};
inline constexpr std::uint16_t kCollectdUdp[] = {25826};
inline constexpr std::uint16_t kDicomTcp[] = {104, 11112};
inline constexpr std::uint16_t kDiameterTcp[] = {3868};
inline constexpr std::uint16_t kDnp3Tcp[] = {20000};
inline constexpr std::uint16_t kDnp3Udp[] = {20000};
inline constexpr std::uint16_t kDropboxUdp[] = {17500};
inline constexpr std::uint16_t kEdonkeyTcp[] = {4662};
inline constexpr std::uint16_t kEnipTcp[] = {44818};
inline constexpr std::uint16_t kEnipUdp[] = {2222, 44818};
inline constexpr std::uint16_t kEthereumTcp[] = {30303};
inline constexpr std::uint16_t kEthereumUdp[] = {30303};
inline constexpr std::uint16_t kGearmanTcp[] = {4730};
inline constexpr std::uint16_t kGitTcp[] = {9418};
inline constexpr std::uint16_t kGnutellaTcp[] = {6346, 6347};
inline constexpr std::uint16_t kGtpUdp[] = {2123, 2152, 3386};
inline constexpr std::uint16_t kH323Tcp[] = {1720};
inline constexpr std::uint16_t kH323Udp[] = {1718, 1719};
inline constexpr std::uint16_t kHl7Tcp[] = {2575};
inline constexpr std::uint16_t kIec104Tcp[] = {2404};
inline constexpr std::uint16_t kIkeUdp[] = {500, 4500};
inline constexpr std::uint16_t kIpmiUdp[] = {623, 664};
inline constexpr std::uint16_t kKafkaTcp[] = {9092};
inline constexpr std::uint16_t kKrb5Tcp[] = {88};
inline constexpr std::uint16_t kKrb5Udp[] = {88};
inline constexpr std::uint16_t kL2tpUdp[] = {1701};
inline constexpr std::uint16_t kLdapTcp[] = {389, 3268};
inline constexpr std::uint16_t kLdapUdp[] = {389};
inline constexpr std::uint16_t kMemcachedTcp[] = {11211};
inline constexpr std::uint16_t kMemcachedUdp[] = {11211};
inline constexpr std::uint16_t kMgcpUdp[] = {2427, 2727};
inline constexpr std::uint16_t kModbusTcp[] = {502};
inline constexpr std::uint16_t kMongodbTcp[] = {27017, 27018, 27019};
inline constexpr std::uint16_t kMqttTcp[] = {1883};
inline constexpr std::uint16_t kMysqlTcp[] = {3306};
inline constexpr std::uint16_t kNatsTcp[] = {4222};
inline constexpr std::uint16_t kNatpmpUdp[] = {5351};
inline constexpr std::uint16_t kNbdgmUdp[] = {138};
inline constexpr std::uint16_t kNcpTcp[] = {524};
inline constexpr std::uint16_t kNetflowUdp[] = {2055, 4739};
inline constexpr std::uint16_t kNfsTcp[] = {2049};
inline constexpr std::uint16_t kNfsUdp[] = {2049};
inline constexpr std::uint16_t kNomachineTcp[] = {4000};
inline constexpr std::uint16_t kNomachineUdp[] = {4000};
inline constexpr std::uint16_t kOpcuaTcp[] = {4840};
inline constexpr std::uint16_t kOpenvpnTcp[] = {1194};
inline constexpr std::uint16_t kOpenvpnUdp[] = {1194};
inline constexpr std::uint16_t kPcpUdp[] = {5351};
inline constexpr std::uint16_t kPgsqlTcp[] = {5432};
inline constexpr std::uint16_t kPptpTcp[] = {1723};
inline constexpr std::uint16_t kRadiusUdp[] = {1812, 1813, 3799};
inline constexpr std::uint16_t kRadminTcp[] = {4899};
inline constexpr std::uint16_t kRedisTcp[] = {6379};
inline constexpr std::uint16_t kRmiTcp[] = {1099};
inline constexpr std::uint16_t kRsyncTcp[] = {873};
inline constexpr std::uint16_t kRtcpUdp[] = {5005};
inline constexpr std::uint16_t kRtmpTcp[] = {1935};
inline constexpr std::uint16_t kRtpUdp[] = {5004};
inline constexpr std::uint16_t kRtspTcp[] = {554, 8554};
inline constexpr std::uint16_t kS7commTcp[] = {102};
inline constexpr std::uint16_t kSflowUdp[] = {6343};
inline constexpr std::uint16_t kSipTcp[] = {5060};
inline constexpr std::uint16_t kSipUdp[] = {5060};
inline constexpr std::uint16_t kSmartInstallTcp[] = {4786};
inline constexpr std::uint16_t kSsdpUdp[] = {1900};
inline constexpr std::uint16_t kStunTcp[] = {3478};
inline constexpr std::uint16_t kStunUdp[] = {3478};
inline constexpr std::uint16_t kSunrpcTcp[] = {111};
inline constexpr std::uint16_t kSunrpcUdp[] = {111};
inline constexpr std::uint16_t kSvnTcp[] = {3690};
inline constexpr std::uint16_t kSyslogUdp[] = {514};
inline constexpr std::uint16_t kTailscaleUdp[] = {41641};
inline constexpr std::uint16_t kTdsTcp[] = {1433};
inline constexpr std::uint16_t kTeamviewerTcp[] = {5938};
inline constexpr std::uint16_t kTeredoUdp[] = {3544};
inline constexpr std::uint16_t kTincTcp[] = {655};
inline constexpr std::uint16_t kVxlanUdp[] = {4789};
inline constexpr std::uint16_t kWireguardUdp[] = {51820};
inline constexpr std::uint16_t kWsDiscoveryUdp[] = {3702};
inline constexpr std::uint16_t kX11Tcp[] = {6000, 6001, 6002, 6003, 6004, 6005, 6006, 6007, 6008, 6009};
inline constexpr std::uint16_t kXmppTcp[] = {5222, 5269};
inline constexpr std::uint16_t kZabbixTcp[] = {10050, 10051};
}  // namespace ports

inline constexpr Protocol kAdb = {.name = "adb", .tcp = true, .identify = adb};
inline constexpr Protocol kAjp = {.name = "ajp", .tcp_ports = ports::kAjpTcp, .tcp = true, .identify = ajp};
inline constexpr Protocol kAmqp = {.name = "amqp", .tcp_ports = ports::kAmqpTcp, .tcp = true, .identify = amqp};
inline constexpr Protocol kBacnet = {.name = "bacnet", .udp_ports = ports::kBacnetUdp, .udp = true, .identify = bacnet};
inline constexpr Protocol kBgp = {.name = "bgp", .tcp_ports = ports::kBgpTcp, .tcp = true, .identify = bgp};
inline constexpr Protocol kBitcoin = {.name = "bitcoin", .tcp_ports = ports::kBitcoinTcp, .tcp = true, .identify = bitcoin};
inline constexpr Protocol kBittorrent = {
    .name = "bittorrent",
    .tcp_ports = ports::kBittorrentTcp,
    .udp_ports = ports::kBittorrentUdp,
    .tcp = true,
    .udp = true,
    .identify = bittorrent,
    .is_answer = bittorrent_is_answer};
inline constexpr Protocol kCassandra = {
    .name = "cassandra",
    .tcp_ports = ports::kCassandraTcp,
    .tcp = true,
    .identify = cassandra};
inline constexpr Protocol kCitrix = {.name = "citrix", .tcp_ports = ports::kCitrixTcp, .tcp = true, .identify = citrix};
inline constexpr Protocol kCoap = {
    .name = "coap",
    .udp_ports = ports::kCoapUdp,
    .udp = true,
    .identify = coap,
    .datagrams_max = 2};
inline constexpr Protocol kCollectd = {.name = "collectd", .udp_ports = ports::kCollectdUdp, .udp = true, .identify = collectd};
inline constexpr Protocol kDicom = {.name = "dicom", .tcp_ports = ports::kDicomTcp, .tcp = true, .identify = dicom};
inline constexpr Protocol kDiameter = {.name = "diameter", .tcp_ports = ports::kDiameterTcp, .tcp = true, .identify = diameter};
inline constexpr Protocol kDnp3 = {
    .name = "dnp3",
    .tcp_ports = ports::kDnp3Tcp,
    .udp_ports = ports::kDnp3Udp,
    .tcp = true,
    .udp = true,
    .identify = dnp3,
    .fields = kDnp3Fields,
    .state_bytes = sizeof(OneFactState),
    .parse = parse_as<OneFactState, parse_dnp3>};
inline constexpr Protocol kDropbox = {.name = "dropbox", .udp_ports = ports::kDropboxUdp, .udp = true, .identify = dropbox};
inline constexpr Protocol kEdonkey = {.name = "edonkey", .tcp_ports = ports::kEdonkeyTcp, .tcp = true, .udp = true,
    .identify = edonkey, .datagrams_max = 3};
inline constexpr Protocol kEnip = {
    .name = "enip",
    .tcp_ports = ports::kEnipTcp,
    .udp_ports = ports::kEnipUdp,
    .tcp = true,
    .udp = true,
    .identify = enip};
inline constexpr Protocol kEthereum = {
    .name = "ethereum",
    .tcp_ports = ports::kEthereumTcp,
    .udp_ports = ports::kEthereumUdp,
    .tcp = true,
    .udp = true,
    .identify = ethereum};
inline constexpr Protocol kGearman = {.name = "gearman", .tcp_ports = ports::kGearmanTcp, .tcp = true, .identify = gearman};
inline constexpr Protocol kGit = {.name = "git", .tcp_ports = ports::kGitTcp, .tcp = true, .identify = git};
inline constexpr Protocol kGnutella = {.name = "gnutella", .tcp_ports = ports::kGnutellaTcp, .tcp = true, .identify = gnutella};
inline constexpr Protocol kGtp = {.name = "gtp", .udp_ports = ports::kGtpUdp, .udp = true, .identify = gtp};
inline constexpr Protocol kH323 = {.name = "h323", .tcp_ports = ports::kH323Tcp, .udp_ports = ports::kH323Udp, .tcp = true,
    .udp = true, .identify = h323};
inline constexpr Protocol kHl7 = {.name = "hl7", .tcp_ports = ports::kHl7Tcp, .tcp = true, .identify = hl7};
inline constexpr Protocol kIec104 = {.name = "iec104", .tcp_ports = ports::kIec104Tcp, .tcp = true, .identify = iec104};
inline constexpr Protocol kIke = {
    .name = "ike",
    .udp_ports = ports::kIkeUdp,
    .udp = true,
    .identify = ike,
    .is_answer = ike_is_answer};
inline constexpr Protocol kIpmi = {.name = "ipmi", .udp_ports = ports::kIpmiUdp, .udp = true, .identify = ipmi};
inline constexpr Protocol kJdwp = {.name = "jdwp", .tcp = true, .identify = jdwp};
inline constexpr Protocol kKafka = {.name = "kafka", .tcp_ports = ports::kKafkaTcp, .tcp = true, .identify = kafka};
inline constexpr Protocol kL2tp = {.name = "l2tp", .udp_ports = ports::kL2tpUdp, .udp = true, .identify = l2tp};
inline constexpr Protocol kMemcached = {
    .name = "memcached",
    .tcp_ports = ports::kMemcachedTcp,
    .udp_ports = ports::kMemcachedUdp,
    .tcp = true,
    .udp = true,
    .identify = memcached,
    .is_answer = memcached_is_answer,
    .fields = kMemcachedFields,
    .state_bytes = sizeof(OneFactState),
    .parse = parse_as<OneFactState, parse_memcached>};
inline constexpr Protocol kMgcp = {.name = "mgcp", .udp_ports = ports::kMgcpUdp, .udp = true, .identify = mgcp};
inline constexpr Protocol kModbus = {
    .name = "modbus",
    .tcp_ports = ports::kModbusTcp,
    .tcp = true,
    .identify = modbus,
    .fields = kModbusFields,
    .state_bytes = sizeof(OneFactState),
    .parse = parse_as<OneFactState, parse_modbus>};
inline constexpr Protocol kMongodb = {.name = "mongodb", .tcp_ports = ports::kMongodbTcp, .tcp = true, .identify = mongodb};
inline constexpr Protocol kMqtt = {.name = "mqtt", .tcp_ports = ports::kMqttTcp, .tcp = true, .identify = mqtt};
inline constexpr Protocol kNats = {.name = "nats", .tcp_ports = ports::kNatsTcp, .tcp = true, .identify = nats};
inline constexpr Protocol kNatpmp = {
    .name = "natpmp",
    .udp_ports = ports::kNatpmpUdp,
    .udp = true,
    .identify = natpmp,
    .is_answer = natpmp_is_answer,
    .datagrams_max = 2};
inline constexpr Protocol kNbdgm = {.name = "nbdgm", .udp_ports = ports::kNbdgmUdp, .udp = true, .identify = nbdgm};
inline constexpr Protocol kNcp = {.name = "ncp", .tcp_ports = ports::kNcpTcp, .tcp = true, .identify = ncp};
inline constexpr Protocol kNetflow = {.name = "netflow", .udp_ports = ports::kNetflowUdp, .udp = true, .identify = netflow};
inline constexpr Protocol kNomachine = {
    .name = "nomachine",
    .tcp_ports = ports::kNomachineTcp,
    .udp_ports = ports::kNomachineUdp,
    .tcp = true,
    .udp = true,
    .identify = nomachine,
    .datagrams_max = 6};
inline constexpr Protocol kOpcua = {.name = "opcua", .tcp_ports = ports::kOpcuaTcp, .tcp = true, .identify = opcua};
inline constexpr Protocol kOpenvpn = {
    .name = "openvpn",
    .tcp_ports = ports::kOpenvpnTcp,
    .udp_ports = ports::kOpenvpnUdp,
    .tcp = true,
    .udp = true,
    .identify = openvpn,
    .datagrams_max = 3};
inline constexpr Protocol kPcp = {
    .name = "pcp",
    .udp_ports = ports::kPcpUdp,
    .udp = true,
    .identify = pcp,
    .is_answer = pcp_is_answer};
inline constexpr Protocol kPptp = {.name = "pptp", .tcp_ports = ports::kPptpTcp, .tcp = true, .identify = pptp};
inline constexpr Protocol kRadius = {
    .name = "radius",
    .udp_ports = ports::kRadiusUdp,
    .udp = true,
    .identify = radius,
    .is_answer = radius_is_answer};
inline constexpr Protocol kRadmin = {.name = "radmin", .tcp_ports = ports::kRadminTcp, .tcp = true, .identify = radmin};
inline constexpr Protocol kRedis = {
    .name = "redis",
    .tcp_ports = ports::kRedisTcp,
    .tcp = true,
    .identify = redis,
    .fields = kRedisFields,
    .state_bytes = sizeof(OneFactState),
    .parse = parse_as<OneFactState, parse_redis>};
inline constexpr Protocol kRmi = {.name = "jrmi", .tcp_ports = ports::kRmiTcp, .tcp = true, .identify = rmi};
inline constexpr Protocol kRtcp = {.name = "rtcp", .udp_ports = ports::kRtcpUdp, .udp = true, .identify = rtcp};
inline constexpr Protocol kRtmp = {.name = "rtmp", .tcp_ports = ports::kRtmpTcp, .tcp = true, .identify = rtmp};
inline constexpr Protocol kRtp = {.name = "rtp", .udp_ports = ports::kRtpUdp, .udp = true, .identify = rtp, .datagrams_max = 4};
inline constexpr Protocol kRtsp = {.name = "rtsp", .tcp_ports = ports::kRtspTcp, .tcp = true, .identify = rtsp};
inline constexpr Protocol kS7comm = {.name = "s7comm", .tcp_ports = ports::kS7commTcp, .tcp = true, .identify = s7comm};
inline constexpr Protocol kSflow = {.name = "sflow", .udp_ports = ports::kSflowUdp, .udp = true, .identify = sflow};
inline constexpr Protocol kSip = {
    .name = "sip",
    .tcp_ports = ports::kSipTcp,
    .udp_ports = ports::kSipUdp,
    .tcp = true,
    .udp = true,
    .identify = sip,
    .is_answer = sip_is_answer,
    .fields = kSipFields,
    .shared = kSipShared,
    .state_bytes = sizeof(OneFactState),
    .parse = parse_as<OneFactState, parse_sip>};
inline constexpr Protocol kSmartInstall = {
    .name = "smart-install",
    .tcp_ports = ports::kSmartInstallTcp,
    .tcp = true,
    .identify = smart_install};
inline constexpr Protocol kSpice = {.name = "spice", .tcp = true, .identify = spice};
inline constexpr Protocol kSsdp = {
    .name = "ssdp",
    .udp_ports = ports::kSsdpUdp,
    .udp = true,
    .identify = ssdp,
    .is_answer = ssdp_is_answer,
    .fields = kSsdpFields,
    .state_bytes = sizeof(OneFactState),
    .parse = parse_as<OneFactState, parse_ssdp>};
/// RTP with its keys (RFC 3711) looks like RTP: only what opened the path tells.
inline constexpr Protocol kSrtp = {.name = "srtp", .udp = true};
inline constexpr Protocol kStratum = {.name = "stratum", .tcp = true, .identify = stratum};
inline constexpr Protocol kStun = {
    .name = "stun",
    .tcp_ports = ports::kStunTcp,
    .udp_ports = ports::kStunUdp,
    .tcp = true,
    .udp = true,
    .identify = stun,
    .is_answer = stun_is_answer,
    .fields = kStunFields,
    .state_bytes = sizeof(StunState),
    .parse = parse_as<StunState, parse_stun>,
    .may_extend = true};  // into dtls and srtp
inline constexpr Protocol kSvn = {.name = "svn", .tcp_ports = ports::kSvnTcp, .tcp = true, .identify = svn};
inline constexpr Protocol kSyslog = {.name = "syslog", .udp_ports = ports::kSyslogUdp, .udp = true, .identify = syslog};
inline constexpr Protocol kTailscale = {
    .name = "tailscale",
    .udp_ports = ports::kTailscaleUdp,
    .udp = true,
    .identify = tailscale};
inline constexpr Protocol kTeamviewer = {
    .name = "teamviewer",
    .tcp_ports = ports::kTeamviewerTcp,
    .tcp = true,
    .identify = teamviewer};
inline constexpr Protocol kTeredo = {.name = "teredo", .udp_ports = ports::kTeredoUdp, .udp = true, .identify = teredo};
inline constexpr Protocol kTinc = {.name = "tinc", .tcp_ports = ports::kTincTcp, .tcp = true, .identify = tinc};
inline constexpr Protocol kVxlan = {.name = "vxlan", .udp_ports = ports::kVxlanUdp, .udp = true, .identify = vxlan};
inline constexpr Protocol kWireguard = {
    .name = "wireguard",
    .udp_ports = ports::kWireguardUdp,
    .udp = true,
    .identify = wireguard,
    .datagrams_max = 3};
inline constexpr Protocol kWsDiscovery = {
    .name = "ws-discovery",
    .udp_ports = ports::kWsDiscoveryUdp,
    .udp = true,
    .identify = ws_discovery};
inline constexpr Protocol kX11 = {.name = "x11", .tcp_ports = ports::kX11Tcp, .tcp = true, .identify = x11};
inline constexpr Protocol kXmpp = {.name = "xmpp", .tcp_ports = ports::kXmppTcp, .tcp = true, .identify = xmpp};
inline constexpr Protocol kZabbix = {.name = "zabbix", .tcp_ports = ports::kZabbixTcp, .tcp = true, .identify = zabbix};
inline constexpr Protocol kZmtp = {.name = "zmtp", .tcp = true, .identify = zmtp};

}  // namespace weir::proto::identify
