// SPDX-License-Identifier: Apache-2.0
#include "proto/socks/socks.h"

namespace weir::proto::socks {
namespace {

using field::AuthResult, field::AuthScheme;

constexpr std::uint8_t kGssapi = 1, kPassword = 2, kNoMethod = 0xff;
constexpr std::size_t kTextBytesMax = 256;  ///< Of version 4's user and name.

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d) : s_(s), in_(in), d_(d) {}

  Progress run() {
    while (!done_ && !carried_ && (in_.side == Side::Client ? client() : server())) {}
    return {.consumed = pos_, .done = done_};
  }

 private:
  Bytes left() const { return in_.bytes.subspan(pos_); }

  void describe() {
    if (s_.open && !d_.described()) done_ = true;
  }
  void end() {
    if (s_.open) d_.end_transaction();
    s_.open = false;
    done_ = true;
  }
  /// Not SOCKS after all, or encrypted from here on.
  bool stop(bool flawed) {
    if (flawed) d_.flaw(Flaw::BadMessage);
    for (const FieldRow& row : kFields)
      if (s_.open && d_.state(row.id) == FactState::NotYet) d_.hide(row.id);
    describe();
    end();
    return false;
  }

  bool client() {
    if (left().empty()) return false;
    switch (s_.client) {
      case Stage::Greeting: return greeting();
      case Stage::Next: return left()[0] == 5 ? request_5() : left()[0] == 1 ? password() : stop(true);
      default: return false;  // Data before the proxy's consent waits for it.
    }
  }

  bool server() {
    if (left().empty()) return false;
    if (s_.version == 0) return stop(true);
    if (s_.version == 4) return answer_4();
    switch (s_.server) {
      case Stage::Greeting: return method();
      case Stage::Next: return left()[0] == 1 && !s_.authenticated ? password_answer() : answer_5();
      default: return answer_5();
    }
  }

  bool greeting() {
    s_.version = left()[0];
    if (s_.version != 4 && s_.version != 5) return stop(true);
    if (s_.version == 4) return request_4();
    Reader r(left());
    r.skip(1);
    r.bytes(r.u8());
    if (!r.ok()) return false;
    pos_ += r.offset();
    s_.client = Stage::Next;
    begin();
    return true;
  }

  void begin() {
    d_.begin_transaction();
    s_.open = true;
    d_.number(kVersion, s_.version);
  }

  /// Text up to a zero; false if it is not complete (then done_ may say that it never will be).
  bool read_text(Reader& r, std::string_view& text) {
    const std::string_view rest = as_text(r.rest());
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos ? rest.size() > kTextBytesMax : end > kTextBytesMax) {
      if (!s_.open) begin();
      return stop(true);
    }
    if (end == std::string_view::npos) return false;
    text = r.text(end);
    r.skip(1);
    return true;
  }

  bool request_4() {
    Reader r(left());
    r.skip(1);
    const std::uint8_t command = r.u8();
    const std::uint16_t port = r.be16();
    const std::uint32_t ip = r.be32();
    if (!r.ok()) return false;
    std::string_view user, name;
    if (!read_text(r, user)) return false;
    const bool named = ip != 0 && ip >> 8 == 0;  // 4a
    if (named && !read_text(r, name)) return false;
    pos_ += r.offset();
    begin();
    if (!user.empty()) {
      d_.text(field::kAuthUser, user);
      d_.word(field::kAuthScheme, AuthScheme::Other);
    }
    request(command, port, named ? name : address(Ip::v4(ip)), named);
    return true;
  }

  bool password() {  // RFC 1929
    Reader r(left());
    r.skip(1);
    const std::string_view user = r.text(r.u8());
    r.text(r.u8());
    if (!r.ok()) return false;
    pos_ += r.offset();
    d_.text(field::kAuthUser, user);
    d_.word(field::kAuthScheme, AuthScheme::Password);
    describe();
    return true;
  }

  bool request_5() {
    Reader r(left());
    r.skip(1);
    const std::uint8_t command = r.u8();
    r.skip(1);
    std::string_view target;
    bool named = false;
    if (!read_address(r, target, named)) return false;
    const std::uint16_t port = r.be16();
    if (!r.ok()) return false;
    pos_ += r.offset();
    request(command, port, target, named);
    return true;
  }

  bool read_address(Reader& r, std::string_view& target, bool& named) {
    const std::uint8_t type = r.u8();
    if (!r.ok()) return false;
    switch (type) {
      case 1: {
        const Bytes ip = r.bytes(4);
        if (r.ok()) target = address(Ip::v4_bytes(ip.data()));
        return r.ok();
      }
      case 3:
        target = r.text(r.u8());
        named = true;
        return r.ok();
      case 4: {
        const Bytes ip = r.bytes(16);
        if (r.ok()) target = address(Ip::v6_bytes(ip.data()));
        return r.ok();
      }
      default: return stop(true);
    }
  }

  std::string_view address(const Ip& ip) {
    if (in_.side == Side::Server) return {};
    return {s_.text, render_to(ip, s_.text)};
  }

  void request(std::uint8_t command, std::uint16_t port, std::string_view target, bool named) {
    s_.client = Stage::Done;
    s_.command = command;
    if (command < 1 || command > 3) d_.flaw(Flaw::BadMessage);
    d_.number(kCommand, command);
    d_.text(kTarget, target);
    d_.number(kPort, port);
    if (named && !target.empty()) d_.add_text(field::kServerName, target);
    d_.reach(kRequest);
    describe();
  }

  bool method() {
    if (left().size() < 2) return false;
    const std::uint8_t version = left()[0], chosen = left()[1];
    pos_ += 2;
    s_.server = Stage::Next;
    if (version != 5) return stop(true);
    if (chosen == kNoMethod) return stop(false);
    if (chosen == kGssapi) {  // RFC 1961: the request may be encrypted.
      d_.word(field::kAuthScheme, AuthScheme::Kerberos);
      return stop(false);
    }
    if (chosen != kPassword) s_.authenticated = true;
    return true;
  }

  bool password_answer() {
    if (left().size() < 2) return false;
    const bool ok = left()[1] == 0;
    pos_ += 2;
    s_.authenticated = true;
    d_.word(field::kAuthResult, ok ? AuthResult::Ok : AuthResult::Failed);
    describe();
    if (!ok) end();
    return true;
  }

  bool answer_4() {
    if (s_.client != Stage::Done) return stop(true);
    if (left().size() < 8) return false;
    const Bytes answer = left().first(8);
    pos_ += 8;
    if (answer[0] != 0) return stop(true);
    answered(answer[1] == 90);
    return true;
  }

  bool answer_5() {
    if (s_.client != Stage::Done) return stop(true);
    Reader r(left());
    const std::uint8_t version = r.u8(), reply = r.u8();
    r.skip(1);
    std::string_view bound;
    bool named = false;
    if (!read_address(r, bound, named)) return false;
    r.skip(2);
    if (!r.ok()) return false;
    pos_ += r.offset();
    if (version != 5) return stop(true);
    answered(reply == 0);
    return true;
  }

  void answered(bool granted) {
    ++s_.answers;
    if (granted && s_.command == 2 && s_.answers == 1) return;  // BIND: a second answer follows when the peer has come.
    if (!granted || s_.command == 3) return end();              // UDP ASSOCIATE: this connection says no more.
    if (s_.open) d_.end_transaction();
    s_.open = false;
    d_.carry("");
    carried_ = true;
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  std::size_t pos_ = 0;
  bool done_ = false, carried_ = false;
};

}  // namespace

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

}  // namespace weir::proto::socks
