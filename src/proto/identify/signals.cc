// SPDX-License-Identifier: Apache-2.0
// Finding, routing, calling and playing: mostly single datagrams with a magic number or with lengths that fit.

#include <initializer_list>

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/signatures.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

bool starts_with_one(Bytes b, std::initializer_list<std::string_view> literals) { return begins(b, literals) == Match::Yes; }

/// Canon's BJNP and what is like it: a name, a device, a code.
bool bjnp_datagram(Bytes b) {
  if (b.size() < 16 || !starts_with_one(b, {"BJNP"sv, "BNJB"sv, "BJNB"sv, "MFNP"sv})) return false;
  return (b[4] & 0x7f) <= 0x12 && Probe(b).be16(6, 0).be32(12, static_cast<std::uint32_t>(b.size()) - 16).holds();
}

/// RFC 5415, 4.3 and 4.5: preamble, header in words of four, control header whose length fits; or DTLS behind its preamble.
bool capwap_datagram(Bytes b) {
  if (b.size() < 16) return false;
  if (b[0] == 1) return Probe(b).zero(1, 3).byte(4, 20, 25).byte(5, 0xfe).byte(6, 0xfd, 0xff).holds();
  const std::size_t header = (b[1] >> 3) * std::size_t{4};
  if (b[0] != 0 || header < 8 || header + 8 > b.size()) return false;
  Probe control(b.subspan(header));
  control.be32(0, 1, 26).byte(7, 0);
  return control.holds() && control.value(5, 2, true) + header + 5 == b.size();
}

/// Cisco's HSRP: RFC 2281, 5.1, and version 2, whose first element is a group state of 40 bytes.
bool hsrp_datagram(Bytes b) {
  if (b.size() >= 42 && b[0] == 1 && b[1] == 40) return b[2] == 2 && b[3] <= 3 && b[4] <= 6 && (b[5] == 4 || b[5] == 6);
  if (b.size() == 6) return Probe(b).byte(0, 2).byte(1, 4).be16(2, 0, 255).be16(4, 0, 255).holds();  // State of an interface.
  if ((b.size() != 20 && b.size() != 50 && b.size() != 16) || b[0] != 0) return false;
  if (b.size() == 16) return b[1] == 3 && Probe(b).be16(2, 1).byte(5, 0).holds();
  return b[1] <= 2 && b[2] <= 16 && (b[2] & (b[2] - 1)) == 0 && b[3] != 0 && b[4] != 0 && b[7] == 0;
}

/// RFC 5456, 8.1: a full frame of an IAX2 control message that opens something, and elements that fill the datagram.
bool iax_datagram(Bytes b) {
  if (b.size() < 12 || (b[0] & 0x80) == 0 || b[10] != 6 || b[11] == 0 || b[11] > 40 || b[9] > 1 || b[8] > 1) return false;
  std::size_t at = 12;
  while (at + 2 <= b.size()) {
    if (b[at] == 0) return false;
    at += 2U + b[at + 1];
  }
  return at == b.size() && (b.size() > 12 || (load_be16(&b[2]) & 0x7fff) == 0);
}

/// RFC 5036, 3.1: version 1, length, the platform's label space, and a hello; over TCP an initialisation.
bool ldp_hello(Bytes b) { return Probe(b).be16(0, 1).be16(2, static_cast<std::uint32_t>(b.size()) - 4).be16(10 - 2, 0).be16(10, 0x0100).least(22).holds(); }
Match ldp_stream(Bytes b) { return Probe(b).be16(0, 1).be16(2, 18, 4096).be16(8, 0).be16(10, 0x0200).be16(12, 4, 4096).least(18).match(); }

/// RFC 3525, the text form: its name, version, the sender.
bool megaco_datagram(Bytes b) {
  if (!starts_with_one(b, {"MEGACO/"sv, "Megaco/"sv, "!/"sv})) return false;
  const std::string_view line = as_text(b).substr(0, 64);
  const std::size_t at = line.find('/') + 1;
  return at + 2 < line.size() && line[at] >= '1' && line[at] <= '3' && (line[at + 1] == ' ' || line[at + 1] == '\r' || line[at + 1] == '\n') && line.find_first_of("[<", at) != std::string_view::npos;
}

/// ISO 13818-1: packets of 188 bytes, each with its sync byte, the first with a payload or an adaptation field, no error bit.
bool mpeg_ts_datagram(Bytes b) {
  if (b.size() < 376 || b.size() % 188 != 0) return false;
  for (std::size_t at = 0; at < b.size(); at += 188)
    if (b[at] != 0x47 || (b[at + 1] & 0x80) != 0 || (b[at + 3] & 0x30) == 0) return false;
  return true;
}

