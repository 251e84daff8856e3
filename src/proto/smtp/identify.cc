// SPDX-License-Identifier: Apache-2.0
// SMTP by its first lines: a greeting that names it, or the command that only SMTP and LMTP begin with.

#include <algorithm>

#include "base/text.h"
#include "proto/smtp/smtp.h"

namespace weir::proto::smtp {
namespace {

Match judge_client(std::string_view text) {
  // A client may also begin with these; they tell nothing.
  for (const std::string_view word : {"EHLO ", "HELO ", "LHLO "}) {
    const std::size_t n = std::min(text.size(), word.size());
    if (!equals_nocase(text.substr(0, n), word.substr(0, n))) continue;
    return text.find('\n') != std::string_view::npos ? Match::Yes : Match::Maybe;
  }
  for (const std::string_view word : {"QUIT", "NOOP", "RSET", "HELP", "STARTTLS", "AUTH ", "MAIL FROM:", "VRFY ", "EXPN "}) {
    const std::size_t n = std::min(text.size(), word.size());
    if (!equals_nocase(text.substr(0, n), word.substr(0, n))) continue;
    return word == "MAIL FROM:" && n == word.size() && text.find('\n') != std::string_view::npos ? Match::Yes : Match::Maybe;
  }
  return Match::No;
}

Match judge_server(std::string_view text) {
  const std::string_view code = text.substr(0, 3);
  bool known = false;
  for (const std::string_view c : {"220", "421", "554"}) known |= code == c.substr(0, code.size());
  if (!known) return Match::No;
  if (text.size() > 3 && text[3] != ' ' && text[3] != '-' && text[3] != '\r' && text[3] != '\n') return Match::No;
  if (text.find('\n') == std::string_view::npos) return Match::Maybe;
  const bool files = contains_nocase(text, "FTP") || contains_nocase(text, "FileZilla");
  return !files && (contains_nocase(text, "SMTP") || contains_nocase(text, "LMTP")) ? Match::Yes : Match::Maybe;
}

Match judge(std::string_view client, std::string_view server) {
  const Match asked = client.empty() ? Match::Maybe : judge_client(client);
  const Match greeted = server.empty() ? Match::Maybe : judge_server(server);
  if (asked == Match::No || greeted == Match::No) return Match::No;
  return asked == Match::Yes || greeted == Match::Yes ? Match::Yes : Match::Maybe;
}

}  // namespace

Match identify(const Evidence& e) { return e.is_udp() ? Match::No : judge_either_way(e, judge); }

}  // namespace weir::proto::smtp
