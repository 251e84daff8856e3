// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proto/base64.h"
#include "proto/smtp/smtp.h"

namespace weir::proto::smtp {
namespace {

using field::AuthScheme;

/// The path of MAIL and RCPT without its brackets; clients that leave them out are understood too.
std::string_view path_of(std::string_view argument) {
  argument = trim(argument);
  if (!argument.starts_with('<')) return argument.substr(0, argument.find(' '));
  return argument.substr(1, std::min(argument.find('>'), argument.size()) - 1);
}

class Parser final : FileTeller {
 public:
  Parser(State& s, const Input& in, Describer& d)
      : s_(s), in_(in), d_(d), lines_(s.lines[index_of(in.side)], in.bytes), mime_(s.mime, d, *this),
        files_wanted_(d.wanted(field::kFileType) || d.wanted(field::kFileName) || d.wanted(field::kFileBytes)) {}

  Progress run() {
    while (!done_ && !carried_ && (in_.side == Side::Client ? client() : server())) {}
    if (grown_ && !done_) describe();
    return {.consumed = lines_.consumed(), .skip = done_ ? 0 : skip_, .done = done_};
  }

 private:
  bool client() {
    if (s_.stage == Stage::Hold) return false;
    if (s_.stage == Stage::Data) return data();
    if (s_.stage == Stage::Chunk) return chunk();
    std::string_view line;
    switch (lines_.next(line)) {
      case Lines::Kind::None: return false;
      case Lines::Kind::TooLong:
        d_.flaw(Flaw::TooLarge);
        if (s_.stage == Stage::Commands) await(Awaited::Other);
        return true;
      case Lines::Kind::Line: break;
    }
    if (s_.stage == Stage::Commands) command(line);
    else response(line);
    return true;
  }

  bool server() {
    std::string_view line;
    switch (lines_.next(line)) {
      case Lines::Kind::None: return false;
      case Lines::Kind::TooLong: d_.flaw(Flaw::TooLarge); return true;
      case Lines::Kind::Line: break;
    }
    reply(line);
    return true;
  }

  void describe() {
    grown_ = false;
    if (s_.open && !d_.described()) done_ = true;
  }
  void end_transaction() {
    if (grown_ && !done_) describe();
    if (s_.open) d_.end_transaction();
    s_.open = false;
  }
  /// A transaction with what the session knows already.
  void begin_transaction() {
    end_transaction();
    d_.begin_transaction();
    s_.open = true;
    s_.has_mail = s_.has_auth = s_.has_file = false;
    if (s_.helo_bytes != 0) d_.text(kHelo, {s_.helo, s_.helo_bytes});
  }
  void need_transaction() {
    if (!s_.open) begin_transaction();
  }

  void await(Awaited what) {
    if (s_.asked - s_.answered == kAwaitedMax) {
      d_.flaw(Flaw::TooManyTransactions);
      done_ = true;
      return;
    }
    s_.awaited[s_.asked++ % kAwaitedMax] = what;
  }

  // ---- commands

  void command(std::string_view line) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, blank), argument = trim(line.substr(blank));
    const auto is = [word](std::string_view name) { return equals_nocase(word, name); };
    Awaited what = Awaited::Other;
    if (is("EHLO") || is("HELO") || is("LHLO")) {
      helo(argument);
    } else if (starts_nocase(line, "MAIL FROM:")) {
      if (!s_.open || s_.has_mail) begin_transaction();
      s_.has_mail = true;
      d_.reach(kGreeted);
      s_.envelope_bytes = 0;
      s_.envelope_cut = false;
      d_.text(kFrom, remember(path_of(line.substr(10))));
      describe();
    } else if (starts_nocase(line, "RCPT TO:")) {
      need_transaction();
      d_.add_text(kTo, remember(path_of(line.substr(8))));
      describe();
    } else if (is("DATA")) {
      envelope_done();
      s_.stage = Stage::Hold;
      what = Awaited::Data;
    } else if (is("BDAT")) {
      what = chunk_begins(argument);
    } else if (is("RSET")) {
      s_.in_mail = false;
      end_transaction();
    } else if (is("STARTTLS")) {
      s_.stage = Stage::Hold;
      what = Awaited::StartTls;
    } else if (is("AUTH")) {
      auth(argument);
      what = Awaited::Auth;
    } else {
      bool odd = word.empty();
      for (const char c : word) odd |= !is_alpha(c);
      if (odd) d_.flaw(Flaw::BadMessage);
    }
    if (!done_) await(what);
  }

  void helo(std::string_view name) {
    s_.helo_bytes = 0;
    begin_transaction();  // RFC 5321, 4.1.4: a greeting resets.
    const std::string_view host = name.substr(0, name.find(' '));
    if (host.size() > sizeof s_.helo) {
      d_.hide(kHelo);
    } else if (!host.empty()) {
      s_.helo_bytes = static_cast<std::uint8_t>(host.size());
      std::memcpy(s_.helo, host.data(), host.size());
      d_.text(kHelo, {s_.helo, s_.helo_bytes});
    }
    d_.reach(kGreeted);
    describe();
  }

