// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proto/ftp/ftp.h"

namespace weir::proto::ftp {
namespace {

struct Endpoint {
  Ip ip;
  std::uint16_t port = 0;
  bool has_ip = false;
};

/// "h1,h2,h3,h4,p1,p2" (RFC 959, 4.1.2), wherever in the text the digits begin.
std::optional<Endpoint> read_host_port(std::string_view text) {
  std::uint32_t numbers[6];
  for (int i = 0; i < 6; ++i) {
    std::uint32_t n = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 3 && is_digit(text[digits])) n = n * 10 + static_cast<std::uint32_t>(text[digits++] - '0');
    if (digits == 0 || n > 255) return std::nullopt;
    numbers[i] = n;
    text.remove_prefix(digits);
    if (i < 5) {
      if (!text.starts_with(',')) return std::nullopt;
      text.remove_prefix(1);
    }
  }
  return Endpoint{.ip = Ip::v4(numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3]),
                  .port = static_cast<std::uint16_t>(numbers[4] << 8 | numbers[5]),
                  .has_ip = true};
}

/// "|1|192.0.2.1|6275|" or "|||6446|" (RFC 2428), with any delimiter.
std::optional<Endpoint> read_extended(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  const char mark = text[0];
  const std::size_t a = text.find(mark, 1), b = a == std::string_view::npos ? a : text.find(mark, a + 1),
                    c = b == std::string_view::npos ? b : text.find(mark, b + 1);
  if (c == std::string_view::npos) return std::nullopt;
  const auto port = parse_number(text.substr(b + 1, c - b - 1));
  if (!port || *port > 65535) return std::nullopt;
  Endpoint end{.ip = {}, .port = static_cast<std::uint16_t>(*port)};
  if (const std::string_view address = text.substr(a + 1, b - a - 1); !address.empty()) {
    const auto ip = parse_ip(address);
    if (!ip) return std::nullopt;
    end.ip = *ip;
    end.has_ip = true;
  }
  return end;
}

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d) : s_(s), in_(in), d_(d), lines_(s.lines[index_of(in.side)], in.bytes) {}

  Progress run() {
    std::string_view line;
    while (!done_ && !carried_) {
      const Lines::Kind kind = lines_.next(line);
      if (kind == Lines::Kind::None) break;
      if (kind == Lines::Kind::TooLong) {
        d_.flaw(Flaw::TooLarge);
        if (in_.side == Side::Server) continue;
        line = {};  // Still a command, of which nothing is known.
      }
      if (in_.side == Side::Client) command(line, kind == Lines::Kind::TooLong);
      else reply(line);
    }
    return {.consumed = lines_.consumed(), .done = done_};
  }

 private:
  void describe() {
    if (s_.open && !d_.described()) done_ = true;
  }
  void end_transaction() {
    if (s_.open) d_.end_transaction();
    s_.open = false;
  }

  void announce(const std::optional<Endpoint>& end, Side server) {
    if (!end) return d_.flaw(Flaw::BadMessage);
    if (end->has_ip) d_.flag(kBounce, end->ip != d_.ends().ip(server));
    d_.expect({.server = server, .server_port = end->port, .app = "ftp-data"});
  }

  void command(std::string_view line, bool hidden) {
    end_transaction();
    d_.begin_transaction();
    s_.open = true;
    if (s_.awaiting != UINT16_MAX) ++s_.awaiting;
    s_.awaited = Awaited::Other;
    // RFC 959, 4.1.3 and RFC 854: ABOR comes behind Telnet's interrupt and data mark.
    while (line.size() >= 2 && static_cast<std::uint8_t>(line[0]) == 0xff) line.remove_prefix(2);
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view argument = line.substr(std::min(blank + 1, line.size()));
    std::size_t size = 0;
    for (; size < blank && size < sizeof s_.command; ++size)
      s_.command[size] = line[size] >= 'a' && line[size] <= 'z' ? static_cast<char>(line[size] - 32) : line[size];
    const std::string_view name(s_.command, size);
    bool odd = size == 0 || blank > sizeof s_.command;
    for (const char c : name) odd |= c < 'A' || c > 'Z';
    if (hidden) {
      d_.hide(kCommand);
      d_.hide(kArgument);
    } else {
      if (odd) d_.flaw(Flaw::BadMessage);
      d_.text(kCommand, name);
      if (name != "PASS" && name != "ACCT" && !argument.empty()) d_.text(kArgument, argument);
      act(name, argument);
    }
    d_.reach(kCommandRead);
    describe();
  }

  void act(std::string_view name, std::string_view argument) {
    if (name == "USER") {
      s_.user_bytes = static_cast<std::uint8_t>(std::min(argument.size(), sizeof s_.user));
      std::memcpy(s_.user, argument.data(), s_.user_bytes);
      d_.text(field::kAuthUser, argument);
      d_.word(field::kAuthScheme, field::AuthScheme::Password);
      s_.awaited = Awaited::Login;
    } else if (name == "PASS" || name == "ACCT") {
      if (s_.user_bytes != 0) d_.text(field::kAuthUser, {s_.user, s_.user_bytes});
      d_.word(field::kAuthScheme, field::AuthScheme::Password);
      s_.awaited = Awaited::Login;
    } else if (name == "AUTH" && (equals_nocase(argument, "TLS") || equals_nocase(argument, "TLS-C") || equals_nocase(argument, "SSL"))) {
      s_.awaited = Awaited::Tls;
    } else if (name == "PASV") {
      s_.awaited = Awaited::Passive;
    } else if (name == "EPSV") {
      s_.awaited = Awaited::ExtendedPassive;
    } else if (name == "PORT") {
      announce(read_host_port(argument), Side::Client);
    } else if (name == "EPRT") {
      announce(read_extended(argument), Side::Client);
    } else if (name == "RETR" || name == "STOR" || name == "APPE" || name == "STOU" || name == "DELE" || name == "RNFR" || name == "RNTO") {
      if (!argument.empty()) d_.text(field::kFileName, argument.substr(argument.rfind('/') + 1));
    }
  }

  void reply(std::string_view line) {
    const bool coded = line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]);
    const bool last = coded && (line.size() == 3 || line[3] == ' ');
    if (s_.in_reply) {
      if (!last || std::memcmp(s_.reply_code, line.data(), 3) != 0) return;
      s_.in_reply = false;
    } else {
      if (!coded || (line.size() > 3 && line[3] != ' ' && line[3] != '-')) return d_.flaw(Flaw::BadMessage);
      if (!last) {
        std::memcpy(s_.reply_code, line.data(), 3);
        s_.in_reply = true;
        return;
      }
    }
    if (line[0] == '1') return;  // RFC 959, 4.2.1: a final reply is still to come.
    if (!s_.greeted && s_.awaiting == 0) {
      s_.greeted = true;
      return;
    }
    if (s_.awaiting == 0) return;
    if (--s_.awaiting == 0) answer((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'), line);
  }

  /// The answer to the newest command.
  void answer(int code, std::string_view line) {
    if (s_.awaited == Awaited::Login) {
      if (code == 230 || code == 232) d_.word(field::kAuthResult, field::AuthResult::Ok);
      else if (code == 530 || code == 430) d_.word(field::kAuthResult, field::AuthResult::Failed);
    } else if (s_.awaited == Awaited::Passive && code == 227) {
      std::size_t digits = 4;  // RFC 1123, 4.1.2.6: the parentheses may be missing.
      while (digits < line.size() && !is_digit(line[digits])) ++digits;
      announce(read_host_port(line.substr(std::min(digits, line.size()))), Side::Server);
    } else if (s_.awaited == Awaited::ExtendedPassive && code == 229) {
      const std::size_t open = line.find('(');
      announce(open == std::string_view::npos ? std::nullopt : read_extended(line.substr(open + 1)), Side::Server);
    }
    const bool tls = s_.awaited == Awaited::Tls && (code == 234 || code == 334);
    if (s_.awaited != Awaited::Other) describe();
    end_transaction();
    if (!tls || done_) return;
    d_.carry("tls");  // RFC 4217, 4
    carried_ = true;
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Lines lines_;
  bool done_ = false, carried_ = false;
};

}  // namespace

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

}  // namespace weir::proto::ftp
