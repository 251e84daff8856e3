// SPDX-License-Identifier: Apache-2.0
#include "proto/ntp/ntp.h"

namespace weir::proto::ntp {
namespace {

constexpr std::size_t kTimeBytes = 48, kControlBytes = 12, kPrivateBytes = 8;
constexpr unsigned kStratumMax = 16;

Mode mode_of(Bytes bytes) { return static_cast<Mode>(bytes[0] & 7); }
unsigned version_of(Bytes bytes) { return bytes[0] >> 3 & 7U; }

// RFC 5905 7.3. What a client must not know yet, and what a server must have, set these apart from other 48 bytes.
bool is_time(Bytes bytes) {
  if (bytes.size() < kTimeBytes || bytes.size() % 4 != 0) return false;
  if (version_of(bytes) < 1 || version_of(bytes) > 4) return false;
  const unsigned stratum = bytes[1];
  const int poll = static_cast<std::int8_t>(bytes[2]), precision = static_cast<std::int8_t>(bytes[3]);
  // Clients that tell nothing of themselves write 32 for their precision, as a constant.
  const bool minimal = mode_of(bytes) == Mode::Client && stratum == 0 && precision == 32;
  if (stratum > kStratumMax || poll < -6 || poll > 17 || (precision > 0 && !minimal)) return false;
  // Root delay and dispersion are seconds in 16.16: none is near a minute, where other protocols have anything.
  if (load_be16(&bytes[4]) > 64 || load_be16(&bytes[8]) > 64) return false;
  const std::uint64_t transmit = load_be64(&bytes[40]);
  if (mode_of(bytes) == Mode::Client) {
    const bool blank = load_be64(&bytes[16]) == 0 && load_be64(&bytes[24]) == 0 && load_be64(&bytes[32]) == 0;
    return transmit != 0 || (stratum == 0 && blank);
  }
  if (mode_of(bytes) == Mode::Server) {
    // An answer has both of its own times in the same or the next seconds, or is a kiss of death (stratum 0, four letters; 7.4).
    const std::uint32_t received = load_be32(&bytes[32]), sent = load_be32(&bytes[40]);
    return stratum == 0 ? bytes[12] >= 'A' && bytes[12] <= 'Z' : sent - received <= 2 && precision < 0;
  }
  return transmit != 0 && precision < 0 && (bytes[0] >> 6) <= 3;
}

// RFC 9327 2: sequence 2, status 2, association 2, offset 2, count 2, then that many bytes, padded (and a code).
bool is_control(Bytes bytes) {
  if (bytes.size() < kControlBytes || version_of(bytes) < 2 || version_of(bytes) > 4 || bytes[0] >> 6 != 0) return false;
  const unsigned opcode = bytes[1] & 31U;
  if (opcode == 0 || (opcode > 12 && opcode != 31)) return false;
  const std::size_t count = load_be16(&bytes[10]), behind = bytes.size() - kControlBytes;
  if (count > 468 || count > behind) return false;
  const bool request = (bytes[1] & 0xe0) == 0;
  if (request && (load_be16(&bytes[4]) != 0 || load_be16(&bytes[8]) != 0)) return false;  // Status and offset are the server's.
  return behind <= count + 3 + 24;
}

// ntpd's mode 7: R M version mode 1, A sequence 1, implementation 1, request 1, error and count 2, zero and size 2.
bool is_private(Bytes bytes) {
  if (bytes.size() < kPrivateBytes || version_of(bytes) < 2 || version_of(bytes) > 4) return false;
  if (bytes[2] != 0 && bytes[2] != 2 && bytes[2] != 3) return false;  // Universal, ntpd's two.
  if (bytes[3] > 46 || (bytes[6] & 0xf0) != 0) return false;
  const std::size_t items = load_be16(&bytes[4]) & 0xfffU, item_bytes = load_be16(&bytes[6]) & 0xfffU;
  const bool response = (bytes[0] & 0x80) != 0;
  if (!response && ((bytes[0] & 0x40) != 0 || (bytes[4] & 0xf0) != 0)) return false;
  if (bytes[2] == 0 && bytes[3] == 0 && items == 0 && item_bytes == 0) return false;
  return items * item_bytes <= 500 && (bytes.size() >= kPrivateBytes + items * item_bytes);
}

bool is_ntp(Bytes bytes) {
  if (bytes.empty()) return false;
  switch (mode_of(bytes)) {
    case Mode::Reserved: return false;
    case Mode::Control: return is_control(bytes);
    case Mode::Private: return is_private(bytes);
    default: return is_time(bytes);
  }
}

}  // namespace

Match identify(const Evidence& e) {
  if (!e.is_udp()) return Match::No;
  return is_ntp(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No;
}

bool is_answer(Bytes datagram) {
  if (datagram.size() < 2) return false;
  switch (mode_of(datagram)) {
    case Mode::SymmetricPassive:
    case Mode::Server: return true;
    case Mode::Control: return (datagram[1] & 0x80) != 0;
    case Mode::Private: return (datagram[0] & 0x80) != 0;
    default: return false;
  }
}

Progress parse(State&, const Input& input, Describer& describer) {
  const Progress all{.consumed = input.bytes.size()};
  if (input.bytes.empty()) return all;
  // An answer repeats the time that its request was sent (origin), or the sequence of a control message.
  const Bytes bytes = input.bytes;
  const bool answer = is_answer(bytes), time = mode_of(bytes) < Mode::Control;
  std::uint64_t key = 0;
  if (time && bytes.size() >= kTimeBytes) key = load_be64(&bytes[answer ? 24 : 40]);
  else if (mode_of(bytes) == Mode::Control && bytes.size() >= kControlBytes) key = load_be16(&bytes[2]);
  describer.begin_transaction(key, answer);
  if (!is_ntp(bytes) && !input.truncated) describer.flaw(time && bytes.size() < kTimeBytes ? Flaw::Truncated : Flaw::BadMessage);
  describer.word(field::kMode, mode_of(bytes));
  describer.reach(milestone::kTransaction);
  describer.described();
  describer.end_transaction();
  return all;
}

}  // namespace weir::proto::ntp
