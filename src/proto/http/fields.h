// SPDX-License-Identifier: Apache-2.0
#pragma once

// Facts of HTTP, in whatever version carries it: HTTP/1 here, HTTP/2 (proto/http2) writes the same rows.

#include "facts/field_ids.h"

namespace weir::proto::http {

enum : FieldId {
  kMethod = 200, kUri, kPath, kHost, kUserAgent, kVersion, kStatus, kContentType, kHeader, kClientIp, kBody, kBodyBytes, kUrl,
};

inline constexpr std::uint8_t kRequestHead = milestone::kOwn;       ///< The request's headers are done.
inline constexpr std::uint8_t kResponseHead = milestone::kOwn + 1;  ///< The answer's headers are done.
inline constexpr std::uint8_t kRequestBody = milestone::kOwn + 2;   ///< The request's body is done.

// clang-format off
inline constexpr FieldRow kFields[] = {
    {kMethod, "http.method", FieldType::Text, Scope::Transaction, kRequestHead, false, on::kAll, {}, "Method of the request (RFC 9110, 9)."},
    {kUri, "http.uri", FieldType::Text, Scope::Transaction, kRequestHead, false, on::kAll, {}, "Target of the request as it was sent (RFC 9112, 3.2)."},
    {kPath, "http.path", FieldType::Text, Scope::Transaction, kRequestHead, false, on::kAll, {}, "Path of the target: %XX decoded once, without dot segments (RFC 3986, 5.2.4) and query."},
    {kHost, "http.host", FieldType::Domain, Scope::Transaction, kRequestHead, false, on::kAll, {}, "Host that is asked for, lower case, without port; IPv6 in brackets."},
    {kUserAgent, "http.user_agent", FieldType::TextFold, Scope::Transaction, kRequestHead, false, on::kAll, {}, "User-Agent of the request."},
    {kVersion, "http.version", FieldType::Text, Scope::Transaction, kRequestHead, false, on::kAll, {}, "0.9, 1.0, 1.1 or 2, of the request; of the answer where the request was not seen."},
    {kStatus, "http.status", FieldType::Number, Scope::Transaction, kResponseHead, false, on::kAll, {}, "Status of the final answer (RFC 9110, 15)."},
    {kContentType, "http.content_type", FieldType::TextFold, Scope::Transaction, kResponseHead, false, on::kAll, {}, "Content-Type without parameters: the request's, then the answer's."},
    {kHeader, "http.header", FieldType::TextFold, Scope::Transaction, kRequestHead, true, on::kAll, {}, "Header lines as `Name: value`. The request's are complete with its head; the answer's are added when they come."},
    {kClientIp, "http.client_ip", FieldType::Address, Scope::Transaction, kRequestHead, false, on::kAll, {}, "Whom the request is for: the last address of X-Forwarded-For or Forwarded (RFC 7239) that is none of `trusted_proxies`; the client itself if it is none of them. Without that list the last address."},
    {kBody, "http.body", FieldType::Text, Scope::Transaction, kRequestBody, false, on::kAll, {}, "The first 1,024 bytes of the request's body."},
    {kBodyBytes, "http.body_bytes", FieldType::Number, Scope::Transaction, kRequestBody, false, on::kAll, {}, "Bytes of the request's body: as declared, or as its chunks add up to: then an upper bound is certain only at the end."},
    {kUrl, "http.url", FieldType::Text, Scope::Transaction, kRequestHead, false, on::kAll, {}, "What is asked for as one URL, `http://host[:port]/path[?query]`: host in lower case, path as http.path; `@set` of urls."},
};
// clang-format on

inline constexpr FieldId kShared[] = {field::kServerName, field::kAuthUser, field::kAuthRealm, field::kAuthScheme,
                                      field::kAuthResult, field::kFileType, field::kFileName, field::kFileBytes};

}  // namespace weir::proto::http
