// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads a domain name of a DNS message (RFC 1035 3.1 and 4.1.4) as text: lower case, labels joined by dots, the root as
// ".", bytes that would mislead a reader escaped as `\DDD` and dots inside a label as `\.` (RFC 4343 2.1). Compression
// pointers must go strictly backwards, so that a name ends whatever its bytes are; nothing is allocated.
// What a name means (IDNA, service labels) is left to others.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace weir::proto::dns {

inline constexpr std::size_t kHeaderBytes = 12;
inline constexpr std::size_t kNameBytesMax = 255;    ///< On the wire, length bytes and root included (RFC 1035 2.3.4).
inline constexpr std::size_t kLabelBytesMax = 63;
inline constexpr std::size_t kNameTextMax = 1024;    ///< 253 bytes, each written as four characters, and change.
inline constexpr std::size_t kLastLabels = 4;        ///< Labels whose place is remembered, for the registered domain.

enum class NameStatus : std::uint8_t {
  Good,
  Bad,  ///< A pointer that does not go backwards, a reserved label type, or too long.
  Cut,  ///< The message ends inside the name.
};

struct Name {
  std::string_view text;            ///< Points into the buffer that was given.
  std::size_t next = 0;             ///< Offset behind the name where it stood in the message.
  std::uint8_t labels = 0;
  std::uint8_t label_bytes_max = 0; ///< Bytes of the longest label, as on the wire.
  bool is_host = true;              ///< Letters, digits, hyphens and underscores only.
  bool compressed = false;
  /// Where the last labels begin in `text`: [0] the last one (the top level), [1] the one before it …
  std::array<std::uint16_t, kLastLabels> starts{};
};

/// Reads the name at `offset`. Unless Good, `name` says nothing.
NameStatus read_name(Bytes message, std::size_t offset, std::span<char, kNameTextMax> out, Name& name);

/// Moves `offset` behind the name at `offset` without following pointers: enough to walk over records.
NameStatus skip_name(Bytes message, std::size_t& offset);

}  // namespace weir::proto::dns
