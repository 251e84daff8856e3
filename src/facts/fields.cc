// SPDX-License-Identifier: Apache-2.0
#include "facts/describer.h"
#include "facts/field_ids.h"
#include "facts/packet.h"
#include "facts/vocabulary.h"

namespace weir {
namespace {

using enum FieldType;  // FieldType::Word and FieldType::Mac hide the types of that name: those are written out
using namespace field;

constexpr weir::Word kEtherTypes[] = {{"ipv4", ether_type::kIpv4}, {"arp", ether_type::kArp}, {"ipv6", ether_type::kIpv6}, {"ipx", ether_type::kIpx},
                                {"lldp", ether_type::kLldp}, {"pppoe", ether_type::kPppoe}, {"pppoe-discovery", ether_type::kPppoeDiscovery},
                                {"mpls", ether_type::kMpls}, {"eapol", ether_type::kEapol}, {"wake-on-lan", ether_type::kWakeOnLan},
                                {"transparent-bridging", ether_type::kTransparentBridging}, {"erspan", 0x88be}, {"ppp", 0x880b}, {"llc", 0}};
constexpr weir::Word kArpOps[] = {{"request", 1}, {"reply", 2}};
constexpr weir::Word kIpProtocols[] = {{"hop-by-hop", 0}, {"icmp", 1}, {"igmp", 2}, {"ipip", 4}, {"tcp", 6}, {"egp", 8}, {"udp", 17}, {"dccp", 33},
                                 {"ipv6", 41}, {"rsvp", 46}, {"gre", 47}, {"esp", 50}, {"ah", 51}, {"icmpv6", 58}, {"none", 59}, {"eigrp", 88},
                                 {"ospf", 89}, {"pim", 103}, {"vrrp", 112}, {"pgm", 113}, {"l2tp", 115}, {"sctp", 132}, {"mobility", 135},
                                 {"udplite", 136}, {"mpls", 137}, {"hip", 139}, {"shim6", 140}};
constexpr weir::Word kFragments[] = {{"no", 0}, {"first", 1}, {"later", 2}};
// ICMP and ICMPv6 number their types apart; where one word means both, a rule asks ip.protocol or takes either.
// Values: ICMP's number, or 256 + ICMPv6's.
constexpr weir::Word kIcmpTypes[] = {{"echo-reply", 0}, {"unreachable", 3}, {"source-quench", 4}, {"redirect", 5}, {"echo-request", 8},
                               {"router-advertisement", 9}, {"router-solicitation", 10}, {"time-exceeded", 11}, {"parameter-problem", 12},
                               {"timestamp-request", 13}, {"timestamp-reply", 14}, {"address-mask-request", 17}, {"address-mask-reply", 18},
                               {"unreachable", 256 + 1}, {"packet-too-big", 256 + 2}, {"time-exceeded", 256 + 3}, {"parameter-problem", 256 + 4},
                               {"echo-request", 256 + 128}, {"echo-reply", 256 + 129}, {"mld-query", 256 + 130}, {"mld-report", 256 + 131},
                               {"mld-done", 256 + 132}, {"router-solicitation", 256 + 133}, {"router-advertisement", 256 + 134},
                               {"neighbor-solicitation", 256 + 135}, {"neighbor-advertisement", 256 + 136}, {"redirect", 256 + 137},
                               {"mld2-report", 256 + 143}, {"mld", 256 + 130}, {"mld", 256 + 131}, {"mld", 256 + 132}, {"mld", 256 + 143}};
constexpr weir::Word kIpOptionWords[] = {{"source-route", 0}, {"record-route", 1}, {"router-alert", 2}, {"timestamp", 3}, {"security", 4}, {"stream-id", 5}, {"other", 6}};
constexpr weir::Word kIp6HeaderWords[] = {{"hop-by-hop", 0}, {"routing", 1}, {"fragment", 2}, {"destination", 3}, {"ah", 4}, {"esp", 5}, {"mobility", 6}, {"hip", 7}, {"shim6", 8}};
constexpr weir::Word kFlawWords[] = {{"truncated", 0}, {"bad-checksum", 1}, {"bad-length", 2}, {"land", 3}, {"overlap", 4}, {"tiny-fragment", 5},
                               {"ping-of-death", 6}, {"teardrop", 7}, {"bad-flags", 8}, {"bad-option", 9}, {"deep-tunnel", 10}, {"conflict", 11},
                               {"too-many-transactions", 12}, {"bad-heartbeat", 13}, {"too-deep", 14}, {"bad-request-line", 15}, {"bad-message", 16},
                               {"bad-name", 17}, {"bad-encoding", 18}, {"too-large", 19}, {"bad-arp", 20}};
constexpr weir::Word kTunnelWords[] = {{"gre", 1}, {"ipip", 2}, {"6in4", 3}, {"4in6", 4}, {"6in6", 5}, {"teredo", 6}, {"vxlan", 7}, {"geneve", 8},
                                 {"erspan", 9}, {"pptp", 10}, {"l2tp", 11}, {"gtp", 12}};
constexpr weir::Word kFlowStates[] = {{"new", 0}, {"established", 1}, {"related", 2}, {"invalid", 3}};
constexpr weir::Word kBindings[] = {{"holds", 0}, {"contradicts", 1}, {"unlisted", 2}};
constexpr weir::Word kAuthSchemes[] = {{"password", 0}, {"basic", 1}, {"digest", 2}, {"ntlm", 3}, {"kerberos", 4}, {"bearer", 5}, {"sigv4", 6},
                                 {"community", 7}, {"negotiate", 8}, {"cram", 9}, {"usm", 10}, {"other", 11}};
constexpr weir::Word kPids[] = {{"unknown", 0}};
constexpr weir::Word kAuthResults[] = {{"ok", 0}, {"failed", 1}};
constexpr weir::Word kFileTypes[] = {{"pe", 0}, {"elf", 1}, {"macho", 2}, {"script", 3}, {"archive", 4}, {"office", 5}, {"pdf", 6}, {"image", 7},
                               {"disk", 8}, {"audio", 9}, {"video", 10}, {"other", 11}};

using milestone::kFlowEnd, milestone::kHeader, milestone::kIdentified, milestone::kTransaction;
constexpr auto kPacketScope = Scope::Packet;
constexpr auto kFlowScope = Scope::Flow;
constexpr auto kTransactionScope = Scope::Transaction;
constexpr auto kReadingScope = Scope::Reading;

// clang-format off
constexpr FieldRow kRows[] = {
    {kInPort, "in.port", Port, kPacketScope, kHeader, false, on::kAll, {}, "Name of the port that the frame came in by."},
    {kEthSrc, "eth.src", FieldType::Mac, kPacketScope, kHeader, false, on::kAll, {}, "Ethernet source address; a value such as 00:11:22 matches the vendor's part."},
    {kEthDst, "eth.dst", FieldType::Mac, kPacketScope, kHeader, false, on::kAll, {}, "Ethernet destination address."},
    {kEthType, "eth.type", Number, kPacketScope, kHeader, false, on::kAll, kEtherTypes, "EtherType behind VLAN tags: a name or a number."},
    {kLlcDsap, "llc.dsap", Number, kPacketScope, kHeader, false, on::kAll, {}, "Destination service access point of an IEEE 802.2 frame."},
    {kVlanId, "vlan.id", Number, kPacketScope, kHeader, false, on::kAll, {}, "Outermost VLAN id, 0 to 4095 (IEEE 802.1Q)."},
    {kArpOp, "arp.op", FieldType::Word, kPacketScope, kHeader, false, on::kAll, kArpOps, "ARP operation (RFC 826)."},
    {kArpSenderIp, "arp.sender_ip", Address, kPacketScope, kHeader, false, on::kAll, {}, "Protocol address that the ARP sender claims."},
    {kArpSenderMac, "arp.sender_mac", FieldType::Mac, kPacketScope, kHeader, false, on::kAll, {}, "Hardware address that the ARP sender claims."},
    {kArpTargetIp, "arp.target_ip", Address, kPacketScope, kHeader, false, on::kAll, {}, "Protocol address that is asked for or told."},
    {kIpVersion, "ip.version", Number, kPacketScope, kHeader, false, on::kAll, {}, "4 or 6."},
    {kIpTtl, "ip.ttl", Number, kPacketScope, kHeader, false, on::kAll, {}, "Time to live, or hop limit, 0 to 255."},
    {kIpDscp, "ip.dscp", Number, kPacketScope, kHeader, false, on::kAll, {}, "Differentiated services code point, 0 to 63 (RFC 2474)."},
    {kIpLength, "ip.length", Number, kPacketScope, kHeader, false, on::kAll, {}, "Bytes of the IP packet, header included."},
    {kIpProtocol, "ip.protocol", Number, kPacketScope, kHeader, true, on::kAll, kIpProtocols, "Protocol numbers along one header chain: names or numbers (AH before TCP gives both)."},
    {kIpOptions, "ip.options", FieldType::Word, kPacketScope, kHeader, true, on::kAll, kIpOptionWords, "IPv4 options (RFC 791); source-route is loose and strict."},
    {kIp6Headers, "ip6.headers", FieldType::Word, kPacketScope, kHeader, true, on::kAll, kIp6HeaderWords, "IPv6 extension headers (RFC 8200)."},
    {kIp6RoutingType, "ip6.routing_type", Number, kPacketScope, kHeader, false, on::kAll, {}, "Type of the IPv6 routing header; 0 is deprecated (RFC 5095)."},
    {kIpFragment, "ip.fragment", FieldType::Word, kPacketScope, kHeader, false, on::kAll, kFragments, "Whether the packet is a fragment: no, first or later."},
    {kTcpFlags, "tcp.flags", Flags, kPacketScope, kHeader, false, on::kAll, {}, "The exact set of TCP flags, letters F S R P A U E C, or none."},
    {kTcpFlagsAny, "tcp.flags.any", Flags, kPacketScope, kHeader, false, on::kAll, {}, "Any of these TCP flags is set."},
    {kIcmpType, "icmp.type", Number, kPacketScope, kHeader, false, on::kAll, kIcmpTypes, "ICMP or ICMPv6 type, name or number; ip.protocol tells the two apart."},
    {kIcmpCode, "icmp.code", Number, kPacketScope, kHeader, false, on::kAll, {}, "ICMP code, 0 to 255."},
    {kIcmpPayloadBytes, "icmp.payload_bytes", Number, kPacketScope, kHeader, false, on::kAll, {}, "Bytes after the 8-byte ICMP header."},
    {kSrcIp, "src.ip", Address, kPacketScope, kHeader, false, on::kAll, {}, "Source address of this packet."},
    {kDstIp, "dst.ip", Address, kPacketScope, kHeader, false, on::kAll, {}, "Destination address of this packet."},
    {kSrcPort, "src.port", Number, kPacketScope, kHeader, false, on::kAll, {}, "Source port of this packet."},
    {kDstPort, "dst.port", Number, kPacketScope, kHeader, false, on::kAll, {}, "Destination port of this packet."},
    {kFlaw, "flaw", FieldType::Word, kPacketScope, kTransaction, true, on::kAll, kFlawWords, "What is malformed about this packet or message."},
    {kTunnelKind, "tunnel.kind", FieldType::Word, kPacketScope, kHeader, true, on::kAll, kTunnelWords, "Encapsulations, outermost first."},
    {kTunnelDepth, "tunnel.depth", Number, kPacketScope, kHeader, false, on::kAll, {}, "How many encapsulations."},
    {kGreProtocol, "gre.protocol", Number, kPacketScope, kHeader, false, on::kAll, kEtherTypes, "Protocol type of the outermost GRE header (RFC 2784)."},
    {kOuterFrom, "outer.from", Address, kPacketScope, kHeader, false, on::kAll, {}, "Client end of the outermost carrier: zone, prefix or set."},
    {kOuterTo, "outer.to", Address, kPacketScope, kHeader, false, on::kAll, {}, "Server end of the outermost carrier."},
    {kSrcSpoofed, "src.spoofed", Boolean, kPacketScope, kHeader, false, on::kAll, {}, "The source address cannot come from this port or zone."},

    {kFrom, "from", Address, kFlowScope, kHeader, false, on::kAll, {}, "The client that opened the flow: zone, prefix or set."},
    {kTo, "to", Address, kFlowScope, kHeader, false, on::kAll, {}, "The server: zone, prefix or set."},
    {kPeer, "peer", Address, kFlowScope, kHeader, true, on::kAll, {}, "Either end."},
    {kPort, "port", Number, kFlowScope, kHeader, false, on::kAll, {}, "The server's port, of TCP, UDP and SCTP."},
    {kClientIp, "client.ip", Address, kFlowScope, kHeader, false, on::kAll, {}, "Address of the client."},
    {kServerIp, "server.ip", Address, kFlowScope, kHeader, false, on::kAll, {}, "Address of the server."},
    {kClientPort, "client.port", Number, kFlowScope, kHeader, false, on::kAll, {}, "Port of the client."},
    {kServerPort, "server.port", Number, kFlowScope, kHeader, false, on::kAll, {}, "Port of the server."},
    {kClientMac, "client.mac", FieldType::Mac, kFlowScope, kHeader, false, on::kAll, {}, "Ethernet address of the client as seen here."},
    {kServerMac, "server.mac", FieldType::Mac, kFlowScope, kHeader, false, on::kAll, {}, "Ethernet address of the server as seen here."},
    {kFromZone, "from.zone", Zone, kFlowScope, kHeader, false, on::kAll, {}, "Zone of the client."},
    {kToZone, "to.zone", Zone, kFlowScope, kHeader, false, on::kAll, {}, "Zone of the server."},
    {kFlowState, "flow.state", FieldType::Word, kFlowScope, kHeader, false, on::kAll, kFlowStates, "new, established, related, or invalid: of no connection, or an answer or ICMP error that nobody asked for."},
    {kFlowPackets, "flow.packets", Number, kReadingScope, kFlowEnd, false, on::kAll, {}, "Packets of the flow so far, both ways."},
    {kFlowBytes, "flow.bytes", Number, kReadingScope, kFlowEnd, false, on::kAll, {}, "Bytes of the flow's IP packets so far, both ways."},
    {kFlowBytesToServer, "flow.bytes_toserver", Number, kReadingScope, kFlowEnd, false, on::kAll, {}, "Bytes that the client sent so far."},
    {kFlowBytesToClient, "flow.bytes_toclient", Number, kReadingScope, kFlowEnd, false, on::kAll, {}, "Bytes that the server sent so far."},
    {kFlowAge, "flow.age", Number, kReadingScope, kFlowEnd, false, on::kAll, {}, "Seconds since the flow's first packet."},
    {kUdpSolicited, "udp.solicited", Boolean, kFlowScope, kHeader, false, on::kAll, {}, "false where a UDP flow begins with an answer, else absent."},
    {kAppProtocol, "app.protocol", App, kFlowScope, kIdentified, true, on::kAll, {}, "The application protocol, by content: a chain such as smtp, tls; unknown if none."},
    {kAppConfirmed, "app.confirmed", Boolean, kFlowScope, kFlowEnd, false, on::kAll, {}, "true once both sides spoke the protocol."},
    {kAppOnStandardPort, "app.on_standard_port", Boolean, kFlowScope, kIdentified, false, on::kAll, {}, "Whether the server's port is registered for the protocol; absent for protocols without one."},
    {kServerName, "server.name", Domain, kFlowScope, kFlowEnd, true, on::kAll, {}, "Names that the server goes by on this flow: SNI, Host, CONNECT, and DNS answers that this client received."},
    {kPayloadEntropy, "payload.entropy", Number, kFlowScope, kIdentified, false, on::kAll, {}, "Bits a byte, 0 to 8, over the client's first payload."},
    {kPayloadFirstBytes, "payload.first_bytes", Text, kFlowScope, kIdentified, false, on::kAll, {}, "The first bytes of the client's first payload, as hex digits."},
    {kSniBinding, "sni.binding", FieldType::Word, kFlowScope, kFlowEnd, false, on::kAll, kBindings, "The name in a TLS or QUIC hello against the names that this client was told for the address: holds, it is one of them; contradicts, others were told and this one not; unlisted, none was told, or more than are kept. Absent behind a proxy and without a name."},

    {kArpBinding, "arp.binding", FieldType::Word, kReadingScope, kHeader, false, on::kAll, kBindings, "What the ARP sender claims, against the bindings."},
    {kNdBinding, "nd.binding", FieldType::Word, kReadingScope, kHeader, false, on::kAll, kBindings, "What a neighbour message claims, against the bindings."},
    {kSrcBinding, "src.binding", FieldType::Word, kReadingScope, kHeader, false, on::kAll, kBindings, "The packet's source address and MAC, against the bindings."},
    {kAuthBinding, "auth.binding", FieldType::Word, kReadingScope, kTransaction, false, on::kAll, kBindings, "The account in use, against the networks that `accounts` allows it."},
    {kDnsTunnel, "dns.tunnel", Boolean, kReadingScope, kTransaction, false, on::kAll, {}, "The names asked by this client under one domain look like carried data."},
    {kIcmpTunnel, "icmp.tunnel", Boolean, kReadingScope, kHeader, false, on::kAll, {}, "Echo payloads are too large, too many, or answers differ from their requests."},
    {kHttpTunnel, "http.tunnel", Boolean, kReadingScope, kTransaction, false, on::kAll, {}, "HTTP carries what is neither HTTP nor TLS, or a request has what only known tunnel programs send."},
    {kSshTunnel, "ssh.tunnel", Boolean, kReadingScope, kTransaction, false, on::kAll, {}, "SSH inside another protocol."},
    {kDnsGenerated, "dns.generated", Boolean, kReadingScope, kTransaction, false, on::kAll, {}, "The registered domain looks made by an algorithm: the pairs of its characters, from six on."},
    {kDnsFirstSeen, "dns.first_seen", Number, kReadingScope, kTransaction, false, on::kAll, {}, "Seconds since the registered domain was first asked for here, stopped or not."},
    {kHttpFronting, "http.fronting", Boolean, kReadingScope, kTransaction, false, on::kAll, {}, "The name in a TLS hello is of another site than the CONNECT before it; or a proxy's request has a Host of another site than its target."},
    {kHttpSsrf, "http.ssrf", Boolean, kReadingScope, kTransaction, false, on::kAll, {}, "A request to elsewhere carries a cloud's metadata address or name in some spelling; or a DNS answer leads there by another name."},
    {kFlowSlow, "flow.slow", Boolean, kReadingScope, kFlowEnd, false, on::kAll, {}, "The client sends its request, or takes its answer, slower than the guard slow-client allows."},
    {kFlowBeacon, "flow.beacon", Boolean, kReadingScope, kFlowEnd, false, on::kAll, {}, "The client opens connections to this server and port at regular intervals, ten of them."},
    {kKnock, "knock", Boolean, kReadingScope, kHeader, false, on::kAll, {}, "The source is seen to probe the ports of the guard `knock` in order."},
    {kScan, "scan", Boolean, kReadingScope, kHeader, false, on::kAll, {}, "The source is seen to probe many ports."},
    {kRateSyn, "rate.syn", Number, kReadingScope, kHeader, false, on::kAll, {}, "SYNs by the source over the last second, stopped ones included."},
    {kRatePackets, "rate.packets", Number, kReadingScope, kHeader, false, on::kAll, {}, "Packets by the source over the last second."},
    {kRateFlows, "rate.flows", Number, kReadingScope, kHeader, false, on::kAll, {}, "New flows by the source over the last second."},
    {kRateRequests, "rate.requests", Number, kReadingScope, kHeader, false, on::kAll, {}, "Described requests by the source over the last second."},
    {kRateSynTo, "rate.syn.to", Number, kReadingScope, kHeader, false, on::kAll, {}, "SYNs to the destination over the last second."},
    {kRatePacketsTo, "rate.packets.to", Number, kReadingScope, kHeader, false, on::kAll, {}, "Packets to the destination over the last second."},
    {kRateFlowsTo, "rate.flows.to", Number, kReadingScope, kHeader, false, on::kAll, {}, "New flows to the destination over the last second."},
    {kRateRequestsTo, "rate.requests.to", Number, kReadingScope, kHeader, false, on::kAll, {}, "Requests to the destination over the last second."},
    {kDhcpPoolFree, "dhcp.pool_free", Number, kReadingScope, kTransaction, false, on::kAll, {}, "Addresses of the network that the DHCP server names, less those leased or offered as seen here."},
    {kAmplificationRatio, "amplification.ratio", Number, kReadingScope, kHeader, false, on::kAll, {}, "Bytes answered to bytes asked on this flow."},
    {kPortMacsExceeded, "port.macs_exceeded", Boolean, kReadingScope, kHeader, false, on::kAll, {}, "More Ethernet addresses behind the port than port-security allows."},

    {kDhcpMacMismatch, "dhcp.mac_mismatch", Boolean, kReadingScope, kTransaction, false, on::kAll, {}, "A DHCP client names another hardware address than the Ethernet source it sends from; not judged of relayed messages."},

    {kProcessPath, "process.path", Text, kFlowScope, kHeader, false, on::kHost, {}, "Path of the executable whose socket it is, as it was at exec."},
    {kProcessName, "process.name", Text, kFlowScope, kHeader, false, on::kHost, {}, "Last component of process.path."},
    {kProcessCmdline, "process.cmdline", Text, kFlowScope, kHeader, false, on::kHost, {}, "Arguments, joined by spaces."},
    {kProcessSha256, "process.sha256", TextFold, kFlowScope, kHeader, false, on::kHost, {}, "SHA-256 of the executable, 64 hex digits."},
    {kProcessPid, "process.pid", Number, kFlowScope, kHeader, false, on::kHost, kPids, "Process id."},
    {kProcessParentPath, "process.parent.path", Text, kFlowScope, kHeader, true, on::kHost, {}, "Executables of the ancestors."},
    {kUser, "user", Text, kFlowScope, kHeader, false, on::kHost, {}, "Name or number of the user."},
    {kGroup, "group", Text, kFlowScope, kHeader, false, on::kHost, {}, "Name or number of the group."},
    {kCgroup, "cgroup", Text, kFlowScope, kHeader, false, on::kHost, {}, "Path in the control group hierarchy."},
    {kService, "service", Text, kFlowScope, kHeader, false, on::kHost, {}, "Unit of the service manager."},
    {kContainerId, "container.id", Text, kFlowScope, kHeader, false, on::kHost, {}, "Container id."},
    {kContainerName, "container.name", Text, kFlowScope, kHeader, false, on::kHost, {}, "Container name."},
    {kContainerImage, "container.image", Text, kFlowScope, kHeader, false, on::kHost, {}, "Container image."},

    {kAuthUser, "auth.user", Text, kTransactionScope, kTransaction, false, on::kAll, {}, "Account that is used, as the protocol carries it in the clear."},
    {kAuthRealm, "auth.realm", TextFold, kTransactionScope, kTransaction, false, on::kAll, {}, "Realm or domain of the account."},
    {kAuthScheme, "auth.scheme", FieldType::Word, kTransactionScope, kTransaction, false, on::kAll, kAuthSchemes, "How the account proves itself."},
    {kAuthResult, "auth.result", FieldType::Word, kTransactionScope, kTransaction, false, on::kAll, kAuthResults, "What the server answered."},
    {kFileType, "file.type", FieldType::Word, kTransactionScope, kTransaction, false, on::kAll, kFileTypes, "Kind of a file in transit, by its first bytes."},
    {kFileName, "file.name", Text, kTransactionScope, kTransaction, false, on::kAll, {}, "Name of a file in transit."},
    {kFileBytes, "file.bytes", Number, kTransactionScope, kTransaction, false, on::kAll, {}, "Bytes of a file in transit, as declared or seen so far."},
};
// clang-format on

}  // namespace

std::span<const FieldRow> core_fields() { return kRows; }

Scope Describer::scope_of_shared(FieldId field) { return field == kServerName ? Scope::Flow : Scope::Transaction; }

}  // namespace weir
