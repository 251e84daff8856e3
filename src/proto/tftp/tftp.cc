// SPDX-License-Identifier: Apache-2.0
#include "proto/tftp/tftp.h"

#include <algorithm>

#include "base/text.h"
#include "proto/file_type.h"

namespace weir::proto::tftp {
namespace {

constexpr std::uint8_t kData = 3, kAck = 4, kError = 5, kOack = 6;
constexpr std::size_t kNameBytesMax = 512;      ///< A request fits into one datagram of 512 bytes (RFC 2347).
constexpr std::uint16_t kErrorCodeMax = 8;      ///< RFC 2347 adds 8 to those of RFC 1350.

std::uint8_t opcode(Bytes b) { return b.size() >= 4 && b[0] == 0 ? b[1] : 0; }

/// Takes a text and the nought behind it off `b`. False if there is no nought.
bool take_text(Bytes& b, std::string_view& text) {
  const std::size_t end = as_text(b.first(std::min(b.size(), kNameBytesMax))).find('\0');
  if (end == std::string_view::npos) return false;
  text = as_text(b.first(end));
  b = b.subspan(end + 1);
  return true;
}
bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7f; });
}
/// Pairs of texts up to the end.
bool options_fill(Bytes b) {
  while (!b.empty()) {
    std::string_view name, value;
    if (!take_text(b, name) || !take_text(b, value) || name.empty() || !printable(name) || !printable(value)) return false;
  }
  return true;
}

struct Request {
  Op op = Op::Read;
  std::string_view filename;
};
bool read_request(Bytes b, Request& request) {
  if (b.size() < 8 || b[0] != 0 || (b[1] != 1 && b[1] != 2)) return false;
  request.op = static_cast<Op>(b[1]);
  Bytes rest = b.subspan(2);
  std::string_view mode;
  if (!take_text(rest, request.filename) || !printable(request.filename) || !take_text(rest, mode)) return false;
  return (equals_nocase(mode, "octet") || equals_nocase(mode, "netascii") || equals_nocase(mode, "mail")) && options_fill(rest);
}

/// The first packet of a transfer, from whoever sends it: block 1, the acknowledgement of a write, of options, an error.
bool starts_transfer(Bytes b) {
  switch (opcode(b)) {
    case kData: return load_be16(&b[2]) == 1;
    case kAck: return b.size() == 4 && load_be16(&b[2]) == 0;
    case kOack: return options_fill(b.subspan(2));
    case kError: return b.size() > 4 && load_be16(&b[2]) <= kErrorCodeMax && b.back() == 0 && printable(as_text(b.subspan(4, b.size() - 5)));
    default: return false;
  }
}
/// What the other side says to that.
bool follows(Bytes first, Bytes b) {
  const std::uint8_t had = opcode(first), has = opcode(b);
  if (has == kError) return starts_transfer(b);
  if (had == kData) return has == kAck && b.size() == 4 && load_be16(&b[2]) == 1;
  if (had == kAck) return has == kData && load_be16(&b[2]) == 1;
  return had == kOack && ((has == kAck && b.size() == 4 && load_be16(&b[2]) == 0) || (has == kData && load_be16(&b[2]) == 1));
}

}  // namespace

Match identify(const Evidence& e) {
  const Bytes either = e.client.empty() ? e.server : e.client;
  if (either.size() < 4 || either[0] != 0 || either[1] == 0 || either[1] > kOack || !e.is_udp()) return Match::No;
  Request request;
  if (read_request(e.client, request)) return Match::Yes;
  if (e.roles_unsure && read_request(e.server, request)) return Match::Yes;
  if (e.client.empty() || e.server.empty()) return starts_transfer(either) ? Match::Maybe : Match::No;
  return (starts_transfer(e.client) && follows(e.client, e.server)) || (starts_transfer(e.server) && follows(e.server, e.client)) ? Match::Yes
                                                                                                                                  : Match::No;
}

/// Data and acknowledgements go both ways; only an option acknowledgement and an error to a request are the server's for sure, and even
/// those open the flow of the transfer. So: none, and whoever opens a flow is its client.
bool is_answer(Bytes) { return false; }

Progress parse(State&, const Input& input, Describer& describer) {
  const Progress all{.consumed = input.bytes.size()};
  describer.may_extend(false);  // Only so that requests are read even where no rule asks for them: transfers must be announced.
  const std::uint8_t op = opcode(input.bytes);
  if (op != 1 && op != 2) {
    if (op == kData && load_be16(&input.bytes[2]) == 1) {  // The file's first bytes (RFC 1350, 5).
      if (const auto type = file_type(input.bytes.subspan(4))) {
        describer.begin_transaction();
        describer.word(weir::field::kFileType, *type);
        describer.described();
        describer.end_transaction();
      }
    }
    if (op < kData || op > kOack) describer.flaw(input.bytes.size() < 4 ? Flaw::Truncated : Flaw::BadMessage);
    return all;
  }
  describer.begin_transaction();
  Request request;
  if (read_request(input.bytes, request)) {
    describer.word(field::kOp, request.op);
    describer.text(field::kFilename, request.filename);
    describer.text(weir::field::kFileName, request.filename.substr(request.filename.find_last_of("/\\") + 1));
    describer.close(weir::field::kFileName);
    // The server's end of the transfer is a port of its own; it sends to the one that asked (RFC 1350 4).
    describer.expect({.server = input.side, .server_port = input.side == Side::Client ? describer.ends().client_port : describer.ends().server_port,
                      .ip_protocol = 17, .app = "tftp"});
  } else {
    describer.word(field::kOp, static_cast<Op>(op));
    describer.hide(field::kFilename);
    describer.flaw(input.truncated ? Flaw::Truncated : Flaw::BadMessage);
  }
  describer.reach(milestone::kTransaction);
  describer.described();
  describer.end_transaction();
  return all;
}

}  // namespace weir::proto::tftp