/// 3GPP TS 29.244, 7.2.2: version 1, length, a session's number for messages of sessions only.
bool pfcp_datagram(Bytes b) {
  if (b.size() < 8 || b[0] >> 5 != 1 || (b[0] & 0x18) != 0 || load_be16(&b[2]) + 4U != b.size()) return false;
  const bool session = (b[0] & 1) != 0;
  if (session) return b.size() >= 16 && b[1] >= 50 && b[1] <= 57;
  return b[1] >= 1 && b[1] <= 15 && b[7] == 0 && b.size() >= 12 && load_be16(&b[8]) >= 1 && load_be16(&b[8]) < 400;
}

/// Valve's server queries.
bool source_query(Bytes b) {
  if (b.size() < 5 || load_be32(b.data()) != 0xffffffff) return false;
  if (starts_with_one(b.subspan(4), {"TSource Engine Query\0"sv})) return true;
  if ((b[4] == 'U' || b[4] == 'V') && b.size() == 9) return true;
  return (b[4] == 'A' && b.size() == 9) || (b[4] == 'I' && b.size() > 20 && b[5] <= 17 && b[5] >= 2 && b.back() < 0x80);
}
bool source_is_answer_to(Bytes b) { return b.size() >= 5 && load_be32(b.data()) == 0xffffffff && (b[4] == 'A' || b[4] == 'I'); }

/// Quake III and its heirs: requests in words.
bool quake_datagram(Bytes b) {
  return b.size() > 8 && load_be32(b.data()) == 0xffffffff &&
         starts_with_one(b.subspan(4), {"getinfo"sv, "getstatus"sv, "getchallenge"sv, "getservers"sv, "connect "sv, "statusResponse"sv, "infoResponse"sv, "challengeResponse"sv, "getInfo"sv});
}

/// RakNet's messages outside of connections carry sixteen fixed bytes, at a place that depends on the kind.
bool raknet_datagram(Bytes b) {
  constexpr std::string_view kMagic = "\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78"sv;
  if (b.size() < 18) return false;
  std::size_t at = 1;
  switch (b[0]) {
    case 0x01: case 0x02: at = 9; break;
    case 0x05: case 0x06: case 0x07: case 0x08: break;
    case 0x19: at = 2; break;
    case 0x1c: at = 17; break;
    default: return false;
  }
  return as_text(b).substr(at).starts_with(kMagic);
}

/// Roughtime: the draft's packets have a name and a length; Google's have offsets and tags, and fill 1,024 bytes with padding.
bool roughtime_datagram(Bytes b) {
  const Probe probe(b);
  if (b.size() >= 20 && b[0] == 'R') return starts_with_one(b, {"ROUGHTIM"sv}) && probe.le32_at(8) + 12 == b.size();
  if (b.size() < 64 || probe.le32_at(0) < 2 || probe.le32_at(0) > 16) return false;
  const std::size_t tags = probe.le32_at(0) * 4U;  // Count and offsets before them.
  return starts_with_one(b.subspan(tags), {"NONC"sv, "SIG\0"sv, "VER\0"sv, "PAD\xff"sv}) && probe.le32_at(4) <= b.size() && probe.le32_at(4) % 4 == 0;
}

/// RFC 2608, 8, and RFC 2165, 4.4: version, function, length, and the language's tag.
bool srvloc_datagram(Bytes b) {
  if (b.size() >= 16 && b[0] == 2) {
    const std::size_t tag = load_be16(&b[12]);
    if (b[1] < 1 || b[1] > 11 || Probe(b).value(2, 3, true) != b.size() || (load_be16(&b[5]) & 0x1fff) != 0 || tag < 1 || tag > 16) return false;
    return Probe(b).byte(14, 'A', 'z').holds();
  }
  return b.size() >= 12 && b[0] == 1 && b[1] >= 1 && b[1] <= 10 && load_be16(&b[2]) == b.size() && (b[4] & 7) == 0 && b[5] == 0 && Probe(b).byte(6, 'a', 'z').byte(7, 'a', 'z').holds();
}
Match srvloc_stream(Bytes b) {
  return Probe(b).byte(0, 2).byte(1, 1, 11).byte(2, 0).be24(2, 16, 65536).be16(12, 2, 8).byte(14, 'A', 'z').byte(15, 'A', 'z').match();
}

