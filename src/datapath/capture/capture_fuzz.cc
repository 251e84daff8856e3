// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture file: whatever they are, reading ends, frames lie inside what may be read, numbers and time go
// on, a fault lies inside the stream, and a second reading with another batch size gives the same.

#include <array>

#include "base/check.h"
#include "datapath/capture/capture_reader.h"

namespace {

using namespace weir;
using namespace weir::datapath;

// A few bytes can unpack to terabytes; the property does not need them.
constexpr std::uint64_t kFramesMax = 20'000;

struct Seen {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;
  bool fault = false;
  std::uint64_t fault_offset = 0;
  bool operator==(const Seen&) const = default;
};

Seen read_all(Bytes bytes, std::size_t batch) {
  Seen seen;
  CaptureOptions options;
  options.port_of = [](std::string_view name) { return static_cast<PortIndex>(name.size() & 7); };
  auto reader = CaptureReader::from_bytes(bytes, options);
  if (!reader) {
    CHECK(!reader.error().message.empty());
    return seen;
  }
  std::array<Frame, 64> frames;
  Nanoseconds mono_ns = 0;
  for (std::size_t got; seen.frames < kFramesMax && (got = reader->next(std::span(frames).first(batch))) > 0;) {
    CHECK(got <= batch);
    for (std::size_t i = 0; i < got && seen.frames < kFramesMax; ++i) {
      const Frame& frame = frames[i];
      CHECK(frame.number == ++seen.frames);
      CHECK(frame.wire_bytes >= frame.bytes.size() && frame.bytes.size() <= kSnapMax);
      CHECK(frame.time.mono_ns >= mono_ns && frame.time.mono_ns >= kFirstMono);
      CHECK(frame.time.wall_ns >= 0 && frame.time.wall_ns <= kWallMax);
      mono_ns = frame.time.mono_ns;
      seen.bytes += frame.bytes.size();
      for (const std::uint8_t byte : frame.bytes) seen.sum = seen.sum * 31 + byte;
    }
  }
  if (const CaptureFault* fault = reader->fault()) {
    CHECK(fault->after_packets == (seen.frames > 0));
    seen.fault = true;
    seen.fault_offset = fault->offset;
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Seen one = read_all({data, size}, 1);
  const Seen many = read_all({data, size}, 64);
  // A reading that was stopped may not have come to the fault yet.
  if (one.frames < kFramesMax) CHECK(one == many);
  return 0;
}
