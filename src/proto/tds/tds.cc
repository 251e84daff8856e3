// SPDX-License-Identifier: Apache-2.0
#include "proto/tds/tds.h"

#include "proto/ntlmssp.h"
#include "proto/utf16.h"

namespace weir::proto::tds {
namespace {

using field::AuthResult, field::AuthScheme;

constexpr std::size_t kHeaderBytes = 8, kLogin7HeaderBytes = 94;
constexpr std::uint8_t kAnswer = 4, kLogin7 = 0x10, kSspi = 0x11, kPrelogin = 0x12;
constexpr std::uint8_t kEncryption = 1, kNotSupported = 2;
constexpr std::uint8_t kAck = 0xad, kError = 0xaa, kTold = 0xab, kChanged = 0xe3, kSspiToken = 0xed;

/// The value of ENCRYPTION among the pre-login options (2.2.6.5); -1 if it is not there.
int encryption_of(Bytes message) {
  Reader in(message);
  while (in.ok() && !in.at_end()) {
    const std::uint8_t token = in.u8();
    if (token == 0xff) return -1;
    const std::uint16_t offset = in.be16(), size = in.be16();
    if (in.ok() && token == kEncryption && size != 0) return offset < message.size() ? message[offset] : -1;
  }
  return -1;
}

class Parser {
 public:
  Parser(State& state, const Input& input, Describer& describer) : s_(state), in_(input), d_(describer) {}

  Progress run() {
    while (progress_.consumed < in_.bytes.size() && !progress_.done) {
      const Bytes rest = in_.bytes.subspan(progress_.consumed);
      if (rest.size() < kHeaderBytes) return progress_;
      const std::size_t size = load_be16(&rest[2]);
      if (size < kHeaderBytes) return give_up();
      if (rest.size() < size) return progress_;
      progress_.consumed += size;
      if (!s_.encrypted) read(rest[0], (rest[1] & 1) != 0, rest.subspan(kHeaderBytes, size - kHeaderBytes));
    }
    return progress_;
  }

 private:
  void read(std::uint8_t type, bool last, Bytes body) {
    if (in_.side == Side::Server) {
      if (type == kAnswer) answer(body);
      return;
    }
    if (type == kPrelogin) {
      const int asked = encryption_of(body);
      s_.asks_encryption = asked >= 0 && asked != kNotSupported;
      return;
    }
    if (type != kLogin7 && type != kSspi) {  // A query: the login was before what we see.
      progress_.done = true;
      return;
    }
    if (last && d_.kept(Side::Client).empty()) return login(type, body);
    if (d_.kept(Side::Client).size() + body.size() > kLoginBytesMax || !d_.keep(Side::Client, body)) return hide_login();
    if (!last) return;
    login(type, d_.kept(Side::Client));
    d_.forget(Side::Client, kLoginBytesMax);
  }

  void login(std::uint8_t type, Bytes message) {
    if (!s_.open) d_.begin_transaction();
    s_.open = true;
    if (type == kSspi) token(message);
    else login7(message);
    d_.described();
  }

  void login7(Bytes message) {
    if (message.size() < kLogin7HeaderBytes) return d_.flaw(Flaw::BadMessage);
    const auto place = [&](std::size_t at, std::size_t unit) -> std::optional<Bytes> {
      const std::size_t offset = message[at] | message[at + 1] << 8, size = unit * static_cast<std::size_t>(message[at + 2] | message[at + 3] << 8);
      if (offset > message.size() || size > message.size() - offset) return std::nullopt;
      return message.subspan(offset, size);
    };
    const bool integrated = (message[25] & 0x80) != 0;
    if (integrated) {
      const auto sspi = place(78, 1);
      d_.word(field::kAuthScheme, AuthScheme::Negotiate);
      return sspi ? token(*sspi) : d_.flaw(Flaw::BadMessage);
    }
    d_.word(field::kAuthScheme, AuthScheme::Password);
    const auto name = place(40, 2);
    if (!name) return d_.flaw(Flaw::BadMessage);
    const auto user = utf8_of_utf16le(*name, s_.text);
    if (!user) d_.hide(field::kAuthUser);
    else if (!user->empty()) d_.text(field::kAuthUser, *user);
  }

  void token(Bytes bytes) { (void)describe_security_token(bytes, s_.text, d_); }

  void hide_login() {
    if (!s_.open) d_.begin_transaction();
    s_.open = true;
    d_.hide(field::kAuthUser);
    d_.described();
    progress_.done = true;
  }

  void answer(Bytes body) {
    if (!s_.open) return prelogin_answer(body);
    Reader in(body);
    while (in.ok() && !in.at_end()) {
      const std::uint8_t type = in.u8();
      if (type != kAck && type != kError && type != kTold && type != kChanged && type != kSspiToken) return;
      in.skip(in.le16());
      if (!in.ok() || (type != kAck && type != kError)) continue;
      d_.word(field::kAuthResult, type == kAck ? AuthResult::Ok : AuthResult::Failed);
      d_.described();
      d_.end_transaction();
      progress_.done = true;
      return;
    }
  }

  void prelogin_answer(Bytes body) {
    const int answered = encryption_of(body);
    if (!s_.asks_encryption || answered < 0 || answered == kNotSupported) return;
    s_.encrypted = true;
    d_.begin_transaction();
    d_.hide(field::kAuthUser);
    d_.described();
    d_.end_transaction();
    progress_.done = true;
  }

  Progress give_up() {
    d_.flaw(Flaw::BadLength);
    return {.consumed = progress_.consumed, .done = true};
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Progress progress_;
};

}  // namespace

Progress parse(State& state, const Input& input, Describer& describer) { return Parser(state, input, describer).run(); }

}  // namespace weir::proto::tds
