// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  proto::http2::identify({.client = Bytes(data, std::min(size, proto::kEvidenceMax))});
  kit::fuzz_stream(proto::kHttp2, data, size);
  return 0;
}