/// UFTP 4 and 5: an announcement, whose function stands in both of its headers.
bool uftp_datagram(Bytes b) {
  return b.size() >= 24 && (b[0] == 0x40 || b[0] == 0x50) && b[1] == 1 && Probe(b).be16(14, 0).byte(16, 1).holds() && b[17] * 4U + 16 <= b.size() && b[17] >= 4;
}

/// RFC 8855, 5.1: version 1 or 2, a primitive, a length in words, and attributes that fill it.
bool bfcp_message(Bytes b) {
  if (b.size() < 12 || (b[0] >> 5 != 1 && b[0] >> 5 != 2) || (b[0] & 0x07) != 0 || b[1] == 0 || b[1] > 19) return false;
  if (load_be16(&b[2]) * std::size_t{4} + 12 != b.size() || load_be32(&b[4]) == 0) return false;
  if (b.size() == 12) return b[1] == 11 || b[1] >= 14;  // Hello, acknowledgements, goodbye.
  std::size_t at = 12;
  while (at + 2 <= b.size()) {
    if (b[at] >> 1 == 0 || b[at] >> 1 > 21 || b[at + 1] < 2) return false;
    at += (b[at + 1] + 3U) / 4 * 4;
  }
  return at == b.size();
}
Match bfcp_stream(Bytes b) {
  Probe probe(b);
  probe.byte(0, 0x20, 0x58).byte(1, 1, 13).be16(2, 0, 64);  // Acknowledgements (14 and on) belong to datagrams (5.3.14).
  if (!b.empty()) probe.that((b[0] & 0x07) == 0);
  if (probe.failed()) return Match::No;
  if (b.size() < 12) return Match::Maybe;
  const std::size_t size = load_be16(&b[2]) * std::size_t{4} + 12;
  return b.size() < size ? Match::Maybe : bfcp_message(b.first(size)) ? Match::Yes : Match::No;
}

/// FloorRequestQuery, UserQuery, FloorQuery, ChairAction and Hello are answered by the next primitive (5.3).
bool bfcp_answered(Bytes a, Bytes b) {
  if (a.size() < 12 || b.size() < 12 || (a[0] & 0xe7) != (b[0] & 0xe7 & ~8U) || (a[0] >> 5 != 1 && a[0] >> 5 != 2) || (a[0] & 0x07) != 0) return false;
  const bool asks = a[1] == 3 || a[1] == 5 || a[1] == 7 || a[1] == 9 || a[1] == 11;
  return asks && b[1] == a[1] + 1 && load_be32(&a[4]) != 0 && std::equal(a.begin() + 4, a.begin() + 12, b.begin() + 4);
}

/// Cisco's Skinny: length, version of the header, number of the message: a registration names the phone, or whole messages of either side.
Match skinny_message(Bytes b, bool client) {
  Probe probe(b);
  probe.le32(0, 4, 2000).zero(2, 2).le32(4, 0, 0x16).le32(8, 0, 0x160).least(12);
  if (probe.match() != Match::Yes) return probe.match();
  const std::uint32_t version = probe.le32_at(4), id = probe.le32_at(8);
  if ((version != 0 && version < 0x0a) || (client ? id >= 0x81 && id < 0x100 : id < 0x81)) return Match::No;
  if (client && id == 1) return Probe(b).text(12, "SEP").match();
  if (client && id == 0 && probe.le32_at(0) > 8) return Match::No;  // Keep-alive.
  const std::size_t size = probe.le32_at(0) + 8;
  if (b.size() <= size) return b.size() == size ? Match::Yes : Match::Maybe;
  return Probe(b).le32(size, 4, 2000).le32(size + 4, version).match();
}
Match skinny_client(Bytes b) { return skinny_message(b, true); }
Match skinny_server(Bytes b) { return skinny_message(b, false); }

/// Nano's nodes: R and the network, versions in falling order, a known type.
Match nano_message(Bytes b) {
  Probe probe(b);
  probe.byte(0, 'R').byte(1, 'A', 'X').byte(2, 8, 64).byte(5, 2, 0x10);
  if (b.size() > 1) probe.that(b[1] <= 'C' || b[1] == 'X');
  if (b.size() > 4) probe.that(b[2] >= b[3] && b[3] >= b[4] && b[4] != 0);
  return probe.match();
}

/// OpenFlow 1.0 to 1.5: both ends begin with a hello.
Match openflow_hello(Bytes b) {
  Probe probe(b);
  probe.byte(0, 1, 6).byte(1, 0).be16(2, 8, 16).least(8);
  if (b.size() > 3) probe.that(b[3] == 8 || b[3] == 16);
  if (b.size() > 3 && b[3] == 16) probe.be16(8, 1).be16(10, 8);  // The bitmap of versions, from 1.3 on.
  return probe.match();
}

