// SPDX-License-Identifier: Apache-2.0
#include "proto/ldap/ldap.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  kit::fuzz_stream(proto::ldap::kLdap, data, size);
  kit::fuzz_datagrams(proto::ldap::kLdap, data, size);
  return 0;
}
