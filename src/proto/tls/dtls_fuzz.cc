// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/dtls.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kit::fuzz_datagrams(weir::proto::tls::dtls::kDtls, data, size);
  const weir::Bytes bytes(data, size);
  weir::proto::tls::dtls::identify({.client = bytes, .server = {}, .ip_protocol = 17});
  weir::proto::tls::dtls::identify({.client = bytes, .server = bytes, .ip_protocol = 17, .roles_unsure = true});
  return 0;
}
