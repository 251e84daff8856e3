// SPDX-License-Identifier: Apache-2.0
// What networks say to keep themselves going: time, liveness, routes, who stands in for whom, and tunnels between hosts.

#include <algorithm>

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/signatures.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

/// draft-massar-v6ops-ayiya, 4: an address (2^4 bytes) as identity, a signature by SHA-1, forwarding of IPv6.
bool ayiya_datagram(Bytes b) { return Probe(b).byte(0, 0x41, 0x44).be24(1, 0x521129, 0x52113b).least(44).holds() && (b[3] == 0x29 || b[3] == 0x3b); }

/// RFC 5880, 4.1 and 6.8.6: version 1, a known diagnosis, a multiplier, a length that is the datagram's, a number of its own; the other's
/// number may be missing only before the session is up.
bool bfd_datagram(Bytes b) {
  if (b.size() < 24 || b[0] >> 5 != 1 || (b[0] & 0x1f) > 9 || (b[1] & 1) != 0 || b[2] == 0 || b[3] != b.size()) return false;
  const bool authenticated = (b[1] & 4) != 0;
  if (authenticated ? b.size() < 26 || b[24] < 1 || b[24] > 5 || b[25] + std::size_t{24} != b.size() : b.size() != 24) return false;
  return load_be32(&b[4]) != 0 && load_be32(&b[12]) != 0 && (load_be32(&b[8]) != 0 || b[1] >> 6 <= 1);
}

/// Check Point's cluster: a magic number, a version that existed, an opcode of the state synchronisation.
bool cpha_datagram(Bytes b) { return Probe(b).be16(0, 0x1a90).be16(2, 1, 0x2000).be16(6, 1, 0x20).least(20).holds(); }

/// RFC 5651, 5.1 and RFC 6726, 3.4.1: LCT version 1, a header in words; the extension of a file delivery table (192), and the table.
bool flute_datagram(Bytes b) {
  if (b.size() < 32 || b[0] >> 4 != 1 || (b[1] & 0x0c) != 0) return false;
  const std::size_t header = b[2] * std::size_t{4};
  return header >= 12 && header < b.size() && as_text(b).substr(header, 256).find("<FDT-Instance"sv) != std::string_view::npos;
}

/// Cisco's GLBP: version 1, a group, the owner's address, then elements that fill the datagram; the first is a hello or its like.
bool glbp_datagram(Bytes b) {
  if (b.size() < 16 || b[0] != 1 || load_be16(&b[4]) != 0 || b[12] < 1 || b[12] > 4) return false;
  std::size_t at = 12;
  while (at + 2 <= b.size()) {
    if (b[at + 1] < 3) return false;
    at += b[at + 1];
  }
  return at == b.size();
}

/// RFC 9301, 5.6 and 5.7: Map-Register and Map-Notify: the key's kind and the length of what it signs with, and records.
bool lisp_datagram(Bytes b) {
  if (b.size() < 36 || (b[0] >> 4 != 3 && b[0] >> 4 != 4) || b[3] == 0) return false;
  const std::uint16_t kind = load_be16(&b[12]), bytes = load_be16(&b[14]);
  return (kind == 1 && bytes == 20) || (kind == 2 && bytes == 32) || (kind == 257 && bytes == 20);
}

/// IEEE 1588-2008, 13.3: version 2, the message's length, a known type with the size that it has, and its control field.
bool ptp_datagram(Bytes b) {
  if (b.size() < 44 || (b[1] & 0x0f) != 2 || load_be16(&b[2]) > b.size() || load_be16(&b[2]) + 2U < b.size() || b[32] > 5) return false;
  switch (b[0] & 0x0f) {
    case 0x0: return load_be16(&b[2]) == 44 && b[32] == 0;  // Sync
    case 0x1: return load_be16(&b[2]) == 44 && b[32] == 1;  // Delay_Req
    case 0x2: case 0x3: case 0xa: return load_be16(&b[2]) == 54;  // Pdelay_Req, _Resp, _Resp_Follow_Up
    case 0x8: return load_be16(&b[2]) >= 44 && b[32] == 2;  // Follow_Up
    case 0x9: return load_be16(&b[2]) == 54 && b[32] == 3;  // Delay_Resp
    case 0xb: return load_be16(&b[2]) >= 64 && b[32] == 5;  // Announce
    case 0xc: return load_be16(&b[2]) >= 48 && b[32] == 5;  // Signaling
    case 0xd: return load_be16(&b[2]) >= 48 && b[32] == 4;  // Management
    default: return false;
  }
}

/// RFC 2453, 3.6 and 4: command, version, nought, and entries of twenty bytes with a known family and a metric up to 16.
bool rip_datagram(Bytes b) {
  if (b.size() < 24 || b.size() > 504 || b.size() % 20 != 4 || b[0] < 1 || b[0] > 2 || b[1] < 1 || b[1] > 2 || load_be16(&b[2]) != 0) return false;
  for (std::size_t at = 4; at < b.size(); at += 20) {
    const std::uint16_t family = load_be16(&b[at]);
    if (family == 0xffff && at == 4 && b[1] == 2) continue;  // Authentication (4.1).
    const std::uint32_t metric = load_be32(&b[at + 16]);
    if (family == 0 ? b[0] != 1 || metric != 16 : family != 2 || metric < (b[0] == 1 ? 0U : 1U) || metric > 16) return false;
  }
  return true;
}

/// Ubiquiti's discovery: version, nought, a length that fits, elements that fill it; the first names the device's address.
bool ubnt_datagram(Bytes b) {
  if (b.size() < 13 || (b[0] != 1 && b[0] != 2) || b[1] > 0x0b || load_be16(&b[2]) + std::size_t{4} != b.size()) return false;
  if (!(b[4] == 1 && load_be16(&b[5]) == 6) && !(b[4] == 2 && load_be16(&b[5]) == 10)) return false;
  std::size_t at = 4;
  while (at + 3 <= b.size()) at += 3U + load_be16(&b[at + 1]);
  return at == b.size();
}

}  // namespace

Match ayiya(const Evidence& e) { return datagrams(e, ayiya_datagram); }
Match bfd(const Evidence& e) { return datagrams(e, bfd_datagram); }
Match cpha(const Evidence& e) { return datagrams(e, cpha_datagram); }
Match flute(const Evidence& e) { return datagrams(e, flute_datagram); }
Match glbp(const Evidence& e) { return e.group_destination || !e.server.empty() ? datagrams(e, glbp_datagram) : Match::No; }
Match lisp(const Evidence& e) { return datagrams(e, lisp_datagram); }
Match ptp(const Evidence& e) { return datagrams(e, ptp_datagram); }
Match rip(const Evidence& e) { return datagrams(e, rip_datagram); }
Match ubnt(const Evidence& e) { return ubnt_datagram(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }

}  // namespace weir::proto::identify
