// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/frames.h"

#include <algorithm>

#include "proto/quic/packet.h"

namespace weir::proto::quic {
namespace {

constexpr std::uint64_t kPadding = 0, kPing = 1, kAck = 2, kAckEcn = 3, kCrypto = 6, kConnectionClose = 0x1c;

using Range = CryptoStream::Range;

// Joins a range into the list; false if the list is full.
bool join(CryptoStream& stream, Range added) {
  const auto begin = stream.ranges.begin();
  auto end = begin + stream.count;
  const auto first = std::find_if(begin, end, [&](const Range& r) { return r.end >= added.begin; });
  auto last = first;
  for (; last != end && last->begin <= added.end; ++last) {
    added.begin = std::min(added.begin, last->begin);
    added.end = std::max(added.end, last->end);
  }
  if (first == last) {
    if (stream.count == kRangesMax) return false;
    std::move_backward(first, end, end + 1);
    ++stream.count;
  } else {
    std::move(last, end, first + 1);
    stream.count = static_cast<std::uint8_t>(stream.count - (last - first) + 1);
  }
  *first = added;
  return true;
}

// What is already there must be the same (RFC 9000 section 2.2 asks it of streams); what is new is kept.
void take_crypto(CryptoStream& stream, std::uint32_t offset, Bytes bytes, Describer& out) {
  const std::uint32_t end = offset + static_cast<std::uint32_t>(bytes.size());
  std::uint32_t at = offset;
  bool conflict = false, fits = true;
  const auto keep_until = [&](std::uint32_t until) {
    if (until > at) fits &= out.keep_at(Side::Client, at, bytes.subspan(at - offset, until - at));
  };
  for (std::size_t i = 0; i < stream.count && at < end; ++i) {
    const Range& there = stream.ranges[i];
    if (there.end <= at) continue;
    if (there.begin >= end) break;
    keep_until(std::min(there.begin, end));
    at = std::max(at, there.begin);
    const std::uint32_t until = std::min(there.end, end);
    const Bytes old = out.kept(Side::Client).subspan(at, until - at);
    conflict |= !std::equal(old.begin(), old.end(), bytes.begin() + (at - offset));
    at = until;
  }
  keep_until(end);
  if (conflict) out.flaw(Flaw::Conflict);
  if (!fits || !join(stream, {offset, end})) stream.lost = true;
}

void skip_ack(Reader& reader, bool ecn) {
  read_varint(reader);  // largest
  read_varint(reader);  // delay
  const std::uint64_t ranges = read_varint(reader);
  read_varint(reader);  // first range
  for (std::uint64_t i = 0; i < ranges && reader.ok(); ++i) {
    read_varint(reader);
    read_varint(reader);
  }
  for (int i = 0; ecn && i < 3; ++i) read_varint(reader);
}

}  // namespace

bool read_frames(CryptoStream& stream, Bytes payload, Describer& out) {
  Reader reader(payload);
  while (!reader.at_end()) {
    const std::uint64_t type = read_varint(reader);
    if (!reader.ok()) {
      out.flaw(Flaw::BadLength);
      return false;
    }
    if (type == kPadding || type == kPing) continue;
    if (type == kAck || type == kAckEcn) {
      skip_ack(reader, type == kAckEcn);
    } else if (type == kCrypto) {
      const std::uint64_t offset = read_varint(reader);
      const std::uint64_t size = read_varint(reader);
      const Bytes bytes = reader.bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, payload.size() + 1)));
      if (reader.ok() && !bytes.empty()) {
        if (offset + bytes.size() > kCryptoBytesMax) stream.lost = true;  // both are below 2^62 + 2^16
        else take_crypto(stream, static_cast<std::uint32_t>(offset), bytes, out);
      }
    } else if (type == kConnectionClose) {
      read_varint(reader);
      read_varint(reader);
      reader.skip(static_cast<std::size_t>(std::min<std::uint64_t>(read_varint(reader), payload.size() + 1)));
    } else {
      out.flaw(Flaw::BadMessage);  // RFC 9000 section 12.4: no other frame in an Initial packet
      return false;
    }
    if (!reader.ok()) {
      out.flaw(Flaw::BadLength);
      return false;
    }
  }
  return true;
}

}  // namespace weir::proto::quic
