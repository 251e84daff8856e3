// SPDX-License-Identifier: Apache-2.0
// Frames (RFC 9113, 4 and 6):
//
//   | length 24 | type 8 | flags 8 | R 1, stream 31 | payload |
//
// A frame that is read is waited for; DATA and what is of no interest is passed over.

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "proto/file_type.h"
#include "proto/http2/parser.h"

namespace weir::proto::http2 {
namespace {

enum Type : std::uint8_t { kData, kHeaders, kPriority, kRstStream, kSettings, kPushPromise, kPing, kGoaway, kWindowUpdate, kContinuation };
constexpr std::uint8_t kEndStream = 0x1, kAck = 0x1, kEndHeaders = 0x4, kPadded = 0x8, kHasPriority = 0x20;
constexpr std::size_t kHeaderBytes = 9;
constexpr std::uint16_t kPiecesMax = 64;  ///< Of one header block: more are a flood (CERT VU#421644).
constexpr std::uint16_t kHeaderTableSize = 1, kMaxFrameSize = 5;

}  // namespace

Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  const std::string_view text = as_text(e.client);
  const std::size_t n = std::min(text.size(), kPreface.size());
  if (text.substr(0, n) != kPreface.substr(0, n)) return Match::No;
  return n >= 16 ? Match::Yes : Match::Maybe;  // "PRI * HTTP/2.0" and CRLF are reserved for this (RFC 9113, 11.6).
}

Progress Parser::run() {
  if (h_.answers_lost && !is_client()) return {.consumed = in_.bytes.size()};
  while (!done_ && step()) {}
  if (grown_ && !done_) describe();
  return {.consumed = pos_, .skip = done_ ? 0 : skip_, .done = done_};
}

bool Parser::step() {
  if (is_client() && !s_.preface) return preface();
  return f_.in_data ? data() : frame();
}

bool Parser::preface() {
  const std::size_t n = std::min(left().size(), kPreface.size());
  if (as_text(left().first(n)) != kPreface.substr(0, n)) return fatal(Flaw::BadMessage);
  if (n < kPreface.size()) return false;
  pos_ += n;
  s_.preface = true;
  return true;
}

bool Parser::frame() {
  Reader r(left());
  const std::uint32_t length = std::uint32_t{r.be16()} << 8 | r.u8();
  const std::uint8_t type = r.u8(), flags = r.u8();
  const std::uint32_t stream = r.be32() & 0x7fffffff;
  if (!r.ok()) return false;
  if (f_.in_block && (type != kContinuation || stream != f_.block_stream)) return fatal(Flaw::BadMessage);  // 6.10
  const Bytes payload = left().subspan(kHeaderBytes, std::min<std::size_t>(length, left().size() - kHeaderBytes));
  if (type == kData) return begin_data(flags, stream, payload, length);
  const bool is_read = type == kHeaders || type == kPushPromise || type == kContinuation || type == kSettings || type == kRstStream;
  if (is_read) {
    if (length > kUnconsumedMax - kHeaderBytes) return fatal(Flaw::TooLarge);
    if (payload.size() < length) return false;
    judge_size(length);
    pos_ += kHeaderBytes + length;
    return whole_frame(type, flags, stream, payload);
  }
  const std::uint32_t fixed = type == kPriority ? 5 : type == kPing ? 8 : type == kWindowUpdate ? 4 : length;
  if (length != fixed) d_.flaw(Flaw::BadLength);
  judge_size(length);
  pos_ += kHeaderBytes;
  f_.in_data = true;  // Passed over as DATA of no stream would be.
  f_.ends_stream = false;
  f_.stream = f_.data = f_.size = 0;
  f_.padding = length;
  return true;
}

/// 4.2
void Parser::judge_size(std::uint32_t length) {
  if (length > std::max(kFrameBytesMax, s_.frame_sizes[1 - side_])) d_.flaw(Flaw::TooLarge);
}

bool Parser::whole_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, Bytes payload) {
  switch (type) {
    case kHeaders: return headers(flags, stream, payload, false);
    case kPushPromise: return headers(flags, stream, payload, true);
    case kContinuation: return continuation(flags, stream, payload);
    case kSettings: return settings(flags, stream, payload), true;
    default:
      if (payload.size() != 4) d_.flaw(Flaw::BadLength);
      else if (stream == 0) d_.flaw(Flaw::BadMessage);
      else reset(stream);
      return true;
  }
}

