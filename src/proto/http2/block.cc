// SPDX-License-Identifier: Apache-2.0
// Header blocks: what lines mean (RFC 9113, 8). Whatever a server behind us, or one that turns this into HTTP/1, might read otherwise than we do
// is a flaw (8.2, 8.3, 10.3).

#include <algorithm>

#include "base/text.h"
#include "proto/http2/parser.h"

namespace weir::proto::http2 {
namespace {

/// RFC 9113, 8.2.1, of any value.
bool is_sound_value(std::string_view value) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  return value.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos &&
         (value.empty() || (!blank(value.front()) && !blank(value.back())));
}

bool has_blank_or_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) <= 0x20 || c == 0x7f; });
}

}  // namespace

void Parser::block(std::uint32_t id, bool ends_stream, Bytes bytes) {
  Head head;
  head.message.minor = 1;
  Stream* stream = find(id);
  if (is_client()) {
    if (stream != nullptr && (stream->headed & kClient) != 0 && id <= s_.newest) {
      head.kind = (stream->done & kClient) != 0 ? Kind::Unread : Kind::Trailers;
      if (head.kind == Kind::Unread || !ends_stream) d_.flaw(Flaw::BadMessage);  // 8.1: trailers end the stream.
    } else if (id % 2 == 0 || id <= s_.newest) {
      d_.flaw(Flaw::BadMessage);  // 5.1.1
    } else {
      s_.newest = id;
      if (stream != nullptr) *stream = {};  // A server answered before it was asked.
      stream = &open_stream(id);
      head.kind = Kind::Request;
      begin_transaction(id, false);
    }
  } else {
    if (stream == nullptr) {
      stream = &open_stream(id);  // Of a request that was not seen, or that the Upgrade made (3.2 of RFC 7540).
      stream->headed |= kClient, stream->done |= kClient;
    }
    head.kind = (stream->headed & kServer) != 0 ? Kind::Trailers : Kind::Answer;
    if ((stream->done & kServer) != 0 || (head.kind == Kind::Trailers && !ends_stream)) d_.flaw(Flaw::BadMessage);
  }
  if (!read_lines(head, stream, bytes)) return;
  if (head.kind == Kind::Request) end_request(head, *stream, ends_stream);
  else if (head.kind == Kind::Answer) end_answer(head, *stream, ends_stream);
  else if (head.kind == Kind::Trailers && ends_stream && (stream->done & mask()) == 0) message_done(*stream, true);
}

/// PUSH_PROMISE: the request that the server thinks its client would make. Its answer is that request's.
void Parser::promise_block(std::uint32_t promised, Bytes bytes) {
  Head head;
  head.kind = Kind::Promise;
  if (promised == 0 || promised % 2 != 0 || find(promised) != nullptr) d_.flaw(Flaw::BadMessage);  // 5.1.1
  if (!read_lines(head, nullptr, bytes) || promised == 0) return;
  Stream* stream = find(promised);
  if (stream == nullptr) stream = &open_stream(promised);
  stream->headed |= kClient, stream->done |= kClient;
  save_record(*stream, head);
}

bool Parser::read_lines(Head& head, Stream* stream, Bytes bytes) {
  if (lines_borrowed_) settle_text();
  lines_borrowed_ = true;
  lines_at_ = is_client() ? kClientLinesAt : kServerLinesAt;
  Decoder decoder(s_.tables[side_], d_, in_.side, std::max<std::uint32_t>(kTableBytesMax, s_.table_sizes[1 - side_]));
  std::size_t list_bytes = 0;
  for (Line line;;) {
    const Decoder::Step step = decoder.next(bytes, line);
    if (step == Decoder::Step::Bad) return fatal(Flaw::BadEncoding);
    if (step == Decoder::Step::End) break;
    list_bytes += line.bytes;
    if (list_bytes > kListBytesMax) return fatal(Flaw::TooLarge);
    read_line(head, stream, line);
  }
  if (decoder.bad_resize()) d_.flaw(Flaw::BadEncoding);
  return true;
}

void Parser::read_line(Head& head, Stream* stream, const Line& line) {
  if (head.kind == Kind::Unread) return;
  if (line.readable && !is_sound_value(line.value())) d_.flaw(Flaw::BadMessage);
  if (line.name().starts_with(':')) pseudo(head, stream, line);
  else regular(head, line);
}

/// A copy in kept(): what a line's room has is gone with the next.
Parser::Piece Parser::store(std::string_view text) {
  if (lines_at_ + text.size() > kBlockAt || !d_.keep_at(in_.side, lines_at_, as_bytes(text))) return {.there = true, .hidden = true};
  const Piece piece{.at = static_cast<std::uint32_t>(lines_at_), .size = static_cast<std::uint32_t>(text.size()), .there = true};
  lines_at_ += text.size();
  return piece;
}

void Parser::pseudo(Head& head, Stream* stream, const Line& line) {
  const std::string_view name = line.name();
  if (head.started || head.kind == Kind::Trailers) d_.flaw(Flaw::BadMessage);  // 8.3, 8.1
  if (head.kind == Kind::Trailers) return;
  if (head.kind == Kind::Answer) {
    if (name != ":status" || head.status_seen || !line.readable) return d_.flaw(Flaw::BadMessage);
    return status(head, stream, line.value());
  }
  Piece* const piece = name == ":method" ? &head.method : name == ":path" ? &head.path : name == ":authority" ? &head.authority :
                       name == ":scheme" ? &head.scheme : name == ":protocol" ? &head.protocol : nullptr;
  if (piece == nullptr || piece->there) return d_.flaw(Flaw::BadMessage);  // 8.3: unknown, or twice.
  *piece = line.readable ? store(line.value()) : Piece{.there = true, .hidden = true};
}

