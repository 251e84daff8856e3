// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which rows of the registry are certain of what two sides said, and whether a row stays open while its bytes come one by one.

#include <string>
#include <string_view>

#include "proto/registry.h"

namespace weir::kit {

inline std::string be16(unsigned v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
inline std::string be32(std::uint32_t v) { return be16(v >> 16) + be16(v & 0xffff); }
inline std::string le16(unsigned v) { return {static_cast<char>(v), static_cast<char>(v >> 8)}; }
inline std::string le32(std::uint32_t v) { return le16(v & 0xffff) + le16(v >> 16); }
inline std::string zeros(std::size_t n) { return std::string(n, '\0'); }

struct RowCase {
  std::string protocol;  ///< The one row that says Yes; "unknown" if none may.
  std::string client, server;
  bool group = false;    ///< Sent to a group.
  std::string before;    ///< UDP: the client's datagram before this one.
};

inline proto::Evidence evidence_of(const RowCase& c, bool udp) {
  proto::Evidence evidence{.client = as_bytes(c.client), .server = as_bytes(c.server), .before = as_bytes(c.before)};
  evidence.client_port = 50000, evidence.server_port = 40000;
  evidence.ip_protocol = udp ? 17 : 6;
  evidence.group_destination = c.group;
  return evidence;
}

/// Names of the rows that say Yes, in the order of the registry.
inline std::string certain_rows(const RowCase& c, bool udp) {
  std::string out;
  for (const proto::Protocol* row : proto::protocols()) {
    if (row->identify == nullptr || (udp ? !row->udp : !row->tcp)) continue;
    if (row->identify(evidence_of(c, udp)) == proto::Match::Yes) out += (out.empty() ? "" : " ") + std::string(row->name);
  }
  return out.empty() ? "unknown" : out;
}

/// The first place of a cut at which the row says No although all of it is Yes (a stream: the client's bytes come, then the server's), or at
/// which another row is certain before it is; npos if there is none.
inline std::size_t cut_that_hides(const RowCase& c) {
  const std::size_t all = c.client.size() + c.server.size();
  for (std::size_t n = 0; n <= all; ++n) {
    RowCase part = c;
    part.client = c.client.substr(0, n);
    part.server = n > c.client.size() ? c.server.substr(0, n - c.client.size()) : "";
    for (const proto::Protocol* row : proto::protocols()) {
      if (row->identify == nullptr || !row->tcp) continue;
      const proto::Match match = row->identify(evidence_of(part, false));
      if (row->name == c.protocol ? match == proto::Match::No : match == proto::Match::Yes) return n;
    }
  }
  return std::string::npos;
}

}  // namespace weir::kit
