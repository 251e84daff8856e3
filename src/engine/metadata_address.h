// SPDX-License-Identifier: Apache-2.0
#pragma once

// The addresses and names by which clouds serve a machine's own metadata (T1552.005), in every spelling that a client's URL parser
// takes for them: what the readings behind `http.ssrf` look for in requests and DNS answers.
//
//   amazon      169.254.169.254, fd00:ec2::254; containers 169.254.170.2, 169.254.170.23, fd00:ec2::23; instance-data
//   google      169.254.169.254, fd20:ce::254, metadata.google.internal, metadata.goog
//   azure       169.254.169.254, 168.63.129.16         oracle, openstack, digitalocean, hetzner   169.254.169.254
//   oracle      192.0.0.192       alibaba  100.100.100.200       tencent  169.254.0.23, metadata.tencentyun.com
//
// Spellings of IPv4, as inet_aton and the URL standard of WHATWG take them: one to four parts, each decimal, octal (0…) or hex (0x…),
// the last one filling what is left, a part beyond 255 taken modulo 256 where four are written; inside IPv6: mapped, compatible,
// translated (64:ff9b::/96, RFC 6052) and 6to4; as labels of a name that resolves to the address it spells (169.254.169.254.nip.io,
// 169-254-169-254, a9fea9fe). Around them: %XX (up to three times over), \uXXXX of JSON, digits and dots of full width and in circles,
// which IDNA maps to ASCII (UTS 46).

#include <string_view>

#include "base/address.h"

namespace weir::engine {

bool is_metadata_address(const Ip& ip);
/// A provider's own name for it, case aside.
bool is_metadata_name(std::string_view name);

inline constexpr std::size_t kMetadataTextMax = 4096;  ///< Of a text, this much is looked at.

/// The text holds one of them in some spelling.
bool names_metadata(std::string_view text);

}  // namespace weir::engine
