// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes and the cursor that reads them. Reader is the only way in which a parser touches bytes of the network:
// every read checks the end, a read past it gives zero or an empty span and makes ok() false for good, so a
// parser may read a whole header and ask once. Nothing here allocates or throws.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace weir {

using Bytes = std::span<const std::uint8_t>;

/// The bytes seen as text, without a copy; lives as long as they do.
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The text seen as bytes, without a copy; lives as long as it does.
inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Big-endian loads at an address that the caller has checked.
inline std::uint16_t load_be16(const std::uint8_t* at) {
  std::uint16_t v;
  std::memcpy(&v, at, sizeof v);
  return __builtin_bswap16(v);
}
inline std::uint32_t load_be32(const std::uint8_t* at) {
  std::uint32_t v;
  std::memcpy(&v, at, sizeof v);
  return __builtin_bswap32(v);
}
inline std::uint64_t load_be64(const std::uint8_t* at) {
  std::uint64_t v;
  std::memcpy(&v, at, sizeof v);
  return __builtin_bswap64(v);
}
inline void store_be16(std::uint8_t* at, std::uint16_t v) {
  v = __builtin_bswap16(v);
  std::memcpy(at, &v, sizeof v);
}
inline void store_be32(std::uint8_t* at, std::uint32_t v) {
  v = __builtin_bswap32(v);
  std::memcpy(at, &v, sizeof v);
}
static_assert(std::endian::native == std::endian::little, "the loads above swap");

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}
  explicit Reader(std::string_view text) : bytes_(as_bytes(text)) {}

  /// False once any read went past the end; stays false.
  bool ok() const { return ok_; }
  std::size_t offset() const { return offset_; }
  std::size_t left() const { return bytes_.size() - offset_; }
  bool at_end() const { return left() == 0; }
  Bytes rest() const { return bytes_.subspan(offset_); }
  Bytes all() const { return bytes_; }

  std::uint8_t u8() {
    if (!need(1)) return 0;
    return bytes_[offset_++];
  }
  std::uint16_t be16() {
    if (!need(2)) return 0;
    offset_ += 2;
    return load_be16(&bytes_[offset_ - 2]);
  }
  std::uint32_t be24() {
    if (!need(3)) return 0;
    offset_ += 3;
    const std::uint8_t* p = &bytes_[offset_ - 3];
    return std::uint32_t{p[0]} << 16 | std::uint32_t{p[1]} << 8 | p[2];
  }
  std::uint32_t be32() {
    if (!need(4)) return 0;
    offset_ += 4;
    return load_be32(&bytes_[offset_ - 4]);
  }
  std::uint64_t be64() {
    if (!need(8)) return 0;
    offset_ += 8;
    return load_be64(&bytes_[offset_ - 8]);
  }
  std::uint16_t le16() { return __builtin_bswap16(be16()); }
  std::uint32_t le32() { return __builtin_bswap32(be32()); }
  std::uint64_t le64() { return __builtin_bswap64(be64()); }

  /// The next `size` bytes, or an empty span (and ok() false) if fewer are left.
  Bytes bytes(std::size_t size) {
    if (!need(size)) return {};
    offset_ += size;
    return bytes_.subspan(offset_ - size, size);
  }
  std::string_view text(std::size_t size) { return as_text(bytes(size)); }
  void skip(std::size_t size) {
    if (need(size)) offset_ += size;
  }
  /// Moves to an offset from the beginning; past the end makes ok() false.
  void seek(std::size_t offset) {
    if (offset > bytes_.size()) ok_ = false;
    else offset_ = offset;
  }
  /// The byte at `ahead` past the cursor without moving, or -1 past the end.
  int peek(std::size_t ahead = 0) const { return ahead < left() ? bytes_[offset_ + ahead] : -1; }

 private:
  bool need(std::size_t size) {
    if (size <= left()) return true;
    ok_ = false;
    return false;
  }

  Bytes bytes_;
  std::size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace weir
