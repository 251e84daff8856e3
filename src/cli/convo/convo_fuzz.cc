// SPDX-License-Identifier: Apache-2.0
// Any text is a conversation or mistakes with their lines. What it makes are whole frames: their headers hold together and their checksums
// are right, unless the line gave the bytes of IP itself.

#include <algorithm>

#include "base/check.h"
#include "cli/convo/conversation.h"
#include "wire/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  if (size > 16'384) return 0;  // A person wrote it.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  const cli::Convo convo = cli::parse_convo(text);
  for (const cli::ConvoMistake& m : convo.mistakes) CHECK(m.line >= 1 && m.line <= lines && !m.message.empty());
  if (!convo.mistakes.empty()) return 0;
  Nanoseconds before = 0;
  for (const cli::Step& step : convo.steps) {
    CHECK(step.line >= 1 && step.line <= lines);
    CHECK(step.at_ns >= 0);
    before = std::max(before, step.at_ns);
    const std::string exact(step.frame);
    const Frame frame{.bytes = as_bytes(exact), .wire_bytes = static_cast<std::uint32_t>(exact.size()), .number = 1, .time = {}};
    Packet packet;
    wire::parse(frame, packet);
    CHECK(packet.has_eth);
    if (packet.layers_count != 1 || step.text.find(" ip ") != std::string::npos) continue;
    CHECK(!packet.flaws.has(Flaw::Truncated));
    const wire::ChecksumResult sums = wire::verify_checksums(packet, packet.layers[0]);
    CHECK(sums.ip != wire::Check::Bad && sums.transport != wire::Check::Bad);
  }
  return 0;
}
