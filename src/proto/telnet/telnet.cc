// SPDX-License-Identifier: Apache-2.0
#include "proto/telnet/telnet.h"

#include <algorithm>

namespace weir::proto::telnet {
namespace {

constexpr std::uint8_t kIac = 255, kWill = 251, kDont = 254;
constexpr std::uint8_t kOptionMax = 49;  ///< Of the options that IANA lists in a row; few others are in use.

/// IAC, one of WILL, WONT, DO, DONT, and an option: twice, or once and nothing else.
Match judge(Bytes bytes) {
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 6); ++i) {
    const std::uint8_t b = bytes[i];
    const bool sound = i % 3 == 0 ? b == kIac : i % 3 == 1 ? b >= kWill && b <= kDont : b <= kOptionMax;
    if (!sound) return i > 3 && bytes[3] == kIac ? Match::Maybe : Match::No;
  }
  return bytes.size() == 3 || bytes.size() >= 6 ? Match::Yes : Match::Maybe;
}

}  // namespace

Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  const Match client = e.client.empty() ? Match::Maybe : judge(e.client), server = e.server.empty() ? Match::Maybe : judge(e.server);
  if (client == Match::Yes || server == Match::Yes) return Match::Yes;
  // A server that negotiates talks to clients that may not.
  return client == Match::No && server == Match::No ? Match::No : e.server.empty() ? client : e.client.empty() ? server : Match::Maybe;
}

}  // namespace weir::proto::telnet
