// SPDX-License-Identifier: Apache-2.0
#include "proto/dhcp/dhcp.h"
#include "proto/dhcp/lease.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  for (const proto::Protocol* protocol : {&proto::kDhcp, &proto::kDhcpv6}) {
    kit::fuzz_datagrams(*protocol, data, size);
    if (size > 2) protocol->identify({.client = Bytes(data + 2, std::min(size - 2, proto::kEvidenceMax)), .client_port = 68, .server_port = 67, .ip_protocol = 17});
  }
  if (size > 2) {
    const Bytes message(data + 2, size - 2);
    (void)proto::dhcp::parse_lease_v4(message);
    (void)proto::dhcp::parse_lease_v6(message);
  }
  return 0;
}
