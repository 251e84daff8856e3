// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "proto/tls/describe.h"
#include "proto/tls/tls.h"

namespace weir::proto::tls {
namespace {

//  record:    | type 1 | version 2 | length 2 | fragment |
//  handshake: | type 1 | length 3 | body |                 over as many fragments as it likes
constexpr std::uint8_t kChangeCipher = 20, kAlert = 21, kHandshake = 22, kApplication = 23, kHeartbeat = 24;
constexpr std::uint8_t kHelloRequest = 0, kClientHello = 1, kServerHello = 2, kCertificate = 11, kServerHelloDone = 14;
constexpr std::uint8_t kV2ServerHello = 4;
constexpr std::size_t kRecordHeaderBytes = 5, kMessageHeaderBytes = 4;
constexpr std::size_t kRecordBytesMax = 16384 + 2048;  // RFC 5246 section 6.2.3
constexpr std::size_t kMessageBytesMax = 65536 - kMessageHeaderBytes;

struct Header {
  std::uint8_t type;
  std::uint32_t size;  ///< Of the body.
  std::size_t whole() const { return kMessageHeaderBytes + size; }
};
Header read_header(Bytes bytes) {
  return {bytes[0], std::uint32_t{bytes[1]} << 16 | load_be16(&bytes[2])};
}

class Parser {
 public:
  Parser(State& state, const Input& input, Describer& out)
      : state_(state), side_(state.sides[index_of(input.side)]), input_(input), out_(out) {}

  Progress run();

 private:
  std::optional<Progress> next_record(Reader& reader);
  bool read_fragment(Reader& reader);
  void feed(Bytes chunk);
  bool opens(Header header);
  void message(std::uint8_t type, Bytes body);
  void oversized(std::uint8_t type);
  void begin_message(std::uint8_t type);
  void client_hello(Bytes body);
  void server_hello(Bytes body);
  void certificate(Bytes body);
  void note_record(std::uint8_t type);
  void encrypt();
  void give_up();
  bool v2_hello(Reader& reader, Progress& progress);
  void v2_server_hello(bool sound);
  void end_of_side();
  bool is_client() const { return input_.side == Side::Client; }
  bool wants(std::uint8_t type) const {
    return is_client() ? type == kClientHello && !state_.client_hello
                       : (type == kServerHello && !state_.server_hello) || (type == kCertificate && !state_.certificate);
  }
  bool certificate_asked() const {
    return out_.wanted(field::kTlsCertSubject) || out_.wanted(field::kTlsCertIssuer) || out_.wanted(field::kTlsCertSan);
  }
  /// Nothing that anybody asks for can still come. Flaws of later records (heartbeats in the clear) count as asked where a rule names flaws.
  bool over() const {
    if (stopped_) return true;
    const bool server_asked = certificate_asked() || out_.wanted(field::kTlsVersion) || out_.wanted(field::kTlsAlpn) ||
                              out_.wanted(field::kTlsRecord) || out_.wanted(field::kFlaw);
    if (state_.client_hello && !server_asked) return true;
    return state_.client_hello && state_.server_hello && state_.certificate && (state_.sides[0].encrypted || state_.is_v13) &&
           (state_.sides[1].encrypted || state_.is_v13) && !out_.wanted(field::kTlsRecord);
  }
  std::optional<field::TlsVersion> offered() const {
    if (state_.offered == 0) return std::nullopt;
    return static_cast<field::TlsVersion>(state_.offered - 1);
  }

