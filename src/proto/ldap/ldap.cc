// SPDX-License-Identifier: Apache-2.0
#include "proto/ldap/ldap.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "proto/ber.h"
#include "proto/ntlmssp.h"

namespace weir::proto::ldap {
namespace {

using field::AuthResult, field::AuthScheme;

constexpr std::string_view kStartTls = "1.3.6.1.4.1.1466.20037";

/// One message as far as its operation's tag, or more if it is a bind's or StartTLS's.
struct Message {
  std::size_t header_bytes = 0, size = 0;
  std::uint8_t op = 0;
  Bytes content;  ///< Of the operation, as far as it is at hand.
};

enum class Found : std::uint8_t { Good, Wait, None };

Found read_message(Bytes bytes, Message& out) {
  std::uint8_t tag = 0;
  std::size_t header_bytes = 0, content_bytes = 0;
  const BerReader outer(bytes);
  const BerStatus status = outer.read_header(tag, header_bytes, content_bytes);
  if (status == BerStatus::Cut) return bytes[0] == ber::kSequence ? Found::Wait : Found::None;
  if (status == BerStatus::Bad || tag != ber::kSequence || content_bytes < 5) return Found::None;
  out.size = header_bytes + content_bytes;
  Reader in(bytes.subspan(header_bytes, std::min(content_bytes, bytes.size() - header_bytes)));
  const bool whole = bytes.size() >= out.size;
  if (in.left() < 2) return Found::Wait;
  if (in.u8() != ber::kInteger) return Found::None;
  const std::size_t id_bytes = in.u8();
  if (id_bytes == 0 || id_bytes > 4) return Found::None;
  in.skip(id_bytes);
  BerReader operation(in.rest());
  std::size_t op_header = 0, op_bytes = 0;
  const BerStatus inner = in.ok() ? operation.read_header(tag, op_header, op_bytes) : BerStatus::Cut;
  if (inner == BerStatus::Bad) return Found::None;
  if (inner == BerStatus::Cut) return whole ? Found::None : Found::Wait;
  if ((tag & 0xc0) != 0x40 || op_bytes > content_bytes) return Found::None;
  out.op = tag & 0x1f;
  out.content = in.rest().subspan(op_header, std::min(op_bytes, in.left() - op_header));
  // What is looked into is awaited; nothing else is.
  const bool looked_into = out.op == op::kBind || out.op == op::kBindResponse || out.op == op::kExtended || out.op == op::kExtendedResponse;
  if (looked_into && !whole && out.size <= kBindBytesMax) return Found::Wait;
  return Found::Good;
}

class Parser {
 public:
  Parser(State& state, const Input& input, Describer& describer) : s_(state), in_(input), d_(describer) {}

  Progress run() {
    Progress progress;
    while (true) {
      const Bytes rest = in_.bytes.subspan(progress.consumed);
      if (rest.empty()) return progress;
      bool& over = s_.over[index_of(in_.side)];
      if (over) {
        progress.consumed = in_.bytes.size();
        progress.done = s_.over[0] && s_.over[1] && !in_.datagram;
        return progress;
      }
      Message message;
      const Found found = read_message(rest, message);
      if (found == Found::Wait) return progress;
      if (found == Found::None) {
        if (in_.datagram) return progress;
        over = true;
        continue;
      }
      const bool hands_over = !in_.datagram && is_tls_granted(message);
      describe(message);
      const std::size_t at_hand = std::min(message.size, rest.size());
      progress.consumed += at_hand;
      if (hands_over) {
        d_.carry("tls");
        return progress;
      }
      if (in_.datagram) return progress;
      progress.skip = message.size - at_hand;
      if (progress.skip != 0) return progress;
    }
  }

 private:
  void describe(const Message& message) {
    d_.begin_transaction();
    d_.number(kOp, message.op);
    const bool whole = message.size <= kBindBytesMax;
    const bool asks = in_.side == Side::Client;
    if (message.op == op::kBind && asks) bind(message.content, whole);
    else if (message.op == op::kBindResponse && !asks) bind_answer(message.content);
    else if (message.op == op::kExtended && asks && whole) s_.starts_tls = is_start_tls(message.content);
    d_.described();
    d_.end_transaction();
  }

