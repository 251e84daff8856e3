// SPDX-License-Identifier: Apache-2.0
// Flow export, measurements, small devices.

#include "proto/identify/probe.h"
#include "proto/identify/rows.h"

namespace weir::proto::identify {
namespace {

/// Sets of (id, length) that must fill the rest (RFC 3954, 5; RFC 7011, 3.3). The last may be followed by padding within it.
bool sets_fill(Bytes b, std::size_t at, std::uint16_t first_data, std::uint16_t templates) {
  std::size_t sets = 0;
  for (; at + 4 <= b.size(); ++sets) {
    const std::uint16_t id = load_be16(&b[at]), length = load_be16(&b[at + 2]);
    if (length < 4 || (id > templates && id < first_data)) return false;
    at += length;
  }
  return at == b.size() && sets != 0;
}
bool netflow_datagram(Bytes b) {
  if (b.size() < 20) return false;
  const std::uint16_t version = load_be16(&b[0]), count = load_be16(&b[2]);
  if (version == 5) return count >= 1 && count <= 30 && b.size() == 24U + 48U * count;
  if (version == 9) return count >= 1 && count <= 512 && sets_fill(b, 20, 256, 1);
  return version == 10 && count == b.size() && load_be16(&b[16 - 0]) != 0xffff && sets_fill(b, 16, 256, 3) && load_be16(&b[16]) >= 2;
}
/// sFlow 5: version, address type, agent, sub-agent, sequence, uptime, samples; each sample has its length.
bool sflow_datagram(Bytes b) {
  Reader in(b);
  if (in.be32() != 5) return false;
  const std::uint32_t kind = in.be32();
  if (kind != 1 && kind != 2) return false;
  in.skip(kind == 1 ? 4 : 16);
  in.skip(12);
  const std::uint32_t samples = in.be32();
  if (!in.ok() || samples > 256) return false;
  for (std::uint32_t i = 0; i < samples; ++i) {
    const std::uint32_t type = in.be32(), length = in.be32();
    in.skip(length);
    if (!in.ok() || (type & 0xfff) > 5 || length % 4 != 0) return false;
  }
  return in.at_end() && samples != 0;
}
/// collectd's binary protocol: parts of (type, length); the first is the host, a string.
bool collectd_datagram(Bytes b) {
  if (b.size() < 16) return false;
  // An encrypted part (0x0210) is the whole: the user's name, an initialisation vector, a hash.
  if (load_be16(&b[0]) == 0x0210) return load_be16(&b[2]) == b.size() && load_be16(&b[4]) < 256 && b.size() > 46 && Probe(b).printable(6, load_be16(&b[4])).holds();
  if (load_be16(&b[0]) != 0) return false;
  std::size_t at = 0, parts = 0;
  for (; at + 4 <= b.size(); ++parts) {
    const std::uint16_t type = load_be16(&b[at]), length = load_be16(&b[at + 2]);
    if (length < 5 || at + length > b.size() || (type > 9 && type != 0x100 && type != 0x101)) return false;
    if (type == 0 && b[at + length - 1U] != 0) return false;
    at += length;
  }
  return at == b.size() && parts >= 3;
}

/// RFC 7252, 3: the message of a request, with a token, and what must come again in the answer.
bool coap_head(Bytes b) { return b.size() >= 4 && b[0] >> 6 == 1 && (b[0] & 15) <= 8 && b.size() >= 4U + (b[0] & 15); }
/// RFC 7252, 3.1: options one behind the other up to a payload or the datagram's end, one of them a part of a path (11) in text.
bool coap_names_path(Bytes b) {
  std::uint32_t number = 0;
  bool named = false;
  Reader in(b.subspan(4U + (b[0] & 15)));
  while (in.ok() && !in.at_end()) {
    const std::uint8_t head = in.u8();
    if (head == 0xff) return named && !in.at_end();
    std::uint32_t part[2] = {std::uint32_t{head} >> 4, head & 15U};
    for (std::uint32_t& value : part) {
      if (value == 15) return false;
      if (value == 13) value = 13U + in.u8();
      else if (value == 14) value = 269U + in.be16();
    }
    number += part[0];
    const Bytes value = in.bytes(part[1]);
    if (number > 65535 || (number == 11 && Probe(value).printable(0, value.size()).failed())) return false;
    named |= number == 11 && value.size() >= 2;
  }
  return in.ok() && named;
}

}  // namespace

Match netflow(const Evidence& evidence) { return datagrams(evidence, netflow_datagram); }
Match sflow(const Evidence& evidence) { return datagrams(evidence, sflow_datagram); }
Match collectd(const Evidence& evidence) { return datagrams(evidence, collectd_datagram); }

// Zabbix: "ZBXD", flags, a length.
Match zabbix(const Evidence& evidence) {
  constexpr auto header = [](Bytes b) { return Probe(b).text(0, "ZBXD").byte(4, 1, 7).match(); };
  return sides(evidence, header, header);
}

// CoAP: the head of a request is four loose bytes. Options that name a path make it certain, or the answer, which carries the same message
// id and token; one that comes later is announced by an empty acknowledgement (RFC 7252, 5.2.2).
Match coap(const Evidence& evidence) {
  const Bytes a = evidence.client, b = evidence.server;
  if (!a.empty() && (!coap_head(a) || a[0] >> 4 == 6 || a[0] >> 4 == 7 || a[1] == 0 || a[1] > 7)) return Match::No;
  if (!b.empty() && !coap_head(b)) return Match::No;
  if (b.empty()) return !a.empty() && coap_names_path(a) ? Match::Yes : Match::Maybe;
  if (a.empty()) return Match::Maybe;
  if (b.size() == 4 && a[0] >> 4 == 4 && b[0] == 0x60 && b[1] == 0 && load_be16(&a[2]) == load_be16(&b[2])) return Match::Yes;
  const std::size_t token = a[0] & 15;
  const bool piggybacked = b[0] >> 4 == 6 && b[1] >> 5 >= 2 && b[1] >> 5 <= 5 && load_be16(&a[2]) == load_be16(&b[2]) && (b[0] & 15) == token;
  return piggybacked && std::equal(a.begin() + 4, a.begin() + 4 + static_cast<std::ptrdiff_t>(token), b.begin() + 4) ? Match::Yes : Match::No;
}

// WS-Discovery: SOAP over UDP that names its namespace.
Match ws_discovery(const Evidence& evidence) {
  return datagrams(evidence, [](Bytes b) {
    const std::string_view text = as_text(b);
    return text.starts_with("<") && (text.find("schemas.xmlsoap.org/ws/2005/04/discovery") != std::string_view::npos || text.find("docs.oasis-open.org/ws-dd/ns/discovery") != std::string_view::npos);
  });
}

}  // namespace weir::proto::identify
