// SPDX-License-Identifier: Apache-2.0
// Messages between programs: brokers, remote calls, file systems, and what stands before them.

#include "base/text.h"
#include "proto/identify/classics.h"
#include "proto/identify/probe.h"
#include "proto/identify/signatures.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

constexpr std::uint32_t kGiopTypeMax = 7;

/// OMG CORBA 3.0, 15.4.1: magic, version 1.0 to 1.3, flags, type.
Match giop(Bytes b) { return Probe(b).text(0, "GIOP").byte(4, 1).byte(5, 0, 3).byte(6, 0, 3).byte(7, 0, kGiopTypeMax).match(); }
/// MIOP: the multicast form, whose packets carry GIOP.
bool corba_datagram(Bytes b) { return giop(b) == Match::Yes || Probe(b).text(0, "MIOP").byte(4, 0x10).least(32).holds(); }

/// FIX session layer: tag 8 is the version, tag 9 the length.
Match fix_message(Bytes b) {
  const Match begin = begins(b, {"8=FIX.4."sv, "8=FIX.5."sv, "8=FIXT.1."sv});
  if (begin != Match::Yes) return begin;
  const std::size_t at = b[5] == 'T' ? 10 : 9;
  return Probe(b).text(at, "\x01" "9="sv).byte(at + 3, '0', '9').match();
}

/// Apache Thrift: binary protocol with version 0x8001 and a name, or compact protocol with 0x82; with or without a frame's length before it.
Match thrift_message(Bytes b) {
  if (b.size() < 4) return b.empty() || b[0] == 0x80 || b[0] == 0x82 || b[0] == 0 ? Match::Maybe : Match::No;
  if (b[0] == 0) b = b.subspan(4);
  if (b.empty()) return Match::Maybe;
  if (b[0] == 0x80) {
    Probe binary(b);
    binary.byte(1, 1).byte(2, 0).byte(3, 1, 4).be32(4, 1, 256);
    const std::size_t name = binary.be32_at(4);
    return binary.printable(8, std::min<std::size_t>(name, 256)).least(8 + name + 4).match();
  }
  if (b[0] != 0x82 || b.size() < 4) return b[0] == 0x82 ? Match::Maybe : Match::No;
  if ((b[1] & 0x1f) != 1 || b[1] >> 5 == 0 || b[1] >> 5 > 4) return Match::No;
  std::size_t at = 2;
  while (at < std::min<std::size_t>(b.size(), 7) && (b[at] & 0x80) != 0) ++at;  // The sequence number, a varint.
  if (++at >= b.size()) return Match::Maybe;
  const std::size_t name = b[at];
  return name == 0 || name > 127 ? Match::No : Probe(b).printable(at + 1, name).least(at + 1 + name).match();
}

/// OpenWire: a length, then WireFormatInfo and its magic.
Match openwire_message(Bytes b) { return Probe(b).be32(0, 12, 4096).byte(4, 1).text(5, "ActiveMQ").match(); }

/// STOMP 1.0 to 1.2: the first frame, and one of its headers.
Match stomp_client(Bytes b) {
  const Match begin = begins(b, {"STOMP\n"sv, "STOMP\r\n"sv, "CONNECT\n"sv, "CONNECT\r\n"sv});
  if (begin != Match::Yes) return begin;
  const std::string_view text = as_text(b);
  return begins(b.subspan(text.find('\n') + 1), {"accept-version:"sv, "login:"sv, "passcode:"sv, "host:"sv, "heart-beat:"sv, "client-id:"sv, "\n"sv, "\r\n"sv});
}
Match stomp_server(Bytes b) { return begins(b, {"CONNECTED\n"sv, "CONNECTED\r\n"sv, "ERROR\n"sv, "ERROR\r\n"sv}); }

/// SMPP 3.4, 3.2: a bind begins the session; its status is nought, its system_id printable.
Match smpp_bind(Bytes b) {
  Probe probe(b);
  probe.be32(0, 23, 256).zero(4, 3).byte(7, 1, 9).be32(8, 0).be32(12, 1, 0x7fffffff).byte(16, 0x20, 0x7e);
  if (b.size() > 7) probe.that(b[7] == 1 || b[7] == 2 || b[7] == 9);
  return probe.match();
}

/// FastCGI 1.0, 3.3 and 5.1: BEGIN_REQUEST with eight bytes of body: a role, a flag, nought.
Match fastcgi_begin(Bytes b) { return Probe(b).byte(0, 1).byte(1, 1).be16(2, 1, 65535).be16(4, 8).byte(7, 0).be16(8, 1, 3).byte(10, 0, 1).zero(11, 5).match(); }

