// SPDX-License-Identifier: Apache-2.0
#include "proto/rfb/rfb.h"

#include <algorithm>

#include "base/text.h"

namespace weir::proto::rfb {
namespace {

constexpr std::string_view kShape = "RFB ddd.ddd\n";

/// How far `text` agrees with the shape; Yes from the first digit on.
Match match_version(std::string_view text) {
  for (std::size_t i = 0; i < std::min(text.size(), kShape.size()); ++i)
    if (kShape[i] == 'd' ? !is_digit(text[i]) : text[i] != kShape[i]) return Match::No;
  return text.size() >= 8 ? Match::Yes : Match::Maybe;
}

}  // namespace

Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  const Match client = e.client.empty() ? Match::Maybe : match_version(as_text(e.client));
  const Match server = e.server.empty() ? Match::Maybe : match_version(as_text(e.server));
  if (client == Match::No || server == Match::No) return Match::No;
  return client == Match::Yes || server == Match::Yes ? Match::Yes : Match::Maybe;
}

Progress parse(State& s, const Input& in, Describer& d) {
  bool& seen = s.seen[index_of(in.side)];
  Progress progress;
  if (!seen) {
    const std::string_view text = as_text(in.bytes);
    if (text.size() < kShape.size() && match_version(text) != Match::No) return progress;
    if (match_version(text) == Match::No) {
      d.flaw(Flaw::BadMessage);
      if (d.state(kVersion) == FactState::NotYet) d.hide(kVersion);
      d.described();
      return {.done = true};
    }
    seen = true;
    progress.consumed = kShape.size();
    // The client answers with the version that both use from then on.
    if (in.side == Side::Client || !s.seen[index_of(Side::Client)]) d.text(kVersion, text.substr(4, 7));
    d.reach(kVersions);
    if (!d.described()) progress.done = true;
  } else {
    progress.consumed = in.bytes.size();
  }
  if (s.seen[0] && s.seen[1]) progress.done = true;
  return progress;
}

}  // namespace weir::proto::rfb
