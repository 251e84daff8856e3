// SPDX-License-Identifier: Apache-2.0
#pragma once

// Control systems, cameras, lamps and other things, and the media that some of them send: rows in the manner of rows.h.
// Each function in things.cc names the specification, open client or analysis that it follows; where the maker promises nothing, a row asks for
// a magic number with lengths that fit, or for an answer.

#include "proto/protocol.h"

namespace weir::proto::identify {

Match addp(const Evidence& evidence);
Match art_net(const Evidence& evidence);
Match baichuan(const Evidence& evidence);
Match can(const Evidence& evidence);
Match cnp_ip(const Evidence& evidence);
Match codesys(const Evidence& evidence);
Match dahua(const Evidence& evidence);
Match dvrip(const Evidence& evidence);
Match ethercat(const Evidence& evidence);
Match fox(const Evidence& evidence);
Match lantronix(const Evidence& evidence);
Match lifx(const Evidence& evidence);
Match melsec(const Evidence& evidence);
Match miio(const Evidence& evidence);
Match mndp(const Evidence& evidence);
Match moxa(const Evidence& evidence);
Match pcworx(const Evidence& evidence);
Match pjl(const Evidence& evidence);
Match pppp(const Evidence& evidence);
Match proconos(const Evidence& evidence);
Match profinet_io(const Evidence& evidence);
Match sacn(const Evidence& evidence);
Match sadp(const Evidence& evidence);
Match srt(const Evidence& evidence);
Match tzsp(const Evidence& evidence);

namespace ports {
inline constexpr std::uint16_t kAddpUdp[] = {2362};
inline constexpr std::uint16_t kArtNetUdp[] = {6454};
inline constexpr std::uint16_t kCnpIpUdp[] = {1628};
inline constexpr std::uint16_t kCodesysTcp[] = {11740};
inline constexpr std::uint16_t kEthercatUdp[] = {34980};
inline constexpr std::uint16_t kFoxTcp[] = {1911};
inline constexpr std::uint16_t kPjlTcp[] = {9100};
inline constexpr std::uint16_t kProfinetIoUdp[] = {34964};
inline constexpr std::uint16_t kSacnUdp[] = {5568};
inline constexpr std::uint16_t kTzspUdp[] = {37008};
}  // namespace ports

inline constexpr Protocol kAddp = {.name = "addp", .udp_ports = ports::kAddpUdp, .udp = true, .identify = addp};
inline constexpr Protocol kArtNet = {.name = "art-net", .udp_ports = ports::kArtNetUdp, .udp = true, .identify = art_net};
inline constexpr Protocol kBaichuan = {.name = "baichuan", .tcp = true, .udp = true, .identify = baichuan};
inline constexpr Protocol kCan = {.name = "controller-area-network", .tcp = true, .udp = true, .identify = can};
inline constexpr Protocol kCnpIp = {.name = "cnp-ip", .udp_ports = ports::kCnpIpUdp, .udp = true, .identify = cnp_ip,
    .datagrams_max = 3};
inline constexpr Protocol kCodesys = {.name = "codesys", .tcp_ports = ports::kCodesysTcp, .tcp = true, .identify = codesys};
inline constexpr Protocol kDahua = {.name = "dahua", .tcp = true, .udp = true, .identify = dahua};
inline constexpr Protocol kDvrip = {.name = "dvrip", .tcp = true, .udp = true, .identify = dvrip};
inline constexpr Protocol kEthercat = {.name = "ethercat", .udp_ports = ports::kEthercatUdp, .udp = true, .identify = ethercat};
inline constexpr Protocol kFox = {.name = "fox", .tcp_ports = ports::kFoxTcp, .tcp = true, .identify = fox};
inline constexpr Protocol kLantronix = {.name = "lantronix", .udp = true, .identify = lantronix, .datagrams_max = 3};
inline constexpr Protocol kLifx = {.name = "lifx", .udp = true, .identify = lifx};
inline constexpr Protocol kMelsec = {.name = "melsec", .tcp = true, .udp = true, .identify = melsec};
inline constexpr Protocol kMiio = {.name = "miio", .udp = true, .identify = miio};
inline constexpr Protocol kMndp = {.name = "mndp", .udp = true, .identify = mndp};
inline constexpr Protocol kMoxa = {.name = "moxa", .udp = true, .identify = moxa, .datagrams_max = 3};
inline constexpr Protocol kPcworx = {.name = "pcworx", .tcp = true, .identify = pcworx};
inline constexpr Protocol kPjl = {.name = "pjl", .tcp_ports = ports::kPjlTcp, .tcp = true, .identify = pjl};
inline constexpr Protocol kPppp = {.name = "pppp", .udp = true, .identify = pppp, .datagrams_max = 3};
inline constexpr Protocol kProconos = {.name = "proconos", .tcp = true, .identify = proconos};
inline constexpr Protocol kProfinetIo = {.name = "profinet-io", .udp_ports = ports::kProfinetIoUdp, .udp = true,
    .identify = profinet_io};
inline constexpr Protocol kSacn = {.name = "sacn", .udp_ports = ports::kSacnUdp, .udp = true, .identify = sacn};
inline constexpr Protocol kSadp = {.name = "sadp", .udp = true, .identify = sadp};
inline constexpr Protocol kSrt = {.name = "srt", .udp = true, .identify = srt, .datagrams_max = 3};
inline constexpr Protocol kTzsp = {.name = "tzsp", .udp_ports = ports::kTzspUdp, .udp = true, .identify = tzsp};

}  // namespace weir::proto::identify
