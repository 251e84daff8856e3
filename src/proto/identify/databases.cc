// SPDX-License-Identifier: Apache-2.0
// Databases, caches and queues.

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/rows.h"

namespace weir::proto::identify {

// MySQL client/server protocol, HandshakeV10: length 3, number 0, version 10, the server's version and NUL. The server speaks first.
Match mysql(const Evidence& evidence) {
  return sides(
      evidence, [](Bytes b) { return Probe(b).byte(3, 1).match() == Match::No ? Match::No : Match::Maybe; },
      [](Bytes b) {
        Probe probe(b);
        probe.le24(0, 40, 512).byte(3, 0).byte(4, 10).byte(5, '0', '9').least(12);
        for (std::size_t at = 6; at < 70 && !probe.failed(); ++at) {
          if (at >= b.size()) return probe.least(at + 1).match();
          if (b[at] == 0) return probe.match();
          probe.byte(at, 0x20, 0x7e);
        }
        return Match::No;
      });
}

// PostgreSQL frontend/backend protocol 3: startup message, SSLRequest, GSSENCRequest, CancelRequest.
Match pgsql(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        const Match request = Probe(b).be32(0, 8).be32(4, 80877103, 80877104).match();
        const Match cancel = Probe(b).be32(0, 16).be32(4, 80877102).match();
        const Match startup = Probe(b).be32(0, 14, 10000).be32(4, 0x30000, 0x30002).byte(8, 'a', 'z').byte(9, 'a', 'z').byte(10, 'a', 'z').byte(11, 'a', 'z').match();
        return std::max({request, cancel, startup});
      },
      [](Bytes b) {  // S or N to SSLRequest, G; authentication, error or version.
        if (b.empty()) return Match::Maybe;
        return std::string_view("SNGREv").find(static_cast<char>(b[0])) == std::string_view::npos ? Match::No : Match::Maybe;
      });
}

/// Text in UTF-16 without anything but ASCII, from `at` to the end of `size` bytes; as far as it is there.
bool is_wide_ascii(Bytes b, std::size_t at, std::size_t size) {
  for (std::size_t i = at; i + 1 < std::min(b.size(), at + size); i += 2)
    if (b[i] < 0x20 || b[i] > 0x7e || b[i + 1] != 0) return false;
  return true;
}
/// A connection whose login was not seen: a batch (1), or a call by name (3) with the name's length, as before version 7.2 (2.2.6.6, 2.2.6.7).
Match tds_later(Bytes b) {
  Probe probe(b);
  probe.byte(0, 1, 3).byte(1, 0, 9).be16(2, 20, 32768).byte(7, 0).least(24);
  if (b.empty() || probe.failed()) return b.empty() ? Match::Maybe : Match::No;
  if (b[0] == 1) return is_wide_ascii(b, 8, 64) ? probe.match() : Match::No;
  const std::uint32_t name = probe.le16(8, 4, 128).le16_at(8);
  return b[0] == 3 && !probe.failed() && is_wide_ascii(b, 10, 2 * std::size_t{name}) ? probe.match() : Match::No;
}

// MS-TDS 2.2.3.1: a header of 8, then pre-login options (the first is the version, 6 bytes) or LOGIN7 with its own length.
Match tds(const Evidence& evidence) {
  constexpr auto answer = [](Bytes b) { return Probe(b).byte(0, 4).byte(1, 0, 1).failed() ? Match::No : Match::Maybe; };
  const Match later = evidence.roles_unsure ? sides(evidence, tds_later, answer) : Match::No;
  return std::max(later, sides(
      evidence,
      [](Bytes b) {
        Probe prelogin(b);
        prelogin.byte(0, 0x12).byte(1, 0, 1).be16(2, 20, 4096).zero(4, 2).byte(6, 0, 1).byte(7, 0).byte(8, 0).be16(9, 6, 200).be16(11, 6);
        Probe login(b);
        login.byte(0, 0x10).byte(1, 0, 1).be16(2, 94 + 8, 32768).zero(4, 2).byte(6, 0, 1).byte(7, 0).least(16);
        if (b.size() >= 16) login.that(login.le32_at(8) + 8 == login.be16_at(2) || b[1] == 0).byte(15, 0x70, 0x74);
        // A batch or a call of procedures: the first of ALL_HEADERS is that of the transaction (MS-TDS 2.2.5.3).
        Probe batch(b);
        batch.byte(0, 1, 3).byte(1, 0, 9).be16(2, 30, 32768).byte(7, 0).le32(8, 22, 512).le32(12, 18).le16(16, 2, 2);
        return std::max({prelogin.match(), login.match(), batch.match()});
      },
      answer));
}

