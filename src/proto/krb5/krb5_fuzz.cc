// SPDX-License-Identifier: Apache-2.0
#include "proto/krb5/krb5.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  kit::fuzz_stream(proto::krb5::kKrb5, data, size);
  kit::fuzz_datagrams(proto::krb5::kKrb5, data, size);
  return 0;
}
