// SPDX-License-Identifier: Apache-2.0
#pragma once

// Protocols that are recognised by one signature and not read: a row each, in the manner of rows.h, whose promises they keep. The names are
// those that nDPI has for them; the functions stand by theme in messaging.cc, field_devices.cc, signals.cc
// and upkeep.cc.

#include "proto/protocol.h"

namespace weir::proto::identify {

Match atg(const Evidence& evidence);
Match beckhoff_ads(const Evidence& evidence);
Match bfcp(const Evidence& evidence);
Match bjnp(const Evidence& evidence);
Match c37118(const Evidence& evidence);
Match capwap(const Evidence& evidence);
Match ceph(const Evidence& evidence);
Match checkmk(const Evidence& evidence);
Match cip(const Evidence& evidence);
Match corba(const Evidence& evidence);
Match discord(const Evidence& evidence);
Match dlep(const Evidence& evidence);
Match elasticsearch(const Evidence& evidence);
Match ether_s_bus(const Evidence& evidence);
Match fastcgi(const Evidence& evidence);
Match fins(const Evidence& evidence);
Match fix(const Evidence& evidence);
Match haproxy(const Evidence& evidence);
Match hart_ip(const Evidence& evidence);
Match hsrp(const Evidence& evidence);
Match iax(const Evidence& evidence);
Match iec62056(const Evidence& evidence);
Match kismet(const Evidence& evidence);
Match knx(const Evidence& evidence);
Match ldp(const Evidence& evidence);
Match lustre(const Evidence& evidence);
Match megaco(const Evidence& evidence);
Match mms(const Evidence& evidence);
Match mpeg_ts(const Evidence& evidence);
Match munin(const Evidence& evidence);
Match nano(const Evidence& evidence);
Match nntp(const Evidence& evidence);
Match ookla(const Evidence& evidence);
Match openflow(const Evidence& evidence);
Match openwire(const Evidence& evidence);
Match oscar(const Evidence& evidence);
Match pfcp(const Evidence& evidence);
Match quake(const Evidence& evidence);
Match raknet(const Evidence& evidence);
Match roughtime(const Evidence& evidence);
Match rsh(const Evidence& evidence);
Match rtps(const Evidence& evidence);
Match rx(const Evidence& evidence);
Match skinny(const Evidence& evidence);
Match smpp(const Evidence& evidence);
Match someip(const Evidence& evidence);
Match source_engine(const Evidence& evidence);
Match spotify(const Evidence& evidence);
Match srvloc(const Evidence& evidence);
Match steam(const Evidence& evidence);
Match stomp(const Evidence& evidence);
Match syncthing(const Evidence& evidence);
Match tacacs(const Evidence& evidence);
Match teamspeak(const Evidence& evidence);
Match thrift(const Evidence& evidence);
Match tivoconnect(const Evidence& evidence);
Match tns(const Evidence& evidence);
Match tplink(const Evidence& evidence);
Match trdp(const Evidence& evidence);
Match tuya(const Evidence& evidence);
Match uftp(const Evidence& evidence);
Match whatsapp(const Evidence& evidence);
Match whois(const Evidence& evidence);
Match xdmcp(const Evidence& evidence);
Match z3950(const Evidence& evidence);
Match afp(const Evidence& evidence);
Match ayiya(const Evidence& evidence);
Match bfd(const Evidence& evidence);
Match c1222(const Evidence& evidence);
Match cpha(const Evidence& evidence);
Match doip(const Evidence& evidence);
Match drda(const Evidence& evidence);
Match egd(const Evidence& evidence);
Match ether_s_io(const Evidence& evidence);
Match flute(const Evidence& evidence);
Match glbp(const Evidence& evidence);
Match hislip(const Evidence& evidence);
Match iscsi(const Evidence& evidence);
Match lisp(const Evidence& evidence);
Match minecraft(const Evidence& evidence);
Match mumble(const Evidence& evidence);
Match oicq(const Evidence& evidence);
Match ptp(const Evidence& evidence);
Match rip(const Evidence& evidence);
Match ubnt(const Evidence& evidence);
Match yojimbo(const Evidence& evidence);
bool source_engine_is_answer(Bytes datagram);
/// The first datagram of Remote Desktop over UDP.
bool is_rdp_udp_syn(Bytes datagram);

namespace ports {
inline constexpr std::uint16_t kAtgTcp[] = {10001};
inline constexpr std::uint16_t kBeckhoffAdsTcp[] = {48898};
inline constexpr std::uint16_t kBjnpUdp[] = {8611, 8612};
inline constexpr std::uint16_t kC37118Tcp[] = {4712};
inline constexpr std::uint16_t kC37118Udp[] = {4713};
inline constexpr std::uint16_t kCapwapUdp[] = {5246, 5247};
inline constexpr std::uint16_t kCephTcp[] = {3300, 6789};
inline constexpr std::uint16_t kCheckmkTcp[] = {6556};
inline constexpr std::uint16_t kCipUdp[] = {2222};
inline constexpr std::uint16_t kCorbaTcp[] = {683, 684};
inline constexpr std::uint16_t kCorbaUdp[] = {683, 684};
inline constexpr std::uint16_t kDlepUdp[] = {854};
inline constexpr std::uint16_t kElasticsearchTcp[] = {9300};
inline constexpr std::uint16_t kEtherSBusUdp[] = {5050};
inline constexpr std::uint16_t kFastcgiTcp[] = {9000};
inline constexpr std::uint16_t kFinsTcp[] = {9600};
inline constexpr std::uint16_t kFinsUdp[] = {9600};
inline constexpr std::uint16_t kHartIpTcp[] = {5094};
inline constexpr std::uint16_t kHartIpUdp[] = {5094};
inline constexpr std::uint16_t kHsrpUdp[] = {1985, 2029};
inline constexpr std::uint16_t kIaxUdp[] = {4569};
inline constexpr std::uint16_t kIec62056Tcp[] = {4059};
inline constexpr std::uint16_t kIec62056Udp[] = {4059};
inline constexpr std::uint16_t kKismetTcp[] = {2501};
inline constexpr std::uint16_t kKnxUdp[] = {3671};
inline constexpr std::uint16_t kLdpTcp[] = {646};
inline constexpr std::uint16_t kLdpUdp[] = {646};
inline constexpr std::uint16_t kLustreTcp[] = {988};
inline constexpr std::uint16_t kMegacoUdp[] = {2944, 2945};
inline constexpr std::uint16_t kMmsTcp[] = {102};
inline constexpr std::uint16_t kMuninTcp[] = {4949};
inline constexpr std::uint16_t kNanoTcp[] = {7075};
inline constexpr std::uint16_t kOpenflowTcp[] = {6653};
inline constexpr std::uint16_t kOpenwireTcp[] = {61616};
inline constexpr std::uint16_t kOscarTcp[] = {5190};
inline constexpr std::uint16_t kPfcpUdp[] = {8805};
inline constexpr std::uint16_t kQuakeUdp[] = {26000, 27960};
inline constexpr std::uint16_t kRoughtimeUdp[] = {2002};
inline constexpr std::uint16_t kRshTcp[] = {514};
inline constexpr std::uint16_t kRtpsUdp[] = {7400};
inline constexpr std::uint16_t kRxUdp[] = {7000, 7001, 7002, 7003, 7004, 7005, 7006, 7007, 7008, 7009};
inline constexpr std::uint16_t kServiceLocationTcp[] = {427};
inline constexpr std::uint16_t kServiceLocationUdp[] = {427};
inline constexpr std::uint16_t kSkinnyTcp[] = {2000};
inline constexpr std::uint16_t kSmppTcp[] = {2775};
inline constexpr std::uint16_t kSomeipTcp[] = {30490};
inline constexpr std::uint16_t kSomeipUdp[] = {30490};
inline constexpr std::uint16_t kSourceEngineUdp[] = {27015};
inline constexpr std::uint16_t kSpotifyUdp[] = {57621};
inline constexpr std::uint16_t kSteamUdp[] = {27036};
inline constexpr std::uint16_t kStompTcp[] = {61613};
inline constexpr std::uint16_t kSyncthingUdp[] = {21027};
inline constexpr std::uint16_t kTacacsTcp[] = {49};
inline constexpr std::uint16_t kTeamspeakUdp[] = {9987};
inline constexpr std::uint16_t kTivoconnectUdp[] = {2190};
inline constexpr std::uint16_t kTnsTcp[] = {1521};
inline constexpr std::uint16_t kTplinkTcp[] = {9999};
inline constexpr std::uint16_t kTplinkUdp[] = {9999};
inline constexpr std::uint16_t kTrdpTcp[] = {17225};
inline constexpr std::uint16_t kTrdpUdp[] = {17224, 17225};
inline constexpr std::uint16_t kTuyaUdp[] = {6666, 6667};
inline constexpr std::uint16_t kUftpUdp[] = {1044};
inline constexpr std::uint16_t kUsenetTcp[] = {119};
inline constexpr std::uint16_t kWhoisTcp[] = {43};
inline constexpr std::uint16_t kXdmcpUdp[] = {177};
inline constexpr std::uint16_t kZ3950Tcp[] = {210};
inline constexpr std::uint16_t kAfpTcp[] = {548};
inline constexpr std::uint16_t kAyiyaUdp[] = {5072};
inline constexpr std::uint16_t kBfdUdp[] = {3784, 4784};
inline constexpr std::uint16_t kC1222Tcp[] = {1153};
inline constexpr std::uint16_t kC1222Udp[] = {1153};
inline constexpr std::uint16_t kCphaUdp[] = {8116};
inline constexpr std::uint16_t kDoipTcp[] = {13400};
inline constexpr std::uint16_t kDoipUdp[] = {13400};
inline constexpr std::uint16_t kDrdaTcp[] = {446};
inline constexpr std::uint16_t kGlbpUdp[] = {3222};
inline constexpr std::uint16_t kHislipTcp[] = {4880};
inline constexpr std::uint16_t kIscsiTcp[] = {860, 3260};
inline constexpr std::uint16_t kLispUdp[] = {4342};
inline constexpr std::uint16_t kPtpUdp[] = {319, 320};
inline constexpr std::uint16_t kRipUdp[] = {520};
}  // namespace ports

inline constexpr Protocol kAtg = {.name = "atg", .tcp_ports = ports::kAtgTcp, .tcp = true, .identify = atg};
inline constexpr Protocol kBeckhoffAds = {.name = "beckhoffads", .tcp_ports = ports::kBeckhoffAdsTcp, .tcp = true,
    .identify = beckhoff_ads};
inline constexpr Protocol kBfcp = {.name = "bfcp", .tcp = true, .udp = true, .identify = bfcp, .datagrams_max = 2};
inline constexpr Protocol kBjnp = {.name = "bjnp", .udp_ports = ports::kBjnpUdp, .udp = true, .identify = bjnp};
inline constexpr Protocol kC37118 = {.name = "ieee-c37118", .tcp_ports = ports::kC37118Tcp,
    .udp_ports = ports::kC37118Udp, .tcp = true, .udp = true, .identify = c37118};
inline constexpr Protocol kCapwap = {.name = "capwap", .udp_ports = ports::kCapwapUdp, .udp = true, .identify = capwap};
inline constexpr Protocol kCeph = {.name = "ceph", .tcp_ports = ports::kCephTcp, .tcp = true, .identify = ceph};
inline constexpr Protocol kCheckmk = {.name = "checkmk", .tcp_ports = ports::kCheckmkTcp, .tcp = true, .identify = checkmk};
inline constexpr Protocol kCip = {.name = "cip", .udp_ports = ports::kCipUdp, .udp = true, .identify = cip};
inline constexpr Protocol kCorba = {.name = "corba", .tcp_ports = ports::kCorbaTcp, .udp_ports = ports::kCorbaUdp,
    .tcp = true, .udp = true, .identify = corba};
inline constexpr Protocol kDiscord = {.name = "discord", .udp = true, .identify = discord, .datagrams_max = 4};
inline constexpr Protocol kDlep = {.name = "dlep", .udp_ports = ports::kDlepUdp, .udp = true, .identify = dlep};
inline constexpr Protocol kElasticsearch = {.name = "elasticsearch", .tcp_ports = ports::kElasticsearchTcp,
    .tcp = true, .identify = elasticsearch};
inline constexpr Protocol kEtherSBus = {.name = "ether-s-bus", .udp_ports = ports::kEtherSBusUdp, .udp = true,
    .identify = ether_s_bus};
inline constexpr Protocol kFastcgi = {.name = "fastcgi", .tcp_ports = ports::kFastcgiTcp, .tcp = true, .identify = fastcgi};
inline constexpr Protocol kFins = {.name = "fins", .tcp_ports = ports::kFinsTcp, .udp_ports = ports::kFinsUdp,
    .tcp = true, .udp = true, .identify = fins};
inline constexpr Protocol kFix = {.name = "fix", .tcp = true, .identify = fix};
inline constexpr Protocol kHaproxy = {.name = "haproxy", .tcp = true, .identify = haproxy};
inline constexpr Protocol kHartIp = {.name = "hart-ip", .tcp_ports = ports::kHartIpTcp,
    .udp_ports = ports::kHartIpUdp, .tcp = true, .udp = true, .identify = hart_ip};
inline constexpr Protocol kHsrp = {.name = "hsrp", .udp_ports = ports::kHsrpUdp, .udp = true, .identify = hsrp};
inline constexpr Protocol kIax = {.name = "iax", .udp_ports = ports::kIaxUdp, .udp = true, .identify = iax};
inline constexpr Protocol kIec62056 = {.name = "iec62056", .tcp_ports = ports::kIec62056Tcp,
    .udp_ports = ports::kIec62056Udp, .tcp = true, .udp = true, .identify = iec62056};
inline constexpr Protocol kKismet = {.name = "kismet", .tcp_ports = ports::kKismetTcp, .tcp = true, .identify = kismet};
inline constexpr Protocol kKnx = {.name = "knxnet-ip", .udp_ports = ports::kKnxUdp, .udp = true, .identify = knx};
inline constexpr Protocol kLdp = {.name = "ldp", .tcp_ports = ports::kLdpTcp, .udp_ports = ports::kLdpUdp,
    .tcp = true, .udp = true, .identify = ldp};
inline constexpr Protocol kLustre = {.name = "lustre", .tcp_ports = ports::kLustreTcp, .tcp = true, .identify = lustre};
inline constexpr Protocol kMegaco = {.name = "megaco", .udp_ports = ports::kMegacoUdp, .udp = true, .identify = megaco};
inline constexpr Protocol kMms = {.name = "iso9506-1-mms", .tcp_ports = ports::kMmsTcp, .tcp = true, .identify = mms};
inline constexpr Protocol kMpegTs = {.name = "mpeg-ts", .udp = true, .identify = mpeg_ts};
inline constexpr Protocol kMunin = {.name = "munin", .tcp_ports = ports::kMuninTcp, .tcp = true, .identify = munin};
inline constexpr Protocol kNano = {.name = "nano", .tcp_ports = ports::kNanoTcp, .tcp = true, .identify = nano};
inline constexpr Protocol kOokla = {.name = "ookla", .tcp = true, .identify = ookla};
inline constexpr Protocol kOpenflow = {.name = "openflow", .tcp_ports = ports::kOpenflowTcp, .tcp = true, .identify = openflow};
inline constexpr Protocol kOpenwire = {.name = "openwire", .tcp_ports = ports::kOpenwireTcp, .tcp = true, .identify = openwire};
inline constexpr Protocol kOscar = {.name = "oscar", .tcp_ports = ports::kOscarTcp, .tcp = true, .identify = oscar};
inline constexpr Protocol kPfcp = {.name = "pfcp", .udp_ports = ports::kPfcpUdp, .udp = true, .identify = pfcp};
inline constexpr Protocol kQuake = {.name = "quake", .udp_ports = ports::kQuakeUdp, .udp = true, .identify = quake};
inline constexpr Protocol kRaknet = {.name = "raknet", .udp = true, .identify = raknet};
inline constexpr Protocol kRoughtime = {.name = "roughtime", .udp_ports = ports::kRoughtimeUdp, .udp = true,
    .identify = roughtime};
inline constexpr Protocol kRsh = {.name = "rsh", .tcp_ports = ports::kRshTcp, .tcp = true, .identify = rsh};
inline constexpr Protocol kRtps = {.name = "rtps", .udp_ports = ports::kRtpsUdp, .udp = true, .identify = rtps};
inline constexpr Protocol kRx = {.name = "rx", .udp_ports = ports::kRxUdp, .udp = true, .identify = rx};
inline constexpr Protocol kServiceLocation = {.name = "service-location-protocol",
    .tcp_ports = ports::kServiceLocationTcp, .udp_ports = ports::kServiceLocationUdp, .tcp = true, .udp = true, .identify = srvloc};
inline constexpr Protocol kSkinny = {.name = "ciscoskinny", .tcp_ports = ports::kSkinnyTcp, .tcp = true, .identify = skinny};
inline constexpr Protocol kSmpp = {.name = "smpp", .tcp_ports = ports::kSmppTcp, .tcp = true, .identify = smpp};
inline constexpr Protocol kSomeip = {.name = "someip", .tcp_ports = ports::kSomeipTcp, .udp_ports = ports::kSomeipUdp,
    .tcp = true, .udp = true, .identify = someip};
inline constexpr Protocol kSourceEngine = {.name = "source-engine", .udp_ports = ports::kSourceEngineUdp, .udp = true,
    .identify = source_engine, .is_answer = source_engine_is_answer};
inline constexpr Protocol kSpotify = {.name = "spotify", .udp_ports = ports::kSpotifyUdp, .udp = true, .identify = spotify};
inline constexpr Protocol kSteam = {.name = "steam", .udp_ports = ports::kSteamUdp, .tcp = true, .udp = true, .identify = steam};
inline constexpr Protocol kStomp = {.name = "stomp", .tcp_ports = ports::kStompTcp, .tcp = true, .identify = stomp};
inline constexpr Protocol kSyncthing = {.name = "syncthing", .udp_ports = ports::kSyncthingUdp, .udp = true,
    .identify = syncthing};
inline constexpr Protocol kTacacs = {.name = "tacacs", .tcp_ports = ports::kTacacsTcp, .tcp = true, .identify = tacacs};
inline constexpr Protocol kTeamspeak = {.name = "teamspeak", .udp_ports = ports::kTeamspeakUdp, .udp = true,
    .identify = teamspeak};
inline constexpr Protocol kThrift = {.name = "thrift", .tcp = true, .udp = true, .identify = thrift};
inline constexpr Protocol kTivoconnect = {.name = "tivoconnect", .udp_ports = ports::kTivoconnectUdp, .udp = true,
    .identify = tivoconnect};
inline constexpr Protocol kTns = {.name = "tns", .tcp_ports = ports::kTnsTcp, .tcp = true, .identify = tns};
inline constexpr Protocol kTplink = {.name = "tplink-shp", .tcp_ports = ports::kTplinkTcp,
    .udp_ports = ports::kTplinkUdp, .tcp = true, .udp = true, .identify = tplink};
inline constexpr Protocol kTrdp = {.name = "trdp", .tcp_ports = ports::kTrdpTcp, .udp_ports = ports::kTrdpUdp,
    .tcp = true, .udp = true, .identify = trdp};
inline constexpr Protocol kTuya = {.name = "tuyalp", .udp_ports = ports::kTuyaUdp, .udp = true, .identify = tuya};
inline constexpr Protocol kUftp = {.name = "uftp", .udp_ports = ports::kUftpUdp, .udp = true, .identify = uftp};
inline constexpr Protocol kUsenet = {.name = "usenet", .tcp_ports = ports::kUsenetTcp, .tcp = true, .identify = nntp};
inline constexpr Protocol kWhatsapp = {.name = "whatsapp", .tcp = true, .identify = whatsapp};
inline constexpr Protocol kWhois = {.name = "whois-das", .tcp_ports = ports::kWhoisTcp, .tcp = true, .identify = whois};
inline constexpr Protocol kXdmcp = {.name = "xdmcp", .udp_ports = ports::kXdmcpUdp, .udp = true, .identify = xdmcp};
inline constexpr Protocol kZ3950 = {.name = "z3950", .tcp_ports = ports::kZ3950Tcp, .tcp = true, .identify = z3950};
inline constexpr Protocol kAfp = {.name = "afp", .tcp_ports = ports::kAfpTcp, .tcp = true, .identify = afp};
inline constexpr Protocol kAyiya = {.name = "ayiya", .udp_ports = ports::kAyiyaUdp, .udp = true, .identify = ayiya};
inline constexpr Protocol kBfd = {.name = "bfd", .udp_ports = ports::kBfdUdp, .udp = true, .identify = bfd};
inline constexpr Protocol kC1222 = {.name = "c1222", .tcp_ports = ports::kC1222Tcp, .udp_ports = ports::kC1222Udp,
    .tcp = true, .udp = true, .identify = c1222};
inline constexpr Protocol kCpha = {.name = "cpha", .udp_ports = ports::kCphaUdp, .udp = true, .identify = cpha};
inline constexpr Protocol kDoip = {.name = "doip", .tcp_ports = ports::kDoipTcp, .udp_ports = ports::kDoipUdp,
    .tcp = true, .udp = true, .identify = doip};
inline constexpr Protocol kDrda = {.name = "drda", .tcp_ports = ports::kDrdaTcp, .tcp = true, .identify = drda};
inline constexpr Protocol kEgd = {.name = "egd", .udp = true, .identify = egd};
inline constexpr Protocol kEtherSIo = {.name = "ethersio", .udp = true, .identify = ether_s_io};
inline constexpr Protocol kFlute = {.name = "flute", .udp = true, .identify = flute};
inline constexpr Protocol kGlbp = {.name = "glbp", .udp_ports = ports::kGlbpUdp, .udp = true, .identify = glbp};
inline constexpr Protocol kHislip = {.name = "hislip", .tcp_ports = ports::kHislipTcp, .tcp = true, .identify = hislip};
inline constexpr Protocol kIscsi = {.name = "iscsi", .tcp_ports = ports::kIscsiTcp, .tcp = true, .identify = iscsi};
inline constexpr Protocol kLisp = {.name = "lisp", .udp_ports = ports::kLispUdp, .udp = true, .identify = lisp};
inline constexpr Protocol kMinecraft = {.name = "minecraft", .tcp = true,
    .identify = minecraft};
inline constexpr Protocol kMumble = {.name = "mumble", .udp = true,
    .identify = mumble, .datagrams_max = 2};
inline constexpr Protocol kOicq = {.name = "oicq", .udp = true, .identify = oicq, .datagrams_max = 2};
inline constexpr Protocol kPtp = {.name = "ptpv2", .udp_ports = ports::kPtpUdp, .udp = true, .identify = ptp};
inline constexpr Protocol kRip = {.name = "rip", .udp_ports = ports::kRipUdp, .udp = true, .identify = rip};
inline constexpr Protocol kUbnt = {.name = "ubntac2", .udp = true, .identify = ubnt};
inline constexpr Protocol kYojimbo = {.name = "yojimbo", .udp = true, .identify = yojimbo};

}  // namespace weir::proto::identify
