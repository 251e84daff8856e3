// SPDX-License-Identifier: Apache-2.0
#pragma once

// CommentWriter: frames as pcapng (draft-ietf-opsawg-pcapng), each with a comment, its interface named after the port that it came in by.
// Times are nanoseconds. Blocks go to the sink whole, so that a pipe can be read while it is written.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/frame.h"

namespace weir::datapath {

class CommentWriter {
 public:
  /// `put` takes a block; false: it cannot be written, and nothing more is.
  explicit CommentWriter(std::function<bool(Bytes block)> put) : put_(std::move(put)) {}
  /// False once something could not be written.
  bool write(const Frame& frame, std::string_view port, std::string_view comment);

 private:
  struct Interface {
    std::string port;
    LinkType link;
  };
  bool put_block(std::uint32_t type, const std::string& body);
  bool begin();
  std::uint32_t interface_of(std::string_view port, LinkType link);

  std::function<bool(Bytes)> put_;
  std::vector<Interface> interfaces_;
  bool begun_ = false, fine_ = true;
};

}  // namespace weir::datapath
