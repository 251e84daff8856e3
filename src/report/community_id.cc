// SPDX-License-Identifier: Apache-2.0
#include "report/community_id.h"

#include <openssl/evp.h>

#include <cstring>

#include "facts/packet.h"

namespace weir::report {
namespace {

/// The type that answers an ICMP message, or -1 where there is none: then the code stands for the other "port".
int icmp_counterpart(std::uint8_t type, bool v6) {
  struct Pair {
    std::uint8_t ask, answer;
  };
  constexpr Pair kV4[] = {{8, 0}, {0, 8}, {13, 14}, {14, 13}, {15, 16}, {16, 15}, {10, 9}, {9, 10}, {17, 18}, {18, 17}};
  constexpr Pair kV6[] = {{128, 129}, {129, 128}, {133, 134}, {134, 133}, {135, 136}, {136, 135}, {130, 131}, {131, 130}, {144, 145}, {145, 144}};
  if (v6) {
    for (const Pair& p : kV6)
      if (p.ask == type) return p.answer;
  } else {
    for (const Pair& p : kV4)
      if (p.ask == type) return p.answer;
  }
  return -1;
}

}  // namespace

std::string community_id(const FlowEnds& ends, std::uint8_t icmp_type, std::uint8_t icmp_code) {
  Ip a = ends.client, b = ends.server;
  std::uint16_t a_port = ends.client_port, b_port = ends.server_port;
  bool one_way = false;
  const bool icmp = ends.protocol == ip_protocol::kIcmp || ends.protocol == ip_protocol::kIcmpv6;
  if (icmp) {
    const int counterpart = icmp_counterpart(icmp_type, ends.protocol == ip_protocol::kIcmpv6);
    a_port = icmp_type;
    b_port = counterpart >= 0 ? static_cast<std::uint16_t>(counterpart) : icmp_code;
    one_way = counterpart < 0;
  }
  if (!one_way && (b < a || (a == b && b_port < a_port))) {
    std::swap(a, b);
    std::swap(a_port, b_port);
  }
  std::uint8_t input[2 + 16 + 16 + 2 + 4] = {};  // Seed zero, both addresses, protocol, padding, both ports.
  std::size_t size = 2;
  for (const Ip* ip : {&a, &b}) {
    const std::size_t skip = ip->is_v4() ? 12 : 0;
    std::memcpy(input + size, ip->bytes.data() + skip, 16 - skip);
    size += 16 - skip;
  }
  input[size++] = ends.protocol;
  input[size++] = 0;
  const bool ports = icmp || ends.protocol == ip_protocol::kTcp || ends.protocol == ip_protocol::kUdp || ends.protocol == ip_protocol::kSctp;
  if (ports) {
    store_be16(input + size, a_port);
    store_be16(input + size + 2, b_port);
    size += 4;
  }
  std::uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned digest_bytes = 0;
  EVP_Digest(input, size, digest, &digest_bytes, EVP_sha1(), nullptr);
  char text[64];
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text), digest, static_cast<int>(digest_bytes));
  return std::string("1:") + text;
}

}  // namespace weir::report
