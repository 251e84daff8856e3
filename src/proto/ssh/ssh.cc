// SPDX-License-Identifier: Apache-2.0
#include "proto/ssh/ssh.h"

// MD5 is called by its plain functions: they are deprecated for being MD5, but need no memory.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>

#include <algorithm>

#include "base/text.h"

namespace weir::proto::ssh {
namespace {

constexpr std::size_t kPacketBytesMax = 35'000;  ///< RFC 4253, 6.1.
constexpr std::uint8_t kLinesBeforeMax = 32;
constexpr std::uint8_t kKexInit = 20;

/// "SSH-2.0-", "SSH-1.99-", "SSH-1.5-": how far `text` agrees.
Match match_line(std::string_view text) {
  constexpr std::string_view kBegin = "SSH-";
  const std::size_t n = std::min(text.size(), kBegin.size());
  if (text.substr(0, n) != kBegin.substr(0, n)) return Match::No;
  if (text.size() <= kBegin.size()) return Match::Maybe;
  return is_digit(text[4]) ? Match::Yes : Match::No;
}

class Parser {
 public:
  Parser(State& s, const Input& in, Describer& d) : s_(s), in_(in), d_(d), lines_(s.lines[index_of(in.side)], in.bytes) {}

  Progress run() {
    Stage& stage = s_.stage[index_of(in_.side)];
    while (!done_ && stage == Stage::Line && version_line(stage)) {}
    if (!done_ && stage == Stage::Lists) lists(stage);
    if (!done_ && stage == Stage::Done) lines_.pass(lines_.left().size());
    if (s_.stage[0] == Stage::Done && s_.stage[1] == Stage::Done) done_ = true;
    return {.consumed = lines_.consumed(), .done = done_};
  }

 private:
  bool is_client() const { return in_.side == Side::Client; }

  bool version_line(Stage& stage) {
    std::string_view line;
    const Lines::Kind kind = lines_.next(line);
    if (kind == Lines::Kind::None) return false;
    if (kind == Lines::Kind::TooLong) d_.flaw(Flaw::TooLarge);
    if (match_line(line) != Match::Yes) {
      // RFC 4253, 4.2: the server, and only it, may say other lines first.
      if (is_client() || ++s_.lines_before > kLinesBeforeMax) broken();
      return !done_;
    }
    const std::size_t dash = line.find('-', 4);
    if (dash == std::string_view::npos) return broken(), false;
    const std::string_view software = line.substr(dash + 1, line.find(' ', dash) - dash - 1);
    if (line.size() > 253) d_.flaw(Flaw::TooLarge);
    if (!software.empty()) d_.text(is_client() ? kClientSoftware : kSoftware, software);
    d_.reach(is_client() ? kClientLine : kServerLine);
    const bool old = line.starts_with("SSH-1.") && !line.starts_with("SSH-1.99");  // SSH-1 has no KEXINIT.
    stage = old ? Stage::Done : Stage::Lists;
    if (old && is_client()) d_.reach(kClientLists);
    if (!d_.described()) done_ = true;
    return !done_ && stage == Stage::Line;
  }

  void lists(Stage& stage) {
    Reader r(lines_.left());
    const std::uint32_t length = r.be32();
    if (!r.ok()) return;
    if (length > kPacketBytesMax || length < 12) return d_.flaw(Flaw::BadLength), broken();
    const Bytes packet = r.bytes(length);
    if (!r.ok()) return;
    lines_.pass(r.offset());
    Reader p(packet);
    p.skip(1);
    if (p.u8() != kKexInit) return d_.flaw(Flaw::BadMessage), broken();
    stage = Stage::Done;
    if (!is_client()) return;
    p.skip(16);
    std::string_view names[8];  // kex, host key, encryption ×2, mac ×2, compression ×2
    for (std::string_view& list : names) list = p.text(p.be32());
    if (!p.ok()) return d_.flaw(Flaw::BadLength), broken();
    write_hassh(names[0], names[2], names[4], names[6]);
    d_.text(kHassh, {s_.hassh, sizeof s_.hassh});
    d_.reach(kClientLists);
    if (!d_.described()) done_ = true;
  }

  void write_hassh(std::string_view kex, std::string_view encryption, std::string_view mac, std::string_view compression) {
    MD5_CTX md5;
    MD5_Init(&md5);
    const char* between = "";
    for (const std::string_view part : {kex, encryption, mac, compression}) {
      MD5_Update(&md5, between, *between == 0 ? 0 : 1);
      MD5_Update(&md5, part.data(), part.size());
      between = ";";
    }
    unsigned char digest[MD5_DIGEST_LENGTH];
    MD5_Final(digest, &md5);
    for (std::size_t i = 0; i < sizeof digest; ++i) {
      s_.hassh[2 * i] = "0123456789abcdef"[digest[i] >> 4];
      s_.hassh[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
  }

  /// No SSH after all, or beyond its grammar: what is not known will not be.
  void broken() {
    for (const FieldRow& row : kFields)
      if (d_.state(row.id) == FactState::NotYet) d_.hide(row.id);
    d_.described();
    done_ = true;
  }

  State& s_;
  const Input& in_;
  Describer& d_;
  Lines lines_;
  bool done_ = false;
};

}  // namespace

Match identify(const Evidence& e) {
  if (e.is_udp()) return Match::No;
  const Match client = e.client.empty() ? Match::Maybe : match_line(as_text(e.client));
  const Match server = e.server.empty() ? Match::Maybe : match_line(as_text(e.server));
  if (client == Match::No) return Match::No;
  // What rules it out comes first, so that it stays so whatever the other side says later. Lines before the server's own are text, and
  // none that another protocol greets with.
  if (server == Match::No)
    for (std::size_t i = 0; i < e.server.size(); ++i) {
      const std::uint8_t c = e.server[i];
      if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c >= 0x7f) return Match::No;
      if (i == 0 && !is_alpha(static_cast<char>(c))) return Match::No;
    }
  if (client == Match::Yes || server == Match::Yes) return Match::Yes;
  return e.server.size() >= kEvidenceMax ? Match::No : Match::Maybe;
}

Progress parse(State& s, const Input& in, Describer& d) { return Parser(s, in, d).run(); }

}  // namespace weir::proto::ssh
