// SPDX-License-Identifier: Apache-2.0
#pragma once

// Probe: what the first bytes of a protocol must be, said one condition after the other. A condition on bytes that are not there yet
// leaves the answer open; one that fails closes it for good, so more bytes never turn No into anything else.
//
//   return Probe(bytes).text(0, "AMQP").byte(4, 0, 3).match();

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "proto/protocol.h"

namespace weir::proto::identify {

class Probe {
 public:
  explicit Probe(Bytes bytes) : bytes_(bytes) {}

  /// The byte at `at` lies between two values.
  Probe& byte(std::size_t at, unsigned low, unsigned high) {
    if (has(at, 1)) no_ |= bytes_[at] < low || bytes_[at] > high;
    return *this;
  }
  Probe& byte(std::size_t at, unsigned value) { return byte(at, value, value); }
  Probe& zero(std::size_t at, std::size_t size) {
    for (std::size_t i = 0; i < size && !no_; ++i) byte(at + i, 0);
    return *this;
  }
  Probe& text(std::size_t at, std::string_view wanted) {
    const std::size_t there = at < bytes_.size() ? std::min(wanted.size(), bytes_.size() - at) : 0;
    if (there != 0) no_ |= std::memcmp(bytes_.data() + at, wanted.data(), there) != 0;
    open_ |= there < wanted.size();
    return *this;
  }
  /// Each byte is printable ASCII.
  Probe& printable(std::size_t at, std::size_t size) {
    for (std::size_t i = 0; i < size && !no_; ++i) byte(at + i, 0x20, 0x7e);
    return *this;
  }
  Probe& be16(std::size_t at, std::uint32_t low, std::uint32_t high) { return number(at, 2, true, low, high); }
  Probe& be24(std::size_t at, std::uint32_t low, std::uint32_t high) { return number(at, 3, true, low, high); }
  Probe& be32(std::size_t at, std::uint32_t low, std::uint32_t high) { return number(at, 4, true, low, high); }
  Probe& le16(std::size_t at, std::uint32_t low, std::uint32_t high) { return number(at, 2, false, low, high); }
  Probe& le24(std::size_t at, std::uint32_t low, std::uint32_t high) { return number(at, 3, false, low, high); }
  Probe& le32(std::size_t at, std::uint32_t low, std::uint32_t high) { return number(at, 4, false, low, high); }
  Probe& be16(std::size_t at, std::uint32_t value) { return be16(at, value, value); }
  Probe& be32(std::size_t at, std::uint32_t value) { return be32(at, value, value); }
  Probe& le16(std::size_t at, std::uint32_t value) { return le16(at, value, value); }
  Probe& le32(std::size_t at, std::uint32_t value) { return le32(at, value, value); }
  /// At least so many bytes before it is certain.
  Probe& least(std::size_t size) {
    open_ |= bytes_.size() < size;
    return *this;
  }
  /// Something else about bytes that are there.
  Probe& that(bool holds) {
    no_ |= !holds;
    return *this;
  }
  /// The number at `at` if its bytes are there, else nought.
  std::uint32_t value(std::size_t at, std::size_t size, bool big) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < size; ++i) v = v << 8 | bytes_[at + (big ? i : size - 1 - i)];
    return v;
  }
  std::uint32_t be16_at(std::size_t at) const { return value(at, 2, true); }
  std::uint32_t be32_at(std::size_t at) const { return value(at, 4, true); }
  std::uint32_t le16_at(std::size_t at) const { return value(at, 2, false); }
  std::uint32_t le32_at(std::size_t at) const { return value(at, 4, false); }
  std::size_t size() const { return bytes_.size(); }

  bool failed() const { return no_; }
  Match match() const { return no_ ? Match::No : open_ ? Match::Maybe : Match::Yes; }
  /// Of a datagram: what is not there will not come.
  bool holds() const { return match() == Match::Yes; }

 private:
  bool has(std::size_t at, std::size_t size) {
    if (at <= bytes_.size() && size <= bytes_.size() - at) return true;
    open_ = true;
    return false;
  }
  Probe& number(std::size_t at, std::size_t size, bool big, std::uint32_t low, std::uint32_t high) {
    if (!has(at, size)) return *this;
    const std::uint32_t v = value(at, size, big);
    no_ |= v < low || v > high;
    return *this;
  }

  Bytes bytes_;
  bool no_ = false, open_ = false;
};

using SideMatch = Match (*)(Bytes);

inline Match any_side(Bytes) { return Match::Maybe; }

/// Both sides must fit, one of them must be certain. Where the roles are a guess the other way round is tried too.
inline Match sides(const Evidence& evidence, SideMatch client, SideMatch server) {
  const auto both = [](Match a, Match b) {
    if (a == Match::No || b == Match::No) return Match::No;
    return a == Match::Yes || b == Match::Yes ? Match::Yes : Match::Maybe;
  };
  const Match direct = both(client(evidence.client), server(evidence.server));
  if (direct != Match::No || !evidence.roles_unsure) return direct;
  return both(client(evidence.server), server(evidence.client));
}
/// As above, but neither side's bytes are enough without the other's.
inline Match both_sides(const Evidence& evidence, SideMatch client, SideMatch server) {
  const auto both = [](Match a, Match b) { return a == Match::No || b == Match::No ? Match::No : a == Match::Yes && b == Match::Yes ? Match::Yes : Match::Maybe; };
  const Match direct = both(client(evidence.client), server(evidence.server));
  if (direct != Match::No || !evidence.roles_unsure) return direct;
  return both(client(evidence.server), server(evidence.client));
}
/// Datagrams of either side look alike.
inline Match datagrams(const Evidence& evidence, bool (*fits)(Bytes)) {
  bool any = false;
  for (const Bytes bytes : {evidence.client, evidence.server}) {
    if (bytes.empty()) continue;
    if (!fits(bytes)) return Match::No;
    any = true;
  }
  return any ? Match::Yes : Match::Maybe;
}

/// One of several literals at the beginning.
inline Match begins(Bytes bytes, std::initializer_list<std::string_view> literals) {
  Match best = Match::No;
  for (std::string_view literal : literals)
    if (bytes.empty() || static_cast<std::uint8_t>(literal[0]) == bytes[0]) best = std::max(best, Probe(bytes).text(0, literal).match());
  return best;
}

/// A line, or its beginning: without CR LF; nothing found yet is the whole.
inline std::string_view first_line(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  return text.substr(0, text.find_first_of("\r\n"));
}
inline bool has_line(Bytes bytes) { return as_text(bytes).find('\n') != std::string_view::npos; }

/// Reads a BER length (X.690 8.1.3), definite only; false if there is none. Moves past it.
inline bool ber_length(Reader& in, std::size_t& length) {
  const std::uint8_t first = in.u8();
  length = first;
  if (first < 0x80) return in.ok();
  const std::size_t octets = first & 0x7f;
  if (octets == 0 || octets > 4) return false;
  length = 0;
  for (std::size_t i = 0; i < octets; ++i) length = length << 8 | in.u8();
  return in.ok();
}

}  // namespace weir::proto::identify
