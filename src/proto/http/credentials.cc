// SPDX-License-Identifier: Apache-2.0
// Authorization and Proxy-Authorization: who says to be whom. Nothing is verified. Basic (RFC 7617), Digest (RFC 7616), Bearer
// (RFC 6750; the subject of a JWT, RFC 7519, where it is one), NTLM and Negotiate (RFC 4559; the user of an NTLM
// AUTHENTICATE_MESSAGE, MS-NLMP 2.2.1.3), and the keys that object stores name: Signature 4 of AWS and of Google, in a header or in a
// query that was signed before, their older forms, Azure's SharedKey, Alibaba's and Tencent's.

#include <algorithm>

#include "base/text.h"
#include "proto/base64.h"
#include "proto/http/http.h"

namespace weir::proto::http {
namespace {

using field::AuthScheme;

constexpr std::size_t kTokenBytesMax = 1536;  ///< Decoded bytes of a token that are looked into.

/// A copy that lives as long as the transaction; hidden if there is no room.
void put_copy(State& s, Describer& d, FieldId field, std::string_view text) {
  const std::span<char> room = s.arena.rest();
  if (text.size() > room.size()) return d.hide(field);
  for (std::size_t i = 0; i < text.size(); ++i) room[i] = text[i];
  d.text(field, s.arena.commit(text.size()));
}

/// The value of `name="…"` or `name=…` in a list of parameters (RFC 9110, 11.2), without its quotes.
std::string_view parameter(std::string_view list, std::string_view name) {
  for (std::size_t at = 0; at < list.size();) {
    while (at < list.size() && (list[at] == ' ' || list[at] == ',' || list[at] == '\t')) ++at;
    const std::size_t equals = list.find('=', at);
    if (equals == std::string_view::npos) return {};
    const bool found = equals_nocase(trim(list.substr(at, equals - at)), name);
    std::size_t begin = equals + 1, end;
    if (begin < list.size() && list[begin] == '"') {
      end = std::min(list.find('"', ++begin), list.size());
      at = end + 1;
    } else {
      end = std::min(list.find(',', begin), list.size());
      at = end;
    }
    if (found) return list.substr(begin, end - begin);
  }
  return {};
}

/// The value of `name=` in a query, as it was sent.
std::string_view query_value(std::string_view query, std::string_view name) {
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    if (pair.size() > name.size() && pair[name.size()] == '=' && equals_nocase(pair.substr(0, name.size()), name)) return pair.substr(name.size() + 1);
    at = end + 1;
  }
  return {};
}

/// One of the strings of an NTLM message, as ASCII; `at` is the offset of its length, maximum and offset fields.
std::string_view ntlm_string(Bytes message, std::size_t at, bool unicode, std::span<char> out) {
  Reader r(message);
  r.seek(at);
  const std::uint16_t size = r.le16();
  r.skip(2);
  const std::uint32_t offset = r.le32();
  if (!r.ok()) return {};
  r.seek(offset);
  const Bytes text = r.bytes(size);
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size() && written < out.size(); i += unicode ? 2 : 1) {
    const bool wide = unicode && i + 1 < text.size() && text[i + 1] != 0;
    out[written++] = wide ? '?' : static_cast<char>(text[i]);
  }
  return {out.data(), written};
}

void describe_ntlm(State& s, Describer& d, Bytes message) {
  Reader r(message);
  r.skip(8);
  if (r.le32() != 3) return;
  r.seek(60);
  const bool unicode = (r.le32() & 1) != 0;  // NTLMSSP_NEGOTIATE_UNICODE
  char text[256];
  if (const std::string_view user = ntlm_string(message, 36, unicode, text); !user.empty()) put_copy(s, d, field::kAuthUser, user);
  if (const std::string_view domain = ntlm_string(message, 28, unicode, text); !domain.empty()) put_copy(s, d, field::kAuthRealm, domain);
}

AuthScheme describe_negotiate(State& s, Describer& d, std::string_view token, AuthScheme otherwise) {
  char room[kTokenBytesMax];
  const std::string_view decoded = decode_base64(token, room);
  const std::size_t ntlm = decoded.substr(0, 256).find(std::string_view("NTLMSSP\0", 8));
  if (ntlm != std::string_view::npos) {
    describe_ntlm(s, d, as_bytes(decoded.substr(ntlm)));
    return AuthScheme::Ntlm;
  }
  // 1.2.840.113554.1.2.2 and Microsoft's misprint of it (MS-SPNG 3.1.5.2).
  const bool kerberos = decoded.find("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02") != std::string_view::npos ||
                        decoded.find("\x2a\x86\x48\x82\xf7\x12\x01\x02\x02") != std::string_view::npos;
  return kerberos ? AuthScheme::Kerberos : otherwise;
}

