// SPDX-License-Identifier: Apache-2.0
#include "proto/pop3/pop3.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proto/base64.h"

namespace weir::proto::pop3 {
namespace {

using field::AuthResult, field::AuthScheme;

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d) : s_(s), in_(in), d_(d), lines_(s.lines[index_of(in.side)], in.bytes) {}

  Progress run() {
    std::string_view line;
    while (!done_ && !carried_) {
      const Lines::Kind kind = lines_.next(line);
      if (kind == Lines::Kind::None) break;
      const bool too_long = kind == Lines::Kind::TooLong;
      if (in_.side == Side::Client) {
        if (too_long) d_.flaw(Flaw::TooLarge), line = {};
        if (s_.sasl) sasl(line);
        else command(line);
      } else if (too_long) {
        if (!s_.in_lines) d_.flaw(Flaw::TooLarge);  // In a mail it is the mail's own affair.
      } else {
        answer(line);
      }
    }
    return {.consumed = lines_.consumed(), .done = done_};
  }

 private:
  void describe() {
    if (s_.open && !d_.described()) done_ = true;
  }

  void command(std::string_view line) {
    if (s_.asked - s_.answered == kAwaitedMax) {
      d_.flaw(Flaw::TooManyTransactions);
      done_ = true;
      return;
    }
    if (s_.open) d_.end_transaction();
    d_.begin_transaction();
    s_.open = true;
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view argument = trim(line.substr(blank));
    std::size_t size = 0;
    bool odd = blank == 0 || blank > sizeof s_.command;
    for (; size < blank && size < sizeof s_.command; ++size) {
      odd |= !is_alpha(line[size]);
      s_.command[size] = is_alpha(line[size]) ? static_cast<char>(to_lower(line[size]) - 32) : line[size];
    }
    if (odd) d_.flaw(Flaw::BadMessage);
    const std::string_view name(s_.command, size);
    d_.text(kCommand, name);
    d_.reach(kCommandRead);
    s_.awaited[s_.asked++ % kAwaitedMax] = act(name, argument);
    describe();
  }

  Awaited act(std::string_view name, std::string_view argument) {
    if (name == "USER") {
      s_.user_bytes = static_cast<std::uint16_t>(std::min(argument.size(), sizeof s_.user));
      std::memcpy(s_.user, argument.data(), s_.user_bytes);
      login(AuthScheme::Password, {s_.user, s_.user_bytes});
      return Awaited::Line;
    }
    if (name == "PASS") {
      login(AuthScheme::Password, {s_.user, s_.user_bytes});
      return Awaited::Login;
    }
    if (name == "APOP") {  // RFC 1939, 7: a digest of the greeting's stamp.
      login(AuthScheme::Digest, argument.substr(0, argument.find(' ')));
      return Awaited::Login;
    }
    if (name == "AUTH" && !argument.empty()) {
      const std::string_view mechanism = argument.substr(0, argument.find(' '));
      s_.sasl = true;
      s_.sasl_user = equals_nocase(mechanism, "PLAIN") || equals_nocase(mechanism, "LOGIN");
      d_.word(field::kAuthScheme, s_.sasl_user ? AuthScheme::Password : equals_nocase(mechanism, "CRAM-MD5") ? AuthScheme::Cram : AuthScheme::Other);
      if (mechanism.size() < argument.size()) sasl(trim(argument.substr(mechanism.size())));
      return Awaited::Login;
    }
    if (name == "STLS") return Awaited::Tls;
    const bool listing = (name == "LIST" || name == "UIDL" || name == "AUTH") && argument.empty();
    return listing || name == "RETR" || name == "TOP" || name == "CAPA" ? Awaited::Lines : Awaited::Line;
  }

  void login(AuthScheme scheme, std::string_view user) {
    if (!user.empty()) d_.text(field::kAuthUser, user);
    d_.word(field::kAuthScheme, scheme);
  }

  void sasl(std::string_view line) {  // RFC 5034
    if (!s_.sasl_user || line == "*") return;
    std::string_view user = decode_base64(line, s_.user);
    if (const std::size_t first = user.find('\0'); first != std::string_view::npos) {
      user = user.substr(first + 1);
      user = user.substr(0, user.find('\0'));
    }
    s_.sasl_user = false;
    s_.user_bytes = static_cast<std::uint16_t>(user.size());
    std::memmove(s_.user, user.data(), user.size());
    if (!s_.open) return;
    d_.text(field::kAuthUser, {s_.user, s_.user_bytes});
    describe();
  }

  void answer(std::string_view line) {
    if (s_.in_lines) {
      if (line == ".") s_.in_lines = false;
      return;
    }
    if (s_.sasl && (line == "+" || line.starts_with("+ "))) return;
    const bool ok = line.starts_with("+OK");
    if (!ok && !line.starts_with("-ERR")) return d_.flaw(Flaw::BadMessage);
    if (!s_.greeted && s_.asked == 0) {
      s_.greeted = true;
      return;
    }
    s_.greeted = true;
    if (s_.asked == s_.answered) return;
    const Awaited awaited = s_.awaited[s_.answered++ % kAwaitedMax];
    s_.in_lines = ok && awaited == Awaited::Lines;
    if (awaited == Awaited::Login) s_.sasl = s_.sasl_user = false;
    if (s_.asked != s_.answered || !s_.open) return;  // Of an earlier command: its transaction is over.
    if (awaited == Awaited::Login) {
      d_.word(field::kAuthResult, ok ? AuthResult::Ok : AuthResult::Failed);
      describe();
    }
    d_.end_transaction();
    s_.open = false;
    if (awaited != Awaited::Tls || !ok || done_) return;
    d_.carry("tls");  // RFC 2595, 4
    carried_ = true;
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Lines lines_;
  bool done_ = false, carried_ = false;
};

}  // namespace

Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  const std::string_view client = as_text(e.client), server = as_text(e.server);
  const std::size_t n = std::min<std::size_t>(server.size(), 3);
  if (server.substr(0, n) != std::string_view("+OK").substr(0, n)) return Match::No;
  bool own = false, begins = client.empty();
  for (const std::string_view word : {"USER ", "CAPA\r", "CAPA\n", "STLS\r", "STLS\n", "APOP ", "AUTH", "QUIT"}) {
    const std::size_t m = std::min(client.size(), word.size());
    if (m == 0 || !equals_nocase(client.substr(0, m), word.substr(0, m))) continue;
    begins = true;
    own |= m == word.size() && word != "AUTH" && word != "QUIT";
  }
  if (!begins) return Match::No;
  if (n < 3) return Match::Maybe;
  // Others answer with +OK too (Redis, to AUTH), but only POP3 greets with it.
  if (e.server_first || own) return Match::Yes;
  return client.empty() ? Match::Yes : Match::Maybe;
}

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

}  // namespace weir::proto::pop3
