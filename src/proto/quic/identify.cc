// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "proto/quic/quic.h"

namespace weir::proto::quic {
namespace {

using Kind = Version::Kind;

// A client's first datagram is padded to 1200 bytes; of a longer one identify() may be shown only the beginning.
constexpr std::size_t kClientBytesMin = std::min(kInitialDatagramBytesMin, kEvidenceMax);
constexpr std::size_t kGreasedCidBytesMin = 8;  // RFC 9000 section 7.2

// RFC 9000 section 17.2.1: what follows the connection ids is a list of versions; one of them must be one that we know.
bool is_negotiation(const LongPacket& packet) {
  const Bytes list = packet.all.subspan(packet.number_at);
  if (list.empty() || list.size() % 4 != 0) return false;
  for (std::size_t i = 0; i < list.size(); i += 4) {
    const Kind kind = version_of(load_be32(&list[i])).kind;
    if (kind == Kind::Negotiation) return false;
    if (kind != Kind::Unknown && kind != Kind::Greased) return true;
  }
  return false;
}

Match match(Bytes bytes, bool may_be_client, bool may_be_server) {
  if (bytes.empty()) return Match::Maybe;
  if ((bytes[0] & 0x80) == 0) {
    // A short header says nothing of itself, and Google's public header without a version neither: no connection begins with one, so a flow
    // that does is of nothing that could be told later.
    return may_be_client && google_public_version(bytes) ? Match::Yes : Match::No;
  }
  const auto packet = parse_long_packet(bytes, bytes.size() >= kEvidenceMax);
  if (!packet) return Match::No;
  switch (packet->meaning.kind) {
    case Kind::Negotiation: return may_be_server && is_negotiation(*packet) ? Match::Yes : Match::No;
    case Kind::Greased:
      if (!may_be_client || bytes.size() < kClientBytesMin || packet->dcid.size() < kGreasedCidBytesMin) return Match::No;
      return Match::Yes;
    case Kind::Google: return Match::Yes;
    default: break;
  }
  if (packet->type == PacketType::Retry) return may_be_server && bytes.size() >= packet->number_at + 16 ? Match::Yes : Match::No;
  // A server's Initial carries no token and may be short (RFC 9000 section 17.2.2).
  if (packet->type == PacketType::Initial && !may_be_server && bytes.size() < kClientBytesMin) return Match::No;
  return Match::Yes;
}

}  // namespace

Match identify(const Evidence& evidence) {
  if (!evidence.is_udp()) return Match::No;
  const bool unsure = evidence.roles_unsure;
  const Match client = match(evidence.client, true, unsure), server = match(evidence.server, unsure, true);
  return client == Match::Yes || server == Match::Yes ? Match::Yes : std::min(client, server);
}

bool is_answer(Bytes datagram) {
  const auto packet = parse_long_packet(datagram);
  return packet && (packet->type == PacketType::Negotiation || (packet->meaning.is_ietf() && packet->type == PacketType::Retry));
}

}  // namespace weir::proto::quic
