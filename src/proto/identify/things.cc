// SPDX-License-Identifier: Apache-2.0
// Control systems, cameras, lamps and other things.

#include "proto/identify/things.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "proto/identify/probe.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

Match open(Match match) { return match == Match::No ? Match::No : Match::Maybe; }
std::uint32_t size_of(Bytes b) { return static_cast<std::uint32_t>(b.size()); }

/// A datagram of each side, each as it must be.
Match asked_and_answered(const Evidence& e, bool (*asks)(Bytes), bool (*answers)(Bytes)) {
  if ((!e.client.empty() && !asks(e.client)) || (!e.server.empty() && !answers(e.server))) return Match::No;
  return e.client.empty() || e.server.empty() ? Match::Maybe : Match::Yes;
}

/// Digi's discovery (ADDP, as its open clients write it): a name, an operation, the length of what follows.
bool addp_datagram(Bytes b) { return b.size() >= 8 && Probe(b).text(0, "DIGI").be16(4, 1, 16).be16(6, size_of(b) - 8).holds(); }

/// Reolink's Baichuan (neolink, dissector/messages.md): a magic number, a message's number; over UDP other magic numbers, for what is said when.
Match baichuan_message(Bytes b) { return Probe(b).le32(0, 0x0abcdef0).le32(4, 1, 1000).le32(8, 0, 1 << 24).match(); }
bool baichuan_datagram(Bytes b) {
  return b.size() >= 20 && Probe(b).be24(1, 0xcf872a, 0xcf872a).holds() && (b[0] == 0x3a || b[0] == 0x20 || b[0] == 0x10);
}

/// CAN over UDP and TCP (nDPI's reader of that name): the standard's number, version 1, a count of frames.
Match can_message(Bytes b) { return Probe(b).text(0, "ISO11898").byte(8, 1).byte(9, 1, 255).match(); }

/// CNP over IP (EIA-852, ISO/IEC 14908-4): the datagram's length, the kind of a packet, and a session's number, which stays.
bool cnp_datagram(Bytes b) { return b.size() > 20 && load_be16(&b[0]) == b.size() && (b[3] & 0x1f) == 1 && (b[5] & 0x1f) < 3 && load_be32(&b[8]) != 0; }
bool same_session(Bytes a, Bytes b) { return cnp_datagram(a) && cnp_datagram(b) && load_be32(&a[8]) == load_be32(&b[8]); }

/// CODESYS 3 over TCP (Kaspersky ICS CERT, "Security research: CODESYS Runtime", block driver): a magic number, the block's size, then a
/// datagram's own magic byte.
Match codesys_block(Bytes b) { return Probe(b).text(0, "\0\x01\x17\xe8"sv).le32(4, 16, 1 << 16).byte(8, 0xc5).match(); }

/// Dahua: DHIP's name behind its header's size; of DVRIP a login, with the code of the client that stands behind it (both as the open consoles
/// for these devices write them).
Match dhip_message(Bytes b) { return Probe(b).text(0, "\x20\0\0\0DHIP"sv).match(); }
Match dahua_login(Bytes b) { return Probe(b).byte(0, 0xa0).byte(1, 0, 5).be16(24, 0x0502).text(28, "\0\0\xa1\xaa"sv).match(); }

/// XMEye's DVRs, NetSurveillance (python-dvr and others): FFh, no session yet, a message's number, its length, JSON.
Match dvrip_message(Bytes b) {
  Probe probe(b);
  probe.byte(0, 0xff).byte(1, 0, 1).zero(2, 2).le16(14, 999, 1531).le32(16, 0, 65535).least(20);
  if (probe.match() != Match::Yes) return probe.match();
  const std::uint32_t number = probe.le16_at(14);
  const bool discovery = (number == 1530 || number == 1531) && Probe(b).zero(4, 8).holds();
  if (!discovery && (number < 999 || number > 1001)) return Match::No;
  return discovery && probe.le32_at(16) == 0 ? Match::Yes : Probe(b).byte(20, '{').match();
}

/// EtherCAT over UDP (IEC 61158-4-12, 5.3): a length of eleven bits and type 1, and commands, each with its data and counter, that fill it.
bool ethercat_datagram(Bytes b) {
  if (b.size() < 14 || b[1] >> 4 != 1 || (b[1] & 0x08) != 0) return false;
  std::size_t at = 2;
  const std::size_t end = 2 + (b[0] | std::size_t{b[1] & 7U} << 8);
  for (bool more = true; more;) {
    if (at + 12 > end || end > b.size() || b[at] == 0 || b[at] > 14 || (b[at + 7] & 0x38) != 0) return false;
    more = (b[at + 7] & 0x80) != 0;
    at += 12 + (b[at + 6] | std::size_t{b[at + 7] & 7U} << 8);
  }
  return at == end && Probe(b).zero(end, b.size() - end).holds();  // Frames are filled up to Ethernet's least size.
}

