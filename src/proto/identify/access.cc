// SPDX-License-Identifier: Apache-2.0
// Remote access and tunnels without a standard.

#include "proto/identify/access.h"

#include <algorithm>

#include "base/text.h"
#include "proto/identify/probe.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

bool equal_part(Bytes a, std::size_t at_a, Bytes b, std::size_t at_b, std::size_t size) {
  return at_a + size <= a.size() && at_b + size <= b.size() && std::equal(a.begin() + static_cast<std::ptrdiff_t>(at_a),
      a.begin() + static_cast<std::ptrdiff_t>(at_a + size), b.begin() + static_cast<std::ptrdiff_t>(at_b));
}

/// Apple Remote Desktop's discovery, which is known from its abuse (NETSCOUT on ARMS, 2019): four bytes ask, and the answer has its own length.
bool ard_asks(Bytes b) { return (b.size() == 4 || b.size() == 5) && Probe(b).be32(0, 0x00140000).holds(); }
bool ard_answers(Bytes b) { return b.size() >= 100 && Probe(b).be16(0, 1).be16(2, static_cast<std::uint32_t>(b.size()) - 4).holds(); }

/// bore (its src/shared.rs): objects of JSON that end in NUL; a client says which port it wants, or which connection it takes.
Match bore_client(Bytes b) {
  const Match hello = begins(b, {"{\"Hello\":"sv}), accept = begins(b, {"{\"Accept\":\""sv});
  if (hello != Match::Yes && accept != Match::Yes) return std::max(hello, accept);
  const std::size_t first = hello == Match::Yes ? 9 : 11;
  for (std::size_t at = first; at < std::min<std::size_t>(b.size(), first + 40); ++at) {
    if (b[at] == '}' || b[at] == '"') return Probe(b).text(at, hello == Match::Yes ? "}\0"sv : "\"}\0"sv).match();
    if (hello == Match::Yes ? !is_digit(static_cast<char>(b[at])) : b[at] < '-' || b[at] > 'f') return Match::No;
  }
  return b.size() < first + 40 ? Match::Maybe : Match::No;
}
Match bore_server(Bytes b) { return begins(b, {"{\"Hello\":"sv, "{\"Challenge\":"sv, "{\"Error\":"sv}) == Match::No ? Match::No : Match::Maybe; }

/// Cloudflare WARP: WireGuard's handshake, whose three reserved bytes, there nought, say which client it is (as open clients of it show).
bool warp_handshake(Bytes b) {
  if (b.size() != 148 && b.size() != 92) return false;
  return b[0] == (b.size() == 148 ? 1 : 2) && (b[1] | b[2] | b[3]) != 0 && Probe(b).zero(b.size() - 16, 16).holds() && Probe(b).le32_at(4) != 0;
}

/// DameWare Mini Remote Control: both ends begin with the message of their versions, number 1130h (nmap's service probes; Tenable, CVE-2019-3980).
Match dameware_version(Bytes b) { return Probe(b).le32(0, 0x1130).le32(4, 0).byte(15, 0x3f, 0x40).least(40).match(); }

/// frp (its pkg/msg): a letter, eight bytes of length, an object of JSON: a login, or a connection that works for one.
Match frp_message(Bytes b, std::size_t at) {
  Probe probe(b);
  probe.be32(at + 1, 0).be32(at + 5, 10, 10240).text(at + 9, "{\"");
  if (b.size() <= at) return probe.match();
  if (b[at] == 'o') return probe.text(at + 11, "version\"").match();
  return b[at] == 'w' || b[at] == 'v' ? probe.text(at + 11, "run_id\"").match() : Match::No;
}
/// The letter may be behind the two first frames of yamux (hashicorp/yamux, spec.md): a window that opens stream 1, then its data.
Match frp_client(Bytes b) {
  if (b.empty()) return Match::Maybe;
  if (b[0] == 'o' || b[0] == 'w' || b[0] == 'v') return frp_message(b, 0);
  if (b[0] == 0x17) return Probe(b).byte(1, 0x16).byte(2, 3).byte(3, 1, 3).byte(6, 1).byte(7, 0).byte(10, 3).match();  // Its own first byte before TLS.
  const Match frames = Probe(b).byte(0, 0).byte(1, 1).be16(2, 1).be32(4, 1).byte(12, 0).byte(13, 0).be16(14, 0, 1).be32(16, 1).be32(20, 9, 10240).match();
  return frames == Match::No ? Match::No : std::min(frames, frp_message(b, 24));
}
Match frp_server(Bytes b) { return b.empty() || b[0] == 0 || (b[0] >= '1' && b[0] <= 'z') || b[0] == 0x16 ? Match::Maybe : Match::No; }