// MongoDB wire protocol: length, request, response-to, code, all little-endian. OP_MSG 2013, OP_COMPRESSED 2012, OP_QUERY 2004.
Match mongodb(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        Probe probe(b);
        probe.le32(0, 21, 48000000).le32(8, 0).le32(12, 2004, 2013).least(16);
        if (b.size() >= 16) probe.that(b[12] == 0xd4 || b[12] == 0xdc || b[12] == 0xdd);
        return probe.match();
      },
      [](Bytes b) {
        Probe probe(b);
        probe.le32(0, 16, 48000000);
        if (b.size() >= 16) probe.that(probe.le32_at(12) == 1 || probe.le32_at(12) == 2012 || probe.le32_at(12) == 2013);
        return probe.failed() ? Match::No : Match::Maybe;
      });
}

namespace {

/// "*2\r\n$4\r\n": an array whose first element is a bulk string (RESP2 and 3).
Match resp_array(Bytes b) {
  std::size_t at = 0;
  for (const char kind : {'*', '$'}) {
    if (at >= b.size()) return Match::Maybe;
    if (b[at] != static_cast<std::uint8_t>(kind)) return Match::No;
    std::size_t digits = 0;
    for (++at; at < b.size() && is_digit(static_cast<char>(b[at])); ++at)
      if (++digits > 9) return Match::No;
    if (at >= b.size()) return Match::Maybe;
    if (digits == 0) return Match::No;
    for (const std::uint8_t c : {0x0d, 0x0a}) {
      if (at >= b.size()) return Match::Maybe;
      if (b[at++] != c) return Match::No;
    }
  }
  return Match::Yes;
}
/// Inline commands are plain words: the server's answer must confirm them.
bool resp_inline(Bytes b) { return begins(b, {"PING\r\n", "INFO\r\n", "AUTH ", "ping\r\n", "info\r\n"}) != Match::No; }

}  // namespace

// The Redis serialization protocol.
Match redis(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        const Match array = resp_array(b);
        return array == Match::No && resp_inline(b) ? Match::Maybe : array;
      },
      [](Bytes b) {
        if (b.empty()) return Match::Maybe;
        if (begins(b, {"+PONG\r\n", "-NOAUTH ", "-WRONGPASS ", "-DENIED Redis"}) == Match::Yes) return Match::Yes;
        return std::string_view("+-:$*%~_#,").find(static_cast<char>(b[0])) == std::string_view::npos ? Match::No : Match::Maybe;
      });
}

