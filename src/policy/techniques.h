// SPDX-License-Identifier: Apache-2.0
#pragma once

// The 45 techniques that mitigation M1037 (Filter Network Traffic) names, older ids included: what each is called, where traffic can be
// stopped for it, and what a policy must do to say that it does. A policy may name other techniques too.
//
// Where: `boundary`, between an inside and an outside; `segment`, between hosts of one network (the bridge sees ARP, DHCP and what
// neighbours say to each other); `host`, on the machine itself, where the process is known.

#include <array>
#include <string_view>

namespace weir::policy {

struct Technique {
  std::string_view id, name, where, obligation;
};

inline constexpr std::array<Technique, 45> kTechniqueTable = {{
    {"T1021.002", "SMB/Windows Admin Shares", "boundary, segment", "SMB reaches only the servers that serve files; administrative shares and pipes only from management."},
    {"T1021.005", "VNC", "boundary, segment", "RFB passes only from management, on whatever port it speaks."},
    {"T1048", "Exfiltration Over Alternative Protocol", "boundary", "What leaves goes by the protocols and servers that are meant for it, and by no other."},
    {"T1048.001", "Exfiltration Over Symmetric Encrypted Non-C2 Protocol", "boundary", "Encrypted streams of no known protocol do not leave."},
    {"T1048.002", "Exfiltration Over Asymmetric Encrypted Non-C2 Protocol", "boundary", "TLS, SSH and QUIC leave only on their ports and to names that are allowed."},
    {"T1048.003", "Exfiltration Over Unencrypted Non-C2 Protocol", "boundary", "DNS, FTP, SMTP and HTTP leave only by the servers that relay them."},
    {"T1071.004", "Application Layer Protocol: DNS", "boundary", "Names are asked of the company's resolver only; known bad names and tunnels in names are stopped."},
    {"T1078", "Valid Accounts", "boundary, segment", "An account is used from its own networks only."},
    {"T1090", "Proxy", "boundary, segment", "SOCKS, CONNECT and proxy requests pass only to the proxies that are meant."},
    {"T1090.003", "Multi-hop Proxy", "boundary", "Tor and its entry nodes, and chains of proxies, are not reached."},
    {"T1094", "Custom Command and Control Protocol", "boundary", "What no known protocol speaks does not leave (now T1095)."},
    {"T1095", "Non-Application Layer Protocol", "boundary", "ICMP, raw IP and unknown streams leave only as far as they are needed."},
    {"T1171", "LLMNR/NBT-NS Poisoning and Relay", "segment", "LLMNR and NBNS are not answered between hosts (now T1557.001)."},
    {"T1187", "Forced Authentication", "boundary", "SMB and WebDAV do not leave, so no credential is offered outside."},
    {"T1188", "Multi-hop Proxy", "boundary", "As T1090.003, by its older id."},
    {"T1197", "BITS Jobs", "boundary, host", "BITS transfers go to the update servers only."},
    {"T1205", "Traffic Signaling", "boundary, host", "Unsolicited packets that no service awaits do not come in."},
    {"T1205.001", "Port Knocking", "boundary, host", "Sequences of packets to closed ports are seen and their sender stopped."},
    {"T1205.002", "Socket Filters", "host", "Packets of no flow are dropped before a raw socket could read them."},
    {"T1218.012", "Verclsid", "host", "The program opens no connection to the outside."},
    {"T1219", "Remote Access Tools", "boundary, host", "Remote-access tools are known by what they speak and whom they call, and only the approved one passes."},
    {"T1498", "Network Denial of Service", "boundary", "Floods are limited at the boundary, and the provider upstream is named for what exceeds the line."},
    {"T1498.001", "Direct Network Flood", "boundary", "Packets and flows from one source and to one destination have a rate."},
    {"T1498.002", "Reflection Amplification", "boundary", "UDP answers that nobody asked for do not come in; own servers do not amplify."},
    {"T1499", "Endpoint Denial of Service", "boundary, host", "A service's rate of new flows and requests has a bound a client."},
    {"T1499.001", "OS Exhaustion Flood", "boundary, host", "Half-open connections and packets of no flow have a bound."},
    {"T1499.002", "Service Exhaustion Flood", "boundary", "Requests and handshakes have a rate a client; slow clients are ended."},
    {"T1499.003", "Application Exhaustion Flood", "boundary", "Requests to what is costly have a rate of their own."},
    {"T1499.004", "Application or System Exploitation", "boundary", "Malformed packets and messages do not reach the service."},
    {"T1522", "Cloud Instance Metadata API", "host, boundary", "As T1552.005, by its older id."},
    {"T1530", "Data from Cloud Storage", "boundary", "Cloud storage is reached from the networks and under the names that are allowed."},
    {"T1537", "Transfer Data to Cloud Account", "boundary", "Cloud storage of others than the own tenants is not reached."},
    {"T1552", "Unsecured Credentials", "boundary, host", "Where credentials can be fetched is reached only by who must."},
    {"T1552.005", "Cloud Instance Metadata API", "host, boundary", "169.254.169.254 is reached only by the processes and hosts that need it."},
    {"T1557", "Adversary-in-the-Middle", "segment", "Bindings of addresses are checked, and name resolution by broadcast is closed."},
    {"T1557.001", "LLMNR/NBT-NS Poisoning and SMB Relay", "segment", "LLMNR and NBNS are not answered between hosts; SMB asks for signing."},
    {"T1557.002", "ARP Cache Poisoning", "segment", "ARP that contradicts a known binding does not pass."},
    {"T1557.003", "DHCP Spoofing", "segment", "Only trusted ports and servers answer DHCP."},
    {"T1570", "Lateral Tool Transfer", "segment", "Executables do not pass between hosts by SMB, FTP or TFTP."},
    {"T1572", "Protocol Tunneling", "boundary", "Tunnels are opened and judged by what is inside, or do not leave."},
    {"T1599", "Network Boundary Bridging", "boundary", "An address is believed only on the side of the boundary that it belongs to."},
    {"T1599.001", "Network Address Translation Traversal", "boundary", "Flows from outside come in only where they are asked for; mappings are not asked of gateways."},
    {"T1602", "Data from Configuration Repository", "boundary, segment", "Management protocols of devices are spoken from management only."},
    {"T1602.001", "SNMP (MIB Dump)", "boundary, segment", "SNMP reaches devices from management only, and not in its versions without protection."},
    {"T1602.002", "Network Device Configuration Dump", "boundary, segment", "TFTP, Smart Install and telnet do not reach devices, nor their configurations leave."},
}};

/// The ids alone, for messages that suggest what was meant.
inline constexpr auto kTechniques = [] {
  std::array<std::string_view, kTechniqueTable.size()> ids{};
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = kTechniqueTable[i].id;
  return ids;
}();

}  // namespace weir::policy
