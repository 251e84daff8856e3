// SPDX-License-Identifier: Apache-2.0
#include "proto/rpc/rpc.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kit::fuzz_stream(weir::proto::kNfs, data, size);
  weir::kit::fuzz_datagrams(weir::proto::kSunrpc, data, size);
  return 0;
}