namespace {

bool memcached_answer_text(Bytes b) { return begins(b, {"VALUE ", "STAT ", "STORED\r\n", "NOT_STORED\r\n", "VERSION 1.", "END\r\n"}) == Match::Yes; }
Match memcached_command(Bytes b) {
  return begins(b, {"get ", "gets ", "gat ", "gats ", "set ", "add ", "replace ", "append ", "prepend ", "cas ", "delete ", "incr ", "decr ", "touch ",
                    "stats\r\n", "stats ", "version\r\n", "flush_all", "verbosity ", "lru_crawler ", "mg ", "ms ", "md "});
}
/// "set key flags time bytes": a storage command's line is certain by itself.
bool memcached_storage(Bytes b) {
  if (begins(b, {"set ", "add ", "replace ", "append ", "prepend "}) != Match::Yes || !has_line(b)) return false;
  std::string_view line = first_line(b);
  std::size_t words = 0;
  for (; !line.empty(); ++words) {
    const std::size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    if (words >= 2 && words <= 4 && !parse_number(word)) return false;
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return words == 5 || words == 6;
}
/// Binary protocol: magic, opcode, key length, extras, type 0, and a body that holds both. Of requests each opcode has its shape.
Match memcached_binary(Bytes b, std::uint8_t magic) {
  Probe probe(b);
  probe.byte(0, magic).byte(1, 0, 0x22).be16(2, 0, 250).byte(4, 0, 20).byte(5, 0).be32(8, 0, 1 << 20).least(24);
  if (b.size() < 12) return probe.match();
  const std::uint32_t key = probe.be16_at(2), extras = b[4], body = probe.be32_at(8);
  probe.that(body >= key + extras);
  if (magic != 0x80) return probe.match();
  probe.zero(6, 2);
  const std::uint8_t opcode = b[1];
  if (opcode >= 1 && opcode <= 3) probe.that(extras == 8 && key != 0);                           // set, add, replace
  else if (opcode == 5 || opcode == 6) probe.that(extras == 20 && key != 0 && body == key + 20);  // increment, decrement
  else if (opcode == 7 || opcode == 10 || opcode == 11) probe.that(body == 0);                   // quit, no-op, version
  else if (opcode == 8) probe.that(key == 0 && body == extras);                                  // flush
  else if (opcode == 0x10 || opcode == 0x20) probe.that(extras == 0 && body == key);             // stat, SASL list
  else if (opcode == 0x21 || opcode == 0x22) probe.that(extras == 0 && key != 0);                // SASL
  else probe.that(opcode < 0x10 && extras == 0 && key != 0);                                     // get, delete, append …
  return probe.match();
}

}  // namespace

// protocol.txt and the binary protocol of memcached; over UDP behind a frame of 8: request, number, count, nought.
Match memcached(const Evidence& evidence) {
  if (evidence.is_udp())
    return datagrams(evidence, [](Bytes b) {
      if (!Probe(b).be16(4, 1, 2000).zero(6, 2).least(9).holds()) return false;
      const Bytes text = b.subspan(8);
      return memcached_command(text) == Match::Yes || memcached_answer_text(text) || memcached_binary(text, 0x80) == Match::Yes ||
             memcached_binary(text, 0x81) == Match::Yes;
    });
  return sides(
      evidence,
      [](Bytes b) {
        if (memcached_storage(b)) return Match::Yes;
        const Match text = memcached_command(b) == Match::No ? Match::No : Match::Maybe;
        return std::max(text, memcached_binary(b, 0x80));
      },
      [](Bytes b) {
        if (memcached_answer_text(b)) return Match::Yes;
        const Match binary = memcached_binary(b, 0x81);
        const Match text = begins(b, {"VALUE ", "STAT ", "STORED\r\n", "NOT_", "VERSION ", "END\r\n", "ERROR\r\n", "CLIENT_ERROR", "SERVER_ERROR", "DELETED",
                                      "TOUCHED", "OK\r\n", "RESET", "EXISTS", "HD", "VA ", "EN\r\n"}) == Match::No
                               ? Match::No
                               : Match::Maybe;
        const bool number = !b.empty() && is_digit(static_cast<char>(b[0]));  // The answer to incr.
        return std::max({binary, text, number ? Match::Maybe : Match::No});
      });
}
bool memcached_is_answer(Bytes b) { return b.size() > 8 && (memcached_answer_text(b.subspan(8)) || b[8] == 0x81); }

// Cassandra between nodes: PROTOCOL_MAGIC of its messaging service. Its native protocol (v3 to v5): OPTIONS is empty, STARTUP has the version of CQL.
Match cassandra(const Evidence& evidence) {
  constexpr auto between_nodes = [](Bytes b) { return Probe(b).be32(0, 0xca552dfa).least(8).match(); };
  const Match native = sides(
      evidence,
      [](Bytes b) {
        const Match options = Probe(b).byte(0, 3, 5).byte(1, 0, 0x10).byte(4, 5).be32(5, 0).match();
        const Match startup = Probe(b).byte(0, 3, 5).byte(1, 0, 0x10).byte(4, 1).be32(5, 20, 2000).be16(9, 1, 16).match();
        const bool text = b.size() < 13 || begins(b.subspan(13), {"CQL_VERSION", "DRIVER_", "COMPRESSION", "THROW_"}) != Match::No;
        return std::max(options, text ? Probe(b).least(17).match() == Match::Yes ? startup : std::min(startup, Match::Maybe) : Match::No);
      },
      [](Bytes b) { return Probe(b).byte(0, 0x83, 0x85).failed() ? Match::No : Match::Maybe; });
  return std::max(native, sides(evidence, between_nodes, any_side));
}

/// Produce (0) of versions 3 to 8, which a connection may be in the middle of: client, no transaction, acknowledgements, time, topics by name.
Match kafka_produce(Bytes b) {
  Probe probe(b);
  probe.be32(0, 30, 1 << 24).be16(4, 0).be16(6, 3, 8).be16(12, 1, 64).least(15);
  if (probe.match() != Match::Yes) return probe.match();
  const std::size_t name = probe.be16_at(12), at = 14 + name;
  probe.printable(14, name).be16(at, 0xffff).be32(at + 8, 1, 1000).be16(at + 12, 1, 249);
  if (b.size() > at + 3 && b[at + 2] == 0) probe.byte(at + 3, 0, 1);
  else probe.be16(at + 2, 0xffff);
  if (b.size() < at + 14) return probe.failed() ? Match::No : Match::Maybe;
  const std::size_t topic = probe.be16_at(at + 12);
  return probe.printable(at + 14, topic).least(at + 14 + topic).match();
}

// Kafka protocol: size, ApiVersions (18) or Metadata (3), version, correlation, client id.
Match kafka(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        Probe probe(b);
        probe.be32(0, 11, 1 << 20).be16(4, 3, 18).be16(6, 0, 13).be16(12, 1, 64).least(15);
        if (b.size() >= 6) probe.that(b[5] == 3 || b[5] == 18);
        if (b.size() >= 14) probe.printable(14, probe.be16_at(12));
        return std::max(probe.match(), kafka_produce(b));
      },
      any_side);
}

