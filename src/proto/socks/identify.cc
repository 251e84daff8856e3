// SPDX-License-Identifier: Apache-2.0
// A SOCKS client says too little to be sure of: three bytes in version 5. The proxy's answer must fit what was asked;
// only a request of 4a with a name in it speaks for itself. The answer is looked at only when the request is whole, so that it does not matter which of
// them came faster.

#include <algorithm>

#include "base/text.h"
#include "proto/socks/socks.h"

namespace weir::proto::socks {
namespace {

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

Match judge_4(Bytes client, Bytes server) {
  if (client.size() >= 2 && client[1] != 1 && client[1] != 2) return Match::No;
  if (client.size() < 9) return Match::Maybe;
  const std::string_view rest = as_text(client.subspan(8));
  const std::size_t user = rest.find('\0');
  if (!is_printable(rest.substr(0, user)) || (user == std::string_view::npos ? rest.size() : user) > 255) return Match::No;
  if (user == std::string_view::npos) return Match::Maybe;
  const std::uint32_t ip = load_be32(&client[4]);
  if (ip >> 8 == 0 && ip != 0) {
    const std::string_view name = rest.substr(user + 1);
    const std::size_t end = name.find('\0');
    if (!is_printable(name.substr(0, end)) || (end == std::string_view::npos ? name.size() : end) > 255) return Match::No;
    if (end == std::string_view::npos) return Match::Maybe;
    if (end > 3 && name.find('.') < end) return Match::Yes;
  }
  if (!server.empty() && server[0] != 0) return Match::No;
  if (server.size() < 2) return Match::Maybe;
  return server[1] >= 90 && server[1] <= 93 ? Match::Yes : Match::No;
}

Match judge_5(Bytes client, Bytes server) {
  if (client.size() < 2) return Match::Maybe;
  const std::size_t methods = client[1];
  if (methods == 0 || methods > 16) return Match::No;
  // Methods: none, GSSAPI, password, and a few registered ones; 0x80 and above are private.
  for (std::size_t i = 2; i < std::min(client.size(), 2 + methods); ++i)
    if (client[i] > 9 && client[i] < 0x80) return Match::No;
  if (client.size() < 2 + methods || server.empty()) return Match::Maybe;
  if (server[0] != 5) return Match::No;
  if (server.size() < 2) return Match::Maybe;
  const Bytes offered = client.subspan(2, methods);
  return server[1] == 0xff || std::ranges::find(offered, server[1]) != offered.end() ? Match::Yes : Match::No;
}

Match judge(Bytes client, Bytes server) {
  if (client.empty()) return Match::Maybe;
  if (client[0] == 4) return judge_4(client, server);
  return client[0] == 5 ? judge_5(client, server) : Match::No;
}

}  // namespace

Match identify(const Evidence& e) {
  if (e.is_udp() || e.server_first) return Match::No;
  const Match match = judge(e.client, e.server);
  if (!e.roles_unsure || match != Match::No) return match;
  return judge(e.server, e.client);
}

}  // namespace weir::proto::socks
