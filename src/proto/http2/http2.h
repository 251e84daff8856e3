// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP/2 in the clear (RFC 9113), by prior knowledge or after `Upgrade: h2c`. It says what HTTP/1 says: the facts of proto/http/fields.h, a
// transaction a stream. Inside TLS nothing of it is visible, and nothing is claimed.
//
// Frames of many streams lie between each other, and one transaction is open at a time. It is the stream's whose header block came last, or whose
// body or answer told something new. A stream that is taken up again brings its method, target and host along (they are kept for
// each, with what its body began with); what else its request said is hidden then. Streams beyond kStreamsMax take the place of those that were
// silent longest; of one that lost its place the request is hidden.
//
//   kept(Client): | table | - - - - - - - - | lines of a block | block in pieces | beginnings of requests' bodies |
//   kept(Server): | table | requests by stream | lines of a block | block in pieces | beginnings of answers' bodies |
//
// What RFC 9113 calls malformed (8.1.1) is a flaw and is read on where the frames can still be told apart. Cheap frames that cost a server much
// are flaws too: requests that are cancelled at once, header blocks without end.
//
// Left out: what a CONNECT carries is a body here (8.5; RFC 8441); priorities, pushes other than that their answers have a request; flow control.

#include "proto/http/http.h"
#include "proto/http2/hpack.h"

namespace weir::proto {

namespace http2 {

inline constexpr std::size_t kStreamsMax = 24;
inline constexpr std::size_t kRecordBytes = 384;       ///< Of method, authority and target of one request.
inline constexpr std::uint32_t kCancelledMax = 100;    ///< Requests that the client took back, more than were answered since.
inline constexpr std::size_t kListBytesMax = 65'536;   ///< Of one header list, as RFC 9113, 6.5.2 counts it.
inline constexpr std::size_t kBlockBytesMax = 22'528;  ///< Of a header block in pieces.
inline constexpr std::uint32_t kFrameBytesMax = 16'384;///< Of every frame, unless SETTINGS allow more (RFC 9113, 4.2).

// Places in kept().
inline constexpr std::size_t kRecordsAt = kTableEnd;
inline constexpr std::size_t kServerLinesAt = kRecordsAt + kStreamsMax * kRecordBytes;
inline constexpr std::size_t kClientLinesAt = kTableEnd;
inline constexpr std::size_t kBlockAt = 18'432;
inline constexpr std::size_t kBodiesAt = kBlockAt + kBlockBytesMax;
static_assert(kServerLinesAt + 2048 < kBlockAt && kBodiesAt + kStreamsMax * http::kBodyPrefixBytes <= 65'536);

/// One stream. Masks have a bit for each side: 1 the client's, 2 the server's.
struct Stream {
  std::uint64_t bytes;          ///< Of the client's DATA.
  std::uint64_t declared;       ///< Content-Length of the request.
  std::uint32_t id;             ///< 0: the place is free.
  std::uint32_t used;           ///< When it was looked at last.
  std::uint16_t prefix_bytes[2];  ///< Kept of a body's beginning.
  std::uint16_t record_bytes;
  std::uint8_t headed : 2, done : 2, prefix_done : 2;
  bool has_length : 1, multipart : 1, credentials : 1, head : 1;
};
static_assert(sizeof(Stream) == 32);

/// One side's frame, as far as it is read.
struct Frame {
  std::uint32_t stream;         ///< Of a DATA frame that is being read, or of a block in pieces.
  std::uint32_t data, padding;  ///< Left of a DATA frame.
  std::uint32_t size;           ///< Of the data of that DATA frame.
  std::uint32_t block_bytes, block_stream, promised;
  std::uint16_t pieces;         ///< Of the block.
  bool in_data, in_block, ends_stream, promises;
};

struct State {
  http::State http;             ///< Of the open transaction.
  Table tables[2];
  Frame frames[2];
  Stream streams[kStreamsMax];
  std::uint32_t table_sizes[2], frame_sizes[2];  ///< What each side's SETTINGS allow the other, where it is more than at the start.
  std::uint32_t current;        ///< Stream of the open transaction.
  std::uint32_t newest;         ///< Highest stream that the client opened.
  std::uint32_t clock, cancelled;
  bool preface, grpc;
};
static_assert(sizeof(State) <= 4096);

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);
bool resync(void* state, Side side, std::uint64_t lost_bytes);

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  ///< RFC 9113, 3.4

}  // namespace http2

inline constexpr Protocol kHttp2 = {.name = "http2",
                                    .tcp = true,
                                    .identify = http2::identify,
                                    .fields = http::kFields,
                                    .shared = http::kShared,
                                    .state_bytes = sizeof(http2::State),
                                    .parse = parse_as<http2::State, http2::parse>,
                                    .resync = http2::resync,
                                    .interleaved = true,
                                    .may_extend = true};
/// A use of HTTP/2, told by the request's type.
inline constexpr Protocol kGrpc = {.name = "grpc", .tcp = true};

}  // namespace weir::proto
