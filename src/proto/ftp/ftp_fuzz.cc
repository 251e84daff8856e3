// SPDX-License-Identifier: Apache-2.0
#include "proto/ftp/ftp.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const Bytes all(data, std::min(size, proto::kEvidenceMax));
  proto::ftp::identify({.client = all.first(all.size() / 2), .server = all.subspan(all.size() / 2), .roles_unsure = size % 2 == 0});
  kit::fuzz_stream(proto::kFtp, data, size);
  kit::fuzz_stream(proto::kFtpData, data, size);
  return 0;
}
