// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lines of the command protocols (FTP, SMTP, POP3 …): CRLF, or a lone LF, ends a line. The cursor remembers how far it has
// searched, so that a line that comes byte by byte costs no more than one that comes whole. A line beyond kLineBytesMax is
// passed over up to its end and told as `too_long`: the protocols allow some hundred bytes, and nothing of it would be kept.

#include <cstring>

#include "proto/protocol.h"

namespace weir::proto {

inline constexpr std::size_t kLineBytesMax = 4096;

struct LineState {
  std::uint32_t scanned;  ///< Bytes behind the cursor without an LF.
  bool overlong;          ///< The line's beginning was passed over.
};

class Lines {
 public:
  Lines(LineState& state, Bytes bytes) : state_(state), bytes_(bytes) {}

  std::size_t consumed() const { return pos_; }
  Bytes left() const { return bytes_.subspan(pos_); }
  void pass(std::size_t size) { pos_ += size; }

  enum class Kind : std::uint8_t { None, Line, TooLong };
  /// The next line into `line`, without its end. None: it is not complete yet.
  Kind next(std::string_view& line) {
    const Bytes bytes = left();
    const std::size_t from = state_.scanned;
    const void* lf = from < bytes.size() ? std::memchr(bytes.data() + from, '\n', bytes.size() - from) : nullptr;
    const std::size_t end = lf == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const std::uint8_t*>(lf) - bytes.data());
    if (lf == nullptr) {
      if (state_.overlong || end > kLineBytesMax) {
        state_.overlong = true;
        pos_ += end;
        state_.scanned = 0;
      } else {
        state_.scanned = static_cast<std::uint32_t>(end);
      }
      return Kind::None;
    }
    state_.scanned = 0;
    pos_ += end + 1;
    const bool too_long = state_.overlong || end > kLineBytesMax;
    state_.overlong = false;
    if (too_long) return Kind::TooLong;
    line = as_text(bytes.first(end));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return Kind::Line;
  }

 private:
  LineState& state_;
  Bytes bytes_;
  std::size_t pos_ = 0;
};

/// Judges what both sides said; where it is a guess who is the client, the other way round too.
template <typename Judge>
Match judge_either_way(const Evidence& evidence, Judge&& judge) {
  const Match match = judge(as_text(evidence.client), as_text(evidence.server));
  if (!evidence.roles_unsure || match == Match::Yes) return match;
  const Match turned = judge(as_text(evidence.server), as_text(evidence.client));
  return turned == Match::No ? match : turned;
}

}  // namespace weir::proto
