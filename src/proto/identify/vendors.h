// SPDX-License-Identifier: Apache-2.0
#pragma once

// Protocols of one maker, without a standard: rows in the manner of rows.h, under the names that nDPI has for them. What is known of them is
// what the makers' open code and others' analyses say; each function in vendors.cc names its source. Since nobody promises these bytes, a
// row asks for much: a magic number with lengths that fit, or an answer that repeats what was asked.

#include "proto/protocol.h"

namespace weir::proto::identify {

Match alicloud(const Evidence& evidence);
Match dingtalk(const Evidence& evidence);
Match epic_games(const Evidence& evidence);
Match iqiyi(const Evidence& evidence);
Match nest_log_sink(const Evidence& evidence);
Match riot_games(const Evidence& evidence);
Match sd_rtn(const Evidence& evidence);
Match telegram(const Evidence& evidence);
Match viber(const Evidence& evidence);
Match world_of_warcraft(const Evidence& evidence);
Match xiaomi(const Evidence& evidence);
Match zoom(const Evidence& evidence);
Match zug(const Evidence& evidence);

namespace ports {
inline constexpr std::uint16_t kNestLogSinkTcp[] = {11095};
inline constexpr std::uint16_t kWorldOfWarcraftTcp[] = {3724};
}  // namespace ports

inline constexpr Protocol kAlicloud = {.name = "alicloud", .tcp = true, .identify = alicloud};
inline constexpr Protocol kDingtalk = {.name = "dingtalk", .tcp = true, .identify = dingtalk};
inline constexpr Protocol kEpicGames = {.name = "epicgames", .udp = true, .identify = epic_games, .datagrams_max = 6};
inline constexpr Protocol kIqiyi = {.name = "iqiyi", .udp = true, .identify = iqiyi};
inline constexpr Protocol kNestLogSink = {.name = "nestlogsink", .tcp_ports = ports::kNestLogSinkTcp, .tcp = true, .identify = nest_log_sink};
inline constexpr Protocol kRiotGames = {.name = "riotgames", .udp = true, .identify = riot_games};
inline constexpr Protocol kSdRtn = {.name = "sd-rtn", .udp = true, .identify = sd_rtn};
inline constexpr Protocol kTelegram = {.name = "telegram", .udp = true, .identify = telegram};
inline constexpr Protocol kViber = {.name = "viber", .udp = true, .identify = viber, .datagrams_max = 4};
inline constexpr Protocol kWorldOfWarcraft = {.name = "worldofwarcraft", .tcp_ports = ports::kWorldOfWarcraftTcp, .tcp = true,
    .identify = world_of_warcraft};
inline constexpr Protocol kXiaomi = {.name = "xiaomi", .tcp = true, .identify = xiaomi};
inline constexpr Protocol kZoom = {.name = "zoom", .udp = true, .identify = zoom, .datagrams_max = 6};
inline constexpr Protocol kZug = {.name = "zug", .udp = true, .identify = zug};

}  // namespace weir::proto::identify
