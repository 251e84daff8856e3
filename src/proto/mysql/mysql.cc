// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql.h"

namespace weir::proto::mysql {
namespace {

using field::AuthResult, field::AuthScheme;

constexpr std::size_t kHeaderBytes = 4, kFullPacket = 0xffffff;
constexpr std::uint32_t kClientCompress = 0x20, kClient41 = 0x200, kClientTls = 0x800;
constexpr std::uint8_t kChangeUser = 0x11;

std::size_t length_of(Bytes header) { return header[0] | std::size_t{header[1]} << 8 | std::size_t{header[2]} << 16; }

class Parser {
 public:
  Parser(State& state, const Input& input, Describer& describer) : s_(state), in_(input), d_(describer) {}

  Progress run() {
    bool& continued = s_.continued[index_of(in_.side)];
    while (progress_.consumed < in_.bytes.size() && !progress_.done && !handed_over_) {
      const Bytes rest = in_.bytes.subspan(progress_.consumed);
      if (rest.size() < kHeaderBytes) return progress_;
      const std::size_t size = length_of(rest);
      const Bytes payload = rest.subspan(kHeaderBytes, std::min(size, rest.size() - kHeaderBytes));
      if (size != 0 && !continued && !read(payload, size)) return progress_;
      continued = size == kFullPacket;
      const std::size_t at_hand = kHeaderBytes + payload.size();
      progress_.consumed += at_hand;
      if (handed_over_) d_.carry("tls");
      progress_.skip = kHeaderBytes + size - at_hand;
      if (progress_.skip != 0) return progress_;
    }
    return progress_;
  }

 private:
  /// False: more bytes are awaited.
  bool read(Bytes payload, std::size_t size) {
    if (payload.empty()) return false;
    if (in_.side == Side::Server) return answer(payload[0]);
    if (!s_.logged_on) return login(payload, size);
    if (payload[0] == kChangeUser) return name_user(payload, size, 1);
    return true;
  }

  bool answer(std::uint8_t first) {
    if (!s_.greeted) {
      s_.greeted = true;  // An error in its place ends the connection by itself.
      return true;
    }
    if (!s_.awaits || (first != 0 && first != 0xff)) return true;
    s_.awaits = false;
    d_.word(field::kAuthResult, first == 0 ? AuthResult::Ok : AuthResult::Failed);
    d_.described();
    d_.end_transaction();
    if (s_.compressed) progress_.done = true;
    return true;
  }

  bool login(Bytes payload, std::size_t size) {
    if (payload.size() < std::min<std::size_t>(size, 4)) return false;
    if (size < 6) return give_up();
    const std::uint32_t low = payload[0] | std::uint32_t{payload[1]} << 8;
    const std::uint32_t capabilities = (low & kClient41) == 0 ? low : low | std::uint32_t{payload[2]} << 16 | std::uint32_t{payload[3]} << 24;
    const std::size_t user_at = (low & kClient41) == 0 ? 5 : 32;
    if ((capabilities & kClientTls) != 0 && size <= user_at) {
      if (payload.size() < size) return false;
      handed_over_ = true;
      return true;
    }
    s_.compressed = (capabilities & kClientCompress) != 0;
    if (!name_user(payload, size, user_at)) return false;
    s_.logged_on = true;
    d_.may_extend(false);
    return true;
  }

  bool name_user(Bytes payload, std::size_t size, std::size_t at) {
    if (size <= at) return give_up();
    if (payload.size() <= at) return false;
    const std::string_view text = as_text(payload.subspan(at));
    const std::size_t nul = text.substr(0, kUserBytesMax + 1).find('\0');
    if (nul == std::string_view::npos && text.size() <= kUserBytesMax && payload.size() < size) return false;
    if (s_.awaits) d_.end_transaction();
    d_.begin_transaction();
    d_.word(field::kAuthScheme, AuthScheme::Password);
    if (nul == std::string_view::npos) {
      d_.hide(field::kAuthUser);
      if (text.size() <= kUserBytesMax) d_.flaw(Flaw::BadMessage);
    } else if (nul != 0) {
      d_.text(field::kAuthUser, text.substr(0, nul));
    }
    d_.described();
    s_.awaits = true;
    return true;
  }

  bool give_up() {
    d_.flaw(Flaw::BadMessage);
    progress_.done = true;
    return true;
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Progress progress_;
  bool handed_over_ = false;
};

}  // namespace

Progress parse(State& state, const Input& input, Describer& describer) { return Parser(state, input, describer).run(); }

}  // namespace weir::proto::mysql
