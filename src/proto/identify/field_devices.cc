// SPDX-License-Identifier: Apache-2.0
// Plants, meters, trains and cars. Where the frame has a check sum, it must be right.

#include <initializer_list>

#include "proto/identify/probe.h"
#include "proto/identify/signatures.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

/// CRC of sixteen bits, bit by bit: frames here are short, and only those that fit otherwise come so far.
std::uint16_t crc16_msb(Bytes b, std::uint16_t crc) {
  for (const std::uint8_t byte : b) {
    crc = static_cast<std::uint16_t>(crc ^ byte << 8);
    for (int i = 0; i < 8; ++i) crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1);
  }
  return crc;
}
std::uint16_t crc16_x25(Bytes b) {
  std::uint16_t crc = 0xffff;
  for (const std::uint8_t byte : b) {
    crc = static_cast<std::uint16_t>(crc ^ byte);
    for (int i = 0; i < 8; ++i) crc = static_cast<std::uint16_t>((crc & 1) != 0 ? crc >> 1 ^ 0x8408 : crc >> 1);
  }
  return static_cast<std::uint16_t>(~crc);
}
bool one_of(std::uint32_t value, std::initializer_list<std::uint32_t> values) {
  for (const std::uint32_t v : values)
    if (v == value) return true;
  return false;
}

/// Beckhoff AMS over TCP: two bytes of nought, a length; then 32 bytes of which command, state and length must fit.
Match ams(Bytes b) {
  Probe probe(b);
  probe.zero(0, 2).le32(2, 32, 1 << 20).le16(22, 1, 9).byte(24, 4, 5).byte(25, 0);
  if (b.size() >= 30) probe.that(probe.le32_at(26) + 32 == probe.le32_at(2));
  return probe.least(38).match();
}

/// Implicit messages of CIP (EtherNet/IP, 2-6): two items, a sequenced address and connected data that ends the datagram.
bool cip_datagram(Bytes b) {
  return Probe(b).byte(0, 2).byte(1, 0).byte(2, 2).byte(3, 0x80).byte(4, 8).byte(5, 0).byte(14, 0xb1).byte(15, 0).le16(16, static_cast<std::uint32_t>(b.size()) - 18).least(18).holds();
}

/// IEC 62056-46: an HDLC frame of type 3 with its check; or the wrapper of 62056-47: version 1, ports, length, a COSEM tag.
bool cosem_frame(Bytes b) {
  if (b.size() < 9) return false;
  if (b[0] == 0x7e) {
    if (b[1] >> 4 != 0xa || b.back() != 0x7e || ((b[1] & 7U) << 8 | b[2]) + 2U != b.size()) return false;
    return crc16_x25(b.subspan(1, b.size() - 4)) == (b[b.size() - 2] << 8 | b[b.size() - 3]);
  }
  return Probe(b).be16(0, 1).be16(2, 1, 255).be16(4, 1, 255).be16(6, static_cast<std::uint32_t>(b.size()) - 8).holds() &&
         one_of(b[8], {0x60, 0x61, 0x62, 0x63, 0x0f, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc7});
}
Match cosem_stream(Bytes b) {
  if (Probe(b).byte(0, 0x7e).failed() && Probe(b).be16(0, 1).byte(2, 0).byte(4, 0).failed()) return Match::No;
  if (b.size() < 9) return Match::Maybe;
  const std::size_t size = b[0] == 0x7e ? ((b[1] & 7U) << 8 | b[2]) + 2U : load_be16(&b[6]) + 8U;
  if (b[0] == 0x7e ? b[1] >> 4 != 0xa || size < 9 : !one_of(b[8], {0x60, 0x61, 0xc0, 0xc1, 0xc3})) return Match::No;
  if (b.size() < size) return size <= 1024 ? Match::Maybe : Match::No;
  return cosem_frame(b.first(size)) ? Match::Yes : Match::No;
}

/// Ether-S-Bus: the datagram's length, version, type, sequence, attribute (request, answer, acknowledgement), and a CRC at the end.
bool s_bus_datagram(Bytes b) {
  if (b.size() < 11 || load_be32(b.data()) != b.size() || b[4] > 1 || b[5] > 1 || b[8] > 2) return false;
  return crc16_msb(b.first(b.size() - 2), 0) == load_be16(&b[b.size() - 2]);
}

