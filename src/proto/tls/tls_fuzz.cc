// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/tls.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kit::fuzz_stream(weir::proto::tls::kTls, data, size);
  const weir::Bytes bytes(data, size);
  weir::proto::tls::identify({.client = bytes, .server = {}});
  weir::proto::tls::identify({.client = {}, .server = bytes});
  weir::proto::tls::identify({.client = bytes, .server = bytes, .roles_unsure = true});
  return 0;
}
