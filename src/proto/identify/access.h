// SPDX-License-Identifier: Apache-2.0
#pragma once

// Remote access and tunnels that no standard describes: rows in the manner of rows.h for what ATT&CK calls remote access software (T1219),
// protocol tunneling (T1572) and proxies (T1090), and for private networks between peers. What is known of their bytes is what their
// open code or published analyses say; each function in access.cc names its source. What runs inside TLS or HTTP is named by those.

#include "proto/protocol.h"

namespace weir::proto::identify {

Match apple_remote_desktop(const Evidence& evidence);
Match bore(const Evidence& evidence);
Match cloudflare_warp(const Evidence& evidence);
Match dameware(const Evidence& evidence);
Match frp(const Evidence& evidence);
Match guacamole(const Evidence& evidence);
Match hamachi(const Evidence& evidence);
Match libp2p(const Evidence& evidence);
Match n2n(const Evidence& evidence);
Match nebula(const Evidence& evidence);
Match pcanywhere(const Evidence& evidence);
Match rustdesk(const Evidence& evidence);
Match softether(const Evidence& evidence);
Match synergy(const Evidence& evidence);
Match vmware(const Evidence& evidence);
Match vnc_repeater(const Evidence& evidence);
Match xpra(const Evidence& evidence);
Match yggdrasil(const Evidence& evidence);
Match zerotier(const Evidence& evidence);

namespace ports {
inline constexpr std::uint16_t kAppleRemoteDesktopUdp[] = {3283};
inline constexpr std::uint16_t kDamewareTcp[] = {6129};
inline constexpr std::uint16_t kGuacamoleTcp[] = {4822};
inline constexpr std::uint16_t kNebulaUdp[] = {4242};
inline constexpr std::uint16_t kPcanywhereTcp[] = {5631};
inline constexpr std::uint16_t kPcanywhereUdp[] = {5632};
inline constexpr std::uint16_t kRustdeskTcp[] = {21115, 21116, 21117, 21118, 21119};
inline constexpr std::uint16_t kRustdeskUdp[] = {21116};
inline constexpr std::uint16_t kSynergyTcp[] = {24800};
inline constexpr std::uint16_t kVmwareTcp[] = {902};
inline constexpr std::uint16_t kZerotierUdp[] = {9993};
}  // namespace ports

inline constexpr Protocol kAppleRemoteDesktop = {.name = "ard", .udp_ports = ports::kAppleRemoteDesktopUdp, .udp = true,
    .identify = apple_remote_desktop, .datagrams_max = 3};
inline constexpr Protocol kBore = {.name = "bore", .tcp = true, .identify = bore};
inline constexpr Protocol kCloudflareWarp = {.name = "cloudflarewarp", .udp = true, .identify = cloudflare_warp};
inline constexpr Protocol kDameware = {.name = "dameware", .tcp_ports = ports::kDamewareTcp, .tcp = true, .identify = dameware};
inline constexpr Protocol kFrp = {.name = "frp", .tcp = true, .identify = frp};
inline constexpr Protocol kGuacamole = {.name = "guacamole", .tcp_ports = ports::kGuacamoleTcp, .tcp = true, .identify = guacamole};
inline constexpr Protocol kHamachi = {.name = "hamachi", .tcp = true, .identify = hamachi};
inline constexpr Protocol kLibp2p = {.name = "libp2p", .tcp = true, .identify = libp2p};
inline constexpr Protocol kN2n = {.name = "n2n", .udp = true, .identify = n2n, .datagrams_max = 3};
inline constexpr Protocol kNebula = {.name = "nebula", .udp_ports = ports::kNebulaUdp, .udp = true, .identify = nebula};
inline constexpr Protocol kPcanywhere = {.name = "pcanywhere", .tcp_ports = ports::kPcanywhereTcp, .udp_ports = ports::kPcanywhereUdp,
    .tcp = true, .udp = true, .identify = pcanywhere, .datagrams_max = 3};
inline constexpr Protocol kRustdesk = {.name = "rustdesk", .tcp_ports = ports::kRustdeskTcp, .udp_ports = ports::kRustdeskUdp,
    .tcp = true, .udp = true, .identify = rustdesk};
inline constexpr Protocol kSoftether = {.name = "softether", .udp = true, .identify = softether, .datagrams_max = 3};
inline constexpr Protocol kSynergy = {.name = "synergy", .tcp_ports = ports::kSynergyTcp, .tcp = true, .identify = synergy};
inline constexpr Protocol kVmware = {.name = "vmware", .tcp_ports = ports::kVmwareTcp, .tcp = true, .identify = vmware};
inline constexpr Protocol kVncRepeater = {.name = "vnc-repeater", .tcp = true, .identify = vnc_repeater};
inline constexpr Protocol kXpra = {.name = "xpra", .tcp = true, .identify = xpra};
inline constexpr Protocol kYggdrasil = {.name = "yggdrasil", .tcp = true, .udp = true, .identify = yggdrasil};
inline constexpr Protocol kZerotier = {.name = "zerotier", .udp_ports = ports::kZerotierUdp, .udp = true, .identify = zerotier};

}  // namespace weir::proto::identify
