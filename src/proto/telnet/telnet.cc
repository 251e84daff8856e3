// SPDX-License-Identifier: Apache-2.0
#include "proto/telnet/telnet.h"

#include <algorithm>

namespace weir::proto::telnet {
namespace {

constexpr std::uint8_t kIac = 255, kWill = 251, kDont = 254;
constexpr std::uint8_t kOptionMax = 49;  ///< Of the options that IANA lists in a row; few others are in use.

/// Commands: IAC, one of WILL, WONT, DO, DONT, and an option.
enum class Said : std::uint8_t { Other, Begun, One, Two };

Said judge(Bytes bytes) {
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 6); ++i) {
    const std::uint8_t b = bytes[i];
    const bool sound = i % 3 == 0 ? b == kIac : i % 3 == 1 ? b >= kWill && b <= kDont : b <= kOptionMax;
    if (!sound) return i < 3 ? Said::Other : Said::One;
  }
  return bytes.size() < 3 ? Said::Begun : bytes.size() < 6 ? Said::One : Said::Two;
}

}  // namespace

/// Who speaks first decides: a server that negotiates talks to clients that may not. Two commands are enough, one with one in answer, and a server's
/// one that any answer follows.
Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  const Said client = judge(e.client), server = judge(e.server);
  const bool both = client >= Said::One && server >= Said::One;
  if (e.roles_unsure) {
    if (both || client == Said::Two || server == Said::Two) return Match::Yes;
    return client == Said::Other && server == Said::Other ? Match::No : Match::Maybe;
  }
  const bool server_first = e.server_first || e.client.empty();
  const Said first = server_first ? server : client;
  if (first == Said::Other) return Match::No;
  return both || first == Said::Two || (first == Said::One && server_first && !e.client.empty()) ? Match::Yes : Match::Maybe;
}

}  // namespace weir::proto::telnet
