// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "proto/quic/google.h"
#include "proto/quic/quic.h"
#include "proto/tls/describe.h"

namespace weir::proto::quic {
namespace {

using Kind = Version::Kind;

constexpr std::uint8_t kClientHello = 1;
constexpr std::size_t kMessageHeaderBytes = 4;
constexpr std::uint8_t kClientDatagramsMax = 16;  // within which the hello must have come
constexpr std::size_t kPacketsMax = 8;            // coalesced in one datagram

class Parser {
 public:
  Parser(State& state, const Input& input, Describer& out) : state_(state), input_(input), out_(out) {}

  bool run();

 private:
  bool long_packet(const LongPacket& packet);
  bool initial(const LongPacket& packet);
  Bytes open(const LongPacket& packet);
  bool hello_done();
  bool google_hello(Bytes payload);
  void note_version(std::uint32_t wire, Kind kind);
  void hide();
  bool finish();

  State& state_;
  const Input& input_;
  Describer& out_;
};

// True: nothing more is of interest.
bool Parser::run() {
  Bytes rest = input_.bytes;
  const bool is_client = input_.side == Side::Client;
  if (is_client && ++state_.client_datagrams > kClientDatagramsMax) return hide(), finish();
  if (const auto version = google_public_version(rest)) {
    note_version(*version, Kind::Google);
    return is_client && google_hello(rest);
  }
  for (std::size_t i = 0; i < kPacketsMax && !rest.empty(); ++i) {
    if ((rest[0] & 0x80) == 0) return is_client && i == 0 && state_.version != 0 ? (hide(), finish()) : false;  // 1-RTT: the hello is over
    const auto packet = parse_long_packet(rest);
    if (!packet) break;  // padding or rubbish behind a packet is to be passed over (RFC 9000 section 12.2)
    if (long_packet(*packet)) return true;
    rest = rest.subspan(packet->all.size());
  }
  return false;
}

bool Parser::long_packet(const LongPacket& packet) {
  const bool is_client = input_.side == Side::Client;
  note_version(packet.version, packet.meaning.kind);
  if (!is_client) return false;
  if (packet.meaning.kind == Kind::Google && packet.meaning.salt == nullptr) return google_hello(packet.all);
  if (packet.meaning.salt == nullptr) {
    if (packet.meaning.kind != Kind::Greased) hide();  // greased: the client will say it again in a version that the server has
    return false;
  }
  if (packet.type == PacketType::Initial) return initial(packet);
  if (packet.type == PacketType::Handshake) return hide(), finish();  // it has the server's answer: the hello went by unseen
  return false;
}

bool Parser::initial(const LongPacket& packet) {
  const Bytes payload = open(packet);
  if (payload.data() == nullptr) {
    hide();
    return false;
  }
  if (packet.meaning.kind == Kind::Google && packet.version == 0x51303530) return google_hello(payload);  // Q050 has no TLS inside
  read_frames(state_.crypto, payload, out_);
  return hello_done();
}

// With the keys at hand, else with those of the packet's own connection id: the first packet, or the first after a Retry, where
// the stream begins anew (RFC 9001 section 5.2).
Bytes Parser::open(const LongPacket& packet) {
  if (state_.keys_version == packet.version) {
    const Bytes payload = open_packet(state_.keys, packet);
    if (payload.data() != nullptr) return payload;
    if (std::equal(packet.dcid.begin(), packet.dcid.end(), state_.dcid.begin(), state_.dcid.begin() + state_.dcid_bytes)) return {};
  }
  const Keys keys = derive_keys(packet.meaning, packet.dcid, Side::Client);
  const Bytes payload = open_packet(keys, packet);
  if (payload.data() == nullptr) return {};
  if (state_.crypto.count != 0) out_.forget(Side::Client, kCryptoBytesMax);
  state_.crypto = {};
  state_.keys = keys;
  state_.keys_version = packet.version;
  state_.dcid_bytes = static_cast<std::uint8_t>(packet.dcid.size());
  std::copy(packet.dcid.begin(), packet.dcid.end(), state_.dcid.begin());
  return payload;
}

// The hello, if all of it is there.
bool Parser::hello_done() {
  if (state_.crypto.lost) {
    out_.flaw(Flaw::TooLarge);
    return hide(), finish();
  }
  const Bytes kept = out_.kept(Side::Client).first(std::min(out_.kept(Side::Client).size(), state_.crypto.whole()));
  if (kept.empty()) return false;
  if (kept[0] != kClientHello) {
    out_.flaw(Flaw::BadMessage);
    return hide(), finish();
  }
  if (kept.size() < kMessageHeaderBytes) return false;
  const std::size_t size = std::size_t{kept[1]} << 16 | load_be16(&kept[2]);
  if (size > kCryptoBytesMax - kMessageHeaderBytes) {
    out_.flaw(Flaw::TooLarge);
    return hide(), finish();
  }
  if (kept.size() < kMessageHeaderBytes + size) return false;
  tls::ClientHello hello;
  if (const auto flaw = tls::parse_client_hello(kept.subspan(kMessageHeaderBytes, size), tls::Carrier::Quic, hello)) out_.flaw(*flaw);
  // RFC 9001 section 4.2: nothing older than 1.3, so the server has no choice; its certificate is encrypted.
  out_.word(field::kTlsVersion, field::TlsVersion::V13);
  out_.reach(tls::reached::kServerHello);
  tls::hide_certificate(out_);
  out_.close(field::kTlsRecord);
  tls::describe_client_hello(hello, tls::Carrier::Quic, out_);
  out_.forget(Side::Client, kCryptoBytesMax);
  return true;
}

// Google's own handshake says a name and nothing else that TLS says.
bool Parser::google_hello(Bytes payload) {
  const auto name = find_google_server_name(payload);
  if (!name) return false;
  tls::describe_sni(*name, out_);
  for (const std::uint8_t milestone : {tls::reached::kClientHello, tls::reached::kServerHello, tls::reached::kCertificate}) out_.reach(milestone);
  out_.close(field::kServerName);
  return finish();
}

void Parser::note_version(std::uint32_t wire, Kind kind) {
  if (state_.version == wire && wire != 0) return;
  using enum field::QuicVersion;
  switch (kind) {
    case Kind::V1: out_.word(field::kQuicVersion, V1); break;
    case Kind::V2: out_.word(field::kQuicVersion, V2); break;
    case Kind::Draft: out_.word(field::kQuicVersion, Draft); break;
    case Kind::Google: out_.word(field::kQuicVersion, Google); break;
    case Kind::Negotiation:
      if (state_.version != 0) return;
      out_.word(field::kQuicVersion, Negotiation);
      break;
    default: out_.word(field::kQuicVersion, Other); break;
  }
  state_.version = wire;
  out_.described();
}

void Parser::hide() {
  if (state_.hidden) return;
  state_.hidden = true;
  tls::hide_client_hello(out_);
  if (out_.state(field::kTlsVersion) == FactState::NotYet) out_.hide(field::kTlsVersion);
  tls::hide_certificate(out_);
  out_.described();
}

bool Parser::finish() {
  out_.reach(tls::reached::kServerHello);
  out_.close(field::kTlsRecord);
  out_.may_extend(false);
  out_.described();
  return true;
}

}  // namespace

Progress parse(State& state, const Input& input, Describer& out) {
  return {.consumed = input.bytes.size(), .skip = 0, .done = Parser(state, input, out).run()};
}

}  // namespace weir::proto::quic
