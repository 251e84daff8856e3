// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql.h"

namespace weir::proto::pgsql {
namespace {

using field::AuthResult, field::AuthScheme;

constexpr std::uint32_t kCancel = 80877102, kTls = 80877103, kGss = 80877104;
constexpr std::size_t kMessageBytesMax = 1 << 20;  ///< Before a login is through, no message of the server is so long.

void describe_startup(Bytes parameters, Describer& d) {
  d.begin_transaction();
  std::string_view rest = as_text(parameters);
  const auto next = [&](std::string_view& out) {
    const std::size_t nul = rest.find('\0');
    if (nul == std::string_view::npos) return false;
    out = rest.substr(0, nul);
    rest.remove_prefix(nul + 1);
    return true;
  };
  std::string_view name, value;
  bool found = false;
  while (next(name) && !name.empty()) {
    if (!next(value)) break;
    if (name == "user" && !found) d.text(field::kAuthUser, value), found = true;
  }
  if (!found) d.flaw(Flaw::BadMessage);
  d.described();
}

Progress read_client(State& s, const Input& in, Describer& d) {
  Progress progress;
  while (progress.consumed < in.bytes.size()) {
    const Bytes rest = in.bytes.subspan(progress.consumed);
    if (s.awaits_tls) return progress;  // Whose bytes these are the answer tells.
    if (s.started) {                    // Passwords, and later queries: the server's answers say what there is to know.
      progress.consumed = in.bytes.size();
      return progress;
    }
    if (rest.size() < 8) return progress;
    const std::uint32_t size = load_be32(rest.data()), code = load_be32(&rest[4]);
    if (size < 8 || size > kStartupBytesMax) {
      d.flaw(Flaw::BadLength);
      return {.done = true};
    }
    if (rest.size() < size) return progress;
    progress.consumed += size;
    if (code == kTls || code == kGss) {
      s.awaits_tls = true;
    } else if (code == kCancel) {
      return {.consumed = progress.consumed, .done = true};
    } else {
      s.started = true;
      d.may_extend(false);
      describe_startup(rest.subspan(8, size - 8), d);
    }
  }
  return progress;
}

/// What the server asks for, or grants; nothing for the steps between.
void describe_authentication(std::uint32_t code, Describer& d) {
  switch (code) {
    case 3: d.word(field::kAuthScheme, AuthScheme::Password); break;
    case 5: d.word(field::kAuthScheme, AuthScheme::Digest); break;  // MD5 over a salt.
    case 7: d.word(field::kAuthScheme, AuthScheme::Kerberos); break;
    case 9: d.word(field::kAuthScheme, AuthScheme::Negotiate); break;
    case 10: d.word(field::kAuthScheme, AuthScheme::Cram); break;  // SCRAM.
    default: return;
  }
  d.described();
}

Progress read_server(State& s, const Input& in, Describer& d) {
  Progress progress;
  const auto login_ends = [&](AuthResult result) {
    d.word(field::kAuthResult, result);
    d.described();
    d.end_transaction();
    progress.done = true;
  };
  while (progress.consumed < in.bytes.size()) {
    const Bytes rest = in.bytes.subspan(progress.consumed);
    if (s.awaits_tls) {
      s.awaits_tls = false;
      if (rest[0] == 'N') {
        ++progress.consumed;
        continue;
      }
      if (rest[0] != 'S') return {.done = true};  // G: encrypted otherwise. E: a server that is too old for it ends.
      ++progress.consumed;
      d.carry("tls");
      return progress;
    }
    if (!s.started) {  // Nothing was asked yet: a server that speaks first says nothing of this protocol.
      progress.consumed = in.bytes.size();
      return progress;
    }
    if (rest.size() < 5) return progress;
    const std::uint8_t type = rest[0];
    const std::uint32_t size = load_be32(&rest[1]);
    if (size < 4 || size > kMessageBytesMax) return {.done = true};
    if (type == 'E') {
      login_ends(AuthResult::Failed);
      return progress;
    }
    if (type == 'R') {
      if (rest.size() < 9) return progress;
      const std::uint32_t code = load_be32(&rest[5]);
      if (code == 0) {
        login_ends(AuthResult::Ok);
        return progress;
      }
      describe_authentication(code, d);
    }
    const std::size_t at_hand = std::min<std::size_t>(rest.size(), std::size_t{size} + 1);
    progress.consumed += at_hand;
    progress.skip = size + 1 - at_hand;
    if (progress.skip != 0) return progress;
  }
  return progress;
}

}  // namespace

Progress parse(State& state, const Input& input, Describer& describer) {
  return input.side == Side::Client ? read_client(state, input, describer) : read_server(state, input, describer);
}

}  // namespace weir::proto::pgsql
