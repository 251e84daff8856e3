// SPDX-License-Identifier: Apache-2.0
// HTTP/1 by its first line. RTSP, SIP, SSDP and ICY have lines of the same shape: only ` HTTP/1.` tells, or a method that
// no other protocol has in front of a target that fills all the evidence there is.

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proto/http/http.h"

namespace weir::proto::http {
namespace {

constexpr std::size_t kMethodBytesMax = 24;
constexpr std::string_view kOwnMethods[] = {"GET",  "POST",     "HEAD",      "PUT",   "DELETE", "PATCH", "CONNECT", "PROPFIND", "PROPPATCH",
                                            "COPY", "MKCOL",    "MOVE",      "LOCK",  "UNLOCK", "TRACE", "REPORT",  "SEARCH",   "BITS_POST",
                                            "MERGE", "CHECKOUT", "MKACTIVITY", "RDG_IN_DATA", "RDG_OUT_DATA", "RPC_IN_DATA", "RPC_OUT_DATA"};

bool is_own_method(std::string_view method) { return std::ranges::find(kOwnMethods, method) != std::end(kOwnMethods); }

/// How far `text` agrees with "HTTP/1." and a digit.
Match match_version(std::string_view text) {
  constexpr std::string_view kVersion = "HTTP/1.";
  const std::size_t n = std::min(text.size(), kVersion.size());
  if (text.substr(0, n) != kVersion.substr(0, n)) return Match::No;
  if (text.size() <= kVersion.size()) return Match::Maybe;
  return is_digit(text[kVersion.size()]) ? Match::Yes : Match::No;
}

/// RFC 1945, 4.1: a line of GET and a path is a whole HTTP/0.9 request. Too little to be sure of: the answer must be a page or a status line.
bool is_simple_request(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with("GET /")) return false;
  std::string_view target = text.substr(4, end - 4);
  if (target.ends_with('\r')) target.remove_suffix(1);
  return std::ranges::none_of(target, [](char c) { return static_cast<std::uint8_t>(c) <= 0x20 || c == 0x7f; });
}

/// The request's side decides. Bytes of a server that come too early rule out nothing: it would only have to send one to be taken for something else.
/// Where it spoke first all the same, and says what only an answer says, its word counts: the request went by elsewhere.
Match judge(const Evidence& e) {
  const Match answer = e.server.empty() ? Match::Maybe : match_version(as_text(e.server));
  Match request = e.client.empty() ? Match::Maybe : match_request(e.client);
  if (is_simple_request(as_text(e.client))) request = e.server.empty() || answer != Match::No ? answer : e.server[0] == '<' ? Match::Yes : Match::No;
  const bool server_first = e.server_first || e.client.empty();
  if (!server_first || e.server.empty()) return request;
  if (answer == Match::Yes || request == Match::Yes) return Match::Yes;
  return answer == Match::Maybe ? Match::Maybe : request;
}

}  // namespace

Match match_request(Bytes bytes) {
  std::string_view text = as_text(bytes);
  if (text == "\r") return Match::Maybe;
  if (text.starts_with("\r\n")) text.remove_prefix(2);  // RFC 9112, 2.2: an empty line before it is ignored.
  std::size_t method_bytes = 0;
  while (method_bytes < text.size() && is_token_char(text[method_bytes])) ++method_bytes;
  if (method_bytes > kMethodBytesMax) return Match::No;
  if (method_bytes == text.size()) return Match::Maybe;
  if (method_bytes == 0 || text[method_bytes] != ' ') return Match::No;

  const bool own = is_own_method(text.substr(0, method_bytes));
  const std::size_t begin = method_bytes + 1;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const auto c = static_cast<std::uint8_t>(text[at]);
    if (c == ' ') {
      if (at == begin) return Match::No;
      const Match version = match_version(text.substr(at + 1));
      if (version != Match::No || !own) return version;
      continue;  // Some clients leave blanks in a target as they are.
    }
    // The feed of a simple request's line may come in the next segment.
    const bool cut = c == '\r' && at + 1 == text.size() && text.starts_with("GET /") && text.substr(0, at).find(' ', 4) == std::string_view::npos;
    if (c == '\r' || c == '\n') return cut || (is_simple_request(text) && text.ends_with('\n') && std::ranges::count(text, '\n') == 1) ? Match::Maybe : Match::No;
    if (c < 0x20 || c == 0x7f) return Match::No;
  }
  if (bytes.size() >= kEvidenceMax) return own ? Match::Yes : Match::No;
  return Match::Maybe;
}

Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  if (!e.roles_unsure) return judge(e);
  // Either side's bytes as either; a body in its middle looks like nothing, so one sure side is enough.
  const auto either = [](Bytes side) { return side.empty() ? Match::Maybe : std::max(match_version(as_text(side)), match_request(side)); };
  const Match client = either(e.client), server = either(e.server);
  if (client == Match::Yes || server == Match::Yes) return Match::Yes;
  return client == Match::No && server == Match::No ? Match::No : Match::Maybe;
}

}  // namespace weir::proto::http