/// HAProxy's PROXY protocol, 2.1 and 2.2.
Match proxy_header(Bytes b) {
  return begins(b, {"PROXY TCP4 "sv, "PROXY TCP6 "sv, "PROXY UNKNOWN"sv, "\r\n\r\n\0\r\nQUIT\n"sv});
}

/// The Elasticsearch transport: "ES", a length, a request number, a status of four bits.
Match elasticsearch_message(Bytes b) {
  return Probe(b).text(0, "ES").be32(2, 10, 0x5fffffff).byte(14, 0, 15).byte(15, 0).match();
}

/// LNet over sockets (socklnd): a message (C1) of a connection that is open already, with the numbers of both nodes; both processes have
/// Lustre's number, 12345, and the type is one of five.
Match lustre_message(Bytes b) {
  return Probe(b).le32(0, 0xc1).le32(40, 12345).le32(44, 12345).le32(48, 0, 4).le32(52, 0, 1 << 20).least(56).match();
}
/// LNet's acceptor: its magic in either byte order, version 1.
Match lustre_request(Bytes b) { return begins(b, {"\x00\x71\xce\xac\x01\0\0\0"sv, "\xac\xce\x71\x00\0\0\0\x01"sv}); }

/// Ceph's messenger, version 1 and 2.
Match ceph_banner(Bytes b) { return begins(b, {"ceph v027"sv, "ceph v2\n"sv}); }

/// Oracle Net: CONNECT with no checksums and a version that exists.
Match tns_connect(Bytes b) {
  return Probe(b).be16(0, 34, 8192).be16(2, 0).byte(4, 1).byte(5, 0, 0x7f).be16(6, 0).be16(8, 0x0130, 0x0150).be16(10, 0x0100, 0x0150).match();
}
Match tns_answer(Bytes b) {
  Probe probe(b);
  probe.be16(2, 0).be16(6, 0);  // ACCEPT, REFUSE, REDIRECT, RESEND.
  if (b.size() > 4) probe.that(b[4] == 2 || b[4] == 4 || b[4] == 5 || b[4] == 11);
  return probe.failed() ? Match::No : Match::Maybe;
}

/// Z39.50 (ISO 23950): InitializeRequest, whose first members are an id (2) or the protocol's version (3) and the options (4).
Match z3950_init(Bytes b) {
  Reader in(b);
  if (b.empty()) return Match::Maybe;
  std::size_t length = 0;
  if (in.u8() != 0xb4) return Match::No;
  if (b.size() < 16) return Match::Maybe;
  if (!ber_length(in, length) || length < 16) return Match::No;
  if (in.peek() == 0x82) {
    in.u8();
    in.skip(in.u8());
  }
  if (in.u8() != 0x83 || in.u8() != 2 || in.u8() > 7) return Match::No;
  in.u8();
  return in.u8() == 0x84 ? Match::Yes : Match::No;
}
Match z3950_answer(Bytes b) { return Probe(b).byte(0, 0xb5).failed() ? Match::No : Match::Maybe; }

/// Rx of AFS: the first packet of a call: sequence and serial 1, data, from the initiator.
bool rx_datagram(Bytes b) {
  return b.size() >= 32 && b[20] == 1 && (b[21] & 0xc1) == 1 && Probe(b).be32(8, 1, 4096).be32(12, 1).be32(16, 1, 64).byte(22, 0).byte(23, 0, 4).be16(26, 1, 65535).holds();
}

/// RFC 8907, 4.1: version 12.0 or 12.1, type, the client's first sequence number, flags, a length.
Match tacacs_packet(Bytes b) { return Probe(b).byte(0, 0xc0, 0xc1).byte(1, 1, 3).byte(2, 1).byte(3, 0, 5).be32(8, 5, 65535).least(12).match(); }
Match tacacs_answer(Bytes b) { return Probe(b).byte(0, 0xc0, 0xc1).byte(1, 1, 3).byte(2, 2).failed() ? Match::No : Match::Maybe; }

/// News (RFC 3977): a greeting of 200 or 201, and a command that is no other protocol's.
Match nntp_client(Bytes b) {
  return begins(b, {"MODE READER"sv, "mode reader"sv, "CAPABILITIES\r\n"sv, "GROUP "sv, "XOVER "sv, "ARTICLE "sv, "NEWGROUPS "sv, "AUTHINFO "sv, "IHAVE "sv, "LIST ACTIVE"sv});
}
Match nntp_server(Bytes b) {
  const Match greeting = begins(b, {"200 "sv, "201 "sv});
  return greeting == Match::No ? Match::No : Match::Maybe;
}

