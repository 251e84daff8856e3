// SPDX-License-Identifier: Apache-2.0
#include "proto/tftp/tftp.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  kit::fuzz_datagrams(proto::kTftp, data, size);
  if (size > 4) {
    const std::size_t half = size / 2;
    proto::kTftp.identify({.client = Bytes(data, half), .server = Bytes(data + half, size - half), .ip_protocol = 17});
  }
  return 0;
}
