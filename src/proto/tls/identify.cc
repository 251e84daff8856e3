// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/tls.h"

#include <algorithm>
#include <array>

namespace weir::proto::tls {
namespace {

constexpr std::uint8_t kChangeCipher = 20, kAlert = 21, kHandshake = 22, kApplication = 23, kHeartbeat = 24;
constexpr std::uint8_t kClientHello = 1, kServerHello = 2;
constexpr std::size_t kRecordHeaderBytes = 5, kRecordBytesMax = 16384 + 2048;
constexpr std::uint32_t kHelloBytesMin = 38, kHelloBytesMax = 1 << 17;

// The header of a record, as much of it as is there, against RFC 8446 section 5.1.
Match match_header(Bytes bytes) {
  if (!bytes.empty() && (bytes[0] < kChangeCipher || bytes[0] > kHeartbeat)) return Match::No;
  if (bytes.size() > 1 && bytes[1] != 3) return Match::No;
  if (bytes.size() > 2 && bytes[2] > 4) return Match::No;
  if (bytes.size() < kRecordHeaderBytes) return Match::Maybe;
  const std::size_t size = load_be16(&bytes[3]);
  if (size == 0 ? bytes[0] != kApplication : size > kRecordBytesMax) return Match::No;
  if (bytes[0] == kChangeCipher && size != 1) return Match::No;
  return Match::Yes;
}

// The first six bytes of the first handshake message, which may lie in several records: type, length, version.
Match match_hello(Bytes bytes, std::uint8_t type) {
  std::array<std::uint8_t, 6> head;
  std::size_t have = 0;
  while (have < head.size() && !bytes.empty()) {
    const Match header = match_header(bytes);
    if (header != Match::Yes) return header;
    if (bytes[0] != kHandshake) return Match::No;
    const std::size_t size = load_be16(&bytes[3]);
    bytes = bytes.subspan(kRecordHeaderBytes);
    const std::size_t take = std::min({size, bytes.size(), head.size() - have});
    std::copy_n(bytes.begin(), take, head.begin() + static_cast<std::ptrdiff_t>(have));
    have += take;
    bytes = bytes.subspan(std::min(size, bytes.size()));
  }
  if (have > 0 && head[0] != type) return Match::No;
  if (have > 1 && head[1] > 1) return Match::No;
  if (have >= 4) {
    const std::uint32_t size = std::uint32_t{head[1]} << 16 | std::uint32_t{head[2]} << 8 | head[3];
    if (size < kHelloBytesMin || size > kHelloBytesMax) return Match::No;
  }
  // Drafts of TLS 1.3 put their own number (7f xx) into the server's hello.
  if (have > 4 && head[4] != 3 && !(type == kServerHello && head[4] == 0x7f)) return Match::No;
  if (have > 5 && head[4] == 3 && head[5] > 4) return Match::No;
  return have == head.size() ? Match::Yes : Match::Maybe;
}

// An alert in the clear: two bytes, warning or fatal (RFC 8446 section 6).
Match match_alert(Bytes bytes) {
  const Match header = match_header(bytes);
  if (header != Match::Yes) return header;
  if (load_be16(&bytes[3]) != 2) return Match::No;
  if (bytes.size() > 5 && bytes[5] != 1 && bytes[5] != 2) return Match::No;
  return bytes.size() >= 7 ? Match::Yes : Match::Maybe;
}

// SSLv2's client hello (RFC 6101 appendix E): every length must agree with the others.
Match match_v2_hello(Bytes bytes) {
  if ((bytes[0] & 0x80) == 0) return Match::No;
  if (bytes.size() > 2 && bytes[2] != kClientHello) return Match::No;
  if (bytes.size() > 3 && bytes[3] != 0 && bytes[3] != 3) return Match::No;
  if (bytes.size() > 4 && (bytes[3] == 0 ? bytes[4] != 2 : bytes[4] > 4)) return Match::No;
  if (bytes.size() < 11) return Match::Maybe;
  const std::size_t size = load_be16(&bytes[0]) & 0x7fffU, ciphers = load_be16(&bytes[5]), session = load_be16(&bytes[7]),
                    challenge = load_be16(&bytes[9]);
  const bool agrees = ciphers != 0 && ciphers % 3 == 0 && (session == 0 || session == 16) && challenge >= 16 && challenge <= 32 &&
                      size == 9 + ciphers + session + challenge;
  return agrees ? Match::Yes : Match::No;
}

// SSLv2's server hello: high bit, type 4, hit 0 or 1, certificate type X.509, version 2.
Match match_v2_server(Bytes bytes) {
  constexpr std::uint8_t kFixed[] = {4, 0, 1, 0, 2};
  if ((bytes[0] & 0x80) == 0) return Match::No;
  for (std::size_t i = 2; i < std::min<std::size_t>(bytes.size(), 7); ++i)
    if (bytes[i] != kFixed[i - 2] && i != 3 && i != 4) return Match::No;
  return bytes.size() >= 13 ? Match::Yes : Match::Maybe;
}

// A flow seen from its middle: two records whose headers fit one behind the other, or one that ends where the bytes end.
Match match_records(Bytes bytes, bool middle = false) {
  std::size_t whole = 0;
  while (!bytes.empty()) {
    const Match header = match_header(bytes);
    if (header == Match::No) return Match::No;
    if (header == Match::Maybe) return Match::Maybe;
    if (++whole == 2) return Match::Yes;
    const std::size_t size = kRecordHeaderBytes + load_be16(&bytes[3]);
    // A record of data that goes on behind what can be seen.
    if (bytes.size() >= kEvidenceMax && size > bytes.size()) return middle && bytes[0] == kApplication && bytes[2] >= 1 && bytes[2] <= 3 ? Match::Yes : Match::Maybe;
    if (bytes.size() < size) return Match::Maybe;
    bytes = bytes.subspan(size);
  }
  return middle && whole == 1 ? Match::Yes : Match::Maybe;
}

Match match_client(Bytes bytes) {
  if (bytes.empty()) return Match::Maybe;
  if ((bytes[0] & 0x80) != 0) return match_v2_hello(bytes);
  if (bytes[0] == kHandshake) return match_hello(bytes, kClientHello);
  return match_records(bytes);
}

Match match_server(Bytes bytes) {
  if (bytes.empty()) return Match::Maybe;
  if ((bytes[0] & 0x80) != 0) return match_v2_server(bytes);
  if (bytes[0] == kHandshake) return match_hello(bytes, kServerHello);
  if (bytes[0] == kAlert && match_alert(bytes) != Match::No) return match_alert(bytes);
  return match_records(bytes);
}

// Picked up in its middle: encrypted handshake records are allowed too, and either side may be either.
Match match_either(Bytes bytes) {
  return std::max({match_client(bytes), match_server(bytes), bytes.empty() ? Match::Maybe : match_records(bytes, true)});
}

}  // namespace

Match identify(const Evidence& evidence) {
  if (evidence.is_udp()) return Match::No;
  if (evidence.roles_unsure) {
    const Match client = match_either(evidence.client), server = match_either(evidence.server);
    if (client == Match::No || server == Match::No) return Match::No;
    return std::max(client, server);
  }
  const Match client = match_client(evidence.client), server = match_server(evidence.server);
  // A whole hello is TLS at once, since the client speaks first; but what the server's bytes ruled out before stays so.
  if (client == Match::No || server == Match::No) return Match::No;
  return std::max(client, server);
}

}  // namespace weir::proto::tls