/// HEADERS (6.2) and PUSH_PROMISE (6.6).
bool Parser::headers(std::uint8_t flags, std::uint32_t stream, Bytes payload, bool promise) {
  Reader r(payload);
  const std::size_t padding = (flags & kPadded) != 0 ? r.u8() : 0;
  if (!promise && (flags & kHasPriority) != 0) r.skip(5);
  const std::uint32_t promised = promise ? r.be32() & 0x7fffffff : 0;
  if (!r.ok() || padding > r.left()) return fatal(Flaw::BadLength);
  if (stream == 0 || (promise && is_client())) return fatal(Flaw::BadMessage);
  const Bytes piece = r.bytes(r.left() - padding);
  const bool ends_stream = !promise && (flags & kEndStream) != 0;
  if ((flags & kEndHeaders) != 0) {
    if (promise) promise_block(promised, piece);
    else block(stream, ends_stream, piece);
    return !done_;
  }
  f_.in_block = true;
  f_.block_stream = stream;
  f_.ends_stream = ends_stream;
  f_.promises = promise;
  f_.promised = promised;
  f_.block_bytes = 0;
  f_.pieces = 0;
  return keep_piece(piece);
}

bool Parser::continuation(std::uint8_t flags, std::uint32_t stream, Bytes payload) {
  if (!f_.in_block) return fatal(Flaw::BadMessage);
  if (++f_.pieces > kPiecesMax) return fatal(Flaw::TooLarge);
  if (!keep_piece(payload)) return false;
  if ((flags & kEndHeaders) == 0) return true;
  f_.in_block = false;
  const Bytes whole = d_.kept(in_.side).subspan(kBlockAt, f_.block_bytes);
  if (f_.promises) promise_block(f_.promised, whole);
  else block(stream, f_.ends_stream, whole);
  return !done_;
}

bool Parser::keep_piece(Bytes piece) {
  if (f_.block_bytes + piece.size() > kBlockBytesMax) return fatal(Flaw::TooLarge);
  if (!d_.keep_at(in_.side, kBlockAt + f_.block_bytes, piece)) return lost(), false;
  f_.block_bytes += static_cast<std::uint32_t>(piece.size());
  return true;
}

void Parser::settings(std::uint8_t flags, std::uint32_t stream, Bytes payload) {
  if (stream != 0) d_.flaw(Flaw::BadMessage);
  if (payload.size() % 6 != 0 || ((flags & kAck) != 0 && !payload.empty())) d_.flaw(Flaw::BadLength);
  for (Reader r(payload); r.left() >= 6;) {
    const std::uint16_t id = r.be16();
    const std::uint32_t value = r.be32();
    if (id == kHeaderTableSize) s_.table_sizes[side_] = std::max(s_.table_sizes[side_], value);
    if (id == kMaxFrameSize) s_.frame_sizes[side_] = std::max(s_.frame_sizes[side_], value);
  }
}

/// RST_STREAM (6.4). Who asks and takes it back, again and again, has the server work for nothing (CVE-2023-44487).
void Parser::reset(std::uint32_t id) {
  Stream* const stream = find(id);
  if (stream == nullptr) return;
  if (is_client()) {
    if ((stream->headed & kServer) == 0 && ++s_.cancelled > kCancelledMax) d_.flaw(Flaw::TooManyTransactions);
    if ((stream->done & kClient) == 0) message_done(*stream, false);
    return;
  }
  if ((stream->done & kServer) == 0) message_done(*stream, false);
  if (stream->id != 0 && is_current(*stream)) end_transaction();
  *stream = {};
}

// ---- DATA (6.1)

bool Parser::begin_data(std::uint8_t flags, std::uint32_t id, Bytes payload, std::uint32_t length) {
  std::uint32_t padding = 0, in_front = 0;
  if ((flags & kPadded) != 0) {
    if (length == 0) return fatal(Flaw::BadLength);
    if (payload.empty()) return false;
    padding = payload[0];
    in_front = 1;
    if (padding >= length) return fatal(Flaw::BadLength);
  }
  if (id == 0) return fatal(Flaw::BadMessage);
  judge_size(length);
  pos_ += kHeaderBytes + in_front;
  f_.in_data = true;
  f_.ends_stream = (flags & kEndStream) != 0;
  f_.stream = id;
  f_.data = f_.size = length - in_front - padding;
  f_.padding = padding;
  Stream* stream = find(id);
  if (stream == nullptr) {
    if (!is_client()) return true;
    // It lost its place, or its request never was: its body is told all the same.
    d_.flaw(Flaw::BadMessage);
    stream = &open_stream(id);
    stream->headed |= kClient;
  }
  if ((stream->done & mask()) != 0 || (stream->headed & mask()) == 0) d_.flaw(Flaw::BadMessage);  // 5.1
  if (!is_client()) return true;
  stream->bytes += f_.size;
  const bool beyond = stream->has_length && stream->bytes > stream->declared;
  if (beyond) d_.flaw(Flaw::BadLength);  // 8.1.1
  if (f_.size != 0 && is_current(*stream) && (beyond || !stream->has_length)) {
    d_.grow(http::kBodyBytes, stream->bytes);
    grown_ = true;
  }
  return true;
}