/// AOL's FLAP: the first frame opens the channel and has the version, 1.
Match oscar_open(Bytes b) { return Probe(b).text(0, "*\x01"sv).be16(4, 4, 256).be32(6, 1).match(); }

/// XDMCP 1.1: version 1, an opcode, a length that fits.
bool xdmcp_datagram(Bytes b) { return Probe(b).be16(0, 1).be16(2, 1, 13).be16(4, static_cast<std::uint32_t>(b.size()) - 6).least(7).holds(); }

/// WhatsApp's chat: its letters, two versions, and a frame.
Match whatsapp_client(Bytes b) { return Probe(b).text(0, "WA").byte(2, 1, 8).byte(3, 0, 20).byte(4, 0).least(7).match(); }

bool discord_keeps_open(Bytes b) { return b.size() == 8 && (Probe(b).be32(0, 0x1337cafe).holds() || Probe(b).be32(0, 0x1337f00d).holds()); }

/// Remote Desktop over UDP (MS-RDPEUDP 2.2.2): nothing acknowledged, a window, SYN, MTUs, padded to the whole size.
bool known_mtu(std::uint32_t v) { return v >= 1132 && v <= 1232; }

/// Tencent's OICQ: 02h, version, command, number and account, and 03h at the end; the answer has the last three again.
bool oicq_datagram(Bytes b) { return b.size() >= 16 && b[0] == 2 && b.back() == 3 && load_be16(&b[3]) <= 0x00ff && load_be32(&b[7]) != 0; }

/// netcode (yojimbo), "connection request packet": nought, its name with a version, and the size that it always has.
bool netcode_request(Bytes b) { return Probe(b).byte(0, 0).text(1, "NETCODE 1.").byte(11, '0', '9').byte(12, '0', '9').byte(13, 0).least(1000).holds(); }

}  // namespace