/// Lantronix' device servers (metasploit's and nmap's queries): three of nought and what is asked; the answer's number is one more.
bool lantronix_asks(Bytes b) { return b.size() == 4 && Probe(b).zero(0, 3).byte(3, 0xf6, 0xf8).holds() && b[3] != 0xf7; }
bool lantronix_answers(Bytes b) { return b.size() >= 30 && Probe(b).zero(0, 3).byte(3, 0xf7, 0xf9).holds() && b[3] != 0xf8; }

/// LIFX (its LAN protocol, "Header Description"): the datagram's size, protocol 1024 with an address, two of nought behind it, a type.
bool lifx_datagram(Bytes b) {
  const Probe probe(b);
  return b.size() >= 36 && probe.le16_at(0) == b.size() && (probe.le16_at(2) & 0xdfff) == 0x1400 && load_be16(&b[14]) == 0 && probe.le16_at(32) < 1000 &&
         probe.le16_at(32) != 0 && load_be16(&b[34]) == 0;
}

/// Mitsubishi's MC protocol and SLMP (CLPA BAP-C2004, 3E and 4E frames, binary): subheader, route to a CPU's module, length, a command; and the form
/// of its engineering tools, observed (nDPI's reader of that name).
Match slmp_request(Bytes b) {
  if (b.empty()) return Match::Maybe;
  const std::size_t at = b[0] == 0x54 ? 6 : 2;  // 4E has a number and nought before its route.
  Probe probe(b);
  probe.byte(1, 0).le16(at + 2, 0x3d0, 0x3ff).byte(at + 4, 0, 31).le16(at + 5, 6, 8192).least(at + 13);
  if (at == 6) probe.zero(4, 2);
  if ((b[0] != 0x50 && b[0] != 0x54) || probe.match() != Match::Yes) return b[0] == 0x50 || b[0] == 0x54 ? probe.match() : Match::No;
  constexpr std::uint16_t kCommands[] = {0x0101, 0x0401, 0x0403, 0x0406, 0x0601, 0x0613, 0x0619, 0x1001, 0x1002, 0x1003, 0x1005,
                                         0x1006, 0x1401, 0x1402, 0x1406, 0x1601, 0x1613, 0x1630, 0x1631};
  return std::find(std::begin(kCommands), std::end(kCommands), probe.le16_at(at + 9)) != std::end(kCommands) && b[at + 12] == 0 ? Match::Yes : Match::No;
}
Match melsoft_message(Bytes b) {
  if (!b.empty() && b[0] != 0x57 && b[0] != 0xd7) return Match::No;
  Probe probe(b);
  probe.byte(1, 0, 1).be32(3, 0x00001111).le16(19, 20, 4096).least(41);
  return probe.match();
}
Match melsec_answer(Bytes b) { return b.empty() || b[0] == 0xd0 || b[0] == 0xd4 || b[0] == 0xd7 ? open(Probe(b).byte(1, 0, 1).match()) : Match::No; }

/// Xiaomi's miIO (python-miio, its protocol): a magic number, the datagram's length, four of nought; a hello has FFh everywhere.
bool miio_datagram(Bytes b) {
  if (b.size() < 32 || load_be16(&b[0]) != 0x2131 || load_be16(&b[2]) != b.size()) return false;
  return load_be32(&b[4]) == 0 || (b.size() == 32 && std::all_of(b.begin() + 4, b.end(), [](std::uint8_t x) { return x == 0xff; }));
}

/// MikroTik's neighbour discovery (its manual; Wireshark's field list): two times two bytes, then elements that fill the datagram: an address of six
/// bytes is the first.
bool mndp_datagram(Bytes b) {
  if (b.size() < 24 || load_be16(&b[4]) != 1 || load_be16(&b[6]) != 6) return false;
  std::size_t at = 4, elements = 0;
  for (; at + 4 <= b.size(); ++elements) {
    if (b[at] != 0 || b[at + 1] == 0 || b[at + 1] > 0x20) return false;
    at += 4U + load_be16(&b[at + 2]);
  }
  return at == b.size() && elements >= 3;
}

