// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers of the core facts: packet headers, flow, readings, host, and those that several protocols write. A protocol's
// own facts take numbers from its range below; proto/registry.cc refuses to compile if two ranges meet.
//
//   0–63 packet   64–99 flow   100–139 readings   140–159 host   160–179 accounts, files
//   180–199 dns, nbns   200–219 http   220–239 tls, quic   240–259 smb, dcerpc   260–263 ssh   264–267 ftp
//   268–269 tftp   270–275 smtp   276 imap   277 pop3   280–285 snmp   286–295 dhcp, dhcpv6   296–301 socks
//   302 rfb   303 rdp   304 ntp   305 sip   306 ldap   307 krb5   308 websocket   309 ssdp   310 stun   311 memcached
//   312 redis   313 dnp3   314 modbus   315–319 rpc   320–322 rsync

#include "facts/field.h"

namespace weir::field {

enum : FieldId {
  // Packet.
  kInPort = 0, kEthSrc, kEthDst, kEthType, kLlcDsap, kVlanId,
  kArpOp, kArpSenderIp, kArpSenderMac, kArpTargetIp,
  kIpVersion, kIpTtl, kIpDscp, kIpLength, kIpProtocol, kIpOptions, kIp6Headers, kIp6RoutingType, kIpFragment,
  kTcpFlags, kTcpFlagsAny, kIcmpType, kIcmpCode, kIcmpPayloadBytes,
  kSrcIp, kDstIp, kSrcPort, kDstPort,
  kFlaw, kTunnelKind, kTunnelDepth, kGreProtocol, kOuterFrom, kOuterTo,
  kSrcSpoofed,  // the source cannot come from this port or zone (guard anti-spoof)

  // Flow.
  kFrom = 64, kTo, kPeer, kPort, kClientIp, kServerIp, kClientPort, kServerPort, kClientMac, kServerMac, kFromZone, kToZone,
  kFlowState, kFlowPackets, kFlowBytes, kFlowBytesToServer, kFlowBytesToClient, kFlowAge,
  kUdpSolicited, kAppProtocol, kAppConfirmed, kAppOnStandardPort, kServerName, kPayloadEntropy, kPayloadFirstBytes,
  kSniBinding,  // a hello's name against the names that its client was told for the address

  // Readings.
  kArpBinding = 100, kNdBinding, kSrcBinding, kAuthBinding,
  kDnsTunnel, kIcmpTunnel, kHttpTunnel, kSshTunnel, kDnsGenerated, kDnsFirstSeen, kHttpFronting, kHttpSsrf, kFlowSlow, kFlowBeacon,
  kKnock, kScan,
  kRateSyn, kRatePackets, kRateFlows, kRateRequests, kRateSynTo, kRatePacketsTo, kRateFlowsTo, kRateRequestsTo,
  kDhcpPoolFree, kAmplificationRatio,
  kPortMacsExceeded,  // more addresses behind the port than port-security allows
  kDhcpMacMismatch,   // a client's chaddr is not its Ethernet source (dhcp-snooping: verify_mac)

  // Host.
  kProcessPath = 140, kProcessName, kProcessCmdline, kProcessSha256, kProcessPid, kProcessParentPath, kUser, kGroup, kCgroup, kService,
  kContainerId, kContainerName, kContainerImage,

  // Accounts and files, written by several protocols.
  kAuthUser = 160, kAuthRealm, kAuthScheme, kAuthResult,
  kFileType = 170, kFileName, kFileBytes,
};

/// Words of `auth.scheme`.
enum class AuthScheme : std::uint8_t { Password, Basic, Digest, Ntlm, Kerberos, Bearer, Sigv4, Community, Negotiate, Cram, Usm, Other };
/// Words of `auth.result`.
enum class AuthResult : std::uint8_t { Ok, Failed };
/// Words of `arp.binding` and its like.
enum class Binding : std::uint8_t { Holds, Contradicts, Unlisted };
/// Words of `file.type`.
enum class FileType : std::uint8_t { Pe, Elf, Macho, Script, Archive, Office, Pdf, Image, Disk, Audio, Video, Other };

}  // namespace weir::field
