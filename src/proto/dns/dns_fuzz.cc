// SPDX-License-Identifier: Apache-2.0
// Everything that touches a message: streams (in two cuts), datagrams of each flavor, identification, and our own answers.
#include "proto/dns/dns.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  kit::fuzz_stream(proto::kDns, data, size);
  for (const proto::Protocol* protocol : {&proto::kDns, &proto::kMdns, &proto::kNbns}) kit::fuzz_datagrams(*protocol, data, size);
  if (size <= 2) return 0;
  const Bytes bytes(data + 2, size - 2);
  for (const std::uint16_t port : {53, 137, 5353, 5355})
    for (const std::uint8_t ip_protocol : {6, 17}) {
      const proto::Evidence e{.client = bytes.first(std::min(bytes.size(), proto::kEvidenceMax)), .client_port = 40000, .server_port = port, .ip_protocol = ip_protocol};
      int yes = 0;
      for (const proto::Protocol* protocol : {&proto::kDns, &proto::kMdns, &proto::kLlmnr, &proto::kNbns})
        yes += protocol->identify(e) == proto::Match::Yes;
      if (yes > 1) std::abort();
    }
  std::uint8_t out[512];
  if (proto::dns::refuse(bytes, out) > sizeof out || proto::dns::sinkhole(bytes, Ip::v4(0), out) > sizeof out) std::abort();
  return 0;
}