/// Moxa's NPort (nmap's moxa-enum, Project Redpoint): function 1 of eight bytes; the answer has the function's highest bit and its own length.
bool moxa_asks(Bytes b) { return b.size() == 8 && Probe(b).be32(0, 0x01000008).be32(4, 0).holds(); }
bool moxa_answers(Bytes b) { return b.size() >= 16 && Probe(b).be16(0, 0x8100).be16(2, size_of(b)).holds(); }

/// PPPP of cheap cameras (CS2, iLnkP2P: pmarrapese's dissector): F1h, a known type, the length of what follows. One datagram alone is little.
bool pppp_datagram(Bytes b) {
  if (b.size() < 4 || b[0] != 0xf1 || load_be16(&b[2]) + std::size_t{4} != b.size()) return false;
  return b[1] <= 0x03 || (b[1] >= 0x08 && b[1] <= 0x26) || b[1] == 0x30 || b[1] == 0x40 || b[1] == 0x41 || b[1] == 0x42;
}
bool pppp_answers(unsigned asked, unsigned type) { return asked == 0x30 ? type == 0x41 || type == 0x40 : asked == 0x41 ? type == 0x41 || type == 0x42 : type == asked + 1; }

/// PROFINET's context manager (IEC 61158-6-10): connectionless DCE/RPC, version 4, whose interface is one of PNIO's five.
bool profinet_datagram(Bytes b) {
  constexpr std::string_view kLittle = "\x00\xa0\xde\x97\x6c\xd1\x11\x82\x71\x00\xa0\x24\x42\xdf\x7d"sv, kBig = "\x6c\x97\x11\xd1\x82\x71\x00\xa0\x24\x42\xdf\x7d"sv;
  if (b.size() < 80 || b[0] != 4 || b[1] > 10) return false;
  if (b[4] >> 4 == 1) return b[24] >= 1 && b[24] <= 5 && Probe(b).text(25, kLittle).holds();
  return load_be32(&b[24]) >= 0xdea00001 && load_be32(&b[24]) <= 0xdea00005 && Probe(b).text(28, kBig).holds();
}

/// Hikvision's SADP (its open clients): XML that probes or answers, with an UUID.
bool sadp_datagram(Bytes b) {
  const std::string_view text = as_text(b);
  if (b.size() < 60 || !text.starts_with("<?xml")) return false;
  const std::size_t at = std::min(text.find("<Probe>"), text.find("<ProbeMatch>"));
  return at < 64 && text.substr(at).find("<Uuid>") < 40;
}

/// SRT (draft-sharabayko-srt-01, 3.2.1): a handshake as UDT has it; what makes it SRT is version 5 with the magic number or extensions.
bool srt_handshake(Bytes b) {
  if (b.size() < 64 || load_be32(&b[0]) != 0x80000000 || load_be32(&b[4]) != 0) return false;
  const std::uint32_t version = load_be32(&b[16]), mtu = load_be32(&b[28]);
  return (version == 4 || version == 5) && mtu >= 500 && mtu <= 9000 && load_be16(&b[20]) <= 4;
}
bool srt_certain(Bytes b) { return srt_handshake(b) && load_be32(&b[16]) == 5 && (load_be16(&b[22]) == 0x4a17 || (load_be16(&b[22]) & ~7U) == 0); }

/// TZSP (its specification, AirMagnet): version 1, a received packet, Ethernet, no element but the end, and a frame of a known type.
bool tzsp_datagram(Bytes b) {
  if (b.size() < 5 + 34 || !Probe(b).be32(0, 0x01000001).byte(4, 1).holds()) return false;
  const std::uint16_t type = load_be16(&b[17]);
  return type == 0x0800 ? b[19] >> 4 == 4 : type == 0x86dd ? b[19] >> 4 == 6 : type == 0x0806 ? load_be16(&b[19]) == 1 : type == 0x8100 || type == 0x88cc;
}

}  // namespace