/// WHOIS (RFC 3912) has no grammar: one line is asked, and registries answer in comments that name themselves.
Match whois_client(Bytes b) {
  const std::string_view text = as_text(b);
  if (text.empty()) return Match::Maybe;
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, std::min<std::size_t>(end, 128));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (Probe(b).printable(0, line.size()).failed()) return Match::No;
  if (end == std::string_view::npos) return text.size() < 128 ? Match::Maybe : Match::No;
  return end + 1 == text.size() ? Match::Yes : Match::No;
}
Match whois_server(Bytes b) {
  if (Probe(b).byte(0, '%').failed()) return Match::No;
  const std::string_view line = first_line(b);
  for (std::size_t i = 0; i + 5 <= line.size(); ++i)
    if (starts_nocase(line.substr(i), "whois")) return Match::Yes;
  return has_line(b) || b.size() > 128 ? Match::No : Match::Maybe;
}

/// rshd: the port for errors as text, two user names and the command, each ended by a nought.
Match rsh_client(Bytes b) {
  std::size_t at = 0;
  while (at < b.size() && at < 6 && is_digit(static_cast<char>(b[at]))) ++at;
  if (at == b.size()) return at < 6 ? Match::Maybe : Match::No;
  if (b[at] != 0) return Match::No;
  for (int text = 0; text < 3; ++text) {
    const std::size_t begin = ++at;
    while (at < b.size() && b[at] >= 0x20 && b[at] < 0x7f) ++at;
    if (at == b.size()) return Match::Maybe;
    if (b[at] != 0 || at == begin) return Match::No;
  }
  return Match::Yes;
}

/// Speedtest's plain protocol: HI and a session, HELLO and a version.
Match ookla_client(Bytes b) {
  Probe hi(b);
  hi.text(0, "HI");
  if (b.size() < 3 || hi.failed()) return hi.failed() ? Match::No : Match::Maybe;
  if (b[2] == '\n') return Match::Maybe;
  return hi.byte(2, ' ').byte(11, '-').byte(16, '-').byte(21, '-').byte(26, '-').least(39).match();
}
Match ookla_server(Bytes b) { return Probe(b).text(0, "HELLO 2.").match(); }

/// AFP over DSI: a request that opens a session or asks for the server's status, sixteen bytes of header of which most are nought; the answer
/// has the same command and number.
Match dsi_request(Bytes b) {
  Probe probe(b);
  probe.byte(0, 0).byte(1, 3, 4).be32(4, 0).be32(8, 0, 64).be32(12, 0).least(16);
  if (b.size() > 11) probe.that(b[1] == 3 ? probe.value(8, 4, true) == 0 : b[11] == 0 || b[11] >= 6);
  return probe.match();
}
Match dsi_answer(Bytes b) { return Probe(b).byte(0, 1).byte(1, 3, 4).be32(12, 0).least(16).match(); }

/// DRDA (Open Group, DDM 3): a data stream with its length and D0h, a request that exchanges the servers' attributes (EXCSAT) or what answers.
Match drda_message(Bytes b, std::uint32_t code) {
  Probe probe(b);
  probe.be16(0, 10, 32767).byte(2, 0xd0).byte(3, 0, 0x7f).be16(8, code).least(10);
  if (b.size() >= 8) probe.that(probe.be16_at(6) + 6 == probe.be16_at(0));
  return probe.match();
}

/// HiSLIP (IVI-6.1, 2.5): its letters, the type, a control byte, a parameter, eight bytes of length.
Match hislip_initialize(Bytes b) { return Probe(b).text(0, "HS").byte(2, 0).byte(3, 0).zero(8, 6).be16(14, 0, 256).least(16).match(); }
Match hislip_answer(Bytes b) { return Probe(b).text(0, "HS").byte(2, 1).failed() ? Match::No : Match::Maybe; }

/// iSCSI (RFC 7143, 11.12): a login, marked for immediate delivery, version 0; its text begins with a key of the login's.
Match iscsi_login(Bytes b) {
  const Probe head = Probe(b).byte(0, 0x43).byte(2, 0).byte(3, 0).byte(4, 0).be24(5, 8, 16384).least(48);
  if (head.match() != Match::Yes) return head.match();
  return begins(b.subspan(48), {"InitiatorName="sv, "InitiatorAlias="sv, "TargetName="sv, "SessionType="sv, "AuthMethod="sv});
}
Match iscsi_answer(Bytes b) { return Probe(b).byte(0, 0x23).failed() ? Match::No : Match::Maybe; }

