// SPDX-License-Identifier: Apache-2.0
// Streams, and which of them has the open transaction.

#include <algorithm>
#include <cstring>

#include "proto/file_type.h"
#include "proto/http2/parser.h"

namespace weir::proto::http2 {
namespace {

/// In front of a record's text.
struct RecordHead {
  std::uint16_t method_bytes, authority_bytes;
};

}  // namespace

Stream* Parser::find(std::uint32_t id) {
  if (id == 0) return nullptr;
  for (Stream& stream : s_.streams)
    if (stream.id == id) return stream.used = ++s_.clock, &stream;
  return nullptr;
}

/// A free place, or that of the stream that was silent longest.
Stream& Parser::open_stream(std::uint32_t id) {
  Stream* best = &s_.streams[0];
  for (Stream& stream : s_.streams) {
    if (stream.id == 0) {
      best = &stream;
      break;
    }
    if (static_cast<std::int32_t>(stream.used - best->used) < 0) best = &stream;
  }
  // Its body is still to come, and will come without its request.
  if (best->id != 0 && (best->done & kClient) == 0) d_.flaw(Flaw::TooManyTransactions);
  *best = Stream{};
  best->id = id;
  best->used = ++s_.clock;
  return *best;
}

/// `again`: of a stream that has had one. It is no further request then, where requests are counted.
void Parser::begin_transaction(std::uint32_t id, bool again) {
  end_transaction();
  d_.begin_transaction(id, again);
  http::reset_transaction(h_);
  h_.open = true;
  s_.current = id;
}

void Parser::end_transaction() {
  if (!h_.open) return;
  if (grown_) describe();
  d_.end_transaction();
  h_.open = false;
}

void Parser::describe() {
  grown_ = false;
  if (h_.open && !d_.described()) done_ = true;
}

void Parser::describe_request(std::string_view method, std::string_view target, std::string_view authority) {
  if (!method.empty()) http::describe_method(h_, d_, method);
  if (!target.empty()) http::describe_target(h_, d_, method, target);
  if (!authority.empty() && !h_.absolute) http::describe_host(h_, d_, authority);
  h_.absolute |= !authority.empty();  // RFC 9113, 8.3.1: it goes before Host.
  http::put(d_, http::kVersion, "2");
}

void Parser::take_up(Stream& stream) {
  if (is_current(stream)) return;
  begin_transaction(stream.id, true);
  h_.credentials = stream.credentials;
  h_.request_done = (stream.done & kClient) != 0;
  if (stream.record_bytes != 0) {
    const std::string_view record = as_text(d_.kept(Side::Server)).substr(kRecordsAt + place_of(stream) * kRecordBytes, stream.record_bytes);
    RecordHead head;
    std::memcpy(&head, record.data(), sizeof head);
    const std::string_view text = record.substr(sizeof head);
    records_borrowed_ = true;
    describe_request(text.substr(0, head.method_bytes), text.substr(head.method_bytes + head.authority_bytes), text.substr(head.method_bytes, head.authority_bytes));
    if (d_.wanted(http::kUrl)) http::describe_url(h_, d_);
  }
  for (const FieldId id : http::kOfRequest)
    if (id != http::kBody && id != http::kBodyBytes && d_.state(id) == FactState::NotYet) d_.hide(id);
  if ((stream.done & kClient) != 0) {
    if (stream.bytes != 0) d_.hide(http::kBody);
    d_.number(http::kBodyBytes, stream.bytes);
    d_.reach(http::kRequestBody);
  } else if (stream.has_length) {
    d_.number(http::kBodyBytes, stream.declared);
  }
}

/// What take_up() will need. Too long a target is not kept, so the request of such a stream is hidden then.
void Parser::save_record(Stream& stream, const Head& head) {
  const RecordHead sizes{static_cast<std::uint16_t>(head.method.size), static_cast<std::uint16_t>(head.authority.size)};
  const std::size_t size = sizeof sizes + head.method.size + head.authority.size + head.path.size;
  if (size > kRecordBytes || head.method.hidden || head.authority.hidden || head.path.hidden) return;
  std::uint8_t record[kRecordBytes];
  std::size_t at = sizeof sizes;
  std::memcpy(record, &sizes, at);
  for (const Piece* piece : {&head.method, &head.authority, &head.path}) {
    const std::string_view text = view(*piece);
    if (!text.empty()) std::memcpy(record + at, text.data(), text.size());
    at += text.size();
  }
  if (records_borrowed_) d_.forget(Side::Server, 0), records_borrowed_ = false;
  if (d_.keep_at(Side::Server, kRecordsAt + place_of(stream) * kRecordBytes, Bytes(record, size))) stream.record_bytes = static_cast<std::uint16_t>(size);
}

void Parser::tell_prefix(Stream& stream, Bytes first) {
  stream.prefix_done |= mask();
  if (first.empty()) return;
  http::Message message{};
  message.multipart = is_client() && stream.multipart;
  if (!is_client() && !file_type(first)) return;
  take_up(stream);
  if (is_client()) d_.text(http::kBody, as_text(first));
  http::describe_body_file(message, d_, in_.side, first);
  grown_ = true;
}

/// The last of a side's message came; `whole`: and it was not broken off.
void Parser::message_done(Stream& stream, bool whole) {
  if ((stream.prefix_done & mask()) == 0 && stream.prefix_bytes[side_] != 0) {
    const std::size_t most = is_client() ? http::kBodyPrefixBytes : kFileTypeBytes;
    bodies_borrowed_ = true;
    tell_prefix(stream, d_.kept(in_.side).subspan(kBodiesAt + place_of(stream) * most, stream.prefix_bytes[side_]));
  }
  stream.prefix_done |= mask();
  stream.done |= mask();
  if (is_client()) {
    if (whole && stream.has_length && stream.bytes != stream.declared) d_.flaw(Flaw::BadLength);  // RFC 9113, 8.1.1
    if (is_current(stream)) {
      d_.number(http::kBodyBytes, stream.bytes);
      d_.reach(http::kRequestBody);
      h_.request_done = grown_ = true;
    } else if (!stream.has_length && stream.bytes != 0) {
      take_up(stream);
      grown_ = true;
    }
  } else if (is_current(stream)) {
    h_.answer_done = true;
  }
  if ((stream.done & kClient) == 0 || !((stream.done & kServer) != 0 || h_.answers_lost)) return;
  if (is_current(stream)) end_transaction();
  stream = {};
}

}  // namespace weir::proto::http2
