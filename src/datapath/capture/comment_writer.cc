// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/comment_writer.h"

#include <algorithm>

#include "datapath/capture/link_type.h"

namespace weir::datapath {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kEnhanced = 6;
constexpr std::uint16_t kEnd = 0, kComment = 1, kName = 2, kResolution = 9;

void put_u16(std::string& out, std::uint16_t value) { out += static_cast<char>(value & 0xff), out += static_cast<char>(value >> 8); }
void put_u32(std::string& out, std::uint32_t value) { put_u16(out, static_cast<std::uint16_t>(value)), put_u16(out, static_cast<std::uint16_t>(value >> 16)); }
void pad(std::string& out) {
  while (out.size() % 4 != 0) out += '\0';
}
void put_option(std::string& out, std::uint16_t code, std::string_view value) {
  put_u16(out, code);
  put_u16(out, static_cast<std::uint16_t>(value.size()));
  out += value;
  pad(out);
}

}  // namespace

bool CommentWriter::put_block(std::uint32_t type, const std::string& body) {
  std::string block;
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  put_u32(block, type);
  put_u32(block, length);
  block += body;
  put_u32(block, length);
  return fine_ = fine_ && put_({reinterpret_cast<const std::uint8_t*>(block.data()), block.size()});
}

bool CommentWriter::begin() {
  begun_ = true;
  std::string body;
  put_u32(body, 0x1a2b3c4d);  // Tells the order of the bytes.
  put_u16(body, 1);
  put_u16(body, 0);
  put_u32(body, 0xffffffff);  // The section's length is not known.
  put_u32(body, 0xffffffff);
  return put_block(kSection, body);
}

std::uint32_t CommentWriter::interface_of(std::string_view port, LinkType link) {
  const auto at = std::find_if(interfaces_.begin(), interfaces_.end(), [&](const Interface& i) { return i.port == port && i.link == link; });
  const auto number = static_cast<std::uint32_t>(at - interfaces_.begin());
  if (at != interfaces_.end()) return number;
  interfaces_.push_back({std::string(port), link});
  std::string body;
  put_u16(body, number_of(link));
  put_u16(body, 0);
  put_u32(body, 262'144);
  if (!port.empty()) put_option(body, kName, port.substr(0, 1000));
  put_option(body, kResolution, std::string(1, 9));  // 10^-9 seconds.
  put_option(body, kEnd, {});
  put_block(kInterface, body);
  return number;
}

bool CommentWriter::write(const Frame& frame, std::string_view port, std::string_view comment) {
  if (!begun_) begin();
  std::string body;
  put_u32(body, interface_of(port, frame.link));
  const auto wall = static_cast<std::uint64_t>(std::max<Nanoseconds>(frame.time.wall_ns, 0));
  put_u32(body, static_cast<std::uint32_t>(wall >> 32));
  put_u32(body, static_cast<std::uint32_t>(wall));
  put_u32(body, static_cast<std::uint32_t>(frame.bytes.size()));
  put_u32(body, frame.wire_bytes);
  body.append(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size());
  pad(body);
  if (!comment.empty()) {
    put_option(body, kComment, comment.substr(0, 60'000));
    put_option(body, kEnd, {});
  }
  return put_block(kEnhanced, body);
}

}  // namespace weir::datapath