/// Control packets of MQTT one behind the other (2.1.1, 2.2): what a connection says whose CONNECT was not seen.
struct MqttPackets {
  bool bad = false;
  bool publishes = false;                ///< With a topic in text.
  std::uint32_t ids[4] = {}, acks[4] = {};  ///< Of PUBLISH with acknowledgement and of PUBACK or PUBREC; the first of them.
  std::size_t ids_count = 0, acks_count = 0;
};
MqttPackets mqtt_packets(Bytes b) {
  MqttPackets out;
  while (!b.empty() && !out.bad) {
    const unsigned type = b[0] >> 4U, flags = b[0] & 15U;
    const unsigned wanted = type == 6 || type == 8 || type == 10 ? 2 : 0;
    out.bad = type < 3 || type > 13 || (type == 3 ? (flags & 6) == 6 : flags != wanted);
    std::size_t at = 1, size = 0;
    for (unsigned shift = 0; at < b.size() && at < 5; shift += 7) {
      size |= std::size_t{b[at] & 0x7fU} << shift;
      if ((b[at++] & 0x80) == 0) break;
    }
    out.bad |= at == 5 && (b[4] & 0x80) != 0;
    if (out.bad || at >= b.size() || (b[at - 1] & 0x80) != 0) break;
    const Bytes body = b.subspan(at, std::min(size, b.size() - at));
    if (type == 3 && body.size() >= 2) {
      const std::size_t topic = load_be16(body.data());
      const bool acknowledged = (flags & 6) != 0;
      out.bad |= topic == 0 || topic + 2 > size || Probe(body).printable(2, topic).failed();
      out.publishes |= !out.bad && topic + 4 <= body.size();
      if (acknowledged && topic + 4 <= body.size() && out.ids_count < 4) out.ids[out.ids_count++] = load_be16(&body[topic + 2]);
    }
    out.bad |= (type == 12 || type == 13) && size != 0;
    if ((type == 4 || type == 5) && body.size() >= 2 && out.acks_count < 4) out.acks[out.acks_count++] = load_be16(body.data());
    b = size > b.size() - at ? Bytes{} : b.subspan(at + size);
  }
  return out;
}
/// One side's message is acknowledged by the other, under its number.
Match mqtt_later(Bytes a, Bytes b) {
  const MqttPackets one = mqtt_packets(a), two = mqtt_packets(b);
  if (one.bad || two.bad) return Match::No;
  const auto acknowledges = [](const MqttPackets& from, const MqttPackets& to) {
    for (std::size_t i = 0; from.publishes && i < from.ids_count; ++i)
      for (std::size_t j = 0; j < to.acks_count; ++j)
        if (from.ids[i] == to.acks[j]) return true;
    return false;
  };
  return acknowledges(one, two) || acknowledges(two, one) ? Match::Yes : Match::Maybe;
}