  /// For the transactions of further files.
  std::string_view remember(std::string_view path) {
    s_.envelope_cut |= s_.envelope_bytes + path.size() + 1 > kEnvelopeBytes;
    if (s_.envelope_cut) return path;
    std::memcpy(s_.envelope + s_.envelope_bytes, path.data(), path.size());
    s_.envelope_bytes = static_cast<std::uint16_t>(s_.envelope_bytes + path.size() + 1);
    s_.envelope[s_.envelope_bytes - 1] = '\0';
    return path;
  }

  void envelope_done() {
    if (s_.stage == Stage::Commands && !s_.in_mail && files_wanted_) mime_.begin();
    s_.in_mail = true;
    need_transaction();
    s_.has_mail = true;
    d_.reach(kGreeted);
    d_.reach(kEnvelope);
    describe();
  }

  Awaited chunk_begins(std::string_view argument) {  // RFC 3030, 2
    const std::size_t blank = std::min(argument.find(' '), argument.size());
    const auto size = parse_number(argument.substr(0, blank));
    if (!size || *size > (std::uint64_t{1} << 62)) {
      d_.flaw(Flaw::BadLength);
      return Awaited::Other;
    }
    envelope_done();
    s_.last_chunk = equals_nocase(trim(argument.substr(blank)), "LAST");
    s_.remaining = *size;
    if (*size != 0) s_.stage = Stage::Chunk;
    else if (s_.last_chunk) files_done();
    return s_.last_chunk ? Awaited::Mail : Awaited::Other;
  }

