// SPDX-License-Identifier: Apache-2.0
#pragma once

// A bounded reader of ASN.1 BER (X.690 8.1) as SNMP, LDAP and Kerberos use it: definite lengths of at most four length
// bytes and tags of one byte. Lengths written longer than they need be are BER and are read (they are common in the field);
// indefinite lengths and larger tags are not, and make ok() false. It never looks past its bytes and never recurses: who
// enters an element makes a BerReader of its contents.

#include "base/bytes.h"

namespace weir::proto {

namespace ber {
inline constexpr std::uint8_t kBoolean = 0x01, kInteger = 0x02, kOctetString = 0x04, kNull = 0x05, kOid = 0x06, kEnumerated = 0x0a,
                              kSequence = 0x30, kSet = 0x31;
}  // namespace ber

struct BerElement {
  std::uint8_t tag = 0;
  Bytes content;
  std::size_t bytes = 0;  ///< Of the whole: tag, length and content.
};

enum class BerStatus : std::uint8_t {
  Good,
  Cut,  ///< More bytes are needed: of the tag, the length or the content.
  Bad,  ///< An indefinite or overlong length, or a tag of several bytes.
};

class BerReader {
 public:
  explicit BerReader(Bytes bytes) : bytes_(bytes) {}

  bool at_end() const { return bytes_.empty(); }
  Bytes rest() const { return bytes_; }
  /// Good as long as every read was; then what the first one that was not said.
  BerStatus status() const { return status_; }
  bool ok() const { return status_ == BerStatus::Good; }

  /// The next element's tag, or -1 at the end.
  int peek() const { return bytes_.empty() ? -1 : bytes_[0]; }

  /// Reads tag and length only. `content_bytes` may be more than there are bytes: for those who read a stream.
  BerStatus read_header(std::uint8_t& tag, std::size_t& header_bytes, std::size_t& content_bytes) const {
    if (!bytes_.empty() && (bytes_[0] & 0x1f) == 0x1f) return BerStatus::Bad;
    if (bytes_.size() < 2) return BerStatus::Cut;
    tag = bytes_[0];
    const std::uint8_t first = bytes_[1];
    header_bytes = 2;
    content_bytes = first;
    if (first < 0x80) return BerStatus::Good;
    const std::size_t length_bytes = first & 0x7fU;
    if (length_bytes == 0 || length_bytes > 4) return BerStatus::Bad;
    if (bytes_.size() < 2 + length_bytes) return BerStatus::Cut;
    content_bytes = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) content_bytes = content_bytes << 8 | bytes_[2 + i];
    header_bytes += length_bytes;
    return BerStatus::Good;
  }

  /// The next element; an empty one with tag 0 (and ok() false for good) if there is none.
  BerElement next() {
    BerElement element;
    std::size_t header_bytes = 0, content_bytes = 0;
    if (ok()) status_ = read_header(element.tag, header_bytes, content_bytes);
    if (ok() && content_bytes > bytes_.size() - header_bytes) status_ = BerStatus::Cut;
    if (!ok()) return {};
    element.content = bytes_.subspan(header_bytes, content_bytes);
    element.bytes = header_bytes + content_bytes;
    bytes_ = bytes_.subspan(element.bytes);
    return element;
  }
  /// The contents of the next element if it has this tag; else none, and ok() false.
  Bytes next(std::uint8_t tag) {
    const BerElement element = next();
    if (ok() && element.tag != tag) status_ = BerStatus::Bad;
    return ok() ? element.content : Bytes{};
  }
  /// An INTEGER (or ENUMERATED) of at most eight bytes.
  std::int64_t integer(std::uint8_t tag = ber::kInteger) {
    const Bytes content = next(tag);
    if (ok() && (content.empty() || content.size() > 8)) status_ = BerStatus::Bad;
    if (!ok()) return 0;
    std::uint64_t value = (content[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const std::uint8_t byte : content) value = value << 8 | byte;
    return static_cast<std::int64_t>(value);
  }

 private:
  Bytes bytes_;
  BerStatus status_ = BerStatus::Good;
};

/// Writes an OBJECT IDENTIFIER's contents as "1.3.6.1". Gives the size, 0 if it is malformed or does not fit.
inline std::size_t write_oid(Bytes content, std::span<char> out) {
  std::size_t size = 0;
  const auto put = [&](std::uint64_t arc) {
    char digits[20];
    std::size_t n = 0;
    do digits[n++] = static_cast<char>('0' + arc % 10);
    while ((arc /= 10) != 0);
    if (out.size() - size < n + 1) return false;
    if (size != 0) out[size++] = '.';
    while (n != 0) out[size++] = digits[--n];
    return true;
  };
  std::uint64_t arc = 0;
  bool first = true, inside = false;
  for (const std::uint8_t byte : content) {
    if (arc >> 56 != 0) return 0;
    arc = arc << 7 | (byte & 0x7fU);
    inside = (byte & 0x80) != 0;
    if (inside) continue;
    if (first) {  // X.690 8.19.4: the first two arcs share one number.
      const std::uint64_t top = arc < 80 ? arc / 40 : 2;
      if (!put(top)) return 0;
      arc -= top * 40;
      first = false;
    }
    if (!put(arc)) return 0;
    arc = 0;
  }
  return inside ? 0 : size;
}

}  // namespace weir::proto
