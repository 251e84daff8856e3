// SPDX-License-Identifier: Apache-2.0
#include "proto/registry.h"

#include <array>

#include "proto/quic/quic.h"
#include "proto/tls/dtls.h"
#include "proto/tls/tls.h"
#include "proto/http/http.h"
#include "proto/http2/http2.h"
#include "proto/dcerpc/dcerpc.h"
#include "proto/identify/access.h"
#include "proto/identify/rows.h"
#include "proto/identify/stores.h"
#include "proto/identify/signatures.h"
#include "proto/identify/vendors.h"
#include "proto/rdp/rdp.h"
#include "proto/smb/smb.h"
#include "proto/dns/dns.h"
#include "proto/ftp/ftp.h"
#include "proto/http/http.h"
#include "proto/imap/imap.h"
#include "proto/krb5/krb5.h"
#include "proto/ldap/ldap.h"
#include "proto/irc/irc.h"
#include "proto/mysql/mysql.h"
#include "proto/pgsql/pgsql.h"
#include "proto/pop3/pop3.h"
#include "proto/rfb/rfb.h"
#include "proto/rpc/rpc.h"
#include "proto/rsync/rsync.h"
#include "proto/smtp/smtp.h"
#include "proto/socks/socks.h"
#include "proto/ssh/ssh.h"
#include "proto/dhcp/dhcp.h"
#include "proto/dns/dns.h"
#include "proto/ntp/ntp.h"
#include "proto/snmp/snmp.h"
#include "proto/tds/tds.h"
#include "proto/telnet/telnet.h"
#include "proto/tftp/tftp.h"
#include "proto/websocket/websocket.h"

