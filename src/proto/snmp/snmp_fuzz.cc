// SPDX-License-Identifier: Apache-2.0
#include "proto/snmp/snmp.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  kit::fuzz_datagrams(proto::kSnmp, data, size);
  if (size <= 2) return 0;
  proto::kSnmp.identify({.client = Bytes(data + 2, std::min(size - 2, proto::kEvidenceMax)), .ip_protocol = 17});
  proto::kSnmp.is_answer(Bytes(data + 2, size - 2));
  return 0;
}