  bool chunk() {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(s_.remaining, lines_.left().size()));
    if (files_wanted_) chunk_text(lines_.left().first(n));
    lines_.pass(n);
    s_.remaining -= n;
    if (s_.remaining > 1 && !files_wanted_) {  // The last byte brings us back when it is there.
      skip_ = s_.remaining - 1;
      s_.remaining = 1;
    }
    if (s_.remaining != 0) return false;
    s_.stage = Stage::Commands;
    if (s_.last_chunk) files_done();
    return true;
  }

  void chunk_text(Bytes bytes) {
    while (!bytes.empty()) {
      const void* lf = std::memchr(bytes.data(), '\n', bytes.size());
      const std::size_t end = lf == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - bytes.data());
      mime_.text(bytes.first(end));
      if (lf != nullptr) mime_.end_line();
      bytes = bytes.subspan(std::min(bytes.size(), end + 1));
    }
  }

  // ---- files (mime.h)

  void begin_file() override {
    if (s_.has_file || !s_.open) {
      begin_transaction();
      s_.has_mail = true;
      d_.reach(kGreeted);
      std::string_view rest(s_.envelope, s_.envelope_bytes);
      for (bool first = true; !rest.empty(); first = false) {
        const std::size_t end = rest.find('\0');
        if (first) d_.text(kFrom, rest.substr(0, end));
        else d_.add_text(kTo, rest.substr(0, end));
        rest.remove_prefix(end + 1);
      }
      if (s_.envelope_cut) d_.hide(s_.envelope_bytes == 0 ? kFrom : kTo);
      d_.reach(kEnvelope);
    }
    s_.has_file = true;
  }

  void file_grew(bool now) override {
    grown_ = true;
    if (now) describe();
  }

  void files_done() {
    s_.in_mail = false;
    if (files_wanted_) mime_.end();
  }

  // ---- AUTH (RFC 4954)

  void auth(std::string_view argument) {
    const std::size_t blank = std::min(argument.find(' '), argument.size());
    const std::string_view mechanism = argument.substr(0, blank), initial = trim(argument.substr(blank));
    if (!s_.open || s_.has_auth || s_.has_mail) begin_transaction();
    d_.reach(kGreeted);
    s_.has_auth = true;
    AuthScheme scheme = AuthScheme::Other;
    s_.stage = Stage::AuthRest;
    if (equals_nocase(mechanism, "PLAIN")) scheme = AuthScheme::Password, s_.stage = Stage::AuthPlain;
    else if (equals_nocase(mechanism, "LOGIN")) scheme = AuthScheme::Password, s_.stage = Stage::AuthLogin;
    else if (equals_nocase(mechanism, "CRAM-MD5")) scheme = AuthScheme::Cram;
    else if (equals_nocase(mechanism, "DIGEST-MD5")) scheme = AuthScheme::Digest;
    else if (equals_nocase(mechanism, "NTLM")) scheme = AuthScheme::Ntlm;
    else if (equals_nocase(mechanism, "GSSAPI")) scheme = AuthScheme::Kerberos;
    else if (equals_nocase(mechanism, "XOAUTH2") || equals_nocase(mechanism, "OAUTHBEARER")) scheme = AuthScheme::Bearer;
    d_.word(field::kAuthScheme, scheme);
    if (initial.empty()) describe();
    else response(initial);
  }

  void response(std::string_view line) {
    if (line == "*" ) {  // RFC 4954, 4: the client gives up; the server answers 501.
      s_.stage = Stage::Commands;
      return;
    }
    if (s_.stage == Stage::AuthRest) return;
    std::string_view user = decode_base64(line, s_.user);
    if (s_.stage == Stage::AuthPlain) {  // RFC 4616: authzid NUL authcid NUL password
      const std::size_t first = user.find('\0');
      if (first != std::string_view::npos) {
        user = user.substr(first + 1);
        user = user.substr(0, user.find('\0'));
      } else {
        d_.flaw(Flaw::BadMessage);
      }
    }
    s_.user_bytes = static_cast<std::uint16_t>(user.size());
    std::memmove(s_.user, user.data(), user.size());
    s_.stage = Stage::AuthRest;
    if (!s_.open) return;
    d_.text(field::kAuthUser, {s_.user, s_.user_bytes});
    describe();
  }

  // ---- bodies

  bool data() {
    const Bytes bytes = lines_.left();
    std::size_t at = 0;
    while (at < bytes.size()) {
      if (s_.dot == Dot::Text) {
        const void* lf = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
        const std::size_t end = lf == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - bytes.data());
        if (end > at) s_.after_cr = bytes[end - 1] == '\r';
        if (files_wanted_) mime_.text(bytes.subspan(at, end - at));
        at = end;
        if (lf == nullptr) break;
        if (files_wanted_) mime_.end_line();
        s_.crlf = s_.after_cr;
        s_.dot = Dot::LineStart;
        ++at;
        continue;
      }
      const std::uint8_t c = bytes[at];
      if (s_.dot == Dot::LineStart && c == '.') {
        s_.dot = Dot::Dot;
      } else if (s_.dot == Dot::Dot && c == '\r') {
        s_.dot = Dot::DotCr;
      } else if (c == '\n' && (s_.dot == Dot::DotCr || s_.dot == Dot::Dot)) {
        if (s_.dot == Dot::DotCr && s_.crlf) {
          lines_.pass(at + 1);
          mail_done();
          return true;
        }
        d_.flaw(Flaw::BadMessage);  // RFC 5321, 4.1.1.4: a dot between lone LFs ends nothing, but some believe it does.
        s_.crlf = s_.dot == Dot::DotCr;
        s_.dot = Dot::LineStart;
        if (files_wanted_) mime_.end_line();
      } else {
        if (files_wanted_ && s_.dot == Dot::DotCr) mime_.text(as_bytes("\r"));
        s_.after_cr = s_.dot == Dot::DotCr;
        s_.dot = Dot::Text;
        continue;
      }
      ++at;
    }
    lines_.pass(at);
    return false;
  }

  void mail_done() {
    files_done();
    s_.stage = Stage::Commands;
    await(Awaited::Mail);
  }

  // ---- answers

  void reply(std::string_view line) {
    if (line.size() < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]) || (line.size() > 3 && line[3] != ' ' && line[3] != '-'))
      return d_.flaw(Flaw::BadMessage);
    if (line.size() > 3 && line[3] == '-') return;
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (code == 334) return;  // A step of AUTH, no answer yet.
    if (s_.asked == s_.answered) return;  // The greeting, or 421 out of the blue.
    switch (s_.awaited[s_.answered++ % kAwaitedMax]) {
      case Awaited::Other: return;
      case Awaited::Auth:
        if (s_.stage == Stage::AuthPlain || s_.stage == Stage::AuthLogin || s_.stage == Stage::AuthRest) s_.stage = Stage::Commands;
        if (!s_.open || !s_.has_auth) return;
        if (code == 235) d_.word(field::kAuthResult, field::AuthResult::Ok);
        else if (code == 535 || code == 530 || code == 534) d_.word(field::kAuthResult, field::AuthResult::Failed);
        return describe();
      case Awaited::StartTls:
        s_.stage = Stage::Commands;
        if (code != 220) return;
        end_transaction();
        d_.carry("tls");  // RFC 3207, 4
        carried_ = true;
        return;
      case Awaited::Data:
        s_.stage = Stage::Commands;
        if (code != 354) return void(s_.in_mail = false);
        s_.stage = Stage::Data;
        s_.dot = Dot::LineStart;
        s_.crlf = true;
        return;
      case Awaited::Mail: return end_transaction();
    }
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Lines lines_;
  Mime mime_;
  const bool files_wanted_;
  std::uint64_t skip_ = 0;
  bool done_ = false, carried_ = false;
  bool grown_ = false;  ///< More of a file is known than was described.
};

}  // namespace

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

}  // namespace weir::proto::smtp
