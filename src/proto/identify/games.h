// SPDX-License-Identifier: Apache-2.0
#pragma once

// Games, and peers that share files or coins: rows in the manner of rows.h, under the names that nDPI has for them. Each function in games.cc
// names the open server or client, or the analysis, that it follows; "observed" means nDPI's reader of that name.

#include "proto/protocol.h"

namespace weir::proto::identify {

Match applejuice(const Evidence& evidence);
Match armagetron(const Evidence& evidence);
Match blizzard(const Evidence& evidence);
Match crossfire(const Evidence& evidence);
Match directconnect(const Evidence& evidence);
Match genshin_impact(const Evidence& evidence);
Match heroes_of_the_storm(const Evidence& evidence);
Match maplestory(const Evidence& evidence);
Match monero(const Evidence& evidence);
Match nintendo(const Evidence& evidence);
Match soulseek(const Evidence& evidence);
Match starcraft(const Evidence& evidence);

namespace ports {
inline constexpr std::uint16_t kBlizzardTcp[] = {6112};
inline constexpr std::uint16_t kDirectconnectTcp[] = {411, 412};
inline constexpr std::uint16_t kMoneroTcp[] = {18080};
inline constexpr std::uint16_t kStarcraftTcp[] = {1119};
}  // namespace ports

inline constexpr Protocol kApplejuice = {.name = "applejuice", .tcp = true, .identify = applejuice};
inline constexpr Protocol kArmagetron = {.name = "armagetron", .udp = true, .identify = armagetron};
inline constexpr Protocol kBlizzard = {.name = "blizzard", .tcp_ports = ports::kBlizzardTcp, .tcp = true, .identify = blizzard};
inline constexpr Protocol kCrossfire = {.name = "crossfire", .udp = true, .identify = crossfire};
inline constexpr Protocol kDirectconnect = {.name = "directconnect", .tcp_ports = ports::kDirectconnectTcp, .tcp = true,
    .identify = directconnect};
inline constexpr Protocol kGenshinImpact = {.name = "genshinimpact", .udp = true, .identify = genshin_impact};
inline constexpr Protocol kHeroesOfTheStorm = {.name = "heroes-of-the-storm", .udp = true, .identify = heroes_of_the_storm,
    .datagrams_max = 3};
inline constexpr Protocol kMaplestory = {.name = "maplestory", .tcp = true, .identify = maplestory};
inline constexpr Protocol kMonero = {.name = "monero", .tcp_ports = ports::kMoneroTcp, .tcp = true, .identify = monero};
inline constexpr Protocol kNintendo = {.name = "nintendo", .udp = true, .identify = nintendo};
inline constexpr Protocol kSoulseek = {.name = "soulseek", .tcp = true, .identify = soulseek};
inline constexpr Protocol kStarcraft = {.name = "starcraft", .tcp_ports = ports::kStarcraftTcp, .tcp = true,
    .identify = starcraft};

}  // namespace weir::proto::identify
