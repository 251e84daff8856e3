// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/quic.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::kit::fuzz_datagrams(weir::proto::quic::kQuic, data, size);
  const weir::Bytes bytes(data, size);
  weir::proto::quic::identify({.client = bytes, .server = {}, .ip_protocol = 17});
  weir::proto::quic::identify({.client = bytes, .server = bytes, .ip_protocol = 17, .roles_unsure = true});
  weir::proto::quic::is_answer(bytes);
  return 0;
}