/// FINS over TCP begins with its name; over UDP ten bytes of header, then a command that exists.
Match fins_stream(Bytes b) { return Probe(b).text(0, "FINS").be32(4, 8, 4096).be32(8, 0, 6).match(); }
bool fins_datagram(Bytes b) {
  if (b.size() < 12 || !one_of(b[0], {0x80, 0x81, 0xc0, 0xc1}) || b[1] != 0 || b[2] == 0 || b[2] > 7) return false;
  const std::uint8_t group = b[10], command = b[11];
  switch (group) {
    case 1: return command >= 1 && command <= 5;
    case 4: case 5: return command == 1 || command == 2;
    case 6: return command == 1 || command == 0x20;
    case 7: return command == 1 || command == 2;
    case 0x23: return command == 1 || command == 2;
    default: return false;
  }
}

/// HART-IP (TP10300): version 1, type, id, status, sequence, and the length of the whole.
bool hart_datagram(Bytes b) {
  return Probe(b).byte(0, 1).byte(1, 0, 3).byte(2, 0, 3).be16(6, static_cast<std::uint32_t>(b.size())).holds() && (b[1] != 0 || b[3] == 0) && (b[2] != 0 || b.size() == 13);
}
Match hart_stream(Bytes b) { return Probe(b).byte(0, 1).zero(1, 3).be16(6, 13).byte(8, 0, 1).least(13).match(); }

/// IEEE C37.118.2, 6.2: sync with type and version, size, and a check over the whole.
bool c37118_frame(Bytes b) {
  if (b.size() < 16 || b[0] != 0xaa || (b[1] & 0x80) != 0 || b[1] >> 4 > 5 || (b[1] & 15) == 0 || (b[1] & 15) > 3 || load_be16(&b[2]) != b.size()) return false;
  return crc16_msb(b.first(b.size() - 2), 0xffff) == load_be16(&b[b.size() - 2]);
}
Match c37118_stream(Bytes b) {
  if (Probe(b).byte(0, 0xaa).byte(1, 1, 0x53).be16(2, 16, 65535).failed()) return Match::No;
  if (b.size() < 4) return Match::Maybe;
  const std::size_t size = load_be16(&b[2]);
  if (b.size() < size) return size <= 1024 ? Match::Maybe : Match::No;
  return c37118_frame(b.first(size)) ? Match::Yes : Match::No;
}

/// KNXnet/IP (ISO 22510): header of six bytes, version 1.0, a service, the length of the whole.
bool knx_datagram(Bytes b) {
  if (!Probe(b).byte(0, 6).byte(1, 0x10).be16(4, static_cast<std::uint32_t>(b.size())).holds()) return false;
  return one_of(b[2], {2, 3, 4, 5, 6, 7, 8, 9});
}

/// ISO 9506 above ISO transport: a session's CONNECT whose presentation offers the abstract syntax 1.0.9506.2.1.
Match mms_client(Bytes b) {
  Probe first(b);
  first.byte(0, 3).byte(1, 0).be16(2, 7, 128).byte(5, 0xe0);
  if (first.failed() || b.size() < 6) return first.failed() ? Match::No : Match::Maybe;
  const std::size_t next = first.be16_at(2);
  if (Probe(b).byte(next, 3).byte(next + 1, 0).byte(next + 4, 2).byte(next + 5, 0xf0).byte(next + 6, 0x80).byte(next + 7, 0x0d).failed()) return Match::No;
  if (b.size() < next + 8) return Match::Maybe;
  if (as_text(b.subspan(next)).find("\x28\xca\x22\x02\x01"sv) != std::string_view::npos) return Match::Yes;
  return b.size() < std::min<std::size_t>(next + load_be16(&b[next + 2]), 1000) ? Match::Maybe : Match::No;
}
Match mms_server(Bytes b) { return Probe(b).byte(0, 3).byte(1, 0).failed() ? Match::No : Match::Maybe; }

