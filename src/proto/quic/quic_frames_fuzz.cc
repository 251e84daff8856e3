// SPDX-License-Identifier: Apache-2.0
// Frames as they are after decryption, which a fuzzer would never get through: each datagram of the input is a payload.

#include "base/check.h"
#include "proto/quic/frames.h"
#include "proto/tls/fields.h"
#include "tests/kit/dialogue.h"

namespace {

using namespace weir;
using proto::quic::CryptoStream;

proto::Progress parse(CryptoStream& stream, const proto::Input& input, Describer& out) {
  const bool go_on = proto::quic::read_frames(stream, input.bytes, out);
  for (std::size_t i = 0; i < stream.count; ++i) {
    CHECK(stream.ranges[i].begin < stream.ranges[i].end && stream.ranges[i].end <= proto::quic::kCryptoBytesMax);
    CHECK(i == 0 || stream.ranges[i - 1].end < stream.ranges[i].begin);
  }
  CHECK(stream.lost || stream.whole() <= out.kept(Side::Client).size());
  return {.consumed = input.bytes.size(), .skip = 0, .done = !go_on};
}

constexpr proto::Protocol kFrames = {.name = "frames", .udp = true, .fields = proto::tls::kFields, .state_bytes = sizeof(CryptoStream),
                                     .parse = proto::parse_as<CryptoStream, parse>};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kit::fuzz_datagrams(kFrames, data, size);
  return 0;
}
