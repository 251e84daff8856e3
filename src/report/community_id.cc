// SPDX-License-Identifier: Apache-2.0
#include "report/community_id.h"

#include <openssl/evp.h>

#include <cstring>

#include "base/check.h"
#include "base/hash.h"
#include "facts/packet.h"

namespace weir::report {
namespace {

constexpr std::size_t kRememberedMax = 1024;  ///< A power of two.

/// The type that answers an ICMP message, or -1 where there is none: then the code stands for the other "port".
int icmp_counterpart(std::uint8_t type, bool v6) {
  struct Pair {
    std::uint8_t ask, answer;
  };
  constexpr Pair kV4[] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
  constexpr Pair kV6[] = {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}};
  const auto find = [type](const auto& pairs) {
    for (const Pair& p : pairs) {
      if (p.ask == type) return int{p.answer};
      if (p.answer == type) return int{p.ask};
    }
    return -1;
  };
  return v6 ? find(kV6) : find(kV4);
}

/// What is hashed: seed, both addresses, protocol, padding, both ports; the lesser end first. Its size.
std::size_t hash_input(const FlowEnds& ends, std::uint8_t icmp_type, std::uint8_t icmp_code, std::uint8_t* input) {
  const bool icmp = ends.protocol == ip_protocol::kIcmp || ends.protocol == ip_protocol::kIcmpv6;
  const bool ports = icmp || ends.protocol == ip_protocol::kTcp || ends.protocol == ip_protocol::kUdp || ends.protocol == ip_protocol::kSctp;
  const Ip* a = &ends.client;
  const Ip* b = &ends.server;
  std::uint16_t a_port = ports ? ends.client_port : std::uint16_t{0}, b_port = ports ? ends.server_port : std::uint16_t{0};
  bool one_way = false;
  if (icmp) {
    const int counterpart = icmp_counterpart(icmp_type, ends.protocol == ip_protocol::kIcmpv6);
    one_way = counterpart < 0;
    a_port = icmp_type;
    b_port = one_way ? icmp_code : static_cast<std::uint16_t>(counterpart);
  }
  if (!one_way && (*b < *a || (*a == *b && b_port < a_port))) {
    std::swap(a, b);
    std::swap(a_port, b_port);
  }
  std::size_t size = 2;
  input[0] = input[1] = 0;
  for (const Ip* ip : {a, b}) {
    const std::size_t skip = ip->is_v4() ? 12 : 0;
    std::memcpy(input + size, ip->bytes.data() + skip, 16 - skip);
    size += 16 - skip;
  }
  input[size++] = ends.protocol;
  input[size++] = 0;
  if (ports) {
    store_be16(input + size, a_port);
    store_be16(input + size + 2, b_port);
    size += 4;
  }
  return size;
}

}  // namespace

CommunityId::CommunityId() : context_(EVP_MD_CTX_new()), sha1_(EVP_MD_fetch(nullptr, "SHA1", nullptr)), remembered_(kRememberedMax) {
  CHECK(context_ != nullptr && sha1_ != nullptr);
}

CommunityId::~CommunityId() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
  EVP_MD_free(static_cast<EVP_MD*>(sha1_));
}

std::string_view CommunityId::of(const FlowEnds& ends, std::uint8_t icmp_type, std::uint8_t icmp_code) {
  std::uint8_t input[kInputMax];
  const std::size_t size = hash_input(ends, icmp_type, icmp_code, input);
  const std::uint64_t ports = std::uint64_t{ends.client_port} + ends.server_port;
  const std::uint64_t hash = mix64(hash_ip(ends.client, 0) + hash_ip(ends.server, 0), ports << 16 | std::uint64_t{icmp_type} << 8 | ends.protocol);
  Remembered& r = remembered_[hash & (kRememberedMax - 1)];
  if (r.size == size && std::memcmp(r.input.data(), input, size) == 0) return {r.text.data(), kTextBytes};
  std::uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned digest_bytes = 0;
  auto* context = static_cast<EVP_MD_CTX*>(context_);
  CHECK(EVP_DigestInit_ex(context, static_cast<const EVP_MD*>(sha1_), nullptr) == 1 && EVP_DigestUpdate(context, input, size) == 1 &&
        EVP_DigestFinal_ex(context, digest, &digest_bytes) == 1 && digest_bytes == 20);
  char text[kTextBytes + 1] = "1:";
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text + 2), digest, static_cast<int>(digest_bytes));
  r.size = static_cast<std::uint8_t>(size);
  std::memcpy(r.input.data(), input, size);
  std::memcpy(r.text.data(), text, kTextBytes);
  return {r.text.data(), kTextBytes};
}

}  // namespace weir::report