/// Hamachi's link to its servers, observed (nDPI's reader of that name): a length, and a number that never changes.
Match hamachi_message(Bytes b) { return Probe(b).be16(0, 0).be32(0, 296, 8192).be32(12, 0x7b7a0dad).match(); }

/// n2n (its n2n_wire.h), versions 2 and 3: version, hops, flags with the message's kind, the community's name, filled up with NUL.
constexpr unsigned kN2nKind = 0x1f;
constexpr std::size_t kN2nName = 16;
bool n2n_message(Bytes b) {
  if (b.size() < 24 || (b[0] != 2 && b[0] != 3) || b[1] > 16 || b[2] != 0 || (b[3] & kN2nKind) > 12 || b[4] < '!' || b[4] > '~') return false;
  std::size_t at = 4;
  while (at < 4 + kN2nName && b[at] >= 0x20 && b[at] < 0x7f) ++at;
  return Probe(b).zero(at, 4 + kN2nName - at).holds();
}
bool n2n_answers(unsigned asked, unsigned kind) {
  return asked == 5 ? kind >= 6 && kind <= 8 : asked == 1 ? kind == 4 : asked == 11 && kind == 10;  // To a supernode, to a peer, who is there.
}

/// Nebula (its header/header.go and handshake_ix.go): version 1, a handshake, nothing reserved, the first or second message; Noise's two keys,
/// then the details, of which in the first message nothing is encrypted.
bool nebula_handshake(Bytes b) {
  if (b.size() < 100 || b[0] != 0x10 || b[1] != 0 || load_be16(&b[2]) != 0 || load_be32(&b[8]) != 0) return false;
  const std::uint32_t number = load_be32(&b[12]), index = load_be32(&b[4]);
  return number == 1 ? index == 0 && b[80] == 0x0a : number == 2 && index != 0;
}

/// pcAnywhere: its question over UDP and who answers; over TCP the host's first words (nmap's service probes).
bool pcanywhere_asks(Bytes b) { return b.size() == 2 && (as_text(b) == "NQ" || as_text(b) == "ST"); }
bool pcanywhere_answers(Bytes b) { return b.size() >= 10 && b.size() <= 100 && (as_text(b).starts_with("NR") || as_text(b).starts_with("ST")); }
Match pcanywhere_host(Bytes b) { return Probe(b).text(0, "\0X\x08\0\x7d\x08\r\n\0.\x08"sv).match(); }

/// A number of protobuf in one or two bytes: all that is asked for here. Nought bytes read if it is longer or not there.
struct Varint {
  std::size_t value = 0, bytes = 0;
};
Varint varint_at(Bytes b, std::size_t at) {
  if (at >= b.size()) return {};
  if (b[at] < 0x80) return {b[at], 1};
  if (at + 1 >= b.size() || b[at + 1] >= 0x80) return {};
  return {(b[at] & 0x7fU) | std::size_t{b[at + 1]} << 7, 2};
}
/// An id of RustDesk: nine digits, or a name.
bool rustdesk_id(Bytes b, std::size_t at, std::size_t size) {
  if (size < 6 || size > 32 || at + size > b.size()) return false;
  return std::all_of(b.begin() + static_cast<std::ptrdiff_t>(at), b.begin() + static_cast<std::ptrdiff_t>(at + size),
                     [](std::uint8_t c) { return is_alpha(static_cast<char>(c)) || is_digit(static_cast<char>(c)) || c == '_' || c == '-' || c == '.'; });
}
/// RustDesk (hbb_common, protos/rendezvous.proto): one field of RendezvousMessage that fills the datagram or frame: whoever registers a peer (6) or
/// its key (15), asks for a hole (8) or a relay (18), gives his id first; what the server says first is its signed key (25).
bool rustdesk_message(Bytes b, bool server) {
  const Varint tag = varint_at(b, 0), size = varint_at(b, tag.bytes);
  const std::size_t body = tag.bytes + size.bytes;
  if (tag.bytes == 0 || size.bytes == 0 || size.value < 8 || body + size.value != b.size() || (tag.value & 7) != 2 || b[body] != 0x0a) return false;
  const std::size_t field = tag.value >> 3;
  if (server) return field == 25 && size.value == 98 && b[body + 1] == 96;
  if (field != 6 && field != 8 && field != 15 && field != 18) return false;
  const std::size_t id = b[body + 1], behind = body + 2 + id;
  if (!rustdesk_id(b, body + 2, id)) return false;
  if (field == 6) return behind == b.size() || (b[behind] == 0x10 && varint_at(b, behind + 1).bytes + behind + 1 == b.size());
  return behind < b.size() && b[behind] == (field == 8 ? 0x10 : 0x12);  // The kind of NAT, or an UUID.
}
/// bytes_codec.rs: the lowest two bits of the first byte say how many bytes the length has, the rest is the length.
Match rustdesk_frame(Bytes b, bool server) {
  if (b.size() < 2) return Match::Maybe;
  const std::size_t head = (b[0] & 3U) + 1;
  if (head > 2) return Match::No;
  const std::size_t size = (head == 1 ? b[0] : b[0] | std::size_t{b[1]} << 8) >> 2;
  if (size < 10 || size > 600) return Match::No;
  if (b.size() > head && b[head] != 0x42 && b[head] != 0x7a && b[head] != 0x92 && b[head] != 0xca) return Match::No;
  if (b.size() < head + size) return Match::Maybe;
  return rustdesk_message(b.subspan(head, size), server) ? Match::Yes : Match::No;
}

