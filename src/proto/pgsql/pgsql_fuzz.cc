// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kit::fuzz_stream(weir::proto::pgsql::kPgsql, data, size);
  return 0;
}
