// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP/1.0 and 1.1 (RFC 9110, 9112), requests and answers of one connection. A transaction is a request and its final
// answer; it begins at the request line and is described when the request's head is done, when its body becomes known, and
// when the answer's head is done. Where a client sends the next request before the answer, the answer gets a transaction of
// its own in which the request's facts are hidden.
//
// A line is read when it is complete, and facts point into it: nothing is copied but what has to be decoded. Bodies are
// passed over; their first bytes give http.body and file.type. What a proxy and a server may read in two ways (RFC 9112, 11.2)
// is a flaw, and reading goes on in the way that the RFC says; where it says none, with the next line that is a request. HTTP/0.9 is read only as the first request of a connection.
//
// Left out: Content-Encoding is not undone, multipart bodies are looked into as far as their first part's first bytes.

#include <array>
#include <span>
#include <string_view>

#include "proto/http/fields.h"
#include "proto/protocol.h"

namespace weir::proto {

namespace http {

enum class Stage : std::uint8_t {
  Start,       ///< A request line or status line comes.
  Headers,
  Prefix,      ///< The first bytes of a body of known length are awaited.
  Body,
  ChunkSize,
  ChunkData,
  ChunkEnd,    ///< The CRLF behind a chunk's data.
  Trailers,
  UntilClose,  ///< A body that the end of the stream ends.
  Hold,        ///< After CONNECT: until the answer says whose bytes these are.
  Seek,        ///< Where no message can be told from the next: up to a line that is a request.
};

/// One side's message, as far as it is read.
struct Message {
  Stage stage;
  bool has_length, bad_framing, chunked, coded, has_host, prefix_done, interim, upgrade_websocket, upgrade_h2c, multipart, connect,
      header_hidden, in_line;
  std::uint8_t minor;         ///< Of HTTP/1.x.
  std::uint16_t status;
  std::uint32_t scanned;      ///< Bytes behind the cursor in which there is no LF.
  std::uint32_t head_bytes;   ///< Of the head so far.
  std::uint64_t remaining;    ///< Of the body, or of the chunk.
};

/// Decoded text of one transaction: it must live until the engine has copied it, so it cannot live on the stack.
struct Arena {
  std::uint16_t used;
  char bytes[2560];
  std::span<char> rest() { return std::span<char>(bytes).subspan(used); }
  /// Makes the first `size` bytes of rest() permanent.
  std::string_view commit(std::size_t size) {
    const std::string_view text(bytes + used, size);
    used = static_cast<std::uint16_t>(used + size);
    return text;
  }
};

/// Of the ends that X-Forwarded-For or Forwarded name, the last that is no trusted proxy.
enum class Hop : std::uint8_t { None, Address, Unreadable };

struct State {
  Message messages[2];
  std::uint32_t requests;      ///< Begun.
  std::uint32_t answers;       ///< Final ones whose head is done, of those requests.
  std::uint32_t current;       ///< Number of the request that the open transaction describes, from 1; 0: its request was not seen.
  std::uint32_t answering;     ///< Likewise of the answer being read.
  std::uint64_t heads, connects, simple;  ///< A bit for each request that awaits its answer: HEAD, CONNECT, HTTP/0.9.
  std::uint64_t names_seen;    ///< Hash of the last server.name.
  std::uint64_t body_bytes;    ///< Of the request.
  std::uint8_t names_count;
  char authority[264];         ///< For http.url.
  std::uint16_t authority_bytes, url_at, url_bytes;
  Hop client;
  Ip client_ip;
  bool open, request_done, answer_done, credentials, refined, absolute, forwarded;
  bool answers_lost;           ///< Which answer is whose cannot be told any more: they are passed over, requests are read on.
  bool is_post, dav_method, bits_method, doh_path, wsman_path, doh_type, dav_agent, bits_agent;
  Arena arena;
};
static_assert(sizeof(State) <= 4096);

inline constexpr std::uint32_t kAwaitedMax = 64;          ///< Requests without an answer.
inline constexpr std::size_t kHeadBytesMax = 65'534;      ///< Of one head, and so of one line.
inline constexpr std::size_t kTextBytesMax = 4096;        ///< Longer values are hidden: they would not outlive their frame.
inline constexpr std::size_t kAuthorityRoom = 272;        ///< `http://`, and the longest name with a port.
inline constexpr std::size_t kBodyPrefixBytes = 1024;

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);
bool resync(void* state, Side side, std::uint64_t lost_bytes);
/// The client's bytes alone.
Match match_request(Bytes bytes);

/// Of a method or a field's name (RFC 9110, 5.6.2).
inline constexpr auto kTokenChars = [] {
  std::array<bool, 256> table{};
  for (int i = '0'; i <= '9'; ++i) table[static_cast<std::size_t>(i)] = true;
  for (int i = 'a'; i <= 'z'; ++i) table[static_cast<std::size_t>(i)] = table[static_cast<std::size_t>(i - 32)] = true;
  for (const char x : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) table[static_cast<std::size_t>(x)] = true;
  return table;
}();
inline bool is_token_char(char c) { return kTokenChars[static_cast<std::uint8_t>(c)]; }

/// What an answer cannot tell about its request.
inline constexpr FieldId kOfRequest[] = {kMethod,    kUri,  kUrl,       kPath,            kHost,            kUserAgent,
                                         kClientIp,  kBody, kBodyBytes, field::kAuthUser, field::kAuthScheme};

/// Makes ready for the facts of another transaction.
void reset_transaction(State& s);
/// Sets a text, or hides it if it is too long to be kept.
void put(Describer& d, FieldId field, std::string_view value);
/// http.method, and what it tells of the use.
void describe_method(State& s, Describer& d, std::string_view method);
/// auth.result, where the request brought credentials.
void describe_result(const State& s, Describer& d, std::uint16_t status);
/// Names the use of HTTP, once a connection.
void refine(State& s, Describer& d);
/// http.uri, http.path, and http.host from an authority in the target.
void describe_target(State& s, Describer& d, std::string_view method, std::string_view target);
/// http.host and server.name from `authority` (RFC 3986, 3.2).
void describe_host(State& s, Describer& d, std::string_view authority);
/// http.url, at the end of a request's head.
void describe_url(State& s, Describer& d);
/// http.client_ip, at the end of a request's head.
void describe_client(const State& s, Describer& d);
/// One header line of a request or of an answer: framing into `m`, facts to `d`.
void read_header(State& s, Message& m, Describer& d, Side side, bool described, std::string_view line);
/// The credentials of a request (RFC 9110, 11.6.2).
void describe_credentials(State& s, Describer& d, std::string_view value);
/// Likewise of a target whose query carries a key and its signature.
void describe_signed_query(State& s, Describer& d, std::string_view target);
/// file.type, and file.name of a form's part.
void describe_body_file(Message& m, Describer& d, Side side, Bytes first);

// Ports that IANA lists for http, http-alt and for protocols that are HTTP (ipp, wsman), and 8000, which everybody uses.
inline constexpr std::uint16_t kPorts[] = {80, 280, 591, 631, 5985, 8000, 8008, 8080, 8088, 47001};

}  // namespace http

inline constexpr Protocol kHttp = {.name = "http",
                                   .tcp_ports = http::kPorts,
                                   .tcp = true,
                                   .identify = http::identify,
                                   .fields = http::kFields,
                                   .shared = http::kShared,
                                   .state_bytes = sizeof(http::State),
                                   .parse = parse_as<http::State, http::parse>,
                                   .resync = http::resync,
                                   .may_extend = true};
// Uses of HTTP, told by method, path or client: layers above `http`, never recognised by themselves.
inline constexpr Protocol kBits = {.name = "bits", .tcp = true};
inline constexpr Protocol kDoh = {.name = "doh", .tcp = true};
inline constexpr Protocol kWebdav = {.name = "webdav", .tcp = true};
inline constexpr Protocol kWinrm = {.name = "winrm", .tcp = true};

}  // namespace weir::proto
