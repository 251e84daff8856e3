// SPDX-License-Identifier: Apache-2.0
// The two message streams of a connection and the transactions that they make up.

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "proto/file_type.h"
#include "proto/http/http.h"

namespace weir::proto::http {
namespace {

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d) : s_(s), in_(in), d_(d), m_(s.messages[index_of(in.side)]) {}

  Progress run() {
    if (s_.answers_lost && !is_client()) return {.consumed = in_.bytes.size()};
    while (!done_ && !carried_ && (step() || std::exchange(sought_, false))) {}
    if (grown_ && !done_) describe();
    return {.consumed = pos_, .skip = done_ ? 0 : skip_, .done = done_};
  }

 private:
  bool is_client() const { return in_.side == Side::Client; }
  Bytes left() const { return in_.bytes.subspan(pos_); }
  /// Whether the open transaction is the one of this side's message.
  bool owned() const { return s_.open && s_.current == (is_client() ? s_.requests : s_.answering); }

  /// One element of the message; false if more bytes are needed.
  bool step() {
    switch (m_.stage) {
      case Stage::Start: return is_client() ? request_line() : status_line();
      case Stage::Headers: return header();
      case Stage::Prefix: return prefix();
      case Stage::Body: return body();
      case Stage::ChunkSize: return chunk_size();
      case Stage::ChunkData: return chunk_data();
      case Stage::ChunkEnd: return chunk_end();
      case Stage::Trailers: return trailer();
      case Stage::UntilClose: return until_close();
      case Stage::Hold: return hold();
      case Stage::Seek: return seek();
    }
    return false;
  }

  // ---- lines