void Parser::status(Head& head, Stream* stream, std::string_view value) {
  const auto number = parse_number(value);
  if (value.size() != 3 || !number || *number < 100) return d_.flaw(Flaw::BadMessage);
  head.status_seen = true;
  head.message.status = static_cast<std::uint16_t>(*number);
  head.message.interim = *number < 200;
  if (*number == 101) d_.flaw(Flaw::BadMessage);  // 8.6
  if (head.message.interim) return;
  take_up(*stream);
  d_.number(http::kStatus, *number);
}

void Parser::regular(Head& head, const Line& line) {
  if (line.readable) judge_regular(head, line.name(), line.value());
  if (head.kind == Kind::Promise || head.kind == Kind::Trailers) return;
  if (head.kind == Kind::Request) start_request(head);
  head.started = true;
  const bool described = head.kind == Kind::Request || (head.status_seen && !head.message.interim);
  const Piece piece = line.readable ? store(line.text) : Piece{.hidden = true};
  if (piece.hidden) {
    if (described && !head.message.header_hidden) d_.hide(http::kHeader);
    head.message.header_hidden = true;
    return;
  }
  if (head.kind == Kind::Request && line.name() == "content-type") s_.grpc |= line.value().starts_with("application/grpc");
  http::read_header(h_, head.message, d_, in_.side, described, view(piece));
}

void Parser::judge_regular(const Head& head, std::string_view name, std::string_view value) {
  bool odd = name.empty();
  for (const char c : name) odd |= !http::is_token_char(c) || (c >= 'A' && c <= 'Z');  // 8.2.1
  // 8.2.2: what HTTP/1 says of one connection.
  odd |= name == "connection" || name == "proxy-connection" || name == "keep-alive" || name == "transfer-encoding" || name == "upgrade" ||
         (name == "te" && value != "trailers");
  // 8.3.1: two hosts.
  odd |= head.kind == Kind::Request && name == "host" && head.authority.there && !head.authority.hidden && !equals_nocase(value, view(head.authority));
  if (odd) d_.flaw(Flaw::BadMessage);
}

/// With the first line behind the pseudo-headers: what reads Host wants to know whether there was an authority.
void Parser::start_request(Head& head) {
  if (head.started) return;
  head.started = true;
  const bool connect = view(head.method) == "CONNECT" && !head.protocol.there;
  describe_request(view(head.method), view(connect ? head.authority : head.path), connect ? std::string_view() : view(head.authority));
  if (head.method.hidden) d_.hide(http::kMethod);
  if (head.path.hidden) d_.hide(http::kUri), d_.hide(http::kPath), d_.hide(http::kUrl);
  if (head.authority.hidden) d_.hide(http::kHost);
}

/// 8.3.1, 8.5.
void Parser::judge_request(const Head& head) {
  const std::string_view method = view(head.method), path = view(head.path);
  const bool connect = method == "CONNECT" && !head.protocol.there;
  bool odd = !head.method.there || (method.empty() && !head.method.hidden);
  for (const char c : method) odd |= !http::is_token_char(c);
  if (connect) odd |= head.path.there || head.scheme.there || !head.authority.there;
  else odd |= !head.path.there || !head.scheme.there || (!head.path.hidden && !path.starts_with('/') && !(method == "OPTIONS" && path == "*"));
  odd |= has_blank_or_control(path) || has_blank_or_control(view(head.authority)) || path.find('#') != std::string_view::npos;
  odd |= view(head.authority).find('@') != std::string_view::npos;
  if (odd) d_.flaw(Flaw::BadRequestLine);
}

void Parser::end_request(Head& head, Stream& stream, bool ends_stream) {
  start_request(head);
  judge_request(head);
  http::Message& m = head.message;
  stream.headed |= kClient;
  stream.has_length = m.has_length;
  stream.declared = m.remaining;
  stream.multipart = m.multipart;
  stream.credentials = h_.credentials;
  stream.head = view(head.method) == "HEAD";
  if (s_.grpc && !h_.refined) h_.refined = true, d_.refine("grpc");
  http::refine(h_, d_);
  http::describe_client(h_, d_);
  if (d_.wanted(http::kUrl)) http::describe_url(h_, d_);
  save_record(stream, head);
  if (h_.answers_lost) d_.hide(http::kStatus);
  d_.reach(http::kRequestHead);
  if (ends_stream) {
    message_done(stream, true);
  } else if (m.has_length) {
    d_.number(http::kBodyBytes, m.remaining);
    if (m.multipart) d_.number(field::kFileBytes, m.remaining);
  }
  describe();
}

void Parser::end_answer(Head& head, Stream& stream, bool ends_stream) {
  http::Message& m = head.message;
  if (m.interim) {  // RFC 9110, 15.2: the final answer is still to come.
    if (ends_stream) d_.flaw(Flaw::BadMessage);
    return;
  }
  stream.headed |= kServer;
  if (s_.cancelled != 0) --s_.cancelled;
  if (!head.status_seen) {
    d_.flaw(Flaw::BadMessage);
  } else {
    http::describe_result(h_, d_, m.status);
    d_.reach(http::kResponseHead);
    if (m.has_length && !stream.head && m.status != 204 && m.status != 304) d_.number(field::kFileBytes, m.remaining);
    grown_ = true;
  }
  if (ends_stream) message_done(stream, true);
  if (grown_) describe();
}

}  // namespace weir::proto::http2
