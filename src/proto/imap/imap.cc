// SPDX-License-Identifier: Apache-2.0
#include "proto/imap/imap.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proto/base64.h"

namespace weir::proto::imap {
namespace {

using field::AuthResult, field::AuthScheme;

/// The size of the literal that a line announces at its end, "{12}" or "{12+}" (RFC 9051, 4.3); 0 if none.
std::uint64_t literal_of(std::string_view line) {
  if (!line.ends_with('}')) return 0;
  const std::size_t open = line.rfind('{');
  if (open == std::string_view::npos) return 0;
  std::string_view digits = line.substr(open + 1, line.size() - open - 2);
  if (digits.ends_with('+')) digits.remove_suffix(1);
  return std::min<std::uint64_t>(parse_number(digits).value_or(0), std::uint64_t{1} << 62);
}

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d) : s_(s), in_(in), d_(d), lines_(s.lines[index_of(in.side)], in.bytes) {}

  Progress run() {
    while (!done_ && !carried_ && step()) {}
    return {.consumed = lines_.consumed(), .skip = done_ ? 0 : skip_, .done = done_};
  }

 private:
  bool step() {
    std::uint64_t& literal = s_.literal[index_of(in_.side)];
    bool& within = s_.within[index_of(in_.side)];
    if (literal != 0) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(literal, lines_.left().size()));
      lines_.pass(n);
      literal -= n;
      if (literal > 1) {  // The last byte brings us back when it is there.
        skip_ = literal - 1;
        literal = 1;
      }
      return literal == 0;
    }
    std::string_view line;
    const Lines::Kind kind = lines_.next(line);
    if (kind == Lines::Kind::None) return false;
    if (kind == Lines::Kind::TooLong) {
      if (in_.side == Side::Client) d_.flaw(Flaw::TooLarge);
      line = {};
    }
    const bool rest = within;
    literal = literal_of(line);
    within = literal != 0;
    if (rest) return true;
    if (in_.side == Side::Server) answer(line);
    else if (s_.sasl) sasl(line);
    else command(line);
    return true;
  }

  void describe() {
    if (s_.open && !d_.described()) done_ = true;
  }

  void command(std::string_view line) {
    if (equals_nocase(line, "DONE")) return;  // RFC 9051, 6.3.13: the end of IDLE.
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos || blank == 0 || blank > sizeof s_.tag) return d_.flaw(Flaw::BadMessage);
    if (s_.open) d_.end_transaction();
    d_.begin_transaction();
    s_.open = true;
    s_.tag_bytes = static_cast<std::uint8_t>(blank);
    std::memcpy(s_.tag, line.data(), blank);
    line.remove_prefix(blank + 1);
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view argument = trim(line.substr(end));
    std::size_t size = 0;
    bool odd = end == 0 || end > sizeof s_.command;
    for (; size < end && size < sizeof s_.command; ++size) {
      odd |= !is_alpha(line[size]);
      s_.command[size] = is_alpha(line[size]) ? static_cast<char>(to_lower(line[size]) - 32) : line[size];
    }
    if (odd) d_.flaw(Flaw::BadMessage);
    d_.text(kCommand, {s_.command, size});
    d_.reach(kCommandRead);
    act({s_.command, size}, argument);
    describe();
  }

  void act(std::string_view name, std::string_view argument) {
    s_.awaited = Awaited::Other;
    if (name == "STARTTLS") {
      s_.awaited = Awaited::Tls;
    } else if (name == "LOGIN") {
      s_.awaited = Awaited::Login;
      d_.word(field::kAuthScheme, AuthScheme::Password);
      if (argument.starts_with('{')) return d_.hide(field::kAuthUser);
      if (argument.starts_with('"')) argument = argument.substr(1, std::min(argument.find('"', 1), argument.size()) - 1);
      else argument = argument.substr(0, argument.find(' '));
      d_.text(field::kAuthUser, argument);
    } else if (name == "AUTHENTICATE") {
      s_.awaited = Awaited::Login;
      s_.sasl = true;
      const std::string_view mechanism = argument.substr(0, argument.find(' '));
      s_.sasl_plain = equals_nocase(mechanism, "PLAIN") || equals_nocase(mechanism, "LOGIN");
      d_.word(field::kAuthScheme, s_.sasl_plain                          ? AuthScheme::Password
                                  : equals_nocase(mechanism, "CRAM-MD5") ? AuthScheme::Cram
                                  : equals_nocase(mechanism, "NTLM")     ? AuthScheme::Ntlm
                                  : equals_nocase(mechanism, "GSSAPI")   ? AuthScheme::Kerberos
                                                                         : AuthScheme::Other);
      if (mechanism.size() < argument.size()) sasl(trim(argument.substr(mechanism.size())));
    }
  }

  void sasl(std::string_view line) {
    if (!s_.sasl_plain || line == "*") return;
    std::string_view user = decode_base64(line, s_.user);
    if (const std::size_t first = user.find('\0'); first != std::string_view::npos) {
      user = user.substr(first + 1);
      user = user.substr(0, user.find('\0'));
    }
    s_.sasl_plain = false;
    if (!s_.open) return;
    d_.text(field::kAuthUser, user);
    describe();
  }

  void answer(std::string_view line) {
    const std::string_view tag(s_.tag, s_.tag_bytes);
    if (!s_.open || tag.empty() || !line.starts_with(tag) || line.size() <= tag.size() || line[tag.size()] != ' ') return;
    const std::string_view rest = line.substr(tag.size() + 1);
    const bool ok = starts_nocase(rest, "OK"), failed = starts_nocase(rest, "NO") || starts_nocase(rest, "BAD");
    if (!ok && !failed) return d_.flaw(Flaw::BadMessage);
    s_.sasl = s_.sasl_plain = false;
    if (s_.awaited == Awaited::Login) {
      d_.word(field::kAuthResult, ok ? AuthResult::Ok : AuthResult::Failed);
      describe();
    }
    d_.end_transaction();
    s_.open = false;
    if (s_.awaited != Awaited::Tls || !ok || done_) return;
    d_.carry("tls");  // RFC 9051, 6.2.1
    carried_ = true;
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Lines lines_;
  std::uint64_t skip_ = 0;
  bool done_ = false, carried_ = false;
};

}  // namespace

Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  const std::string_view server = as_text(e.server), client = as_text(e.client);
  bool greeted = server.empty(), sure = false;
  for (const std::string_view begin : {"* OK ", "* PREAUTH ", "* BYE "}) {
    const std::size_t n = std::min(server.size(), begin.size());
    if (n == 0 || !equals_nocase(server.substr(0, n), begin.substr(0, n))) continue;
    greeted = true;
    sure |= n == begin.size();
  }
  if (!greeted) return Match::No;
  // A client's line: a tag of letters and digits, a blank, a command.
  std::size_t tag = 0;
  while (tag < client.size() && (is_alpha(client[tag]) || is_digit(client[tag]) || client[tag] == '.')) ++tag;
  if (!client.empty() && (tag == 0 || tag > 32 || (tag < client.size() && (client[tag] != ' ' || (tag + 1 < client.size() && !is_alpha(client[tag + 1])))))) return Match::No;
  return sure ? Match::Yes : Match::Maybe;
}

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

}  // namespace weir::proto::imap