/// SOME/IP (AUTOSAR PRS 696), 4.1.2: length of what follows, protocol version 1, a known type, and no error in requests.
bool someip_header(Bytes b) {
  if (b.size() < 16 || b[12] != 1) return false;
  const std::uint8_t type = b[14], code = b[15];
  const bool request = type <= 2 || (type >= 0x20 && type <= 0x22);
  if (!request && type != 0x80 && type != 0x81 && type != 0xa0 && type != 0xa1) return false;
  return request ? code == 0 : code <= 0x5e;
}
bool someip_datagram(Bytes b) {
  // Several messages may share a datagram.
  for (int messages = 0; messages < 16 && !b.empty(); ++messages) {
    if (!someip_header(b)) return false;
    const std::size_t length = load_be32(&b[4]);
    if (length < 8 || length + 8 > b.size()) return false;
    b = b.subspan(length + 8);
  }
  return b.empty();
}
Match someip_stream(Bytes b) {
  Probe probe(b);
  probe.be32(4, 8, 1 << 20).byte(12, 1).least(16);
  if (probe.match() != Match::Yes) return probe.match();
  const std::size_t size = load_be32(&b[4]) + std::size_t{8};
  if (!someip_header(b)) return Match::No;
  // The next message must begin alike.
  if (b.size() <= size) return b.size() == size ? Match::Yes : Match::Maybe;
  return Probe(b).be32(size + 4, 8, 1 << 20).byte(size + 12, 1).match();
}

/// TRDP (IEC 61375-2-3, A.6): sequence, version 1.x, type in two letters, data length at 20.
bool trdp_header(Bytes b) {
  if (b.size() < 40 || b[4] != 1 || (b[6] != 'P' && b[6] != 'M')) return false;
  const std::string_view kinds = b[6] == 'P' ? "dpre"sv : "nrpqce"sv;
  return kinds.find(static_cast<char>(b[7])) != std::string_view::npos;
}
bool trdp_datagram(Bytes b) {
  if (!trdp_header(b)) return false;
  const std::size_t data = load_be32(&b[20]), header = b[6] == 'P' ? 40 : 116;
  return data <= 65536 && header + (data + 3) / 4 * 4 == b.size();
}
Match trdp_stream(Bytes b) {
  Probe probe(b);
  probe.byte(4, 1).byte(6, 'M').be32(20, 0, 65536).least(116);
  return probe.match() == Match::Yes ? (trdp_header(b) ? Match::Yes : Match::No) : probe.match();
}

/// Automatic tank gauges: start of header, a function in capital or small letters and its digits.
Match atg_client(Bytes b) {
  Probe probe(b);
  probe.byte(0, 1).byte(1, 'I', 's');
  if (b.size() > 1) probe.that(b[1] == 'I' || b[1] == 'i' || b[1] == 'S' || b[1] == 's');
  for (std::size_t i = 2; i < 7; ++i) probe.byte(i, '0', '9');
  return probe.match();
}

Match doip_head(Bytes b) {
  Probe probe(b);
  probe.byte(0, 1, 4).be32(4, 0, 1 << 16).least(8);
  if (b.size() > 1) probe.that(static_cast<std::uint8_t>(b[0] ^ b[1]) == 0xff);
  if (b.size() > 3) probe.that(load_be16(&b[2]) <= 8 || (load_be16(&b[2]) >= 0x4001 && load_be16(&b[2]) <= 0x4004) || (load_be16(&b[2]) >= 0x8001 && load_be16(&b[2]) <= 0x8003));
  return probe.match();
}

/// Tuya: prefix 0x55AA, the length of what follows, suffix 0xAA55.
bool tuya_datagram(Bytes b) {
  return Probe(b).be32(0, 0x55aa).be32(12, static_cast<std::uint32_t>(b.size()) - 16).least(24).holds() && load_be32(&b[b.size() - 4]) == 0xaa55;
}

/// TP-Link's smart home: JSON under a running exclusive-or whose first key is 171.
bool tplink_text(Bytes b) {
  if (b.size() < 8 || b[0] != 0xd0 || b[1] != 0xf2) return false;
  for (std::size_t i = 1; i < std::min<std::size_t>(b.size(), 32); ++i)
    if (const unsigned c = b[i] ^ b[i - 1]; c < 0x20 || c > 0x7e) return false;
  return true;
}
Match tplink_stream(Bytes b) {
  const Probe probe = Probe(b).zero(0, 2).byte(4, 0xd0).byte(5, 0xf2).least(12);
  return probe.match() == Match::Yes ? (tplink_text(b.subspan(4)) ? Match::Yes : Match::No) : probe.match();
}