void describe_bearer(State& s, Describer& d, std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos || token.find('.', first + 1) == std::string_view::npos) return;
  char room[kTokenBytesMax];
  const std::string_view claims = decode_base64(token.substr(first + 1), room);
  std::size_t at = claims.find("\"sub\"");
  if (at == std::string_view::npos) return;
  at = claims.find_first_not_of(" \t\r\n", at + 5);
  if (at == std::string_view::npos || claims[at] != ':') return;
  at = claims.find_first_not_of(" \t\r\n", at + 1);
  if (at == std::string_view::npos || claims[at] != '"') return;
  const std::size_t end = claims.find('"', at + 1);
  if (end != std::string_view::npos) put_copy(s, d, field::kAuthUser, claims.substr(at + 1, end - at - 1));
}

}  // namespace

void describe_credentials(State& s, Describer& d, std::string_view value) {
  const std::string_view scheme = value.substr(0, value.find(' '));
  const std::string_view rest = trim(value.substr(scheme.size()));
  AuthScheme told = AuthScheme::Other;
  s.credentials = true;
  if (equals_nocase(scheme, "basic")) {
    told = AuthScheme::Basic;
    char room[512];
    const std::string_view pair = decode_base64(rest, room);
    put_copy(s, d, field::kAuthUser, pair.substr(0, pair.find(':')));
  } else if (equals_nocase(scheme, "digest")) {
    told = AuthScheme::Digest;
    if (const std::string_view user = parameter(rest, "username"); !user.empty()) put(d, field::kAuthUser, user);
    if (const std::string_view realm = parameter(rest, "realm"); !realm.empty()) put(d, field::kAuthRealm, realm);
  } else if (equals_nocase(scheme, "bearer")) {
    told = AuthScheme::Bearer;
    describe_bearer(s, d, rest);
  } else if (equals_nocase(scheme, "ntlm")) {
    told = describe_negotiate(s, d, rest, AuthScheme::Ntlm);
  } else if (equals_nocase(scheme, "negotiate")) {
    told = describe_negotiate(s, d, rest, AuthScheme::Negotiate);
  } else if (scheme.starts_with("AWS4-") || scheme.starts_with("GOOG4-")) {
    told = AuthScheme::Sigv4;
    const std::string_view credential = parameter(rest, "Credential");
    if (!credential.empty()) put(d, field::kAuthUser, credential.substr(0, credential.find('/')));
  } else if (scheme == "AWS" || scheme == "GOOG1" || scheme == "OSS" || scheme == "SharedKey" || scheme == "SharedKeyLite") {
    if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) put(d, field::kAuthUser, rest.substr(0, colon));
  } else if (const std::string_view key = query_value(value, "q-ak"); !key.empty()) {
    put(d, field::kAuthUser, key);
  }
  d.word(field::kAuthScheme, told);
}

void describe_signed_query(State& s, Describer& d, std::string_view target) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return;
  const std::string_view query = target.substr(mark + 1);
  struct Row {
    std::string_view name;
    AuthScheme scheme;
  };
  constexpr Row kRows[] = {{"X-Amz-Credential", AuthScheme::Sigv4}, {"X-Goog-Credential", AuthScheme::Sigv4}, {"AWSAccessKeyId", AuthScheme::Other},
                           {"GoogleAccessId", AuthScheme::Other}, {"OSSAccessKeyId", AuthScheme::Other}, {"q-ak", AuthScheme::Other}};
  for (const Row& row : kRows) {
    std::string_view key = query_value(query, row.name);
    if (key.empty()) continue;
    // KEY/DATE/REGION/SERVICE/aws4_request, its slashes mostly encoded.
    key = key.substr(0, std::min({key.find('/'), key.find("%2F"), key.find("%2f")}));
    s.credentials = true;
    put(d, field::kAuthUser, key);
    d.word(field::kAuthScheme, row.scheme);
    return;
  }
}

}  // namespace weir::proto::http
