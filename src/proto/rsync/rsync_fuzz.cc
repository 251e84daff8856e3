// SPDX-License-Identifier: Apache-2.0
#include "proto/rsync/rsync.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kit::fuzz_stream(weir::proto::kRsync, data, size);
  return 0;
}
