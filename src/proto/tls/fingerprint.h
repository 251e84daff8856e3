// SPDX-License-Identifier: Apache-2.0
#pragma once

// JA3 and JA4 of a client's hello, as their authors describe them in public. Both are bounded: a hello with more than 512
// ciphers or extensions has no JA4. Nothing is allocated here; the digests are libcrypto's, one context a thread.

#include <span>

#include "proto/tls/hello.h"

namespace weir::proto::tls {

inline constexpr std::size_t kJa3Bytes = 32, kJa4Bytes = 36;

/// MD5 in hex of "version,ciphers,extensions,groups,point formats", in decimal, without GREASE.
std::string_view ja3(const ClientHello& hello, std::span<char, kJa3Bytes> out);
/// t13d1516h2_8daaf6152771_e5627efa2ab1. Empty where the hello is beyond the bound.
std::string_view ja4(const ClientHello& hello, Carrier carrier, std::span<char, kJa4Bytes> out);

}  // namespace weir::proto::tls
