// SPDX-License-Identifier: Apache-2.0
#include "proto/irc/irc.h"

#include <algorithm>

#include "base/text.h"

namespace weir::proto::irc {
namespace {

/// USER and PASS are other protocols' too: only four parameters, the last behind a colon, are IRC's.
bool is_user_line(std::string_view line) {
  return starts_nocase(line, "USER ") && std::count(line.begin(), line.end(), ' ') >= 4 && line.find(" :") != std::string_view::npos;
}

Match judge_client(std::string_view text) {
  Match match = Match::No;
  for (std::size_t lines = 0; lines < 4 && !text.empty(); ++lines) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos) {
      for (const std::string_view word : {"NICK ", "USER ", "PASS ", "CAP LS", "CAP REQ"}) {
        const std::size_t n = std::min(line.size(), word.size());
        if (equals_nocase(line.substr(0, n), word.substr(0, n))) return Match::Maybe;
      }
      return match;
    }
    if (starts_nocase(line, "NICK ") || starts_nocase(line, "CAP LS") || starts_nocase(line, "CAP REQ") || is_user_line(line)) return Match::Yes;
    if (!starts_nocase(line, "PASS ")) return Match::No;
    match = Match::Maybe;
    text.remove_prefix(end + 1);
  }
  return match;
}

/// ":irc.example.org 001 nick :…", ":irc.example.org NOTICE AUTH :…", "NOTICE AUTH :…"
Match judge_server(std::string_view text) {
  constexpr std::string_view kNotice = "NOTICE ";
  const std::size_t n = std::min(text.size(), kNotice.size());
  if (text.substr(0, n) == kNotice.substr(0, n)) {
    if (text.find('\n') == std::string_view::npos) return Match::Maybe;
    return text.substr(0, text.find('\n')).find(" :") != std::string_view::npos ? Match::Yes : Match::No;
  }
  if (text[0] != ':') return starts_nocase(text, "PING :") || starts_nocase("PING :", text) || starts_nocase(text, "ERROR :") || starts_nocase("ERROR :", text) ? Match::Maybe : Match::No;
  const std::size_t blank = text.find(' ');
  const std::string_view source = text.substr(0, blank);
  if (source.size() > 255 || source.find('\n') != std::string_view::npos) return Match::No;
  if (blank == std::string_view::npos) return Match::Maybe;
  const std::string_view rest = text.substr(blank + 1);
  if (rest.size() < 4) return Match::Maybe;
  if (is_digit(rest[0]) && is_digit(rest[1]) && is_digit(rest[2]) && rest[3] == ' ') return Match::Yes;
  const std::size_t m = std::min(rest.size(), kNotice.size());
  if (rest.substr(0, m) != kNotice.substr(0, m) && !starts_nocase(rest, "CAP ")) return Match::No;
  return m == kNotice.size() || starts_nocase(rest, "CAP ") ? Match::Yes : Match::Maybe;
}

Match judge(std::string_view client, std::string_view server) {
  const Match asked = client.empty() ? Match::Maybe : judge_client(client);
  const Match told = server.empty() ? Match::Maybe : judge_server(server);
  if (asked == Match::No || told == Match::No) return Match::No;
  return asked == Match::Yes || told == Match::Yes ? Match::Yes : Match::Maybe;
}

}  // namespace

Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  const Match match = judge(as_text(e.client), as_text(e.server));
  if (!e.roles_unsure || match != Match::No) return match;
  return judge(as_text(e.server), as_text(e.client));
}

}  // namespace weir::proto::irc