/// ANSI C12.22, 5.3.4 (ACSE of ISO 8650 behind one tag): elements in rising order that fill it, the last of which is the user information.
bool c1222_message(Bytes b) {
  if (b.size() < 12 || b[0] != 0x60) return false;
  Reader in(b.subspan(1));
  std::size_t size = 0;
  if (!ber_length(in, size) || size != in.rest().size()) return false;
  std::uint8_t last = 0xa0;
  bool named = false;
  while (in.ok() && !in.at_end()) {
    const std::uint8_t tag = in.u8();
    if (!ber_length(in, size) || size > in.rest().size() || tag <= last || tag > 0xbe) return false;
    named |= tag == 0xa2 || tag == 0xa6;  // The called or the calling title.
    last = tag;
    in.skip(size);
  }
  return in.ok() && named && last == 0xbe;
}
Match c1222_stream(Bytes b) {
  if (Probe(b).byte(0, 0x60).failed()) return Match::No;
  if (b.size() < 4) return Match::Maybe;
  Reader in(b.subspan(1));
  std::size_t size = 0;
  if (!ber_length(in, size) || size < 10 || size > 1000) return Match::No;
  const std::size_t whole = size + 1 + in.offset();
  return b.size() < whole ? Match::Maybe : c1222_message(b.first(whole)) ? Match::Yes : Match::No;
}

/// ISO 13400-2, 7: version and its complement, a type, the length of what follows.
bool doip_datagram(Bytes b) { return b.size() >= 8 && doip_head(b) == Match::Yes && load_be32(&b[4]) + std::size_t{8} == b.size(); }

/// GE's Ethernet Global Data (GFS-384): type and version of a data message, a time, and four bytes kept for later that are nought.
bool egd_datagram(Bytes b) { return Probe(b).byte(0, 0x0d).byte(1, 1).le32(8, 1, 0x3fff).le32(16, 0, 999'999'999).be32(28, 0).least(33).holds(); }

/// Saia's Ether-S-I/O: its name, a telegram that transfers or tells the state.
bool esio_datagram(Bytes b) { return Probe(b).text(0, "ESIO").be16(4, 0, 2).least(16).holds(); }

}  // namespace

Match c1222(const Evidence& e) { return e.is_udp() ? datagrams(e, c1222_message) : sides(e, c1222_stream, c1222_stream); }
Match doip(const Evidence& e) { return e.is_udp() ? datagrams(e, doip_datagram) : sides(e, doip_head, doip_head); }
Match egd(const Evidence& e) { return datagrams(e, egd_datagram); }
Match ether_s_io(const Evidence& e) { return datagrams(e, esio_datagram); }
Match atg(const Evidence& e) { return sides(e, atg_client, any_side); }
Match beckhoff_ads(const Evidence& e) { return sides(e, ams, ams); }
Match cip(const Evidence& e) { return datagrams(e, cip_datagram); }
Match iec62056(const Evidence& e) { return e.is_udp() ? datagrams(e, cosem_frame) : sides(e, cosem_stream, cosem_stream); }
Match ether_s_bus(const Evidence& e) { return datagrams(e, s_bus_datagram); }
Match fins(const Evidence& e) { return e.is_udp() ? datagrams(e, fins_datagram) : sides(e, fins_stream, fins_stream); }
Match hart_ip(const Evidence& e) { return e.is_udp() ? datagrams(e, hart_datagram) : sides(e, hart_stream, any_side); }
Match c37118(const Evidence& e) { return e.is_udp() ? datagrams(e, c37118_frame) : sides(e, c37118_stream, c37118_stream); }
Match knx(const Evidence& e) { return datagrams(e, knx_datagram); }
Match mms(const Evidence& e) { return sides(e, mms_client, mms_server); }
Match someip(const Evidence& e) { return e.is_udp() ? datagrams(e, someip_datagram) : sides(e, someip_stream, someip_stream); }
Match trdp(const Evidence& e) { return e.is_udp() ? datagrams(e, trdp_datagram) : sides(e, trdp_stream, trdp_stream); }
Match tuya(const Evidence& e) { return datagrams(e, tuya_datagram); }
Match tplink(const Evidence& e) { return e.is_udp() ? datagrams(e, tplink_text) : sides(e, tplink_stream, tplink_stream); }

}  // namespace weir::proto::identify