/// A number of up to five bytes of seven bits, the lowest first; false if it is not whole. Moves past it.
bool read_varint(Reader& in, std::uint32_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const std::uint8_t byte = in.u8();
    value |= (byte & 0x7fU) << shift;
    if ((byte & 0x80) == 0) return in.ok();
  }
  return false;
}
/// Minecraft (Java edition): a handshake fills its packet: number 0, version, host, port, and what comes next (1 to 3).
Match minecraft_handshake(Bytes b) {
  if (Probe(b).byte(0, 6, 0x7f).byte(1, 0).failed()) return Match::No;
  if (b.size() < 2) return Match::Maybe;
  const std::size_t size = b[0] + std::size_t{1};
  if (b.size() < size) return Match::Maybe;
  Reader in(b.first(size).subspan(2));
  std::uint32_t version = 0, host = 0;
  if (!read_varint(in, version) || !read_varint(in, host) || host == 0 || host > 255) return Match::No;
  const Bytes name = in.bytes(host);
  if (Probe(name).printable(0, name.size()).failed() || name.empty()) return Match::No;
  in.skip(2);
  const std::uint8_t next = in.u8();
  return in.ok() && in.at_end() && next >= 1 && next <= 3 ? Match::Yes : Match::No;
}

}  // namespace

Match afp(const Evidence& e) {
  const Match match = both_sides(e, dsi_request, dsi_answer);
  if (match != Match::Yes) return match;
  const Bytes one = e.client, two = e.server;
  return one[1] == two[1] && load_be16(&one[2]) == load_be16(&two[2]) ? Match::Yes : Match::No;
}
Match drda(const Evidence& e) {
  return sides(e, [](Bytes b) { return drda_message(b, 0x1041); }, [](Bytes b) { return drda_message(b, 0x1443); });
}
Match hislip(const Evidence& e) { return sides(e, hislip_initialize, hislip_answer); }
Match iscsi(const Evidence& e) { return sides(e, iscsi_login, iscsi_answer); }
Match minecraft(const Evidence& e) { return sides(e, minecraft_handshake, any_side); }
Match ceph(const Evidence& e) { return sides(e, ceph_banner, ceph_banner); }
Match checkmk(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return begins(b, {"<<<check_mk>>>"sv}); }); }
Match corba(const Evidence& e) { return e.is_udp() ? datagrams(e, corba_datagram) : sides(e, giop, giop); }
Match elasticsearch(const Evidence& e) { return sides(e, elasticsearch_message, elasticsearch_message); }
Match fastcgi(const Evidence& e) { return sides(e, fastcgi_begin, any_side); }
Match fix(const Evidence& e) { return sides(e, fix_message, fix_message); }
Match haproxy(const Evidence& e) { return sides(e, proxy_header, any_side); }
Match kismet(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return begins(b, {"*KISMET: "sv}); }); }
Match lustre(const Evidence& e) {
  const Match opened = sides(e, lustre_request, any_side);
  return e.roles_unsure ? std::max(opened, sides(e, lustre_message, lustre_message)) : opened;
}
Match munin(const Evidence& e) { return sides(e, any_side, [](Bytes b) { return begins(b, {"# munin node at "sv}); }); }
Match nntp(const Evidence& e) { return both_sides(e, nntp_client, [](Bytes b) { return nntp_server(b) == Match::No ? Match::No : b.size() < 4 ? Match::Maybe : Match::Yes; }); }
Match ookla(const Evidence& e) { return sides(e, ookla_client, ookla_server); }
Match openwire(const Evidence& e) { return sides(e, openwire_message, openwire_message); }
// Without a port for errors it has the form of rlogin, whose third text is a terminal with its speed.
Match rsh(const Evidence& e) {
  return sides(e, [](Bytes b) { return rlogin_opening(b) == Match::Yes ? Match::No : rsh_client(b); }, any_side);
}
Match rx(const Evidence& e) { return rx_datagram(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }
Match smpp(const Evidence& e) { return sides(e, smpp_bind, any_side); }
Match stomp(const Evidence& e) { return sides(e, stomp_client, stomp_server); }
Match tacacs(const Evidence& e) { return sides(e, tacacs_packet, tacacs_answer); }
Match thrift(const Evidence& e) { return e.is_udp() ? datagrams(e, [](Bytes b) { return thrift_message(b) == Match::Yes; }) : sides(e, thrift_message, any_side); }
Match tns(const Evidence& e) { return sides(e, tns_connect, tns_answer); }
Match whois(const Evidence& e) { return both_sides(e, whois_client, whois_server); }
Match z3950(const Evidence& e) { return sides(e, z3950_init, z3950_answer); }

}  // namespace weir::proto::identify
