// SPDX-License-Identifier: Apache-2.0
#include "proto/krb5/krb5.h"

#include <algorithm>
#include <cstring>

#include "proto/ber.h"

namespace weir::proto::krb5 {
namespace {

using field::AuthResult, field::AuthScheme;

constexpr std::uint8_t kAsReq = 10, kAsRep = 11, kTgsReq = 12, kTgsRep = 13, kApReq = 14, kError = 30;
constexpr std::int64_t kPreauthRequired = 25, kResponseTooBig = 52;

std::uint8_t context(std::uint8_t number) { return static_cast<std::uint8_t>(0xa0 | number); }

/// The contents of the next element if it has that context tag; nothing, and no step, if it has another.
Bytes optional(BerReader& in, std::uint8_t number) { return in.peek() == context(number) ? in.next().content : Bytes{}; }

class Parser {
 public:
  Parser(State& state, Describer& describer) : s_(state), d_(describer) {}

  /// `whole` false: only the beginning is at hand.
  void describe(Bytes message, bool whole) {
    const std::uint8_t type = message[0] & 0x1f;
    d_.begin_transaction();
    d_.number(kType, type);
    BerReader outer(message);
    const Bytes application = outer.next().content;
    BerReader sequence(application);
    BerReader in(sequence.next(ber::kSequence));
    if (!whole) {
      d_.hide(field::kAuthUser);
    } else if (!outer.ok() || !sequence.ok()) {
      d_.flaw(Flaw::BadMessage);
    } else {
      switch (type) {
        case kAsReq: case kTgsReq: request(in, type); break;
        case kAsRep: case kTgsRep: answer(in); break;
        case kError: error(in); break;
        case kApReq: d_.word(field::kAuthScheme, AuthScheme::Kerberos), d_.hide(field::kAuthUser); break;
        default: break;
      }
    }
    d_.described();
    d_.end_transaction();
  }

 private:
  void request(BerReader& in, std::uint8_t type) {
    d_.word(field::kAuthScheme, AuthScheme::Kerberos);
    for (std::uint8_t number : {1, 2, 3}) (void)optional(in, number);
    BerReader wrapped(in.next(context(4)));
    BerReader body(wrapped.next(ber::kSequence));
    (void)optional(body, 0);
    const Bytes client = optional(body, 1), realm = optional(body, 2);
    if (!in.ok() || !wrapped.ok() || !body.ok()) return d_.flaw(Flaw::BadMessage);
    if (type == kTgsReq) {  // The client is in the ticket.
      d_.hide(field::kAuthUser);
    } else {
      s_.user_bytes = 0;
      tell_user(client);
      remember(s_.user, s_.user_bytes, told_);
    }
    tell_realm(realm);
  }

  void answer(BerReader& in) {
    for (std::uint8_t number : {0, 1, 2}) (void)optional(in, number);
    const Bytes realm = optional(in, 3), client = optional(in, 4);
    if (!in.ok()) return d_.flaw(Flaw::BadMessage);
    d_.word(field::kAuthScheme, AuthScheme::Kerberos);
    tell_user(client);
    tell_realm(realm);
    d_.word(field::kAuthResult, AuthResult::Ok);
  }

  void error(BerReader& in) {
    for (std::uint8_t number : {0, 1, 2, 3, 4, 5}) (void)optional(in, number);
    BerReader code_in(optional(in, 6));
    const std::int64_t code = code_in.integer();
    Bytes realm = optional(in, 7);
    const Bytes client = optional(in, 8);
    if (const Bytes service_realm = optional(in, 9); realm.empty()) realm = service_realm;
    if (!in.ok() || !code_in.ok()) return d_.flaw(Flaw::BadMessage);
    d_.word(field::kAuthScheme, AuthScheme::Kerberos);
    if (!client.empty()) tell_user(client);
    else if (s_.user_bytes != 0) d_.text(field::kAuthUser, {s_.user, s_.user_bytes});
    tell_realm(realm);
    if (code != kPreauthRequired && code != kResponseTooBig) d_.word(field::kAuthResult, AuthResult::Failed);
  }

  /// PrincipalName (RFC 4120, 5.2.2): its parts joined by slashes, as principals are written (RFC 1964, 2.1.1).
  void tell_user(Bytes principal) {
    told_ = {};
    if (principal.empty()) return;
    BerReader outer(principal);
    BerReader in(outer.next(ber::kSequence));
    (void)optional(in, 0);
    BerReader wrapped(in.next(context(1)));
    BerReader parts(wrapped.next(ber::kSequence));
    if (!outer.ok() || !in.ok() || !wrapped.ok() || !parts.ok()) return d_.flaw(Flaw::BadMessage);
    std::size_t size = 0;
    while (!parts.at_end()) {
      const Bytes part = parts.next().content;
      if (!parts.ok()) return d_.flaw(Flaw::BadMessage);
      if (size + part.size() + 1 > sizeof s_.text) return d_.hide(field::kAuthUser);
      if (size != 0) s_.text[size++] = '/';
      std::copy(part.begin(), part.end(), s_.text + size);
      size += part.size();
    }
    told_ = {s_.text, size};
    if (size != 0) d_.text(field::kAuthUser, told_);
  }

  /// Realm: GeneralString (RFC 4120, 5.2.2).
  void tell_realm(Bytes realm) {
    if (realm.empty()) {
      if (s_.realm_bytes != 0) d_.text(field::kAuthRealm, {s_.realm, s_.realm_bytes});
      return;
    }
    BerReader in(realm);
    const std::string_view name = as_text(in.next().content);
    if (!in.ok()) return d_.flaw(Flaw::BadMessage);
    remember(s_.realm, s_.realm_bytes, name);
    if (s_.realm_bytes != 0) d_.text(field::kAuthRealm, {s_.realm, s_.realm_bytes});
    else if (!name.empty()) d_.hide(field::kAuthRealm);
  }

  template <std::size_t Size>
  static void remember(char (&room)[Size], std::uint16_t& bytes, std::string_view text) {
    bytes = 0;
    if (text.empty() || text.size() > Size) return;
    std::memcpy(room, text.data(), text.size());
    bytes = static_cast<std::uint16_t>(text.size());
  }

  State& s_;
  Describer& d_;
  std::string_view told_;
};

bool is_message(std::uint8_t tag) { return (tag & 0xe0) == 0x60; }

}  // namespace

Progress parse(State& state, const Input& input, Describer& describer) {
  Parser parser(state, describer);
  Progress progress;
  if (input.datagram) {
    progress.consumed = input.bytes.size();
    if (!input.bytes.empty() && is_message(input.bytes[0])) parser.describe(input.bytes, !input.truncated);
    return progress;
  }
  bool& over = state.over[index_of(input.side)];
  while (true) {
    const Bytes rest = input.bytes.subspan(progress.consumed);
    if (rest.empty()) return progress;
    if (over) {
      progress.consumed = input.bytes.size();
      progress.done = state.over[0] && state.over[1];
      return progress;
    }
    if (rest.size() < 5) return progress;
    const std::size_t size = std::size_t{load_be32(rest.data())} + 4;
    if (size > (1U << 20) || size < 5 || !is_message(rest[4])) {
      over = true;
      continue;
    }
    const bool whole = rest.size() >= size;
    if (!whole && size <= kMessageBytesMax) return progress;
    parser.describe(rest.subspan(4, std::min(size, rest.size()) - 4), size <= kMessageBytesMax);
    const std::size_t at_hand = std::min(size, rest.size());
    progress.consumed += at_hand;
    progress.skip = size - at_hand;
    if (progress.skip != 0) return progress;
  }
}

}  // namespace weir::proto::krb5
