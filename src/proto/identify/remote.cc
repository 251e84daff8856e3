// SPDX-License-Identifier: Apache-2.0
// Remote screens and consoles, and the management of machines.

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/rows.h"

namespace weir::proto::identify {
namespace {

/// RMCP (DMTF DSP0136): version 6, sequence; class IPMI (7) with a session header that fills the datagram, or an ASF ping or pong.
bool ipmi_datagram(Bytes b) {
  if (!Probe(b).byte(0, 6).byte(1, 0).least(12).holds()) return false;
  if (b[3] == 6) return Probe(b).be32(4, 0x11be).holds() && (b[8] == 0x80 || b[8] == 0x40);
  if (b[3] != 7) return false;
  if (b[4] == 6) {  // IPMI 2.0, 13.6: payload type, session id, sequence, length.
    return b.size() >= 16 && (std::size_t{b[14]} | std::size_t{b[15]} << 8) + 16 <= b.size() && (b[5] & 0x3f) <= 0x15;
  }
  const std::size_t header = b[4] == 0 ? 14 : 30;
  return (b[4] <= 2 || b[4] == 4 || b[4] == 5) && b.size() > header && b.size() == header + b[header - 1];
}

}  // namespace

Match ipmi(const Evidence& evidence) { return datagrams(evidence, ipmi_datagram); }

// NoMachine: both sides open with "NXSH-" and a version. Over UDP its probes of ten bytes are numbered, and answered as such.
Match nomachine(const Evidence& evidence) {
  if (evidence.is_udp()) {
    constexpr auto probe = [](Bytes b, unsigned type) { return b.size() == 10 && Probe(b).byte(0, type).byte(1, 0).le16(2, 1).le16(4, 10).zero(7, 3).holds(); };
    const Bytes a = evidence.client, b = evidence.server;
    if ((!a.empty() && !probe(a, 1)) || (!b.empty() && !probe(b, 2))) return Match::No;
    return a.empty() || b.empty() ? Match::Maybe : Match::Yes;
  }
  constexpr auto banner = [](Bytes b) { return Probe(b).text(0, "NXSH-").byte(5, '0', '9').match(); };
  return sides(evidence, banner, banner);
}

// Radmin: a first message that is the same in every session since version 2.
Match radmin(const Evidence& evidence) {
  using namespace std::string_view_literals;
  return sides(evidence, [](Bytes b) { return begins(b, {"\1\0\0\0\1\0\0\0\x08\x08"sv, "\1\0\0\0\5\0\0\2\x27\x27\2\0\0\0"sv}); }, [](Bytes b) { return Probe(b).byte(0, 1).failed() ? Match::No : Match::Maybe; });
}

// Citrix: the ICA banner, or the Common Gateway Protocol around it.
Match citrix(const Evidence& evidence) {
  using namespace std::string_view_literals;
  constexpr auto banner = [](Bytes b) { return begins(b, {"\x7f\x7fICA\0"sv, "\x1a" "CGP/01"sv}); };
  return sides(evidence, banner, banner);
}

// TeamViewer: a magic of two bytes on both sides.
Match teamviewer(const Evidence& evidence) {
  constexpr auto magic = [](Bytes b) { return Probe(b).byte(0, 0x17).byte(1, 0x24).least(5).match(); };
  return both_sides(evidence, magic, magic);
}

// Cisco Smart Install, as the advisory cisco-sa-20180409 shows it: two numbers of one, a message type, its length.
Match smart_install(const Evidence& evidence) {
  return sides(evidence, [](Bytes b) { return Probe(b).be32(0, 1).be32(4, 1).be32(8, 2, 9).be32(12, 0, 8192).match(); },
               [](Bytes b) { return Probe(b).zero(0, 3).failed() ? Match::No : Match::Maybe; });
}

// X11: byte order, protocol 11.0, lengths of the authorisation.
Match x11(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        const Match little = Probe(b).byte(0, 'l').byte(1, 0).be32(2, 0x0b000000).byte(7, 0).byte(9, 0).zero(10, 2).match();
        const Match big = Probe(b).byte(0, 'B').byte(1, 0).be32(2, 0x000b0000).byte(6, 0).byte(8, 0).zero(10, 2).match();
        return std::max(little, big);
      },
      any_side);
}

// Android Debug Bridge: CNXN and the complement of its number.
Match adb(const Evidence& evidence) {
  constexpr auto connect = [](Bytes b) { return Probe(b).text(0, "CNXN").be16(4, 0).byte(6, 0).byte(7, 1).match(); };
  return sides(evidence, connect, connect);
}

// SPICE: the link message.
Match spice(const Evidence& evidence) {
  constexpr auto link = [](Bytes b) { return Probe(b).text(0, "REDQ").le32(4, 1, 2).match(); };
  return sides(evidence, link, link);
}

// Java: debug wire protocol, remote method invocation (JRMP 2), and the Apache connector (AJP13 forward request).
Match jdwp(const Evidence& evidence) {
  constexpr auto handshake = [](Bytes b) { return Probe(b).text(0, "JDWP-Handshake").match(); };
  return sides(evidence, handshake, handshake);
}
Match rmi(const Evidence& evidence) {
  return sides(evidence, [](Bytes b) { return Probe(b).text(0, "JRMI").be16(4, 2).byte(6, 0x4b, 0x4d).match(); }, [](Bytes b) { return Probe(b).byte(0, 0x4e, 0x51).failed() ? Match::No : Match::Maybe; });
}
Match ajp(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        const Match ping = Probe(b).be16(0, 0x1234).be16(2, 1).byte(4, 10).match();
        return std::max(ping, Probe(b).be16(0, 0x1234).be16(2, 8, 8192).byte(4, 2).byte(5, 1, 27).be16(6, 8).text(8, "HTTP/1.").match());
      },
               [](Bytes b) { return Probe(b).text(0, "AB").failed() ? Match::No : Match::Maybe; });
}

// DICOM part 8, 9.3.2: A-ASSOCIATE-RQ, protocol version 1.
Match dicom(const Evidence& evidence) {
  return sides(evidence, [](Bytes b) { return Probe(b).byte(0, 1).byte(1, 0).be32(2, 68, 1 << 20).be16(6, 1).be16(8, 0).printable(10, 16).match(); },
               [](Bytes b) { return Probe(b).byte(0, 2, 7).byte(1, 0).failed() ? Match::No : Match::Maybe; });
}

// HL7 minimal lower layer protocol: a vertical tab and a message header segment.
Match hl7(const Evidence& evidence) {
  constexpr auto block = [](Bytes b) { return Probe(b).text(0, "\x0bMSH|").match(); };
  return sides(evidence, block, block);
}

}  // namespace weir::proto::identify