  State& state_;
  SideState& side_;
  const Input& input_;
  Describer& out_;
  bool stopped_ = false;
};

Progress Parser::run() {
  Reader reader(input_.bytes);
  Progress progress;
  if (!side_.framed && v2_hello(reader, progress)) return progress;
  while (!reader.at_end() && !over()) {
    const std::size_t before = reader.offset();
    if (side_.record_left == 0) {
      if (auto stop = next_record(reader)) return *stop;
      if (reader.offset() == before) break;
    }
    const bool opaque = side_.encrypted || (side_.record_type != kHandshake && side_.record_type != kAlert && side_.record_type != kHeartbeat);
    if (opaque) {
      const std::size_t here = std::min<std::size_t>(side_.record_left, reader.left());
      reader.skip(here);
      progress.skip = side_.record_left - here;
      side_.record_left = 0;
      if (progress.skip != 0) break;
    } else if (!read_fragment(reader)) {
      break;
    }
  }
  progress.consumed = reader.offset();
  if (input_.end) end_of_side();
  progress.done = over();
  if (progress.done) progress.skip = 0;
  return progress;
}

// Reads a header if it is all there. A value: parsing ends here.
std::optional<Progress> Parser::next_record(Reader& reader) {
  if (reader.left() < kRecordHeaderBytes) return std::nullopt;
  const std::size_t start = reader.offset();
  const std::uint8_t type = reader.u8();
  const std::uint16_t version = reader.be16();
  const std::size_t size = reader.be16();
  // No record: the stream is not TLS from here on (a web server that answers in the clear), or we have lost our place.
  if (type < kChangeCipher || type > kHeartbeat || version >> 8 != 3 || size > kRecordBytesMax) {
    out_.flaw(size > kRecordBytesMax && version >> 8 == 3 ? Flaw::BadLength : Flaw::BadMessage);
    give_up();
    return Progress{.consumed = start, .skip = 0, .done = true};
  }
  side_.framed = true;
  side_.record_type = type;
  side_.record_left = static_cast<std::uint16_t>(size);
  note_record(type);
  if (type == kHandshake && size == 0) out_.flaw(Flaw::BadLength);  // RFC 8446 section 5.1: never of length zero
  if (type == kChangeCipher || type == kApplication) encrypt();
  return std::nullopt;
}

// A record in the clear whose body matters. False: more bytes are needed.
bool Parser::read_fragment(Reader& reader) {
  const std::size_t left = side_.record_left;
  if (side_.record_type == kHandshake) {
    const std::size_t here = std::min(left, reader.left());
    side_.record_left = static_cast<std::uint16_t>(left - here);
    feed(reader.bytes(here));
    return true;
  }
  // Alerts and heartbeats are judged by their first bytes; the rest is passed over as if it were opaque.
  const std::size_t head = std::min<std::size_t>(left, side_.record_type == kAlert ? 2 : 3);
  if (reader.left() < head) return false;
  const Bytes bytes = reader.rest();
  if (side_.record_type == kHeartbeat) {
    // RFC 6520 section 4: type, payload length, payload, padding. CVE-2014-0160 asks for more payload than it sends.
    if (left < 3 || load_be16(&bytes[1]) + std::size_t{3} > left) out_.flaw(Flaw::BadHeartbeat);
    out_.described();
  } else if (left == 2 && bytes[0] == 2 && !is_client() && !state_.server_hello) {
    close_version(offered(), out_);  // fatal: the server refuses
    state_.server_hello = true;
    if (!state_.certificate) out_.reach(reached::kCertificate);
    state_.certificate = true;
    out_.described();
  }
  const std::size_t here = std::min(left, reader.left());
  reader.skip(here);
  side_.record_left = static_cast<std::uint16_t>(left - here);
  if (side_.record_left != 0) side_.record_type = kChangeCipher;  // its head is judged: pass over what is left
  return true;
}

void Parser::note_record(std::uint8_t type) {
  const auto record = static_cast<std::uint8_t>(type - kChangeCipher);
  if ((state_.records >> record & 1) != 0) return;
  state_.records |= static_cast<std::uint8_t>(1U << record);
  out_.add_number(field::kTlsRecord, record);
  if (type != kHandshake && out_.wanted(field::kTlsRecord)) out_.described();
}

// This side encrypts from here on: what of its handshake was not read will not be.
void Parser::encrypt() {
  side_.encrypted = true;
  bool changed = false;
  if (is_client() && !state_.client_hello) {
    hide_client_hello(out_);
    state_.client_hello = changed = true;
  }
  if (!is_client() && !state_.server_hello) {
    close_version(std::nullopt, out_);
    hide_certificate(out_);
    state_.server_hello = state_.certificate = changed = true;
  }
  if (!is_client() && !state_.certificate) {
    out_.reach(reached::kCertificate);  // resumed or anonymous: none was sent
    state_.certificate = changed = true;
  }
  if (changed) out_.described();
}

// Puts handshake messages together. What it keeps of a message never goes past that message's end.
void Parser::feed(Bytes chunk) {
  const Side side = input_.side;
  const auto take = [&](std::size_t size) {
    const Bytes taken = chunk.first(std::min(size, chunk.size()));
    chunk = chunk.subspan(taken.size());
    return taken;
  };
  while (!chunk.empty() && !side_.encrypted) {
    if (side_.message_left != 0) {
      side_.message_left -= static_cast<std::uint32_t>(take(side_.message_left).size());
      continue;
    }
    const std::size_t have = out_.kept(side).size();
    if (have == 0 && chunk.size() >= kMessageHeaderBytes) {
      const Header header = read_header(chunk);
      if (!opens(header)) {
        take(kMessageHeaderBytes);
      } else if (chunk.size() >= header.whole()) {  // all here: no copy
        message(header.type, take(header.whole()).subspan(kMessageHeaderBytes));
      } else if (!out_.keep(side, take(chunk.size()))) {
        return give_up();
      }
      continue;
    }
    if (have < kMessageHeaderBytes) {
      if (!out_.keep(side, take(kMessageHeaderBytes - have))) return give_up();
      if (out_.kept(side).size() < kMessageHeaderBytes) return;
      if (!opens(read_header(out_.kept(side)))) out_.forget(side, kMessageHeaderBytes);
    } else if (!out_.keep(side, take(read_header(out_.kept(side)).whole() - have))) {
      return give_up();
    }
    const Bytes kept = out_.kept(side);
    if (kept.size() < kMessageHeaderBytes) continue;
    const Header header = read_header(kept);
    if (kept.size() < header.whole()) continue;
    message(header.type, kept.subspan(kMessageHeaderBytes));
    out_.forget(side, header.whole());
  }
}

// A message begins. False: it is passed over.
bool Parser::opens(Header header) {
  begin_message(header.type);
  if (wants(header.type) && header.size <= kMessageBytesMax) return true;
  if (wants(header.type)) oversized(header.type);
  side_.message_left = header.size;
  return false;
}

// A side that does not begin with its hello was picked up in its middle: it is encrypted, as far as we can see.
void Parser::begin_message(std::uint8_t type) {
  if (!side_.begun && type != (is_client() ? kClientHello : kServerHello) && type != kHelloRequest) encrypt();
  if (type != kHelloRequest) side_.begun = true;
  if (!is_client() && type == kServerHelloDone && !state_.certificate) {
    out_.reach(reached::kCertificate);
    state_.certificate = true;
    out_.described();
  }
}

void Parser::message(std::uint8_t type, Bytes body) {
  switch (type) {
    case kClientHello: return client_hello(body);
    case kServerHello: return server_hello(body);
    case kCertificate: return certificate(body);
    default: break;
  }
}

// Larger than what is kept of a side: RFC 8446 allows it, we do not read it.
void Parser::oversized(std::uint8_t type) {
  if (type == kCertificate) {
    hide_certificate(out_);
    state_.certificate = true;
  } else {
    out_.flaw(Flaw::TooLarge);
    if (is_client()) {
      hide_client_hello(out_);
      state_.client_hello = true;
    } else {
      close_version(std::nullopt, out_);
      state_.server_hello = true;
    }
  }
  out_.described();
}

void Parser::client_hello(Bytes body) {
  ClientHello hello;
  if (const auto flaw = parse_client_hello(body, Carrier::Stream, hello)) out_.flaw(*flaw);
  if (const auto version = hello.offered(); hello.complete && version) state_.offered = static_cast<std::uint8_t>(static_cast<int>(*version) + 1);
  state_.client_hello = true;
  describe_client_hello(hello, Carrier::Stream, out_);
}

void Parser::server_hello(Bytes body) {
  ServerHello hello;
  if (const auto flaw = parse_server_hello(body, hello)) out_.flaw(*flaw);
  state_.is_v13 = hello.complete && version_of(hello.version) == field::TlsVersion::V13;
  state_.server_hello = true;
  describe_server_hello(hello, state_.client_hello, out_);
  if (state_.is_v13) state_.certificate = true;
}

// RFC 5246 section 7.4.2: a list of certificates, the server's own first.
void Parser::certificate(Bytes body) {
  state_.certificate = true;
  Reader reader(body);
  const std::size_t all = reader.be24();
  if (!reader.ok() || all != reader.left()) out_.flaw(Flaw::BadLength);
  if (reader.at_end()) {
    out_.reach(reached::kCertificate);
    out_.described();
    return;
  }
  const Bytes leaf = reader.bytes(reader.be24());
  if (!reader.ok()) {
    out_.flaw(Flaw::BadLength);
    hide_certificate(out_);
    out_.described();
    return;
  }
  if (certificate_asked()) describe_certificate(leaf, out_);
  else out_.reach(reached::kCertificate);
}

void Parser::give_up() {
  if (!state_.client_hello) hide_client_hello(out_);
  if (!state_.server_hello) close_version(offered(), out_);
  if (!state_.certificate) hide_certificate(out_);
  state_.client_hello = state_.server_hello = state_.certificate = true;
  out_.close(field::kTlsRecord);
  stopped_ = true;
  out_.described();
}

// SSLv2's hello, or a newer client's in its form (RFC 5246 appendix E.2). True: it was that, and progress says how far.
bool Parser::v2_hello(Reader& reader, Progress& progress) {
  if (reader.peek() < 0x80) return false;
  const Bytes bytes = reader.rest();
  if (bytes.size() < 5) {
    if (input_.end) end_of_side();
    return true;
  }
  if (!is_client()) {
    v2_server_hello(bytes[2] == kV2ServerHello);
    progress.done = true;
    return true;
  }
  const std::size_t size = load_be16(bytes.data()) & 0x7fffU;
  const auto version = version_of(load_be16(&bytes[3]));
  if (bytes[2] != kClientHello || size < 9 || !version) {
    out_.flaw(Flaw::BadMessage);
    give_up();
    progress.done = true;
    return true;
  }
  side_.framed = side_.begun = true;
  state_.client_hello = true;
  state_.offered = static_cast<std::uint8_t>(static_cast<int>(*version) + 1);
  out_.word(field::kTlsVersionOffered, *version);
  if (*version <= field::TlsVersion::V11) out_.word(field::kTlsVersion, *version);
  out_.reach(reached::kClientHello);
  out_.close(field::kServerName);
  out_.may_extend(false);
  if (*version == field::TlsVersion::Ssl2) {
    hide_certificate(out_);
    progress.done = true;
  }
  out_.described();
  progress.consumed = std::min(bytes.size(), 2 + size);
  progress.skip = 2 + size - progress.consumed;
  return true;
}

// A server that answers in SSLv2's form has chosen SSLv2, whatever was offered.
void Parser::v2_server_hello(bool sound) {
  if (!sound) out_.flaw(Flaw::BadMessage);
  else out_.word(field::kTlsVersion, field::TlsVersion::Ssl2);
  give_up();
}

void Parser::end_of_side() {
  if (is_client() && !state_.client_hello) {
    hide_client_hello(out_);
    state_.client_hello = true;
    out_.described();
  }
  if (!is_client() && !(state_.server_hello && state_.certificate)) {
    if (!state_.server_hello) close_version(offered(), out_);
    if (!state_.certificate) hide_certificate(out_);
    state_.server_hello = state_.certificate = true;
    out_.described();
  }
}

}  // namespace

Progress parse(State& state, const Input& input, Describer& out) { return Parser(state, input, out).run(); }

}  // namespace weir::proto::tls