/// SoftEther (its Cedar and Mayaqua: NAT traversal over UDP): the server tells the asker's address in words; else a pack of named values, whose
/// first one is shown: name with its length, a type, how many.
bool softether_tells(Bytes b) {
  return b.size() >= 16 && b.size() <= 64 && as_text(b).starts_with("IP=") && as_text(b).find(",PORT=") != std::string_view::npos;
}
bool softether_pack(Bytes b) {
  if (b.size() < 24 || load_be32(b.data()) == 0 || load_be32(b.data()) > 64) return false;
  const std::uint32_t size = load_be32(&b[4]);  // With one more than the name has.
  if (size < 5 || size > 32 || b.size() < 8U + size + 8) return false;
  for (std::size_t at = 8; at < 7 + size; ++at)
    if (b[at] != '_' && !is_alpha(static_cast<char>(b[at]))) return false;
  return Probe(b).be32(7 + size, 0, 4).be32(11 + size, 1).holds();
}

/// Synergy and Barrier (their ProtocolTypes.h): the server says its name and version 1 first, behind a length; so does the client.
Match synergy_hello(Bytes b) {
  if (Probe(b).be32(0, 11, 512).failed()) return Match::No;
  if (b.size() < 5) return Match::Maybe;
  return std::min(begins(b.subspan(4), {"Synergy"sv, "Barrier"sv}), Probe(b).be16(11, 1).match());
}

/// UltraVNC's repeater, mode 2 (its source, repeater.cpp): a server says its number in a field of 250 bytes, and waits to be asked.
Match repeater_id(Bytes b) {
  if (Probe(b).text(0, "ID:").failed()) return Match::No;
  if (b.size() <= 3) return Match::Maybe;
  std::size_t at = 3;
  while (at < b.size() && is_digit(static_cast<char>(b[at]))) ++at;
  if (at == b.size()) return at < 16 ? Match::Maybe : Match::No;
  return at == 3 || at > 16 ? Match::No : Probe(b).zero(at, 64).match();
}

/// Xpra (its docs/Network/Protocol.md): P, flags, the level of compression, a chunk's number, a length; the first packet is a hello.
Match xpra_hello(Bytes b) {
  const Probe head = Probe(b).byte(0, 'P').byte(1, 0, 0x1f).byte(2, 0, 0x1f).byte(3, 0).be32(4, 8, 1 << 20).least(16);
  if (head.match() != Match::Yes) return head.match();
  return std::max(begins(b.subspan(8), {"l5:hello"sv}), begins(b.subspan(9), {"\x85hello"sv}));
}

/// Yggdrasil (its version.go): "meta", then from 0.5 on the length and tagged values, the versions and a key; before, version 0.4 and the key.
Match yggdrasil_meta(Bytes b) {
  const Match now = Probe(b).text(0, "meta").be32(6, 0x00000002).be16(10, 0).be32(12, 0x00010002).be32(18, 0x00020020).match();
  return std::max(now, Probe(b).text(0, "meta").byte(4, 0).byte(5, 4).least(38).match());
}
/// Its announcement to ff02::114 (multicast/advertisement.go): the version, a key, a port, a hash of 64 bytes.
bool yggdrasil_beacon(Bytes b) { return b.size() == 104 && Probe(b).be16(0, 0).be16(2, 4, 8).be16(38, 64).holds(); }