// MQTT 3.1, 3.1.1 and 5: CONNECT, whose variable header begins with the protocol's name and level.
Match mqtt(const Evidence& evidence) {
  const Match connects = sides(
      evidence,
      [](Bytes b) {
        if (Probe(b).byte(0, 0x10).failed()) return Match::No;
        std::size_t at = 1;
        while (at < b.size() && at < 5 && (b[at] & 0x80) != 0) ++at;
        if (at >= 5) return Match::No;
        if (at >= b.size()) return Match::Maybe;
        const Bytes rest = b.subspan(at + 1);
        using namespace std::string_view_literals;
        return std::max(Probe(rest).text(0, "\0\4MQTT"sv).byte(6, 3, 5).match(), Probe(rest).text(0, "\0\6MQIsdp"sv).byte(8, 3).match());
      },
      [](Bytes b) { return Probe(b).byte(0, 0x20).failed() && Probe(b).byte(0, 0xf0).failed() ? Match::No : Match::Maybe; });
  return connects == Match::Yes || !evidence.roles_unsure ? connects : std::max(connects, mqtt_later(evidence.client, evidence.server));
}

// AMQP 0-8 to 1.0: the protocol header.
Match amqp(const Evidence& evidence) {
  constexpr auto header = [](Bytes b) { return Probe(b).text(0, "AMQP").byte(4, 0, 3).byte(5, 0, 1).byte(6, 0, 9).byte(7, 0, 10).match(); };
  // Version 0-9-1, 2.3.5, of a connection whose beginning was not seen: a method frame of a known class and its end mark.
  constexpr auto frame = [](Bytes b) {
    Probe probe(b);
    probe.byte(0, 1).be16(1, 0, 2047).be32(3, 4, 1000).be16(7, 10, 90).be16(9, 10, 120);
    if (b.size() > 8) probe.that(b[8] % 5 == 0);
    if (b.size() > 7) probe.byte(7 + std::min<std::size_t>(probe.be32_at(3), 1000), 0xce);
    return probe.match();
  };
  const Match opened = sides(evidence, header, any_side);
  if (opened == Match::Yes || !evidence.roles_unsure) return opened;
  return std::max({opened, sides(evidence, frame, frame), sides(evidence, frame, any_side)});
}

// NATS: the server speaks first.
Match nats(const Evidence& evidence) {
  return sides(evidence, [](Bytes b) { return begins(b, {"CONNECT {", "PING\r\n", "SUB ", "PUB "}) == Match::No ? Match::No : Match::Maybe; },
               [](Bytes b) { return Probe(b).text(0, "INFO {\"").match(); });
}

// ZMTP 3 (RFC 23/ZMTP): signature of ten, major version 3.
Match zmtp(const Evidence& evidence) {
  constexpr auto greeting = [](Bytes b) { return Probe(b).byte(0, 0xff).zero(1, 7).byte(9, 0x7f).byte(10, 3).match(); };
  return sides(evidence, greeting, greeting);
}

// Gearman: binary magic and a packet type.
Match gearman(const Evidence& evidence) {
  using namespace std::string_view_literals;
  return sides(evidence, [](Bytes b) { return Probe(b).text(0, "\0REQ"sv).be32(4, 1, 42).be32(8, 0, 1 << 24).match(); },
               [](Bytes b) { return Probe(b).text(0, "\0RES"sv).be32(4, 1, 42).match(); });
}

}  // namespace weir::proto::identify
