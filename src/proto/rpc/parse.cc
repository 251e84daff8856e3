// SPDX-License-Identifier: Apache-2.0
// Records and messages, credentials, calls and their replies.

#include <algorithm>
#include <charconv>

#include "proto/file_type.h"
#include "proto/rpc/rpc.h"

namespace weir::proto::rpc {
namespace {

enum : std::uint32_t { kCall, kReply };
enum : std::uint32_t { kAuthNone, kAuthSys, kAuthGss = 6 };
constexpr std::uint32_t kGssPrivacy = 3, kGssIntegrity = 2;
constexpr std::uint32_t kOpaqueAuthMax = 400;         // RFC 5531, 8.2
constexpr std::uint32_t kMessageBytesMax = 64U << 20; // Beyond this the stream is no RPC any more.

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d) : s_(s), in_(in), d_(d), r_(s.records[index_of(in.side)]) {}

  Progress run() {
    if (in_.datagram) {
      message(in_.bytes.first(std::min(in_.bytes.size(), kHeadBytes)));
      return {.consumed = in_.bytes.size()};
    }
    while (!done_ && step()) {}
    return {.consumed = pos_, .skip = done_ ? 0 : skip_, .done = done_};
  }

 private:
  Bytes left() const { return in_.bytes.subspan(pos_); }

  bool step() {
    if (!r_.in_fragment) {
      Reader r(left());
      const std::uint32_t marker = r.be32();
      if (!r.ok()) return false;
      pos_ += 4;
      r_.last = (marker & 0x80000000U) != 0;
      r_.left = marker & 0x7fffffffU;
      r_.in_fragment = true;
      if (r_.left > kMessageBytesMax) return d_.flaw(Flaw::TooLarge), done_ = true, false;
      return true;
    }
    if (!r_.head_done && !head()) return false;
    const auto n = std::min<std::size_t>(r_.left, left().size());
    pos_ += n;
    r_.left -= static_cast<std::uint32_t>(n);
    if (r_.left > 1) {  // The last byte brings us back when it is there.
      skip_ = r_.left - 1;
      r_.left = 1;
    }
    if (r_.left != 0) return false;
    r_.in_fragment = false;
    if (r_.last) r_ = {};
    return !done_;
  }

  /// The message's beginning: where it lies, or put together from fragments.
  bool head() {
    const std::size_t need = std::min<std::size_t>(r_.left, kHeadBytes - r_.kept), n = std::min(need, left().size());
    if (n < need && !in_.end) return false;
    const Bytes first = left().first(n);
    pos_ += n;
    r_.left -= static_cast<std::uint32_t>(n);
    const bool whole = r_.kept + n == kHeadBytes || (r_.last && r_.left == 0) || n < need;
    if (whole && r_.kept == 0) {
      r_.head_done = true;
      message(first);
      return !done_;
    }
    if (!d_.keep(in_.side, first)) return done_ = true, false;
    r_.kept = static_cast<std::uint16_t>(r_.kept + n);
    if (!whole) return true;
    r_.head_done = true;
    message(d_.kept(in_.side));
    d_.forget(in_.side, kHeadBytes);
    return !done_;
  }

  void begin(std::uint32_t xid, bool answer) {
    end();
    d_.begin_transaction(xid, answer);
    s_.open = true;
    s_.current = xid;
  }
  void end() {
    if (s_.open) d_.end_transaction();
    s_.open = false;
  }
  void describe() {
    if (s_.open && !d_.described()) done_ = true;
  }

  void message(Bytes bytes) {
    Reader r(bytes);
    const std::uint32_t xid = r.be32(), type = r.be32();
    if (!r.ok() || type > kReply) return d_.flaw(Flaw::BadMessage);
    if (type == kCall) call(xid, r);
    else reply(xid, r);
  }

  // ---- calls