/// ZeroTier (its node/Packet.hpp): a packet's number, two addresses, no encryption, a check; HELLO with the versions and, after the time, the
/// sender's identity, which begins with the address of the head, type 0 and a public key alone.
bool zerotier_hello(Bytes b) {
  if (b.size() < 112 || (b[18] & 0x38) != 0 || (b[27] & 0x1f) != 1 || b[28] < 4 || b[28] > 32 || b[8] == 0xff) return false;
  return equal_part(b, 13, b, 41, 5) && b[13] != 0xff && b[46] == 0 && b[111] == 0;
}

}  // namespace

Match apple_remote_desktop(const Evidence& e) {
  if ((!e.client.empty() && !ard_asks(e.client)) || (!e.server.empty() && !ard_answers(e.server))) return Match::No;
  return e.client.empty() || e.server.empty() ? Match::Maybe : Match::Yes;
}
Match bore(const Evidence& e) { return sides(e, bore_client, bore_server); }
Match cloudflare_warp(const Evidence& e) { return warp_handshake(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }
Match dameware(const Evidence& e) { return both_sides(e, dameware_version, dameware_version); }
Match frp(const Evidence& e) { return sides(e, frp_client, frp_server); }
Match guacamole(const Evidence& e) {
  return sides(e, [](Bytes b) { return begins(b, {"6.select,"sv}); }, [](Bytes b) { return Probe(b).byte(0, '4', '5').byte(1, '.').failed() ? Match::No : Match::Maybe; });
}
Match hamachi(const Evidence& e) { return sides(e, hamachi_message, any_side); }
Match libp2p(const Evidence& e) {
  // multistream-select 1.0: both ends say its name, behind a length.
  constexpr auto name = [](Bytes b) { return begins(b, {"\x13/multistream/1.0.0\n"sv}); };
  return sides(e, name, name);
}
Match n2n(const Evidence& e) {
  if ((!e.client.empty() && !n2n_message(e.client)) || (!e.server.empty() && !n2n_message(e.server))) return Match::No;
  if (e.client.empty() || e.server.empty()) return Match::Maybe;
  const unsigned asked = e.client[3] & kN2nKind, kind = e.server[3] & kN2nKind;
  return e.client[0] == e.server[0] && n2n_answers(asked, kind) && equal_part(e.client, 4, e.server, 4, kN2nName) ? Match::Yes : Match::No;
}
Match nebula(const Evidence& e) { return datagrams(e, nebula_handshake); }
Match pcanywhere(const Evidence& e) {
  if (!e.is_udp()) return sides(e, [](Bytes b) { return Probe(b).zero(0, 4).failed() ? Match::No : Match::Maybe; }, pcanywhere_host);
  if ((!e.client.empty() && !pcanywhere_asks(e.client)) || (!e.server.empty() && !pcanywhere_answers(e.server))) return Match::No;
  return e.client.empty() || e.server.empty() ? Match::Maybe : Match::Yes;
}
Match rustdesk(const Evidence& e) {
  if (e.is_udp()) return !e.client.empty() && rustdesk_message(e.client, false) ? Match::Yes : Match::No;
  return sides(e, [](Bytes b) { return rustdesk_frame(b, false); }, [](Bytes b) { return b.empty() ? Match::Maybe : rustdesk_frame(b, true); });
}
Match softether(const Evidence& e) {
  if (softether_tells(e.server)) return Match::Yes;
  const Bytes one = e.client.empty() ? e.server : e.client;
  if (softether_pack(one)) return Match::Yes;
  return e.server.empty() && one.size() == 1 && (one[0] == 'A' || one[0] == 'B') ? Match::Maybe : Match::No;
}
Match synergy(const Evidence& e) { return sides(e, synergy_hello, synergy_hello); }
Match vmware(const Evidence& e) {
  return sides(e, any_side, [](Bytes b) { return begins(b, {"220 VMware Authentication Daemon Version "sv}); });
}
Match vnc_repeater(const Evidence& e) { return sides(e, repeater_id, [](Bytes b) { return begins(b, {"RFB "sv}) == Match::No ? Match::No : Match::Maybe; }); }
Match xpra(const Evidence& e) { return sides(e, xpra_hello, xpra_hello); }
Match yggdrasil(const Evidence& e) {
  if (!e.is_udp()) return sides(e, yggdrasil_meta, yggdrasil_meta);
  return e.group_destination && yggdrasil_beacon(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No;
}
Match zerotier(const Evidence& e) { return zerotier_hello(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }

}  // namespace weir::proto::identify
