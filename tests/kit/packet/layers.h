// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests/kit/packet.h stands on: bytes of numbers and addresses, a header, headers in their order, and a frame that is kept.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "facts/packet.h"

namespace weir::kit {

/// Big-endian numbers as bytes: be(0x0800, 2).
inline std::string be(std::uint64_t value, std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
  return out;
}
inline void put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t size) { bytes.replace(at, size, be(value, size)); }

/// The oracle for the product's checksum: RFC 1071 word by word.
inline std::uint16_t checksum_of(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += std::uint32_t{static_cast<std::uint8_t>(bytes[i])} << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(~sum);
}

/// Test programs stop at an address that is none: it is a mistake in the test.
inline Ip ip_of(std::string_view text) {
  const auto ip = parse_ip(text);
  if (!ip) std::fprintf(stderr, "no address: %.*s\n", static_cast<int>(text.size()), text.data()), std::abort();
  return *ip;
}
inline Mac mac_of(std::string_view text) {
  const auto mac = parse_mac(text);
  if (!mac) std::fprintf(stderr, "no MAC address: %.*s\n", static_cast<int>(text.size()), text.data()), std::abort();
  return *mac;
}
inline std::string bytes_of(const Ip& ip, bool v6) {
  return std::string(reinterpret_cast<const char*>(ip.bytes.data()) + (v6 ? 0 : 12), v6 ? 16 : 4);
}
inline std::string bytes_of(const Mac& mac) { return std::string(reinterpret_cast<const char*>(mac.bytes.data()), 6); }

/// "SA" → 0x12; letters F S R P A U E C.
inline std::uint8_t flags_of(std::string_view letters) {
  constexpr std::string_view kLetters = "FSRPAUEC";
  unsigned flags = 0;
  for (char c : letters) flags |= 1U << kLetters.find(c);
  return static_cast<std::uint8_t>(flags);
}

class Header;

/// Where a header stands when it is written: what comes behind it, and the IP header before it.
struct Place {
  const Header* next = nullptr;
  const Header* ip = nullptr;
};

class Header {
 public:
  virtual ~Header() = default;
  /// The header, with `inside` behind it.
  virtual std::string wrap(std::string inside, const Place& place) const = 0;
  /// What a header before it writes for it; -1 where there is no such number.
  virtual int ether_type() const { return -1; }
  virtual int ip_protocol() const { return -1; }
  /// The pseudo header's addresses; empty for all but IP.
  virtual std::string addresses() const { return {}; }
};

/// The number for what comes behind: given by hand, or by the header, or `otherwise`.
inline std::uint16_t number_or(const std::optional<std::uint16_t>& given, int natural, int otherwise) {
  return given ? *given : static_cast<std::uint16_t>(natural >= 0 ? natural : otherwise);
}
inline std::uint16_t ether_type_behind(const Place& place, const std::optional<std::uint16_t>& given) {
  return number_or(given, place.next != nullptr ? place.next->ether_type() : -1, 0x0800);
}
inline std::uint8_t protocol_behind(const Place& place, const std::optional<std::uint16_t>& given) {
  return static_cast<std::uint8_t>(number_or(given, place.next != nullptr ? place.next->ip_protocol() : -1, 59));
}
inline std::uint16_t transport_checksum(const Place& place, std::uint8_t protocol, std::string_view bytes) {
  if (place.ip == nullptr) return checksum_of(bytes);
  return checksum_of(place.ip->addresses() + be(bytes.size(), 4) + be(protocol, 4) + std::string(bytes));
}

class Raw : public Header {
 public:
  explicit Raw(std::string text) : text_(std::move(text)) {}
  std::string wrap(std::string inside, const Place&) const override { return text_ + inside; }

 private:
  std::string text_;
};

/// Headers in their order. A value: cheap to copy, and may be continued: `const auto base = Eth() / Ipv4(); base / Tcp()`.
class Layers {
 public:
  Layers() = default;
  template <class H>
    requires std::derived_from<H, Header>
  Layers(const H& header) {  // NOLINT: one header is a packet too.
    headers_.push_back(std::make_shared<const H>(header));
  }
  Layers& add(const Layers& more) {
    headers_.insert(headers_.end(), more.headers_.begin(), more.headers_.end());
    return *this;
  }
  std::string bytes() const {
    std::string inside;
    for (std::size_t i = headers_.size(); i-- > 0;) {
      Place place;
      if (i + 1 < headers_.size()) place.next = headers_[i + 1].get();
      for (std::size_t j = i; place.ip == nullptr && j-- > 0;)
        if (!headers_[j]->addresses().empty()) place.ip = headers_[j].get();
      inside = headers_[i]->wrap(std::move(inside), place);
    }
    return inside;
  }
  operator std::string() const { return bytes(); }

 private:
  std::vector<std::shared_ptr<const Header>> headers_;
};

inline Layers operator/(Layers left, const Layers& right) { return left.add(right); }
inline Layers operator/(Layers left, std::string_view payload) { return left.add(Layers(Raw(std::string(payload)))); }

/// Bytes on the heap, exact, so that a sanitizer sees a read past the end; and the Frame over them.
class OwnedFrame {
 public:
  explicit OwnedFrame(std::string_view bytes, LinkType link = LinkType::Ethernet)
      : bytes_(bytes.begin(), bytes.end()), wire_bytes_(static_cast<std::uint32_t>(bytes.size())), link_(link) {}
  explicit OwnedFrame(const Layers& layers, LinkType link = LinkType::Ethernet) : OwnedFrame(std::string_view(layers.bytes()), link) {}
  /// As a capture with this snap length has it.
  OwnedFrame& snap(std::size_t size) {
    if (size < bytes_.size()) bytes_ = std::vector<std::uint8_t>(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
    return *this;
  }
  Frame frame(std::uint64_t number = 1, Time time = {}) const {
    return {.bytes = bytes_, .wire_bytes = wire_bytes_, .link = link_, .number = number, .time = time};
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::uint32_t wire_bytes_;
  LinkType link_;
};

}  // namespace weir::kit
