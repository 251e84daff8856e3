// SPDX-License-Identifier: Apache-2.0
#pragma once

// Base64 (RFC 4648 sections 4 and 5) as credentials carry it: both alphabets are read, padding is optional, and decoding
// stops at the first byte that is in neither. Nothing is allocated; what does not fit into `out` is not decoded.

#include <span>
#include <string_view>

namespace weir::proto {

/// Decodes into `out`; gives the part of it that was written.
std::string_view decode_base64(std::string_view text, std::span<char> out);

}  // namespace weir::proto
