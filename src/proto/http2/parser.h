// SPDX-License-Identifier: Apache-2.0
#pragma once

// One call of parse(): frames (parse.cc), header blocks (block.cc), and the transactions that they make up (transaction.cc).

#include "proto/http2/http2.h"

namespace weir::proto::http2 {

inline constexpr std::uint8_t kClient = 1, kServer = 2;  ///< In the masks of a Stream.

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d)
      : s_(s), in_(in), d_(d), side_(index_of(in.side)), f_(s.frames[side_]), h_(s.http) {}

  Progress run();

 private:
  bool is_client() const { return in_.side == Side::Client; }
  std::uint8_t mask() const { return static_cast<std::uint8_t>(1U << side_); }
  Bytes left() const { return in_.bytes.subspan(pos_); }

  // ---- frames: each answers false if more bytes are needed, or nothing follows
  bool step();
  bool preface();
  bool frame();
  bool whole_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, Bytes payload);
  void judge_size(std::uint32_t length);
  bool headers(std::uint8_t flags, std::uint32_t stream, Bytes payload, bool promise);
  bool continuation(std::uint8_t flags, std::uint32_t stream, Bytes payload);
  bool keep_piece(Bytes piece);
  void settings(std::uint8_t flags, std::uint32_t stream, Bytes payload);
  void reset(std::uint32_t stream);
  bool begin_data(std::uint8_t flags, std::uint32_t stream, Bytes payload_begin, std::uint32_t length);
  bool data();
  bool prefix(Stream& stream);
  void end_data();
  /// A fault after which nothing of this side can be told apart.
  bool fatal(Flaw flaw);
  void lost();
  void lose_answers();

  // ---- header blocks
  enum class Kind : std::uint8_t { Request, Answer, Promise, Trailers, Unread };
  /// A value in kept().
  struct Piece {
    std::uint32_t at = 0, size = 0;
    bool there = false, hidden = false;
  };
  struct Head {
    Kind kind = Kind::Unread;
    Piece method, scheme, authority, path, protocol;
    bool started = false;  ///< The pseudo-headers are over.
    bool status_seen = false;
    http::Message message{};
  };
  void block(std::uint32_t stream, bool ends_stream, Bytes bytes);
  void promise_block(std::uint32_t promised, Bytes bytes);
  bool read_lines(Head& head, Stream* stream, Bytes bytes);
  void read_line(Head& head, Stream* stream, const Line& line);
  void pseudo(Head& head, Stream* stream, const Line& line);
  void status(Head& head, Stream* stream, std::string_view value);
  void regular(Head& head, const Line& line);
  void judge_regular(const Head& head, std::string_view name, std::string_view value);
  void start_request(Head& head);
  void judge_request(const Head& head);
  void end_request(Head& head, Stream& stream, bool ends_stream);
  void end_answer(Head& head, Stream& stream, bool ends_stream);
  Piece store(std::string_view text);
  std::string_view view(const Piece& piece) const { return as_text(d_.kept(in_.side)).substr(piece.at, piece.size); }

  // ---- streams and transactions
  Stream* find(std::uint32_t id);
  Stream& open_stream(std::uint32_t id);
  std::size_t place_of(const Stream& stream) const { return static_cast<std::size_t>(&stream - s_.streams); }
  bool is_current(const Stream& stream) const { return h_.open && s_.current == stream.id; }
  void begin_transaction(std::uint32_t id, bool again);
  void end_transaction();
  /// Makes the stream's transaction the open one, with what is remembered of its request.
  void take_up(Stream& stream);
  void describe_request(std::string_view method, std::string_view target, std::string_view authority);
  void save_record(Stream& stream, const Head& head);
  void tell_prefix(Stream& stream, Bytes first);
  void message_done(Stream& stream, bool whole);
  void describe();
  /// Facts that borrow text from kept() get their own copy: that place is written next.
  void settle_text() { d_.forget(in_.side, 0); }

  State& s_;
  const Input& in_;
  Describer& d_;
  const std::size_t side_;
  Frame& f_;
  http::State& h_;
  std::size_t pos_ = 0;
  std::uint64_t skip_ = 0;
  std::size_t lines_at_ = 0;  ///< Where the next line of a block is stored.
  bool done_ = false;
  bool grown_ = false;        ///< Something became known since the transaction was last described.
  bool lines_borrowed_ = false, records_borrowed_ = false, bodies_borrowed_ = false;  ///< In this call.
};

}  // namespace weir::proto::http2