Match mumble(const Evidence& e) {
  // A ping of twelve bytes; the answer has the server's version in front and repeats its eight.
  const Bytes a = e.client, b = e.server;
  if ((!a.empty() && !(a.size() == 12 && load_be32(a.data()) == 0)) || (!b.empty() && !(b.size() == 24 && b[0] == 0 && b[1] == 1))) return Match::No;
  if (a.empty() || b.empty()) return Match::Maybe;
  return std::equal(a.begin() + 4, a.begin() + 12, b.begin() + 4) ? Match::Yes : Match::No;
}
Match oicq(const Evidence& e) {
  const Match whole = datagrams(e, oicq_datagram);
  if (whole != Match::Yes) return whole;
  if (e.client.empty() || e.server.empty()) return Match::Maybe;
  return std::equal(e.client.begin() + 3, e.client.begin() + 11, e.server.begin() + 3) ? Match::Yes : Match::No;
}
Match yojimbo(const Evidence& e) { return netcode_request(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }
Match bfcp(const Evidence& e) {
  // Where the length does not fit, an answer of the request's kind to the same conference, transaction and user does (5.1).
  const bool answered = bfcp_answered(e.client, e.server) || (e.roles_unsure && bfcp_answered(e.server, e.client));
  if (!e.is_udp()) {
    const Match match = sides(e, bfcp_stream, bfcp_stream);
    return match == Match::Maybe && answered ? Match::Yes : match;
  }
  if (answered) return Match::Yes;
  const Match whole = datagrams(e, bfcp_message);
  const Bytes only = e.client.empty() ? e.server : e.client;
  return whole == Match::No && (e.client.empty() || e.server.empty()) && bfcp_stream(only.first(std::min<std::size_t>(only.size(), 11))) != Match::No ? Match::Maybe : whole;
}
Match bjnp(const Evidence& e) { return datagrams(e, bjnp_datagram); }
Match capwap(const Evidence& e) { return datagrams(e, capwap_datagram); }
Match discord(const Evidence& e) {
  // Discovery of the own address: 74 bytes with its length in them; and what keeps a call's path open.
  const Match match = datagrams(e, [](Bytes b) { return Probe(b).be16(0, 1, 2).be16(2, 70).holds() ? b.size() == 74 : discord_keeps_open(b); });
  if (match != Match::No) return match;
  // A call that was going on before: its media are RTP and RTCP, encrypted beyond their heads, until a side keeps the path open.
  const auto media = [](Bytes b) { return b.empty() || (b.size() >= 12 && b[0] >> 6 == 2); };
  const auto fits = [&](Bytes b) { return media(b) || discord_keeps_open(b); };
  if (!fits(e.client) || !fits(e.server)) return Match::No;
  return discord_keeps_open(e.client) || discord_keeps_open(e.server) ? Match::Yes : Match::Maybe;
}
Match dlep(const Evidence& e) {
  return datagrams(e, [](Bytes b) { return Probe(b).text(0, "DLEP").be16(4, 1, 2).be16(6, static_cast<std::uint32_t>(b.size()) - 8).holds(); });
}
Match hsrp(const Evidence& e) { return e.group_destination || !e.server.empty() ? datagrams(e, hsrp_datagram) : Match::No; }
Match iax(const Evidence& e) { return datagrams(e, iax_datagram); }
Match ldp(const Evidence& e) { return e.is_udp() ? datagrams(e, ldp_hello) : sides(e, ldp_stream, ldp_stream); }
Match megaco(const Evidence& e) { return datagrams(e, megaco_datagram); }
Match mpeg_ts(const Evidence& e) { return datagrams(e, mpeg_ts_datagram); }
Match nano(const Evidence& e) { return sides(e, nano_message, nano_message); }
Match openflow(const Evidence& e) { return both_sides(e, openflow_hello, openflow_hello); }
Match oscar(const Evidence& e) { return sides(e, oscar_open, oscar_open); }
Match pfcp(const Evidence& e) { return datagrams(e, pfcp_datagram); }
Match quake(const Evidence& e) { return datagrams(e, quake_datagram); }
Match raknet(const Evidence& e) { return datagrams(e, raknet_datagram); }
Match roughtime(const Evidence& e) { return datagrams(e, roughtime_datagram); }
Match rtps(const Evidence& e) {
  return datagrams(e, [](Bytes b) { return begins(b, {"RTPS"sv, "RTPX"sv}) == Match::Yes && Probe(b).byte(4, 1, 3).byte(5, 0, 9).least(20).holds(); });
}
Match skinny(const Evidence& e) {
  const Match both = both_sides(e, skinny_client, skinny_server);
  if (both != Match::Maybe || e.client.size() < 15) return both;
  return Probe(e.client).le32(8, 1).text(12, "SEP").match() == Match::Yes ? Match::Yes : Match::Maybe;
}
Match source_engine(const Evidence& e) { return datagrams(e, source_query); }
bool source_engine_is_answer(Bytes b) { return source_is_answer_to(b); }
Match spotify(const Evidence& e) { return datagrams(e, [](Bytes b) { return begins(b, {"SpotUdp"sv}) == Match::Yes; }); }
Match srvloc(const Evidence& e) { return e.is_udp() ? datagrams(e, srvloc_datagram) : sides(e, srvloc_stream, srvloc_stream); }
Match steam(const Evidence& e) {
  if (!e.is_udp()) return sides(e, [](Bytes b) { return Probe(b).le32(0, 8, 1 << 20).byte(3, 0).text(4, "VT01").match(); }, [](Bytes b) { return Probe(b).byte(3, 0).text(4, "VT01").match(); });
  return datagrams(e, [](Bytes b) { return b.size() >= 36 ? begins(b, {"VS01"sv, "\xff\xff\xff\xff\x21\x4c\x5f\xa0"sv}) == Match::Yes : b.size() > 16 && begins(b, {"\xff\xff\xff\xff\x21\x4c\x5f\xa0"sv}) == Match::Yes; });
}
Match syncthing(const Evidence& e) { return datagrams(e, [](Bytes b) { return Probe(b).be32(0, 0x2ea7d90b).least(36).holds(); }); }
Match teamspeak(const Evidence& e) { return datagrams(e, [](Bytes b) { return begins(b, {"TS3INIT1"sv}) == Match::Yes && b.size() >= 20; }); }
Match tivoconnect(const Evidence& e) {
  const auto beacon = [](Bytes b) { return starts_nocase(as_text(b), "tivoconnect="); };
  return beacon(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No;
}
Match uftp(const Evidence& e) { return datagrams(e, uftp_datagram); }
Match whatsapp(const Evidence& e) { return sides(e, whatsapp_client, any_side); }
Match xdmcp(const Evidence& e) { return datagrams(e, xdmcp_datagram); }

bool is_rdp_udp_syn(Bytes b) {
  return b.size() >= 1132 && b.size() <= 1232 && Probe(b).be32(0, 0xffffffff).holds() && (b[7] & 1) != 0 && known_mtu(load_be16(&b[12])) && known_mtu(load_be16(&b[14]));
}

}  // namespace weir::proto::identify
