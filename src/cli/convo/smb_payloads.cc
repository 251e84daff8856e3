// SPDX-License-Identifier: Apache-2.0
#include "cli/convo/smb_payloads.h"

#include <cstdint>

#include "base/text.h"
#include "cli/convo/frame_writer.h"

namespace weir::cli {
namespace {

/// SMB counts from the low byte.
std::string le(std::uint64_t value, std::size_t size) {
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(value & 0xff), value >>= 8;
  return out;
}

std::string utf16(std::string_view text) {
  std::string out;
  for (const char c : text) out += c, out += '\0';
  return out;
}

constexpr std::uint64_t kNegotiate = 0, kTreeConnect = 3, kCreate = 5, kWrite = 9;

/// The header of 64 bytes (2.2.1.2) and a body. The number of the message is its command's: one of each is sent.
std::string message(std::uint64_t command, bool answer, std::string_view body) {
  const std::uint64_t tree = command > kTreeConnect || (answer && command == kTreeConnect) ? 1 : 0;
  const std::uint64_t session = command == kNegotiate ? 0 : 1;
  std::string out = "\xfeSMB" + le(64, 2) + le(0, 2) + le(0, 4) + le(command, 2) + le(1, 2) + le(answer ? 1 : 0, 4) + le(0, 4) +
                    le(command, 8) + le(0, 4) + le(tree, 4) + le(session, 8) + std::string(16, '\0');
  return be(0, 1) + sized(out + std::string(body), 3);
}

}  // namespace

std::string smb2_negotiate() {
  // Four dialects, signing enabled, a client GUID; then 2.0.2, 2.1, 3.0, 3.0.2.
  return message(kNegotiate, false, le(36, 2) + le(4, 2) + le(1, 2) + le(0, 2) + le(0, 4) + std::string(16, '\x5a') + le(0, 8) +
                                        le(0x0202, 2) + le(0x0210, 2) + le(0x0300, 2) + le(0x0302, 2));
}

std::string smb2_negotiate_answer(std::string_view signing) {
  const std::uint64_t mode = signing == "required" ? 3 : signing == "enabled" ? 1 : 0;
  return message(kNegotiate, true, le(65, 2) + le(mode, 2) + le(0x0302, 2) + le(0, 2) + std::string(16, '\x33') + le(0, 4) +
                                       le(1 << 20, 4) + le(1 << 20, 4) + le(1 << 20, 4) + le(0, 8) + le(0, 8) + le(128, 2) + le(0, 2) +
                                       le(0, 4));
}

std::string smb2_tree_connect(std::string_view share) {
  const std::string path = utf16("\\\\server\\" + std::string(share));
  return message(kTreeConnect, false, le(9, 2) + le(0, 2) + le(72, 2) + le(path.size(), 2) + path);
}

std::string smb2_tree_answer(std::string_view share) {
  const bool pipes = equals_nocase(share, "IPC$");
  return message(kTreeConnect, true, le(16, 2) + le(pipes ? 2 : 1, 1) + le(0, 1) + le(0, 4) + le(0, 4) + le(0x001f01ff, 4));
}

std::string smb2_create(std::string_view name) {
  const std::string text = utf16(name);
  return message(kCreate, false, le(57, 2) + le(0, 2) + le(2, 4) + le(0, 8) + le(0, 8) + le(0x0012019f, 4) + le(0, 4) + le(7, 4) +
                                     le(1, 4) + le(0, 4) + le(120, 2) + le(text.size(), 2) + le(0, 4) + le(0, 4) + text);
}

std::string smb2_write(std::string_view bytes) {
  return message(kWrite, false, le(49, 2) + le(112, 2) + le(bytes.size(), 4) + le(0, 8) + std::string(16, '\x0f') + le(0, 4) + le(0, 4) +
                                    le(0, 4) + le(0, 4) + std::string(bytes));
}

std::string smb2_encrypted() {
  constexpr std::size_t kBytes = 96;
  const std::string head = "\xfdSMB" + std::string(16, '\x6d') + std::string(16, '\x4e') + le(kBytes, 4) + le(0, 2) + le(1, 2) + le(1, 8);
  return be(0, 1) + sized(head + std::string(kBytes, '\xa7'), 3);
}

std::string smb1_negotiate() {
  std::string out = "\xffSMB";
  out += '\x72';
  out += std::string(4, '\0') + std::string("\x18\x53\xc8", 3) + std::string(20, '\0');
  out += '\0';  // No parameter words.
  std::string dialects = "\x02NT LM 0.12";
  dialects += '\0';
  out += static_cast<char>(dialects.size());
  out += '\0';
  return be(0, 1) + sized(out + dialects, 3);
}

}  // namespace weir::cli