bool Parser::data() {
  if (f_.data != 0)
    if (Stream* const stream = find(f_.stream); stream != nullptr && (stream->prefix_done & mask()) == 0 && !prefix(*stream)) return false;
  // All but the last byte: that one brings us back when it is there.
  std::uint64_t rest = std::uint64_t{f_.data} + f_.padding;
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(rest, left().size()));
  pos_ += n;
  rest -= n;
  f_.data = 0;
  f_.padding = static_cast<std::uint32_t>(rest);
  if (rest > 1) {
    skip_ = rest - 1;
    f_.padding = 1;
  }
  if (rest != 0) return false;
  f_.in_data = false;
  end_data();
  return !done_;
}

/// The first bytes of a body: read where they lie if they are in one frame, else kept.
bool Parser::prefix(Stream& stream) {
  const std::size_t most = is_client() ? http::kBodyPrefixBytes : kFileTypeBytes;
  std::uint16_t& kept = stream.prefix_bytes[side_];
  const std::size_t need = std::min<std::size_t>(most - kept, f_.data), n = std::min(need, left().size());
  if (n < need && !in_.end) return false;
  const Bytes first = left().first(n);
  pos_ += n;
  f_.data -= static_cast<std::uint32_t>(n);
  const bool last = (f_.data == 0 && f_.ends_stream) || n < need;
  if (kept == 0 && (n == most || last)) return tell_prefix(stream, first), !done_;
  const std::size_t place = kBodiesAt + place_of(stream) * most;
  if (bodies_borrowed_) settle_text(), bodies_borrowed_ = false;
  if (!d_.keep_at(in_.side, place + kept, first)) {
    stream.prefix_done |= mask();
    if (is_client()) take_up(stream), d_.hide(http::kBody);
    return true;
  }
  kept = static_cast<std::uint16_t>(kept + n);
  if (kept == most || last) {
    bodies_borrowed_ = true;
    tell_prefix(stream, d_.kept(in_.side).subspan(place, kept));
  }
  return !done_;
}

void Parser::end_data() {
  Stream* const stream = find(f_.stream);
  if (stream == nullptr) return;
  if (f_.ends_stream && (stream->done & mask()) == 0) return message_done(*stream, true);
  // A body of unknown size between others': told when it has doubled, so that it cannot hide there.
  const std::uint64_t bytes = stream->bytes, before = bytes - std::min<std::uint64_t>(bytes, f_.size);
  if (!is_client() || stream->has_length || is_current(*stream) || bytes < 4096 || std::bit_width(bytes) == std::bit_width(before)) return;
  take_up(*stream);
  d_.grow(http::kBodyBytes, bytes);
  grown_ = true;
}

// ---- what cannot be read

bool Parser::fatal(Flaw flaw) {
  d_.flaw(flaw);
  lost();
  return false;
}

/// As in HTTP/1: what is not known stays hidden; where it is the answers, requests are read on.
void Parser::lost() {
  if (!is_client()) {
    lose_answers();
    pos_ = in_.bytes.size();
    skip_ = 0;
    return;
  }
  if (h_.open) {
    for (const FieldRow& row : http::kFields)
      if (d_.state(row.id) == FactState::NotYet) d_.hide(row.id);
    describe();
  }
  done_ = true;
}

void Parser::lose_answers() {
  if (h_.open) {
    for (const FieldRow& row : http::kFields)
      if (d_.state(row.id) == FactState::NotYet && (h_.request_done || row.closes == http::kResponseHead)) d_.hide(row.id);
    describe();
    if (h_.request_done) end_transaction();
  }
  h_.answers_lost = true;
}

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

/// After a gap nothing tells where a frame begins. Requests are read without their answers.
bool resync(void* state, Side side, std::uint64_t) {
  if (side == Side::Client) return false;
  static_cast<State*>(state)->http.answers_lost = true;
  return true;
}

}  // namespace weir::proto::http2