namespace weir::proto {
namespace {

constexpr Protocol kUnknown = {.name = "unknown"};

constexpr const Protocol* kProtocols[] = {
    &kUnknown,
    &quic::kDoq,
    &tls::kDot,
    &tls::dtls::kDtls,
    &quic::kQuic,
    &tls::kTls,
    &kBits,
    &kDoh,
    &kFtp,
    &kFtpData,
    &kGrpc,
    &kHttp,
    &kHttp2,
    &kImap,
    &kIrc,
    &kPop3,
    &kRfb,
    &kSmtp,
    &kSocks,
    &kSsh,
    &kTelnet,
    &kTftp,
    &kWebdav,
    &websocket::kWebsocket,
    &kWinrm,
    &identify::kAdb,
    &identify::kAjp,
    &identify::kAmqp,
    &identify::kBacnet,
    &identify::kBgp,
    &identify::kBitcoin,
    &identify::kBittorrent,
    &identify::kCassandra,
    &identify::kCitrix,
    &identify::kCoap,
    &identify::kCollectd,
    &dcerpc::kDcerpc,
    &identify::kDiameter,
    &identify::kDicom,
    &identify::kDnp3,
    &identify::kDropbox,
    &identify::kEdonkey,
    &identify::kEnip,
    &identify::kEthereum,
    &identify::kGearman,
    &identify::kGit,
    &identify::kGnutella,
    &identify::kGtp,
    &identify::kH323,
    &identify::kHl7,
    &identify::kIec104,
    &identify::kIke,
    &identify::kIpmi,
    &identify::kJdwp,
    &identify::kKafka,
    &krb5::kKrb5,
    &identify::kL2tp,
    &ldap::kLdap,
    &identify::kMemcached,
    &identify::kMgcp,
    &identify::kModbus,
    &identify::kMongodb,
    &identify::kMqtt,
    &mysql::kMysql,
    &identify::kNatpmp,
    &identify::kNats,
    &identify::kNbdgm,
    &smb::kNbss,
    &identify::kNcp,
    &identify::kNetflow,
    &kNfs,
    &identify::kNomachine,
    &identify::kOpcua,
    &identify::kOpenvpn,
    &identify::kPcp,
    &pgsql::kPgsql,
    &identify::kPptp,
    &identify::kRadius,
    &identify::kRadmin,
    &rdp::kRdp,
    &identify::kRedis,
    &identify::kRmi,
    &kRsync,
    &identify::kRtcp,
    &identify::kRtmp,
    &identify::kRtp,
    &identify::kRtsp,
    &identify::kS7comm,
    &identify::kSflow,
    &identify::kSip,
    &identify::kSmartInstall,
    &smb::kSmb,
    &kDhcp,
    &kDhcpv6,
    &kAvastSecureDns,
    &kDns,
    &kDnscrypt,
    &kLlmnr,
    &kMdns,
    &kNbns,
    &identify::kSpice,
    &identify::kSsdp,
    &identify::kSrtp,
    &identify::kStratum,
    &identify::kStun,
    &kSunrpc,
    &identify::kSvn,
    &identify::kSyslog,
    &identify::kTailscale,
    &tds::kTds,
    &identify::kTeamviewer,
    &identify::kTeredo,
    &identify::kTinc,
    &identify::kVxlan,
    &identify::kWireguard,
    &identify::kWsDiscovery,
    &identify::kX11,
    &identify::kXmpp,
    &identify::kZabbix,
    &identify::kZmtp,
    &kNtp,
    &kSnmp,
    &identify::kAtg,
    &identify::kBeckhoffAds,
    &identify::kBfcp,
    &identify::kBjnp,
    &identify::kC37118,
    &identify::kCapwap,
    &identify::kCeph,
    &identify::kCheckmk,
    &identify::kCip,
    &identify::kCorba,
    &identify::kDiscord,
    &identify::kDlep,
    &identify::kElasticsearch,
    &identify::kEtherSBus,
    &identify::kFastcgi,
    &identify::kFins,
    &identify::kFix,
    &identify::kHaproxy,
    &identify::kHartIp,
    &identify::kHsrp,
    &identify::kIax,
    &identify::kIec62056,
    &identify::kKismet,
    &identify::kKnx,
    &identify::kLdp,
    &identify::kLustre,
    &identify::kMegaco,
    &identify::kMms,
    &identify::kMpegTs,
    &identify::kMunin,
    &identify::kNano,
    &identify::kOokla,
    &identify::kOpenflow,
    &identify::kOpenwire,
    &identify::kOscar,
    &identify::kPfcp,
    &identify::kQuake,
    &identify::kRaknet,
    &identify::kRoughtime,
    &identify::kRsh,
    &identify::kRtps,
    &identify::kRx,
    &identify::kServiceLocation,
    &identify::kSkinny,
    &identify::kSmpp,
    &identify::kSomeip,
    &identify::kSourceEngine,
    &identify::kSpotify,
    &identify::kSteam,
    &identify::kStomp,
    &identify::kSyncthing,
    &identify::kTacacs,
    &identify::kTeamspeak,
    &identify::kThrift,
    &identify::kTivoconnect,
    &identify::kTns,
    &identify::kTplink,
    &identify::kTrdp,
    &identify::kTuya,
    &identify::kUftp,
    &identify::kUsenet,
    &identify::kWhatsapp,
    &identify::kWhois,
    &identify::kXdmcp,
    &identify::kZ3950,
    &identify::kAfp,
    &identify::kAyiya,
    &identify::kBfd,
    &identify::kC1222,
    &identify::kCpha,
    &identify::kDoip,
    &identify::kDrda,
    &identify::kEgd,
    &identify::kEtherSIo,
    &identify::kFlute,
    &identify::kGlbp,
    &identify::kHislip,
    &identify::kIscsi,
    &identify::kLisp,
    &identify::kMinecraft,
    &identify::kMumble,
    &identify::kOicq,
    &identify::kPtp,
    &identify::kRip,
    &identify::kUbnt,
    &identify::kYojimbo,
    &identify::kAlicloud,
    &identify::kDingtalk,
    &identify::kEpicGames,
    &identify::kIqiyi,
    &identify::kNestLogSink,
    &identify::kRiotGames,
    &identify::kSdRtn,
    &identify::kTelegram,
    &identify::kViber,
    &identify::kWorldOfWarcraft,
    &identify::kXiaomi,
    &identify::kZoom,
    &identify::kZug,
    &identify::kAppleRemoteDesktop,
    &identify::kBore,
    &identify::kCloudflareWarp,
    &identify::kDameware,
    &identify::kFrp,
    &identify::kGuacamole,
    &identify::kHamachi,
    &identify::kLibp2p,
    &identify::kN2n,
    &identify::kNebula,
    &identify::kPcanywhere,
    &identify::kRustdesk,
    &identify::kSoftether,
    &identify::kSynergy,
    &identify::kVmware,
    &identify::kVncRepeater,
    &identify::kXpra,
    &identify::kYggdrasil,
    &identify::kZerotier,
    &identify::kAerospike,
    &identify::kAmanda,
    &identify::kAsteriskAmi,
    &identify::kBacula,
    &identify::kBeanstalkd,
    &identify::kBeats,
    &identify::kBolt,
    &identify::kClickhouse,
    &identify::kCvspserver,
    &identify::kDict,
    &identify::kDistcc,
    &identify::kFirebird,
    &identify::kFreeswitch,
    &identify::kHadoop,
    &identify::kHana,
    &identify::kHazelcast,
    &identify::kHbase,
    &identify::kIbmMq,
    &identify::kIgnite,
    &identify::kIperf,
    &identify::kManagesieve,
    &identify::kMpd,
    &identify::kMsmq,
    &identify::kMysqlx,
    &identify::kNanomsg,
    &identify::kNsq,
    &identify::kPulsar,
    &identify::kRabbitmqStream,
    &identify::kRethinkdb,
    &identify::kSaprouter,
    &identify::kTarantool,
    &identify::kVelocystream,
    &identify::kZookeeper,
};

// Ranges of field numbers must not meet (field_ids.h shares them out). Protocols that share a parser share the same rows.
constexpr bool ranges_meet() {
  std::array<std::string_view, kFieldsMax> taken{};
  for (const Protocol* protocol : kProtocols)
    for (const FieldRow& row : protocol->fields) {
      if (!taken[row.id].empty() && taken[row.id] != row.name) return true;
      taken[row.id] = row.name;
    }
  return false;
}
static_assert(!ranges_meet());

}  // namespace

std::span<const Protocol* const> protocols() { return kProtocols; }

}  // namespace weir::proto
