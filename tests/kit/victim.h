// SPDX-License-Identifier: Apache-2.0
#pragma once

// Victim: the host behind the filter, at its most gullible. It is shown what the filter let through, and answers whether some stack, whatever
// it makes of overlaps, could have read a given text. Per byte it keeps every value that was offered before the byte was in order; from then on
// the byte is delivered and nothing overwrites it (RFC 9293, 3.10.7.4). What no host accepts (a wrong checksum, a number out of the window, a
// packet that died on the way) the test does not show to it.

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace weir::kit {

class Victim {
 public:
  /// Bytes at an offset of the stream (or datagram).
  void receive(std::int64_t offset, std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::int64_t at = offset + static_cast<std::int64_t>(i);
      if (at >= delivered_) offered_[at].insert(bytes[i]);
    }
    while (offered_.contains(delivered_)) ++delivered_;
  }
  /// Some stack could have read this text from `offset` on.
  bool could_read(std::string_view text, std::int64_t offset = 0) const {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto found = offered_.find(offset + static_cast<std::int64_t>(i));
      if (found == offered_.end() || !found->second.contains(text[i])) return false;
    }
    return true;
  }
  /// The same of a stream: everything before it has come, too.
  bool could_have_read(std::string_view text, std::int64_t offset) const {
    return delivered_ >= offset + static_cast<std::int64_t>(text.size()) && could_read(text, offset);
  }
  std::int64_t delivered() const { return delivered_; }  ///< What it would acknowledge.

 private:
  std::map<std::int64_t, std::set<char>> offered_;
  std::int64_t delivered_ = 0;
};

}  // namespace weir::kit
