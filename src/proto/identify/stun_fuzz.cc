// SPDX-License-Identifier: Apache-2.0
// STUN and what it hands over to (RFC 7983): datagrams of both sides, one after the other.

#include "proto/identify/rows.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kit::fuzz_datagrams(weir::proto::identify::kStun, data, size);
  return 0;
}
