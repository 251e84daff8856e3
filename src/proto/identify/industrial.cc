// SPDX-License-Identifier: Apache-2.0
// Control systems and buildings.

#include "proto/identify/probe.h"
#include "proto/identify/rows.h"

namespace weir::proto::identify {
namespace {

/// MODBUS Application Protocol 1.1b3: a request's length follows from its function; only those that can be checked are certain.
Match modbus_request(Bytes b) {
  Probe probe(b);
  probe.be16(2, 0).be16(4, 2, 254).byte(7, 1, 0x7f).least(12);
  if (b.size() < 8 || probe.failed()) return probe.match();
  const unsigned length = probe.be16_at(4), function = b[7];
  if (function >= 1 && function <= 6) {
    probe.that(length == 6);
    if (function <= 2) probe.be16(10, 1, 2000);
    else if (function <= 4) probe.be16(10, 1, 125);
    else if (function == 5) probe.byte(10, 0, 0xff).byte(11, 0).that(b.size() < 11 || b[10] == 0 || b[10] == 0xff);
    return probe.match();
  }
  if (function == 15 || function == 16) {
    probe.be16(10, 1, 1968).least(13);
    if (b.size() > 12) {
      const unsigned count = probe.be16_at(10);
      probe.that(b[12] == (function == 16 ? 2 * count : (count + 7) / 8) && length == 7U + b[12]);
    }
    return probe.match();
  }
  if (function == 43) return probe.that(length == 5).byte(8, 14).byte(9, 1, 4).least(11).match();
  return probe.failed() ? Match::No : Match::Maybe;
}

Match modbus_answer(Bytes b) { return Probe(b).be16(2, 0).be16(4, 3, 254).failed() ? Match::No : Match::Maybe; }

/// CRC of IEEE 1815 over the header's first eight bytes: polynomial 0x3D65 from the low bit on, complemented.
std::uint16_t dnp_crc(Bytes b) {
  std::uint16_t crc = 0;
  for (const std::uint8_t byte : b) {
    crc = static_cast<std::uint16_t>(crc ^ byte);
    for (int i = 0; i < 8; ++i) crc = static_cast<std::uint16_t>((crc & 1) != 0 ? crc >> 1 ^ 0xA6BC : crc >> 1);
  }
  return static_cast<std::uint16_t>(~crc);
}
Match dnp_frame(Bytes b) {
  Probe probe(b);
  probe.byte(0, 5).byte(1, 0x64).byte(2, 5, 255).least(10);
  if (b.size() >= 10) probe.that(dnp_crc(b.first(8)) == probe.le16_at(8));
  return probe.match();
}

/// TPKT units (RFC 1006): connection request or confirm with TSAPs, then data whose first byte says S7 (0x32) or its successor (0x72).
Match s7_stream(Bytes b) {
  for (std::size_t units = 0, at = 0; units < 3; ++units) {
    Probe probe(b);
    probe.byte(at, 3).byte(at + 1, 0).be16(at + 2, 7, 8192).least(at + 8);
    if (probe.match() != Match::Yes) return probe.match();
    const std::uint8_t type = b[at + 5];
    if (type == 0xF0) return Probe(b).byte(at + 4, 2).byte(at + 6, 0x80).byte(at + 7, 0x32).match() == Match::Yes
                                 ? Match::Yes
                                 : Probe(b).byte(at + 4, 2).byte(at + 6, 0x80).byte(at + 7, 0x72).match();
    if (type != 0xE0 && type != 0xD0) return Match::No;
    at += probe.be16_at(at + 2);
  }
  return Match::No;
}

bool bacnet_datagram(Bytes b) {
  Probe probe(b);
  probe.byte(0, 0x81).byte(1, 0, 0x0b).be16(2, static_cast<std::uint32_t>(b.size()));
  if (!probe.holds()) return false;
  if (b[1] == 4 || b[1] >= 9) {  // Forwarded: six bytes of the origin; 9 to 11 carry a network message at once.
    if (b[1] == 4) return Probe(b).byte(10, 1).holds();
    return Probe(b).byte(4, 1).holds();
  }
  return b[1] <= 3 || b[1] == 5 || b.size() >= 6;
}

/// EtherNet/IP encapsulation header (CIP volume 2, 2-3): 24 bytes, little-endian.
bool enip_command(std::uint32_t c) { return c == 4 || c == 0x63 || c == 0x64 || c == 0x65 || c == 0x66 || c == 0x6f || c == 0x70; }
Match enip_header(Bytes b) {
  Probe probe(b);
  probe.le16(2, 0, 4096).zero(8, 1).le32(8, 0, 0x69).zero(20, 4).least(24);
  if (b.size() >= 2) probe.that(enip_command(probe.le16_at(0)));
  // A session is opened by version 1 without options; what needs no session has none.
  if (b.size() >= 8 && probe.le16_at(0) == 0x65) probe.that(probe.le16_at(2) == 4);
  if (b.size() >= 8 && (probe.le16_at(0) == 0x6f || probe.le16_at(0) == 0x70)) probe.that(probe.le32_at(4) != 0 && probe.le16_at(2) >= 16);
  return probe.match();
}

Match opcua_hello(Bytes b) {
  return std::max(Probe(b).text(0, "HELF").le32(4, 32, 4128).le32(8, 0).match(), Probe(b).text(0, "OPNF").le32(4, 32, 65536).least(12).match());
}
Match opcua_answer(Bytes b) {
  return std::max({Probe(b).text(0, "ACKF").le32(4, 28).match(), Probe(b).text(0, "ERRF").le32(4, 16, 4128).match(), Probe(b).text(0, "RHEF").le32(4, 16, 8192).match()});
}

}  // namespace

Match modbus(const Evidence& evidence) {
  const Match match = sides(evidence, modbus_request, modbus_answer);
  const Bytes a = evidence.client, b = evidence.server;
  // Functions of vendors (90 of Schneider): both lengths fit, and the answer repeats transaction, unit and function.
  if (match != Match::Maybe || a.size() < 8 || b.size() < 8) return match;
  const bool whole = load_be16(&a[4]) + 6U == a.size() && load_be16(&b[4]) + 6U == b.size();
  return whole && load_be16(&a[0]) == load_be16(&b[0]) && a[6] == b[6] && (b[7] & 0x7f) == a[7] ? Match::Yes : match;
}

Match dnp3(const Evidence& evidence) {
  for (const Bytes bytes : {evidence.client, evidence.server})
    if (!bytes.empty() && bytes[0] != 0x05) return Match::No;
  return sides(evidence, dnp_frame, dnp_frame);
}

Match s7comm(const Evidence& evidence) { return sides(evidence, s7_stream, s7_stream); }

// IEC 60870-5-104: 0x68, a length of 4, and one of the unnumbered formats (STARTDT, STOPDT, TESTFR; act or con).
Match iec104(const Evidence& evidence) {
  constexpr auto unnumbered = [](Bytes b) {
    Probe probe(b);
    probe.byte(0, 0x68).byte(1, 4).zero(3, 3);
    if (b.size() > 2) probe.that(b[2] == 0x07 || b[2] == 0x0B || b[2] == 0x13 || b[2] == 0x23 || b[2] == 0x43 || b[2] == 0x83);
    return probe.match();
  };
  return sides(evidence, unnumbered, [](Bytes b) { return Probe(b).byte(0, 0x68).byte(1, 4, 253).failed() ? Match::No : Match::Maybe; });
}

Match enip(const Evidence& evidence) {
  if (evidence.is_udp()) return datagrams(evidence, [](Bytes b) { return enip_header(b) == Match::Yes && Probe(b).le16_at(2) + 24U == b.size(); });
  return sides(evidence, enip_header, [](Bytes b) { return enip_header(b) == Match::No ? Match::No : Match::Maybe; });
}

Match bacnet(const Evidence& evidence) { return datagrams(evidence, bacnet_datagram); }

Match opcua(const Evidence& evidence) { return sides(evidence, opcua_hello, opcua_answer); }

}  // namespace weir::proto::identify