Match addp(const Evidence& e) { return datagrams(e, addp_datagram); }
// Art-Net 4, "Packet Definition": the name, an opcode whose lower byte is nought.
Match art_net(const Evidence& e) { return datagrams(e, [](Bytes b) { return b.size() >= 10 && Probe(b).text(0, "Art-Net\0"sv).holds(); }); }
Match baichuan(const Evidence& e) { return e.is_udp() ? datagrams(e, baichuan_datagram) : sides(e, baichuan_message, baichuan_message); }
Match can(const Evidence& e) { return e.is_udp() ? datagrams(e, [](Bytes b) { return can_message(b) == Match::Yes; }) : sides(e, can_message, can_message); }
Match cnp_ip(const Evidence& e) {
  const Bytes newest = e.server_first ? e.server : e.client;
  if ((!e.client.empty() && !cnp_datagram(e.client)) || (!e.server.empty() && !cnp_datagram(e.server))) return Match::No;
  return same_session(e.client, e.server) || same_session(e.before, newest) ? Match::Yes : Match::Maybe;
}
Match codesys(const Evidence& e) { return sides(e, codesys_block, codesys_block); }
Match dahua(const Evidence& e) {
  if (e.is_udp()) return datagrams(e, [](Bytes b) { return b.size() >= 32 && dhip_message(b) == Match::Yes; });
  return sides(e, [](Bytes b) { return std::max(dhip_message(b), dahua_login(b)); },
               [](Bytes b) { return b.empty() || b[0] == 0xb0 ? Match::Maybe : dhip_message(b); });
}
Match dvrip(const Evidence& e) {
  return e.is_udp() ? datagrams(e, [](Bytes b) { return dvrip_message(b) == Match::Yes; }) : sides(e, dvrip_message, [](Bytes b) { return open(Probe(b).byte(0, 0xff).match()); });
}
Match ethercat(const Evidence& e) { return datagrams(e, ethercat_datagram); }
// Tridium's Niagara Fox (nmap's fox-info).
Match fox(const Evidence& e) {
  constexpr auto hello = [](Bytes b) { return begins(b, {"fox a 1 -1 fox hello\n"sv, "fox a 0 -1 fox hello\n"sv}); };
  return sides(e, hello, hello);
}
Match lantronix(const Evidence& e) {
  const Match match = asked_and_answered(e, lantronix_asks, lantronix_answers);
  return match == Match::Yes && e.server[3] != e.client[3] + 1 ? Match::No : match;
}
Match lifx(const Evidence& e) { return datagrams(e, lifx_datagram); }
Match melsec(const Evidence& e) {
  constexpr auto request = [](Bytes b) { return std::max(slmp_request(b), melsoft_message(b)); };
  if (!e.is_udp()) return sides(e, request, melsec_answer);
  if (e.client.empty() || request(e.client) != Match::Yes) return Match::No;
  const std::size_t at = e.client[0] == 0x50 ? 7 : e.client[0] == 0x54 ? 11 : 19;
  return Probe(e.client).le16_at(at) + at + 2 == e.client.size() ? Match::Yes : Match::No;
}
Match miio(const Evidence& e) { return datagrams(e, miio_datagram); }
Match mndp(const Evidence& e) { return datagrams(e, mndp_datagram); }
Match moxa(const Evidence& e) { return asked_and_answered(e, moxa_asks, moxa_answers); }
// PC Worx (Project Redpoint, pcworx-info): the beginning of a session, which names the client.
Match pcworx(const Evidence& e) {
  return sides(e, [](Bytes b) { return Probe(b).be32(0, 0x0101001a).text(14, "IBETH").match(); }, [](Bytes b) { return open(Probe(b).byte(0, 0x81).match()); });
}
// HP's printer job language (its technical reference): the universal exit, then a command.
Match pjl(const Evidence& e) { return sides(e, [](Bytes b) { return Probe(b).text(0, "\x1b%-12345X@PJL").match(); }, any_side); }
Match pppp(const Evidence& e) {
  const Match match = asked_and_answered(e, pppp_datagram, pppp_datagram);
  return match == Match::Yes && !pppp_answers(e.client[1], e.server[1]) ? Match::No : match;
}
// ProConOS (Project Redpoint, proconos-info).
Match proconos(const Evidence& e) {
  return sides(e, [](Bytes b) { return Probe(b).text(0, "\xcc\x01\0\x0b\x40\x02\0\0\x47\xee"sv).match(); }, [](Bytes b) { return open(Probe(b).byte(0, 0xcc).match()); });
}
Match profinet_io(const Evidence& e) { return datagrams(e, profinet_datagram); }
// ANSI E1.31, 5.1: sizes of pre- and postamble, the packet's name.
Match sacn(const Evidence& e) { return datagrams(e, [](Bytes b) { return b.size() >= 38 && Probe(b).be32(0, 0x00100000).text(4, "ASC-E1.17\0\0\0"sv).holds(); }); }
Match sadp(const Evidence& e) { return datagrams(e, sadp_datagram); }
Match srt(const Evidence& e) {
  if ((!e.client.empty() && !srt_handshake(e.client)) || (!e.server.empty() && !srt_handshake(e.server))) return Match::No;
  if (srt_certain(e.client) || srt_certain(e.server)) return Match::Yes;
  return e.client.empty() || e.server.empty() ? Match::Maybe : Match::No;  // Both have version 4: UDT.
}
Match tzsp(const Evidence& e) { return tzsp_datagram(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }

}  // namespace weir::proto::identify
