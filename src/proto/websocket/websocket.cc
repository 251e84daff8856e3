// SPDX-License-Identifier: Apache-2.0
#include "proto/websocket/websocket.h"

#include <algorithm>

#include "proto/registry.h"

namespace weir::proto::websocket {
namespace {

constexpr std::string_view kCarried[] = {"ssh", "tls", "rfb", "rdp", "smb", "socks", "mqtt", "openvpn", "telnet", "ftp", "smtp", "http"};
constexpr std::uint8_t kText = 1, kBinary = 2, kClose = 8, kPong = 10;
constexpr std::size_t kHeaderBytesMax = 14;

struct Frame {
  std::uint8_t opcode = 0;
  bool final = false, reserved = false, masked = false;
  std::uint64_t size = 0;
  std::size_t header_bytes = 0;
  std::uint8_t mask[4] = {};
};

/// False: more bytes are needed.
bool read_frame(Bytes bytes, Frame& out) {
  Reader in(bytes.first(std::min(bytes.size(), kHeaderBytesMax)));
  const std::uint8_t first = in.u8(), second = in.u8();
  out.final = (first & 0x80) != 0;
  out.reserved = (first & 0x70) != 0;
  out.opcode = first & 0x0f;
  out.masked = (second & 0x80) != 0;
  out.size = second & 0x7f;
  if (out.size == 126) out.size = in.be16();
  else if (out.size == 127) out.size = in.be64();
  if (out.masked)
    for (std::uint8_t& byte : out.mask) byte = in.u8();
  out.header_bytes = in.offset();
  return in.ok();
}

class Parser {
 public:
  Parser(State& state, const Input& input, Describer& describer) : s_(state), in_(input), d_(describer), sender_(state.senders[index_of(input.side)]) {}

  Progress run() {
    Progress progress;
    while (progress.consumed < in_.bytes.size()) {
      const Bytes rest = in_.bytes.subspan(progress.consumed);
      if (sender_.left != 0) {
        const std::size_t n = pass(rest);
        progress.consumed += n;
        const bool awaited = sender_.shown && !s_.named && sender_.inner_bytes < kInnerBytes;
        if (sender_.left == 0 || awaited) continue;
        progress.skip = sender_.left;  // What is not shown need not come by here.
        sender_.left = 0;
        return progress;
      }
      Frame frame;
      if (!read_frame(rest, frame)) return progress;
      progress.consumed += frame.header_bytes;
      if (!begin(frame)) return {.consumed = progress.consumed, .done = true};
    }
    return progress;
  }

 private:
  /// False: the lengths are not to be followed any more, or the frame was denied.
  bool begin(const Frame& frame) {
    const bool control = frame.opcode >= kClose;
    d_.begin_transaction();
    d_.number(kOpcode, frame.opcode);
    const bool unknown = frame.opcode > kPong || (frame.opcode > kBinary && !control);
    if (unknown || (control && (!frame.final || frame.size > 125)) || frame.masked != (in_.side == Side::Client) || frame.size >> 63 != 0)
      d_.flaw(Flaw::BadMessage);
    const bool goes_on = d_.described();
    d_.end_transaction();
    if (!goes_on || unknown || frame.size >> 63 != 0) return false;
    if (frame.opcode == kText || frame.opcode == kBinary) sender_.binary = frame.opcode == kBinary && !frame.reserved;
    sender_.left = frame.size;
    sender_.shown = !control && sender_.binary;
    sender_.told = sender_.told || (!control && !sender_.binary);
    close_name();
    sender_.turn = 0;
    std::copy(std::begin(frame.mask), std::end(frame.mask), sender_.mask);
    return true;
  }

  /// Passes over what is at hand of the payload, and shows what is wanted of it. The bytes that are done with.
  std::size_t pass(Bytes rest) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(sender_.left, rest.size()));
    // Byte by byte, so that what is certain first does not depend on how they came.
    for (std::size_t i = 0; i < n && sender_.shown && !s_.named && sender_.inner_bytes < kInnerBytes; ++i, ++sender_.turn) {
      sender_.inner[sender_.inner_bytes++] = static_cast<std::uint8_t>(rest[i] ^ sender_.mask[sender_.turn & 3]);
      name_inner();
    }
    sender_.left -= n;
    sender_.told = sender_.told || sender_.inner_bytes == kInnerBytes;
    close_name();
    return n;
  }

  void close_name() {
    if (s_.closed || !(s_.named || (s_.senders[0].told && s_.senders[1].told))) return;
    s_.closed = true;
    d_.may_extend(false);
  }

  void name_inner() {
    const Sender &client = s_.senders[0], &server = s_.senders[1];
    if (client.inner_bytes == 0) s_.server_first = true;
    const Evidence evidence{.client = Bytes(client.inner, client.inner_bytes), .server = Bytes(server.inner, server.inner_bytes), .server_first = s_.server_first};
    for (const Protocol* p : protocols()) {
      if (p->identify == nullptr || std::find(std::begin(kCarried), std::end(kCarried), p->name) == std::end(kCarried)) continue;
      if (p->identify(evidence) != Match::Yes) continue;
      s_.named = true;
      return d_.refine(p->name);
    }
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Sender& sender_;
};

}  // namespace

Progress parse(State& state, const Input& input, Describer& describer) { return Parser(state, input, describer).run(); }

}  // namespace weir::proto::websocket