  void call(std::uint32_t xid, Reader& r) {
    const std::uint32_t rpc_version = r.be32(), program = r.be32(), version = r.be32(), procedure = r.be32();
    if (!r.ok() || rpc_version != 2) return d_.flaw(Flaw::BadMessage);
    begin(xid, false);
    d_.number(kProgram, program);
    d_.number(kVersion, version);
    d_.number(kProcedure, procedure);
    const std::uint32_t service = credential(r);
    r.skip(4);
    const std::uint32_t verifier_bytes = r.be32();
    if (verifier_bytes > kOpaqueAuthMax) d_.flaw(Flaw::BadLength);
    r.skip((verifier_bytes + 3) & ~3U);
    if (!r.ok()) d_.flaw(Flaw::BadLength);
    Arguments arguments;
    if (service == kGssPrivacy) {
      for (const FieldId id : {FieldId{kOperation}, FieldId{kPath}, FieldId{field::kFileName}, FieldId{field::kFileType}}) d_.hide(id);
    } else {
      if (service == kGssIntegrity) r.skip(8);  // RFC 2203, 5.3.2.2: length and sequence number stand before them.
      arguments = describe_arguments(s_, d_, program, version, procedure, r.rest());
    }
    d_.reach(kCalled);
    s_.calls[s_.next_call++ % kCallsMax] = {.xid = xid, .program = program, .procedure = procedure,
                                            .version = static_cast<std::uint8_t>(std::min(version, 255U)), .reads_begin = arguments.reads_begin,
                                            .has_account = d_.state(field::kAuthScheme) == FactState::Known};
    describe();
  }

  /// Who calls. Gives the service of RPCSEC_GSS, nought for other flavours.
  std::uint32_t credential(Reader& r) {
    const std::uint32_t flavour = r.be32(), size = r.be32();
    if (size > kOpaqueAuthMax) d_.flaw(Flaw::BadLength);
    Reader body(r.bytes((size + 3) & ~3U));
    if (flavour == kAuthSys) {  // RFC 5531, appendix A
      body.skip(4);
      const std::uint32_t name_bytes = body.be32();
      const std::string_view machine = body.text(name_bytes);
      body.skip((4 - name_bytes % 4) % 4);
      const std::uint32_t uid = body.be32();
      if (!body.ok()) return d_.flaw(Flaw::BadLength), 0;
      if (!machine.empty()) d_.text(field::kAuthRealm, machine);
      const std::size_t n = static_cast<std::size_t>(std::to_chars(s_.user, s_.user + sizeof s_.user, uid).ptr - s_.user);
      d_.text(field::kAuthUser, {s_.user, n});
      d_.word(field::kAuthScheme, field::AuthScheme::Other);
    } else if (flavour == kAuthGss) {
      body.skip(12);  // Version, procedure and sequence number stand before the service (RFC 2203, 5).
      const std::uint32_t service = body.be32();
      d_.word(field::kAuthScheme, field::AuthScheme::Kerberos);
      d_.hide(field::kAuthUser);
      return body.ok() ? service : 0;
    }
    return 0;
  }

  // ---- replies

  void reply(std::uint32_t xid, Reader& r) {
    Call call{};
    for (Call& each : s_.calls)
      if (each.program != 0 && each.xid == xid) call = each, each = {};
    if (call.program == 0) return;  // Its call was not seen, or it came twice.
    if (in_.datagram || !s_.open || s_.current != xid) {
      begin(xid, true);
      d_.number(kProgram, call.program);
      d_.number(kVersion, call.version);
      d_.number(kProcedure, call.procedure);
    }
    const bool denied = r.be32() == 1;
    if (denied) {
      if (r.be32() == 1 && r.ok() && call.has_account) d_.word(field::kAuthResult, field::AuthResult::Failed);  // AUTH_ERROR
      describe();
      return end();
    }
    r.skip(4);
    r.skip((r.be32() + 3) & ~3U);
    const bool success = r.be32() == 0 && r.ok();
    if (success && call.has_account) d_.word(field::kAuthResult, field::AuthResult::Ok);
    if (success && call.reads_begin)
      if (const Bytes data = data_read(call, r.rest()); !data.empty())
        if (const auto type = file_type(data)) d_.word(field::kFileType, *type);
    describe();
    end();
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Record& r_;
  std::size_t pos_ = 0;
  std::uint64_t skip_ = 0;
  bool done_ = false;
};

}  // namespace

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

}  // namespace weir::proto::rpc
