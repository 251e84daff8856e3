// SPDX-License-Identifier: Apache-2.0
// FTP by its first lines. `220` greets in SMTP too: a word of the greeting or a command that only FTP has decides.

#include <algorithm>

#include "base/text.h"
#include "proto/ftp/ftp.h"

namespace weir::proto::ftp {
namespace {

// USER and PASS are POP3's too: they count only behind a 220.
constexpr std::string_view kOwn[] = {"SYST", "FEAT", "PASV", "EPSV", "PORT", "EPRT", "CWD", "RETR", "STOR", "MLSD", "PBSZ", "PROT", "CCC", "ADAT", "CLNT", "ACCT"};
constexpr std::string_view kShared[] = {"USER", "PASS", "AUTH", "OPTS", "HOST", "LIST", "QUIT", "NOOP", "TYPE", "PWD", "HELP", "SITE", "STAT", "CDUP", "MODE"};

enum class Client : std::uint8_t { Nothing, Partial, Own, Shared, Other };

Client judge_client(std::string_view text) {
  if (text.empty()) return Client::Nothing;
  const std::size_t end = text.find_first_of(" \r\n");
  const std::string_view word = text.substr(0, end);
  if (word.size() > 4) return Client::Other;
  const auto is = [&](std::string_view c) { return equals_nocase(c, word); };
  const auto begins = [&](std::string_view c) { return starts_nocase(c, word); };
  if (end == std::string_view::npos) return std::ranges::any_of(kOwn, begins) || std::ranges::any_of(kShared, begins) ? Client::Partial : Client::Other;
  if (text.find('\n') == std::string_view::npos) return std::ranges::any_of(kOwn, is) || std::ranges::any_of(kShared, is) ? Client::Partial : Client::Other;
  if (std::ranges::any_of(kOwn, is)) return Client::Own;
  if (equals_nocase(word, "AUTH") && (contains_nocase(text, " TLS") || contains_nocase(text, " SSL"))) return Client::Own;
  return std::ranges::any_of(kShared, is) ? Client::Shared : Client::Other;
}

Match judge(std::string_view client, std::string_view server) {
  const Client asked = judge_client(client);
  if (asked == Client::Other) return Match::No;
  if (server.empty()) return Match::Maybe;  // FTP's server speaks first: without it even FTP's own words do not suffice.
  const std::size_t n = std::min<std::size_t>(server.size(), 3);
  if (server.substr(0, n) != std::string_view("220").substr(0, n) && server.substr(0, n) != std::string_view("120").substr(0, n))
    return Match::No;
  if (n < 3) return Match::Maybe;
  if (server.size() > 3 && server[3] != ' ' && server[3] != '-' && server[3] != '\r' && server[3] != '\n') return Match::No;
  if (asked == Client::Own || asked == Client::Shared) {
    // The other protocol that greets with 220 knows neither USER nor FTP's own words; NOOP, QUIT, HELP and AUTH it does.
    if (asked == Client::Own || starts_nocase(client, "USER ") || starts_nocase(client, "HOST ") || starts_nocase(client, "OPTS ")) return Match::Yes;
  }
  const std::size_t end = server.find('\n');
  if (end == std::string_view::npos) return Match::Maybe;
  const bool mail = contains_nocase(server, "SMTP") || contains_nocase(server, "mail");
  if (!mail && (contains_nocase(server, "FTP") || contains_nocase(server, "FileZilla"))) return Match::Yes;
  return Match::Maybe;
}

}  // namespace

Match identify(const Evidence& e) { return e.is_udp() ? Match::No : judge_either_way(e, judge); }

}  // namespace weir::proto::ftp
