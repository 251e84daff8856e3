// SPDX-License-Identifier: Apache-2.0
// Private networks and what carries packets in packets.

#include <algorithm>

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/rows.h"

namespace weir::proto::identify {
namespace {

/// RFC 7296, 3.1 and RFC 2408, 3.1; on the port of UDP encapsulation four bytes of nought stand before (RFC 3948, 2.2).
bool ike_datagram(Bytes b) {
  if (b.size() >= 32 && Probe(b).zero(0, 4).holds()) b = b.subspan(4);
  Probe probe(b);
  probe.be32(24, static_cast<std::uint32_t>(b.size())).least(28);
  if (!probe.holds() || std::all_of(b.begin(), b.begin() + 8, [](std::uint8_t x) { return x == 0; })) return false;
  const std::uint8_t next = b[16], version = b[17], exchange = b[18];
  if (version == 0x20) return exchange >= 34 && exchange <= 43 && (b[19] & 0xC7) == 0 && (next == 0 || (next >= 33 && next <= 55));
  if (version == 0x10) return (exchange <= 6 || exchange == 32 || exchange == 33) && exchange != 0 && (b[19] & 0xF8) == 0 && next <= 24 && next != 0;
  return false;
}

/// The WireGuard paper, 5.4: type, three of nought; initiation 148, response 92, cookie 64 bytes, data in blocks of 16.
bool wireguard_handshake(Bytes b) {
  if (!Probe(b).byte(0, 1, 2).zero(1, 3).holds()) return false;
  // The second MAC is nought unless the other end is under load.
  if (b[0] == 1) return b.size() == 148 && Probe(b).zero(132, 16).holds() && Probe(b).le32_at(4) != 0;
  return b.size() == 92 && Probe(b).zero(76, 16).holds() && Probe(b).le32_at(4) != 0;
}
Match wireguard_any(Bytes b) {
  if (b.empty()) return Match::Maybe;
  if (wireguard_handshake(b)) return Match::Yes;
  if (!Probe(b).byte(0, 1, 4).zero(1, 3).holds()) return Match::No;
  constexpr std::size_t kSizes[] = {148, 92, 64};
  if (b[0] <= 3) return b.size() == kSizes[b[0] - 1] ? Match::Maybe : Match::No;
  return b.size() >= 32 && b.size() % 16 == 0 ? Match::Maybe : Match::No;
}

/// OpenVPN's control channel: opcode and key, session id, then (tls-auth, tls-crypt: a MAC) acknowledgements.
Bytes openvpn_packet(Bytes b, bool udp) { return udp || b.size() < 2 ? b : b.subspan(2); }
Match openvpn_client(Bytes b, bool udp) {
  const Bytes p = openvpn_packet(b, udp);
  Probe probe(p);
  if (!udp) {
    if (b.size() < 3) return b.empty() || b[0] <= 4 ? Match::Maybe : Match::No;
    if (Probe(b).be16(0, 14, 1200).failed()) return Match::No;
  }
  if (!p.empty()) probe.that(p[0] == 0x38 || p[0] == 0x50);  // Hard reset of the client, version 2 or 3, key 0.
  probe.least(14);
  if (udp && !p.empty() && p.size() < 14) return Match::No;
  return probe.match();
}
Match openvpn_server(Bytes b, bool udp) {
  const Bytes p = openvpn_packet(b, udp);
  if (!udp && b.size() < 3) return b.empty() || b[0] <= 4 ? Match::Maybe : Match::No;
  Probe probe(p);
  probe.byte(0, 0x40).least(26);  // Hard reset of the server.
  if (udp && !p.empty() && p.size() < 26) return Match::No;
  return probe.match();
}

/// RFC 2661, 3.1 and 5.8: control bits T, L and S, version 2, the length of the datagram; the first AVP is Message Type.
bool l2tp_datagram(Bytes b) {
  Probe probe(b);
  probe.byte(0, 0xC8).byte(1, 2).be16(2, static_cast<std::uint32_t>(b.size()));
  if (!probe.holds() || b.size() < 12) return false;
  return b.size() == 12 || Probe(b).byte(12, 0x80).byte(13, 8).zero(14, 4).be16(18, 1, 16).holds();
}

bool ip_inside(Bytes b) {
  if (b.size() < 20) return false;
  if (b[0] >> 4 == 4) return (b[0] & 15) >= 5 && load_be16(&b[2]) == b.size();
  return b[0] >> 4 == 6 && b.size() >= 40 && std::size_t{load_be16(&b[4])} + 40 == b.size();
}

/// RFC 4380, 5.1.1: authentication and origin may stand before the IPv6 packet, of which one end is Teredo's or a link's.
bool teredo_datagram(Bytes b) {
  Reader in(b);
  if (in.peek() == 0 && in.peek(1) == 1) {
    in.skip(2);
    const std::size_t id = in.u8(), value = in.u8();
    in.skip(id + value + 9);
  }
  if (in.peek() == 0 && in.peek(1) == 0) in.skip(8);
  const Bytes ip = in.rest();
  if (!in.ok() || ip.size() < 40 || ip[0] >> 4 != 6 || !ip_inside(ip)) return false;
  const auto ours = [&](std::size_t at) { return load_be32(&ip[at]) == 0x20010000 || (ip[at] == 0xfe && (ip[at + 1] & 0xc0) == 0x80); };
  return ours(8) || ours(24);
}

/// 3GPP TS 29.281 and 29.060 (version 1), 29.274 (version 2): a length that fits, and known messages.
bool gtp_datagram(Bytes b) {
  if (b.size() < 8) return false;
  const std::uint8_t flags = b[0], type = b[1];
  const std::size_t length = load_be16(&b[2]);
  if (flags >> 5 == 1 && (flags & 0x18) == 0x10) {
    if (length + 8 != b.size()) return false;
    const std::size_t header = (flags & 7) != 0 ? 12 : 8;
    if (type == 0xff) return b.size() > header && (flags & 4) == 0 && ip_inside(b.subspan(std::min(header, b.size())));
    return (type == 1 || type == 2) && Probe(b).zero(4, 4).holds() ? true : type >= 16 && type <= 21 && (flags & 2) != 0;
  }
  if (flags >> 5 == 2 && (flags & 7) == 0) {
    if (length + 4 != b.size()) return false;
    const bool has_teid = (flags & 8) != 0;
    return has_teid ? type >= 32 && type <= 39 && b.size() >= 12 && b[11] == 0 : (type == 1 || type == 2) && b.size() >= 9 && b[8] == 3;
  }
  return false;
}

/// RFC 7348, 5: flag I alone, reserved bytes nought, and an Ethernet frame.
bool vxlan_datagram(Bytes b) {
  if (b.size() < 8 + 14 + 20 || !Probe(b).byte(0, 8).zero(1, 3).byte(7, 0).holds()) return false;
  const std::uint16_t type = load_be16(&b[20]);
  if (type == 0x0800) return b[22] >> 4 == 4 && (b[22] & 15) >= 5;
  if (type == 0x86dd) return b[22] >> 4 == 6;
  return type == 0x0806 ? load_be16(&b[22]) == 1 : type == 0x8100;
}

}  // namespace

Match ike(const Evidence& evidence) { return datagrams(evidence, ike_datagram); }
bool ike_is_answer(Bytes b) {
  if (b.size() >= 32 && Probe(b).zero(0, 4).holds()) b = b.subspan(4);
  return b.size() >= 28 && b[17] == 0x20 && (b[19] & 0x20) != 0;
}

Match wireguard(const Evidence& evidence) {
  const Match a = wireguard_any(evidence.client), b = wireguard_any(evidence.server);
  if (a == Match::No || b == Match::No) return Match::No;
  const bool data = !evidence.client.empty() && !evidence.server.empty() && evidence.client[0] == 4 && evidence.server[0] == 4;
  return a == Match::Yes || b == Match::Yes || data ? Match::Yes : Match::Maybe;
}

Match openvpn(const Evidence& evidence) {
  const bool udp = evidence.is_udp();
  const Match a = openvpn_client(evidence.client, udp), b = openvpn_server(evidence.server, udp);
  if (a == Match::No || b == Match::No) return Match::No;
  if (a != Match::Yes || b != Match::Yes) return Match::Maybe;
  // The server's reset acknowledges the client's session: its id comes again. With tls-crypt it is encrypted, and the sizes tell.
  Bytes client = openvpn_packet(evidence.client, udp), server = openvpn_packet(evidence.server, udp);
  if (!udp) {  // Only the first packet of each side, and all of it.
    const std::size_t a_bytes = load_be16(evidence.client.data()), b_bytes = load_be16(evidence.server.data());
    if (a_bytes < 14 || b_bytes < 26 || a_bytes > 1000 || b_bytes > 1000) return Match::No;
    if (client.size() < a_bytes || server.size() < b_bytes) return Match::Maybe;
    client = client.first(a_bytes), server = server.first(b_bytes);
  }
  if (as_text(server.subspan(9)).find(as_text(client.subspan(1, 8))) != std::string_view::npos) return Match::Yes;
  return client.size() == 54 && server.size() >= 62 && server.size() <= 90 ? Match::Yes : Match::No;
}

Match l2tp(const Evidence& evidence) { return datagrams(evidence, l2tp_datagram); }

// RFC 2637, 2: length, control message, magic cookie, type.
Match pptp(const Evidence& evidence) {
  constexpr auto control = [](Bytes b) { return Probe(b).be16(0, 12, 512).be16(2, 1).be32(4, 0x1A2B3C4D).be16(8, 1, 15).match(); };
  return sides(evidence, control, control);
}

Match teredo(const Evidence& evidence) { return datagrams(evidence, teredo_datagram); }
Match gtp(const Evidence& evidence) { return datagrams(evidence, gtp_datagram); }
Match vxlan(const Evidence& evidence) { return datagrams(evidence, vxlan_datagram); }

// Tailscale's discovery messages: a magic of six bytes, a public key, a nonce.
Match tailscale(const Evidence& evidence) {
  return datagrams(evidence, [](Bytes b) { return Probe(b).text(0, "TS\xf0\x9f\x92\xac").least(62).holds(); });
}

// tinc's ID request: "0 name 17[.minor]".
Match tinc(const Evidence& evidence) {
  constexpr auto id = [](Bytes b) {
    if (Probe(b).text(0, "0 ").failed()) return Match::No;
    if (!has_line(b)) return b.size() < 80 ? Match::Maybe : Match::No;
    const std::string_view line = first_line(b).substr(2);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0) return Match::No;
    const bool name = std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(space), [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; });
    const std::string_view version = line.substr(space + 1);
    return name && (version == "17" || version.starts_with("17.")) ? Match::Yes : Match::No;
  };
  return sides(evidence, id, id);
}

}  // namespace weir::proto::identify
