// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/dtls.h"

#include <algorithm>

#include "proto/tls/describe.h"

namespace weir::proto::tls::dtls {
namespace {

//  record:   | type 1 | version 2 | epoch 2 | sequence 6 | length 2 | fragment |
//  message:  | type 1 | length 3 | sequence 2 | fragment offset 3 | fragment length 3 | body |
constexpr std::uint8_t kChangeCipher = 20, kHandshake = 22, kHeartbeat = 24;
constexpr std::uint8_t kClientHello = 1, kServerHello = 2, kHelloVerifyRequest = 3;
constexpr std::size_t kMessageBytesMax = 16384, kRecordBytesMax = 16384 + 2048;

struct Record {
  std::uint8_t type;
  std::uint16_t epoch;
  Bytes body;
};
bool next_record(Reader& reader, Record& record) {
  record.type = reader.u8();
  const std::uint16_t version = reader.be16();
  record.epoch = reader.be16();
  reader.skip(6);
  const std::size_t size = reader.be16();
  record.body = reader.bytes(size);
  const bool known = version == 0xfeff || version == 0xfefd || version == 0x0100;
  return reader.ok() && known && record.type >= kChangeCipher && record.type <= kHeartbeat && size != 0 && size <= kRecordBytesMax;
}

struct Message {
  std::uint8_t type;
  std::uint32_t size, offset;
  std::uint16_t sequence;
  Bytes fragment;
};
bool next_message(Reader& reader, Message& message) {
  message.type = reader.u8();
  message.size = reader.be24();
  message.sequence = reader.be16();
  message.offset = reader.be24();
  message.fragment = reader.bytes(reader.be24());
  return reader.ok() && message.offset + message.fragment.size() <= message.size;
}

// The records must fill the datagram (evidence may be cut at its bound); a first handshake message must be one that `side` sends.
Match match(Bytes bytes, bool may_be_client, bool may_be_server) {
  if (bytes.empty()) return Match::Maybe;
  Reader reader(bytes);
  bool first = true;
  while (!reader.at_end()) {
    Record record;
    if (!next_record(reader, record)) return !first && bytes.size() >= kEvidenceMax ? Match::Yes : Match::No;
    if (first && record.type == kHandshake && record.epoch == 0) {
      Reader messages(record.body);
      Message message;
      if (!next_message(messages, message)) return Match::No;
      const bool client = message.type == kClientHello, server = message.type == kServerHello || message.type == kHelloVerifyRequest;
      if (!(client && may_be_client) && !(server && may_be_server)) return Match::No;
    }
    first = false;
  }
  return Match::Yes;
}

void client_hello(State& state, const Message& message, Describer& out) {
  if (state.client_hello) return;  // sent again, with a cookie
  if (message.size > kMessageBytesMax) return;
  Bytes body = message.fragment;
  if (message.fragment.size() != message.size) {
    if (message.offset == 0 || message.sequence != state.sequence) out.forget(Side::Client, kMessageBytesMax);
    state.sequence = message.sequence;
    const std::size_t have = out.kept(Side::Client).size();
    if (message.offset > have || message.offset + message.fragment.size() <= have) return;
    if (!out.keep(Side::Client, message.fragment.subspan(have - message.offset))) return;
    if (out.kept(Side::Client).size() < message.size) return;
    body = out.kept(Side::Client).first(message.size);
  }
  ClientHello hello;
  if (const auto flaw = parse_client_hello(body, Carrier::Datagram, hello)) out.flaw(*flaw);
  if (const auto version = hello.offered(); hello.complete && version) state.offered = static_cast<std::uint8_t>(static_cast<int>(*version) + 1);
  state.client_hello = true;
  describe_client_hello(hello, Carrier::Datagram, out);
}

void server_hello(State& state, const Message& message, Describer& out) {
  if (state.server_hello || message.fragment.size() != message.size) return;
  ServerHello hello;
  if (const auto flaw = parse_server_hello(message.fragment, hello)) out.flaw(*flaw);
  state.server_hello = true;
  if (!state.client_hello) hide_client_hello(out);
  hide_certificate(out);
  describe_server_hello(hello, state.client_hello, out);
}

void heartbeat(Bytes body, Describer& out) {
  if (body.size() >= 3 && load_be16(&body[1]) + std::size_t{3} <= body.size()) return;
  out.flaw(Flaw::BadHeartbeat);  // RFC 6520 section 4
}

// Both sides encrypt, or were seen only so: what was not read will not be.
void end_handshake(const State& state, Describer& out) {
  if (!state.client_hello) hide_client_hello(out);
  if (!state.server_hello) close_version(state.offered == 0 ? std::nullopt : std::optional(static_cast<field::TlsVersion>(state.offered - 1)), out);
  hide_certificate(out);
  out.described();
}

}  // namespace

Match identify(const Evidence& evidence) {
  if (!evidence.is_udp()) return Match::No;
  const bool unsure = evidence.roles_unsure;
  return std::min(match(evidence.client, true, unsure), match(evidence.server, unsure, true)) == Match::No
             ? Match::No
             : std::max(match(evidence.client, true, unsure), match(evidence.server, unsure, true));
}

Progress parse(State& state, const Input& input, Describer& out) {
  const Progress whole{.consumed = input.bytes.size(), .skip = 0, .done = false};
  const bool is_client = input.side == Side::Client;
  Reader reader(input.bytes);
  Record record;
  while (!reader.at_end() && next_record(reader, record)) {
    out.add_number(field::kTlsRecord, static_cast<std::uint64_t>(record.type - kChangeCipher));
    if (record.epoch != 0) {
      end_handshake(state, out);
      return {.consumed = input.bytes.size(), .skip = 0, .done = !out.wanted(field::kTlsRecord)};
    }
    if (record.type == kHeartbeat) heartbeat(record.body, out);
    if (record.type != kHandshake) continue;
    Reader messages(record.body);
    Message message;
    while (!messages.at_end()) {
      if (!next_message(messages, message)) {
        out.flaw(Flaw::BadLength);
        break;
      }
      if (is_client && message.type == kClientHello) client_hello(state, message, out);
      if (!is_client && message.type == kServerHello) server_hello(state, message, out);
    }
  }
  return whole;
}

}  // namespace weir::proto::tls::dtls
