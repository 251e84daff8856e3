// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "proto/rsync/rsync.h"

namespace weir::proto::rsync {
namespace {

constexpr std::uint16_t kNulArguments = 30;   // The version from which on arguments end with NUL.
constexpr std::uint8_t kArgumentsMax = 128;
constexpr std::size_t kArgumentBytesMax = 4096;

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d) : s_(s), in_(in), d_(d), lines_(s.lines[index_of(in.side)], in.bytes) {}

  Progress run() {
    while (!done_ && (in_.side == Side::Client ? client() : server())) {}
    return {.consumed = lines_.consumed(), .done = done_};
  }

 private:
  bool line(std::string_view& out) {
    switch (lines_.next(out)) {
      case Lines::Kind::None: return false;
      case Lines::Kind::TooLong:
        d_.flaw(Flaw::TooLarge);
        out = {};
        return true;
      case Lines::Kind::Line: return true;
    }
    return false;
  }

  void describe() {
    if (!d_.described()) done_ = true;
  }
  void finish() {
    if (s_.open) d_.end_transaction();
    s_.open = false;
    done_ = true;
  }

  bool client() {
    // What it says next means something only when the server has spoken.
    if (s_.stage == Stage::Answer || s_.stage == Stage::LoginAnswer) return false;
    if (s_.stage == Stage::Arguments) return argument();
    std::string_view text;
    if (!line(text)) return false;
    if (s_.stage == Stage::Greeting) greeting(text);
    else if (s_.stage == Stage::Module) module(text);
    else login(text);
    return true;
  }

  void greeting(std::string_view text) {
    constexpr std::string_view kMark = "@RSYNCD: ";
    if (!text.starts_with(kMark)) {
      d_.flaw(Flaw::BadMessage);
      done_ = true;
      return;
    }
    const std::string_view version = text.substr(kMark.size(), text.find_first_of(". ", kMark.size()) - kMark.size());
    s_.version = static_cast<std::uint16_t>(std::min<std::uint64_t>(parse_number(version).value_or(0), UINT16_MAX));
    d_.begin_transaction();
    s_.open = true;
    d_.number(kVersion, s_.version);
    s_.stage = Stage::Module;
  }

  void module(std::string_view text) {
    s_.stage = Stage::Answer;
    if (text.empty() || text == "#list") d_.word(kOp, Op::List);
    else if (text.starts_with('#')) d_.flaw(Flaw::BadMessage);
    else d_.text(kModule, text);
    d_.reach(kAsked);
    describe();
  }

  void login(std::string_view text) {
    s_.stage = Stage::LoginAnswer;
    s_.has_auth = true;
    d_.word(field::kAuthScheme, field::AuthScheme::Cram);
    d_.text(field::kAuthUser, text.substr(0, text.find(' ')));
    describe();
  }

  /// Arguments of the program that the daemon runs, until an empty one.
  bool argument() {
    const std::uint8_t end_mark = s_.version >= kNulArguments ? '\0' : '\n';
    const Bytes bytes = lines_.left();
    const void* end = bytes.empty() ? nullptr : std::memchr(bytes.data(), end_mark, bytes.size());
    if (end == nullptr) {
      if (bytes.size() > kArgumentBytesMax) d_.flaw(Flaw::TooLarge), finish();
      return false;
    }
    const std::string_view text = as_text(bytes.first(static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - bytes.data())));
    lines_.pass(text.size() + 1);
    s_.sender |= text == "--sender";  // The server sends.
    // The paths stand behind a lone dot: by then all options are known.
    if (text != "." && !text.empty() && ++s_.arguments < kArgumentsMax) return true;
    d_.word(kOp, s_.sender ? Op::Read : Op::Write);
    d_.reach(kDirected);
    describe();
    finish();
    return false;
  }

  bool server() {
    if (s_.stage == Stage::Greeting || s_.stage == Stage::Module) {
      std::string_view text;  // The greeting comes first; a message of the day may only follow the module.
      if (s_.greeted) return false;
      if (!line(text)) return false;
      s_.greeted = true;
      return true;
    }
    if (s_.stage == Stage::Arguments || s_.stage == Stage::Login) return false;
    std::string_view text;
    if (!line(text)) return false;
    const bool ok = text == "@RSYNCD: OK", error = text.starts_with("@ERROR"), over = text.starts_with("@RSYNCD: EXIT");
    if (text.starts_with("@RSYNCD: AUTHREQD ")) {
      if (s_.stage == Stage::Answer) s_.stage = Stage::Login;
      return true;
    }
    if (!ok && !error && !over) return true;  // The message of the day, or the list.
    if (s_.has_auth) {
      d_.word(field::kAuthResult, ok ? field::AuthResult::Ok : field::AuthResult::Failed);
      describe();
    }
    if (ok) s_.stage = Stage::Arguments;
    else finish();
    return !done_;
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Lines lines_;
  bool done_ = false;
};

}  // namespace

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

}  // namespace weir::proto::rsync