  void bind(Bytes content, bool whole) {
    s_.bound = false;
    s_.user_bytes = s_.realm_bytes = 0;
    BerReader in(content);
    in.integer();
    const Bytes name = in.next(ber::kOctetString);
    if (!in.ok()) return whole ? d_.flaw(Flaw::BadMessage) : d_.hide(field::kAuthUser);
    const BerElement choice = in.next();
    s_.bound = true;
    if (!in.ok()) return whole ? d_.flaw(Flaw::BadMessage) : d_.hide(field::kAuthUser);
    if (choice.tag == 0x80) return tell(AuthScheme::Password, as_text(name));
    if (choice.tag >= 0x89 && choice.tag <= 0x8b) {
      tell(AuthScheme::Ntlm, as_text(name));
      return token(choice.content);
    }
    if (choice.tag != 0xa3) return tell(AuthScheme::Other, as_text(name));
    BerReader sasl(choice.content);
    const std::string_view mechanism = as_text(sasl.next(ber::kOctetString));
    const Bytes credentials = sasl.at_end() ? Bytes{} : sasl.next(ber::kOctetString);
    if (!sasl.ok()) return d_.flaw(Flaw::BadMessage);
    if (equals_nocase(mechanism, "PLAIN")) {  // RFC 4616: authorisation, NUL, user, NUL, password.
      const std::string_view all = as_text(credentials);
      const std::size_t nul = all.find('\0');
      const std::string_view user = nul == std::string_view::npos ? std::string_view() : all.substr(nul + 1);
      return tell(AuthScheme::Password, user.substr(0, user.find('\0')));
    }
    const AuthScheme scheme = equals_nocase(mechanism, "GSSAPI")                                          ? AuthScheme::Kerberos
                              : equals_nocase(mechanism, "NTLM")                                          ? AuthScheme::Ntlm
                              : equals_nocase(mechanism, "GSS-SPNEGO")                                    ? AuthScheme::Negotiate
                              : equals_nocase(mechanism, "DIGEST-MD5")                                    ? AuthScheme::Digest
                              : equals_nocase(mechanism, "CRAM-MD5") || starts_nocase(mechanism, "SCRAM") ? AuthScheme::Cram
                                                                                                          : AuthScheme::Other;
    tell(scheme, as_text(name));
    token(credentials);
  }

  /// The user, by its own name or the token's; kept for the answer.
  void tell(AuthScheme scheme, std::string_view user) {
    s_.scheme = static_cast<std::uint8_t>(scheme);
    d_.word(field::kAuthScheme, scheme);
    if (user.empty()) return;  // Anonymous (RFC 4513, 5.1.1), or the token says it.
    if (user.size() > sizeof s_.user) return d_.hide(field::kAuthUser);
    std::memcpy(s_.user, user.data(), user.size());
    s_.user_bytes = static_cast<std::uint16_t>(user.size());
    d_.text(field::kAuthUser, {s_.user, s_.user_bytes});
  }

  void token(Bytes credentials) {
    if (credentials.empty()) return;
    const SecurityToken found = find_security_token(credentials);
    if (found.kind == TokenKind::Unknown || !describe_security_token(credentials, s_.text, d_)) return;
    s_.scheme = static_cast<std::uint8_t>(found.kind == TokenKind::Kerberos ? AuthScheme::Kerberos : AuthScheme::Ntlm);
    NtlmMessage message;
    if (found.kind != TokenKind::Ntlm || !parse_ntlm(found.ntlm, message) || message.type != 3) return;
    if (const auto user = ntlm_text(message, message.user, s_.user)) s_.user_bytes = static_cast<std::uint16_t>(user->size());
    if (const auto realm = ntlm_text(message, message.domain, s_.realm)) s_.realm_bytes = static_cast<std::uint16_t>(realm->size());
  }

  void bind_answer(Bytes content) {
    BerReader in(content);
    const std::int64_t result = in.integer(ber::kEnumerated);
    if (!in.ok() || !s_.bound) return;
    d_.word(field::kAuthScheme, static_cast<AuthScheme>(s_.scheme));
    if (s_.user_bytes != 0) d_.text(field::kAuthUser, {s_.user, s_.user_bytes});
    if (s_.realm_bytes != 0) d_.text(field::kAuthRealm, {s_.realm, s_.realm_bytes});
    if (result == 14) return;  // saslBindInProgress: another bind follows.
    d_.word(field::kAuthResult, result == 0 ? AuthResult::Ok : AuthResult::Failed);
    s_.bound = false;
  }

  bool is_start_tls(Bytes content) const {
    BerReader in(content);
    return as_text(in.next(0x80)) == kStartTls && in.ok();
  }
  bool is_tls_granted(const Message& message) const {
    if (!s_.starts_tls || in_.side != Side::Server || message.op != op::kExtendedResponse) return false;
    BerReader in(message.content);
    return in.integer(ber::kEnumerated) == 0 && in.ok();
  }

  State& s_;
  const Input& in_;
  Describer& d_;
};

}  // namespace

Progress parse(State& state, const Input& input, Describer& describer) { return Parser(state, input, describer).run(); }

}  // namespace weir::proto::ldap
