// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "proto/smb/frame.h"

namespace weir::proto::smb {
namespace {

Match identify_smb_side(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kMessage) return Match::No;
  if (bytes.size() > kFrameBytes) {
    const std::size_t least = header_bytes(bytes[kFrameBytes]);
    const std::string_view id = as_text(bytes.subspan(kFrameBytes + 1)).substr(0, 3);
    if (least == 0 || !std::string_view("SMB").starts_with(id)) return Match::No;
    if ((load_be32(bytes.data()) & 0xffffff) < least) return Match::No;
  }
  return bytes.size() >= kFrameBytes + 4 ? Match::Yes : Match::Maybe;
}

/// A session request: 0x81, no extension flags, its length, then a name of 32 letters A to P (RFC 1001, 14.1).
Match identify_request(Bytes bytes) {
  constexpr std::size_t kNameBytes = 34;
  for (std::size_t i = 0; i < std::min(bytes.size(), kFrameBytes + kNameBytes); ++i) {
    const std::uint8_t b = bytes[i];
    bool fits = true;
    if (i == 0) fits = b == kRequest;
    else if (i == 1) fits = b == 0;
    else if (i == 2) fits = b <= 1;
    else if (i == 3) fits = bytes[2] == 1 || b >= 2 * kNameBytes;
    else if (i == kFrameBytes) fits = b == 32;
    else if (i < kFrameBytes + kNameBytes - 1) fits = b >= 'A' && b <= 'P';
    else fits = b == 0 || b <= 63;  // The end, or a label of the scope.
    if (!fits) return Match::No;
  }
  return bytes.size() >= kFrameBytes + kNameBytes ? Match::Yes : Match::Maybe;
}

}  // namespace

Match identify_smb(const Evidence& evidence) {
  const Match client = identify_smb_side(evidence.client), server = identify_smb_side(evidence.server);
  if (client == Match::No || server == Match::No) return Match::No;
  return client == Match::Yes || server == Match::Yes ? Match::Yes : Match::Maybe;
}

Match identify_nbss(const Evidence& evidence) {
  const Bytes server = evidence.server;
  if (!server.empty() && server[0] != kPositive && server[0] != kNegative && server[0] != kRetarget) {
    if (!evidence.roles_unsure || !evidence.client.empty()) return Match::No;
    return identify_request(server);
  }
  return identify_request(evidence.client);
}

}  // namespace weir::proto::smb
