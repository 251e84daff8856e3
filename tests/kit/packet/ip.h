// SPDX-License-Identifier: Apache-2.0
#pragma once

// IPv4 and IPv6 with what stands between them and the transport.

#include "tests/kit/packet/layers.h"

namespace weir::kit {

class Ipv4 : public Header {
 public:
  Ipv4() = default;
  Ipv4(std::string_view from, std::string_view to) : src_(ip_of(from)), dst_(ip_of(to)) {}
  Ipv4& src(std::string_view ip) { return src_ = ip_of(ip), *this; }
  Ipv4& dst(std::string_view ip) { return dst_ = ip_of(ip), *this; }
  Ipv4& ttl(std::uint8_t ttl) { return ttl_ = ttl, *this; }
  Ipv4& dscp(std::uint8_t dscp) { return dscp_ = dscp, *this; }
  Ipv4& id(std::uint16_t id) { return id_ = id, *this; }
  Ipv4& more() { return more_ = true, *this; }                                    ///< More fragments follow.
  Ipv4& offset(std::uint32_t bytes) { return offset_ = bytes, *this; }            ///< A multiple of eight.
  Ipv4& protocol(std::uint16_t protocol) { return protocol_ = protocol, *this; }
  Ipv4& options(std::string_view bytes) { return options_ = bytes, *this; }       ///< Padded to words with zeros.
  Ipv4& length(std::uint16_t length) { return length_ = length, *this; }
  Ipv4& header_words(std::uint8_t words) { return words_ = words, *this; }
  Ipv4& version(std::uint8_t version) { return version_ = version, *this; }
  Ipv4& checksum(std::uint16_t checksum) { return checksum_ = checksum, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    std::string options = options_;
    options.resize((options.size() + 3) / 4 * 4, '\0');
    const std::size_t size = 20 + options.size();
    const unsigned words = words_.value_or(static_cast<std::uint8_t>(size / 4));
    std::string h = be(version_ * 16U + words, 1) + be(dscp_ << 2, 1) + be(length_ ? *length_ : size + inside.size(), 2) + be(id_, 2) +
                    be((more_ ? 0x2000U : 0U) | offset_ / 8, 2) + be(ttl_, 1) + be(protocol_behind(place, protocol_), 1) + be(0, 2) +
                    bytes_of(src_, false) + bytes_of(dst_, false) + options;
    put(h, 10, checksum_.value_or(checksum_of(h)), 2);
    return h + inside;
  }
  int ether_type() const override { return 0x0800; }
  int ip_protocol() const override { return 4; }
  std::string addresses() const override { return bytes_of(src_, false) + bytes_of(dst_, false); }

 private:
  Ip src_ = ip_of("192.0.2.1"), dst_ = ip_of("198.51.100.2");
  std::uint8_t ttl_ = 64, dscp_ = 0, version_ = 4;
  std::uint16_t id_ = 0;
  bool more_ = false;
  std::uint32_t offset_ = 0;
  std::string options_;
  std::optional<std::uint16_t> protocol_, length_, checksum_;
  std::optional<std::uint8_t> words_;
};

class Ipv6 : public Header {
 public:
  Ipv6() = default;
  Ipv6(std::string_view from, std::string_view to) : src_(ip_of(from)), dst_(ip_of(to)) {}
  Ipv6& src(std::string_view ip) { return src_ = ip_of(ip), *this; }
  Ipv6& dst(std::string_view ip) { return dst_ = ip_of(ip), *this; }
  Ipv6& ttl(std::uint8_t ttl) { return ttl_ = ttl, *this; }
  Ipv6& dscp(std::uint8_t dscp) { return dscp_ = dscp, *this; }
  Ipv6& protocol(std::uint16_t protocol) { return protocol_ = protocol, *this; }
  Ipv6& length(std::uint16_t length) { return length_ = length, *this; }  ///< Of the payload, as the field.
  std::string wrap(std::string inside, const Place& place) const override {
    return be(0x60000000U | static_cast<unsigned>(dscp_) << 22, 4) + be(length_ ? *length_ : inside.size(), 2) +
           be(protocol_behind(place, protocol_), 1) + be(ttl_, 1) + addresses() + inside;
  }
  int ether_type() const override { return 0x86dd; }
  int ip_protocol() const override { return 41; }
  std::string addresses() const override { return bytes_of(src_, true) + bytes_of(dst_, true); }

 private:
  Ip src_ = ip_of("2001:db8::1"), dst_ = ip_of("2001:db8::2");
  std::uint8_t ttl_ = 64, dscp_ = 0;
  std::optional<std::uint16_t> protocol_, length_;
};

/// Extension headers of the common form: next, length, six bytes or more.
class Extension : public Header {
 public:
  Extension(std::uint8_t self, std::string_view content) : self_(self), content_(content) {}
  std::string wrap(std::string inside, const Place& place) const override {
    std::string content = content_;
    content.resize((content.size() + 2 + 7) / 8 * 8 - 2, '\0');
    return be(protocol_behind(place, protocol_), 1) + be(words_ ? *words_ : content.size() / 8, 1) + content + inside;
  }
  Extension& protocol(std::uint16_t protocol) { return protocol_ = protocol, *this; }
  Extension& words(std::uint8_t words) { return words_ = words, *this; }  ///< The length field: eight bytes each, less one.
  int ip_protocol() const override { return self_; }

 private:
  std::uint8_t self_;
  std::string content_;
  std::optional<std::uint16_t> protocol_;
  std::optional<std::uint8_t> words_;
};
inline Extension HopByHop(std::string_view options = {"\x01\x04\0\0\0\0", 6}) { return {0, options}; }
inline Extension Destination(std::string_view options = {"\x01\x04\0\0\0\0", 6}) { return {60, options}; }
inline Extension Routing(std::uint8_t type, std::uint8_t segments_left = 0) {
  return {43, be(type, 1) + be(segments_left, 1) + be(0, 4)};
}

class Fragment : public Header {
 public:
  explicit Fragment(std::uint32_t offset = 0, bool more = false, std::uint32_t id = 1) : offset_(offset), more_(more), id_(id) {}
  Fragment& protocol(std::uint16_t protocol) { return protocol_ = protocol, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    return be(protocol_behind(place, protocol_), 1) + be(0, 1) + be(offset_ | (more_ ? 1U : 0U), 2) + be(id_, 4) + inside;
  }
  int ip_protocol() const override { return 44; }

 private:
  std::uint32_t offset_;
  bool more_;
  std::uint32_t id_;
  std::optional<std::uint16_t> protocol_;
};

/// With a check value of twelve bytes, as HMAC-96 has.
class Ah : public Header {
 public:
  std::string wrap(std::string inside, const Place& place) const override {
    return be(protocol_behind(place, std::nullopt), 1) + be(4, 1) + be(0, 2) + be(0x100, 4) + be(1, 4) + std::string(12, 'x') + inside;
  }
  int ip_protocol() const override { return 51; }
};

class Esp : public Header {
 public:
  std::string wrap(std::string inside, const Place&) const override { return be(0x100, 4) + be(1, 4) + inside; }
  int ip_protocol() const override { return 50; }
};

}  // namespace weir::kit
