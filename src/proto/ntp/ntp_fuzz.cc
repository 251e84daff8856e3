// SPDX-License-Identifier: Apache-2.0
#include "proto/ntp/ntp.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  kit::fuzz_datagrams(proto::kNtp, data, size);
  if (size > 2) proto::kNtp.identify({.client = Bytes(data + 2, std::min(size - 2, proto::kEvidenceMax)), .ip_protocol = 17});
  return 0;
}