  /// The next line without its end, or data() == nullptr if it is not complete. `folded`: lines that begin with a blank belong to it.
  std::string_view line(bool folded = false) {
    const Bytes bytes = left();
    std::size_t from = m_.scanned;
    for (;;) {
      const void* lf = from < bytes.size() ? std::memchr(bytes.data() + from, '\n', bytes.size() - from) : nullptr;
      if (lf == nullptr) {
        m_.scanned = static_cast<std::uint32_t>(bytes.size());
        if (m_.head_bytes + bytes.size() > kHeadBytesMax) too_large();
        return {};
      }
      const std::size_t end = static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - bytes.data());
      if (m_.head_bytes + end + 1 > kHeadBytesMax) return too_large(), std::string_view();
      const bool empty = end == 0 || (end == 1 && bytes[0] == '\r');
      if (folded && !empty) {
        if (end + 1 == bytes.size()) {  // The next byte tells whether the line goes on (RFC 9112, 5.2).
          m_.scanned = static_cast<std::uint32_t>(end);
          if (!in_.end) return {};
        } else if (bytes[end + 1] == ' ' || bytes[end + 1] == '\t') {
          from = end + 1;
          continue;
        }
      }
      m_.scanned = 0;
      m_.head_bytes += static_cast<std::uint32_t>(end + 1);
      pos_ += end + 1;
      std::string_view text = as_text(bytes.first(end));
      lf_only_ = !text.ends_with('\r');
      if (!lf_only_) text.remove_suffix(1);
      return text;
    }
  }

  void too_large() {
    d_.flaw(Flaw::TooLarge);
    lost();
  }

  /// The messages cannot be told apart any more: what is not known stays hidden. Requests are read on from the next line that is one: a
  /// server may have read the broken one otherwise, and what it takes for a request must meet the rules. Nor may a server's nonsense, or a
  /// client that does not wait, end that: answers that belong to nobody are passed over.
  void lost() {
    if (!is_client()) {
      lose_answers();
      pos_ = in_.bytes.size();
      return;
    }
    if (s_.open) {
      for (const FieldRow& row : kFields)
        if (d_.state(row.id) == FactState::NotYet) d_.hide(row.id);
      s_.request_done = true;
    }
    lose_answers();
    if (const std::size_t kept = d_.kept(in_.side).size(); kept != 0) d_.forget(in_.side, kept);
    m_ = Message{.stage = Stage::Seek};
    sought_ = true;
  }

  void lose_answers() {
    if (s_.open) {
      for (const FieldRow& row : kFields)
        if (d_.state(row.id) == FactState::NotYet && (s_.request_done || row.closes == kResponseHead)) d_.hide(row.id);
      describe();
      if (s_.request_done) end_transaction();
    }
    s_.answers_lost = true;
    s_.answers = s_.requests;
  }

  void describe() {
    grown_ = false;
    if (s_.open && !d_.described()) done_ = true;
  }

  void end_transaction() {
    if (!s_.open) return;
    if (grown_) describe();
    d_.end_transaction();
    s_.open = false;
  }

  // ---- heads

  void begin_message() {
    m_ = Message{.stage = Stage::Headers, .head_bytes = m_.head_bytes};
    if (const std::size_t kept = d_.kept(in_.side).size(); kept != 0) d_.forget(in_.side, kept);
  }

  void begin_transaction(std::uint32_t number) {
    end_transaction();
    d_.begin_transaction(number);
    s_.open = true;
    s_.current = number;
    reset_transaction(s_);
  }

  bool request_line() {
    const std::string_view text = line();
    if (text.data() == nullptr) return false;
    if (text.empty()) return m_.head_bytes = 0, true;  // RFC 9112, 2.2
    if (s_.requests - s_.answers >= kAwaitedMax) d_.flaw(Flaw::TooManyTransactions), lose_answers();
    begin_message();
    begin_transaction(++s_.requests);
    if (s_.answers_lost) {
      s_.answers = s_.requests;
      d_.hide(kStatus);
    }

    std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view method = text.substr(0, blank);
    std::string_view target = text.substr(std::min(blank + 1, text.size()));
    std::string_view version;
    if (const std::size_t last = target.rfind(' '); last != std::string_view::npos) {
      version = target.substr(last + 1);
      target = target.substr(0, last);
    }
    bool odd = method.empty() || target.empty() || target.find_first_of(std::string_view(" \t\0\r\v\f", 6)) != std::string_view::npos;
    for (const char c : method) odd |= !is_token_char(c);
    const bool simple = !odd && version.empty() && s_.requests == 1 && method == "GET" && target.starts_with('/');  // RFC 1945, 4.1
    const bool known = version.size() == 8 && version.starts_with("HTTP/1.") && is_digit(version[7]);
    if (odd || (!simple && !known)) d_.flaw(Flaw::BadRequestLine);

    const std::uint64_t bit = std::uint64_t{1} << (s_.requests % kAwaitedMax);
    const auto mark = [bit](std::uint64_t& set, bool on) { set = on ? set | bit : set & ~bit; };
    mark(s_.heads, method == "HEAD");
    mark(s_.connects, method == "CONNECT");
    mark(s_.simple, simple);
    m_.connect = method == "CONNECT";
    m_.minor = known ? static_cast<std::uint8_t>(version[7] - '0') : 1;
    describe_method(s_, d_, method);
    describe_target(s_, d_, method, trim(target));
    put(d_, kVersion, simple ? std::string_view("0.9") : known ? version.substr(5) : version);
    if (simple) m_.has_host = true, request_head_done();
    return true;
  }

  bool status_line() {
    if (s_.answers < s_.requests && (s_.simple >> ((s_.answers + 1) % kAwaitedMax) & 1) != 0) {  // HTTP/0.9: only a body.
      if (left().empty() && !in_.end) return false;
      begin_message();
      s_.answering = ++s_.answers;
      m_.stage = Stage::UntilClose;
      return true;
    }
    const std::string_view text = line();
    if (text.data() == nullptr) return false;
    if (text.empty()) return m_.head_bytes = 0, true;
    begin_message();
    const bool sound = text.size() >= 12 && text.starts_with("HTTP/1.") && is_digit(text[7]) && text[8] == ' ' && is_digit(text[9]) &&
                       is_digit(text[10]) && is_digit(text[11]) && (text.size() == 12 || text[12] == ' ');
    if (!sound) return d_.flaw(Flaw::BadMessage), lost(), false;
    m_.minor = static_cast<std::uint8_t>(text[7] - '0');
    m_.status = static_cast<std::uint16_t>((text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0'));
    m_.interim = m_.status < 200 && m_.status != 101;
    if (m_.interim) return true;  // RFC 9110, 15.2: the final answer is still to come.
    s_.answering = s_.answers < s_.requests ? s_.answers + 1 : 0;
    if (!owned() || s_.answer_done) {
      begin_transaction(s_.answering);
      s_.request_done = true;
      for (const FieldId id : kOfRequest) d_.hide(id);
      put(d_, kVersion, text.substr(5, 3));
    }
    d_.number(kStatus, m_.status);
    return true;
  }

  bool header() {
    const std::string_view text = line(true);
    if (text.data() == nullptr) return false;
    if (text.empty()) {
      if (is_client()) request_head_done();
      else answer_head_done();
      return true;
    }
    if (text[0] == ' ' || text[0] == '\t') d_.flaw(Flaw::BadMessage);  // RFC 9112, 2.2: a blank before the first header.
    read_header(s_, m_, d_, in_.side, !m_.interim && owned(), text);
    return true;
  }

  void request_head_done() {
    if (!m_.has_host && m_.minor >= 1) d_.flaw(Flaw::BadMessage);  // RFC 9112, 3.2
    if (m_.coded && m_.has_length) d_.flaw(Flaw::BadLength);       // RFC 9112, 6.3: the shape of request smuggling
    const bool mine = owned();
    if (mine) {
      refine(s_, d_);
      describe_client(s_, d_);
      if (d_.wanted(kUrl)) describe_url(s_, d_);
      d_.reach(kRequestHead);
    }
    m_.head_bytes = 0;
    if (m_.chunked) {
      m_.remaining = 0;
      m_.stage = Stage::ChunkSize;
    } else {
      if (m_.coded || !m_.has_length) m_.remaining = 0;
      m_.stage = Stage::Prefix;
      if (mine) {
        d_.number(kBodyBytes, m_.remaining);
        if (m_.remaining == 0) d_.reach(kRequestBody);
        else if (m_.multipart) d_.number(field::kFileBytes, m_.remaining);
      }
    }
    if (mine) describe();
    if (m_.stage == Stage::Prefix && m_.remaining == 0) message_done();
  }

  void answer_head_done() {
    m_.head_bytes = 0;
    if (m_.interim) {
      m_.stage = Stage::Start;
      return;
    }
    if (m_.coded && m_.has_length) d_.flaw(Flaw::BadLength);
    const std::uint32_t slot = s_.answering % kAwaitedMax;
    const bool head = s_.answering != 0 && (s_.heads >> slot & 1) != 0, connect = s_.answering != 0 && (s_.connects >> slot & 1) != 0;
    if (s_.answering != 0) s_.answers = s_.answering;
    if (owned()) {
      describe_result(s_, d_, m_.status);
      d_.reach(kResponseHead);
      if (m_.has_length && !m_.chunked && !head) d_.number(field::kFileBytes, m_.remaining);
      describe();
      if (done_) return;
    }
    if (m_.status == 101 || (connect && m_.status < 300)) {  // RFC 9110, 7.8 and 9.3.6
      end_transaction();
      d_.carry(m_.status != 101 ? "" : m_.upgrade_websocket ? "websocket" : m_.upgrade_h2c ? "http2" : "");
      carried_ = true;
      return;
    }
    if (connect) {
      Message& request = s_.messages[index_of(Side::Client)];
      if (request.stage == Stage::Hold) request.stage = Stage::Start;
    }
    if (head || m_.status == 204 || m_.status == 304) {  // RFC 9112, 6.3
      m_.remaining = 0;
      message_done();
    } else if (m_.chunked) {
      m_.remaining = 0;
      m_.stage = Stage::ChunkSize;
    } else if (m_.coded || !m_.has_length) {
      m_.stage = Stage::UntilClose;
    } else {
      m_.stage = Stage::Prefix;
      if (m_.remaining == 0) message_done();
    }
  }

  // ---- bodies

  std::size_t prefix_max() const { return is_client() ? kBodyPrefixBytes : kFileTypeBytes; }

  void describe_prefix(Bytes first) {
    m_.prefix_done = true;
    if (!owned() || first.empty()) return;
    if (is_client()) d_.text(kBody, as_text(first));
    describe_body_file(m_, d_, in_.side, first);
    grown_ = true;
  }

  /// A body of known length: its first bytes are awaited and read where they lie.
  bool prefix() {
    const auto need = static_cast<std::size_t>(std::min<std::uint64_t>(prefix_max(), m_.remaining));
    const std::size_t n = std::min(need, left().size());
    if (n < need && !in_.end) return false;
    describe_prefix(left().first(n));
    pos_ += n;
    m_.remaining -= n;
    m_.stage = Stage::Body;
    return true;
  }

  /// Passes over what remains of a body or chunk, all but its last byte: that one brings us back when it is there.
  bool pass() {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(m_.remaining, left().size()));
    pos_ += n;
    m_.remaining -= n;
    if (m_.remaining > 1) {
      skip_ = m_.remaining - 1;
      m_.remaining = 1;
    }
    return m_.remaining == 0;
  }

  bool body() {
    if (!pass()) return false;
    message_done();
    return true;
  }

  bool chunk_size() {
    const std::string_view text = line();
    if (text.data() == nullptr) return false;
    if (lf_only_) d_.flaw(Flaw::BadMessage);  // RFC 9112, 7.1: CRLF; some take LF, and so disagree about the end.
    std::uint64_t size = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && hex_value(text[digits]) >= 0; ++digits) {
      if (size >> 58 != 0) return d_.flaw(Flaw::BadEncoding), lost(), false;
      size = size * 16 + static_cast<std::uint64_t>(hex_value(text[digits]));
    }
    const std::string_view extension = trim(text.substr(digits));
    if (digits == 0 || (!extension.empty() && extension[0] != ';')) return d_.flaw(Flaw::BadEncoding), lost(), false;
    m_.head_bytes = 0;
    m_.remaining = size;
    if (size == 0) {
      m_.stage = Stage::Trailers;
      return true;
    }
    m_.stage = Stage::ChunkData;
    if (is_client()) {
      s_.body_bytes = s_.body_bytes > UINT64_MAX - size ? UINT64_MAX : s_.body_bytes + size;
      if (owned()) d_.grow(kBodyBytes, s_.body_bytes), grown_ = true;
    }
    return true;
  }

  bool chunk_data() {
    if (!m_.prefix_done) {
      const std::size_t room = prefix_max() - d_.kept(in_.side).size();
      const auto n = std::min(static_cast<std::size_t>(std::min<std::uint64_t>(m_.remaining, left().size())), room);
      if (n != 0) {
        d_.keep(in_.side, left().first(n));
        pos_ += n;
        m_.remaining -= n;
      }
      if (n == room) describe_prefix(d_.kept(in_.side));
      else if (m_.remaining != 0) return false;
    }
    if (m_.remaining != 0 && !pass()) return false;
    m_.stage = Stage::ChunkEnd;
    return true;
  }

  bool chunk_end() {
    if (left().empty()) return false;
    std::size_t n = 0;
    if (left()[0] == '\r') {
      if (left().size() < 2) return false;
      n = 1;
    }
    if (left()[n] != '\n') return d_.flaw(Flaw::BadEncoding), lost(), false;
    if (n == 0) d_.flaw(Flaw::BadMessage);
    pos_ += n + 1;
    m_.stage = Stage::ChunkSize;
    return true;
  }

  /// RFC 9112, 7.1.2: trailers add nothing that frames a message.
  bool trailer() {
    const std::string_view text = line();
    if (text.data() == nullptr) return false;
    if (text.empty()) return m_.head_bytes = 0, message_done(), true;
    if (starts_nocase(text, "content-length") || starts_nocase(text, "transfer-encoding") || text.find(':') == std::string_view::npos)
      d_.flaw(Flaw::BadMessage);
    return true;
  }

  bool until_close() {
    if (!m_.prefix_done) {
      if (left().size() < prefix_max() && !in_.end) return false;
      describe_prefix(left().first(std::min(left().size(), prefix_max())));
    }
    pos_ = in_.bytes.size();
    if (in_.end) message_done();
    return false;
  }

  void message_done() {
    if (!m_.prefix_done) describe_prefix(d_.kept(in_.side));
    const bool mine = owned();
    if (mine && is_client()) {
      d_.reach(kRequestBody);
      s_.request_done = true;
      if (m_.chunked) grown_ = true;
    }
    if (mine && !is_client()) s_.answer_done = true;
    if (mine && s_.request_done && (s_.answer_done || s_.answers_lost)) end_transaction();
    m_.stage = m_.connect && is_client() && s_.answers < s_.requests ? Stage::Hold : Stage::Start;
    m_.head_bytes = 0;
  }

  /// After CONNECT the client's next bytes are the tunnel's, unless they are a request: a server that refuses will read them as one.
  bool hold() {
    if (left().empty() || match_request(left()) != Match::Yes) return false;
    m_.stage = Stage::Start;
    return true;
  }

  /// Behind what no framing explains: up to a line that is a request.
  bool seek() {
    while (!left().empty()) {
      if (!m_.in_line) {
        const Match match = match_request(left());
        if (match == Match::Yes) return m_.stage = Stage::Start, true;
        if (match == Match::Maybe && !in_.end) return false;
      }
      const void* lf = std::memchr(left().data(), '\n', left().size());
      m_.in_line = lf == nullptr;
      pos_ = lf == nullptr ? in_.bytes.size() : static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - in_.bytes.data()) + 1;
    }
    return false;
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Message& m_;
  std::size_t pos_ = 0;
  std::uint64_t skip_ = 0;
  bool done_ = false, carried_ = false;
  bool sought_ = false;   ///< The place was lost just now: seek() goes on with what is left.
  bool grown_ = false;    ///< Something became known since the transaction was last described.
  bool lf_only_ = false;  ///< Of the line read last.
};

}  // namespace

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

/// A gap in a body that only the end of the stream ends loses nothing that frames. One among the answers loses those alone.
bool resync(void* state, Side side, std::uint64_t) {
  State& s = *static_cast<State*>(state);
  const Message& m = s.messages[index_of(side)];
  if (m.stage == Stage::UntilClose && m.prefix_done) return true;
  if (side == Side::Client) return false;
  s.answers_lost = true;
  s.answers = s.requests;
  return true;
}

}  // namespace weir::proto::http
