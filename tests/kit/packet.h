// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packets as they are drawn: headers joined by '/', outermost first, text as payload.
//
//   Eth() / Ipv4().src("192.0.2.7") / Tcp().flags("S")
//   Eth() / Vlan(7) / Ipv6() / HopByHop() / Udp(40000, 53) / "payload"
//   Eth() / Ipv4() / Udp(50000, 4789) / Vxlan(42) / Eth() / Ipv4() / Icmp(8)
//
// Addresses that nobody gave are documentation's (RFC 5737, 3849, 7042): 192.0.2.1 → 198.51.100.2, 2001:db8::1 → 2001:db8::2,
// 00:00:5e:00:53:01 → …:02. Types, protocols, lengths and checksums follow from what comes behind; a setter of the same name
// puts in a wrong one. bytes() gives the frame as a string; OwnedFrame keeps it together with the Frame that points to it.
// A fragment is drawn with its own bytes behind it: Ipv4().protocol(17).more() / "the first eight…".

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

// ---- Links

class Eth : public Header {
 public:
  Eth& src(std::string_view mac) { return src_ = mac_of(mac), *this; }
  Eth& dst(std::string_view mac) { return dst_ = mac_of(mac), *this; }
  Eth& type(std::uint16_t type) { return type_ = type, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    return bytes_of(dst_) + bytes_of(src_) + be(ether_type_behind(place, type_), 2) + inside;
  }
  int ether_type() const override { return 0x6558; }

 private:
  Mac src_ = mac_of("00:00:5e:00:53:01"), dst_ = mac_of("00:00:5e:00:53:02");
  std::optional<std::uint16_t> type_;
};

class Vlan : public Header {
 public:
  explicit Vlan(std::uint16_t id, std::uint16_t tag_type = 0x8100) : id_(id), tag_type_(tag_type) {}
  Vlan& priority(unsigned priority) { return priority_ = priority, *this; }
  Vlan& type(std::uint16_t type) { return type_ = type, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    return be(priority_ << 13 | id_, 2) + be(ether_type_behind(place, type_), 2) + inside;
  }
  int ether_type() const override { return tag_type_; }

 private:
  std::uint16_t id_, tag_type_;
  unsigned priority_ = 0;
  std::optional<std::uint16_t> type_;
};

/// IEEE 802.3 with LLC: the Ethernet header before it takes the length as its type.
class Llc : public Header {
 public:
  explicit Llc(std::uint8_t sap, std::uint8_t control = 3) : dsap_(sap), ssap_(sap), control_(control) {}
  std::string wrap(std::string inside, const Place&) const override { return be(dsap_, 1) + be(ssap_, 1) + be(control_, 1) + inside; }

 private:
  std::uint8_t dsap_, ssap_, control_;
};

class Eth8023 : public Eth {
 public:
  Eth8023& length(std::uint16_t length) { return length_ = length, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    Eth eth = *this;
    eth.type(length_ ? *length_ : static_cast<std::uint16_t>(inside.size()));
    return eth.Eth::wrap(std::move(inside), place);
  }

 private:
  std::optional<std::uint16_t> length_;
};

class Snap : public Header {
 public:
  Snap& oui(std::uint32_t oui) { return oui_ = oui, *this; }
  Snap& type(std::uint16_t type) { return type_ = type, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    return be(oui_, 3) + be(ether_type_behind(place, type_), 2) + inside;
  }

 private:
  std::uint32_t oui_ = 0;
  std::optional<std::uint16_t> type_;
};

class Ppp : public Header {
 public:
  Ppp& compressed() { return compressed_ = true, *this; }   ///< One byte of protocol.
  Ppp& with_address() { return address_ = true, *this; }    ///< ff 03 before it.
  Ppp& protocol(std::uint16_t protocol) { return protocol_ = protocol, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    const bool v6 = place.next != nullptr && place.next->ether_type() == 0x86dd;
    const std::uint16_t protocol = protocol_.value_or(v6 ? 0x0057 : 0x0021);
    return (address_ ? "\xff\x03" : "") + be(protocol, compressed_ ? 1 : 2) + inside;
  }
  int ether_type() const override { return 0x880b; }

 private:
  bool compressed_ = false, address_ = false;
  std::optional<std::uint16_t> protocol_;
};

class Pppoe : public Header {
 public:
  Pppoe& length(std::uint16_t length) { return length_ = length, *this; }
  std::string wrap(std::string inside, const Place&) const override {
    return be(0x1100, 2) + be(1, 2) + be(length_ ? *length_ : inside.size(), 2) + inside;
  }
  int ether_type() const override { return 0x8864; }

 private:
  std::optional<std::uint16_t> length_;
};

/// One label; the last before something else than a label is the bottom of the stack.
class Mpls : public Header {
 public:
  explicit Mpls(std::uint32_t label) : label_(label) {}
  std::string wrap(std::string inside, const Place& place) const override {
    const bool bottom = dynamic_cast<const Mpls*>(place.next) == nullptr;
    return be(label_ << 12 | (bottom ? 0x100U : 0U) | 64U, 4) + inside;
  }
  int ether_type() const override { return 0x8847; }

 private:
  std::uint32_t label_;
};

class Sll : public Header {
 public:
  Sll& protocol(std::uint16_t protocol) { return protocol_ = protocol, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    return be(0, 2) + be(1, 2) + be(6, 2) + bytes_of(mac_of("00:00:5e:00:53:01")) + be(0, 2) +
           be(ether_type_behind(place, protocol_), 2) + inside;
  }

 private:
  std::optional<std::uint16_t> protocol_;
};

class Sll2 : public Header {
 public:
  std::string wrap(std::string inside, const Place& place) const override {
    return be(ether_type_behind(place, std::nullopt), 2) + be(0, 2) + be(1, 4) + be(1, 2) + be(0, 1) + be(6, 1) +
           bytes_of(mac_of("00:00:5e:00:53:01")) + be(0, 2) + inside;
  }
};

/// The 4-byte family of BSD's loopback; as a big-endian number here.
class NullLink : public Header {
 public:
  explicit NullLink(std::uint32_t family) : family_(family) {}
  std::string wrap(std::string inside, const Place&) const override { return be(family_, 4) + inside; }

 private:
  std::uint32_t family_;
};

class ArpPacket : public Header {
 public:
  explicit ArpPacket(std::uint16_t op = 1) : op_(op) {}
  ArpPacket& sender(std::string_view mac, std::string_view ip) { return sender_mac_ = mac_of(mac), sender_ip_ = ip_of(ip), *this; }
  ArpPacket& target(std::string_view mac, std::string_view ip) { return target_mac_ = mac_of(mac), target_ip_ = ip_of(ip), *this; }
  ArpPacket& lengths(std::uint8_t mac, std::uint8_t ip) { return mac_bytes_ = mac, ip_bytes_ = ip, *this; }
  std::string wrap(std::string inside, const Place&) const override {
    return be(1, 2) + be(0x0800, 2) + be(mac_bytes_, 1) + be(ip_bytes_, 1) + be(op_, 2) + bytes_of(sender_mac_) +
           bytes_of(sender_ip_, false) + bytes_of(target_mac_) + bytes_of(target_ip_, false) + inside;
  }
  int ether_type() const override { return 0x0806; }

 private:
  std::uint16_t op_;
  std::uint8_t mac_bytes_ = 6, ip_bytes_ = 4;
  Mac sender_mac_ = mac_of("00:00:5e:00:53:01"), target_mac_;
  Ip sender_ip_ = ip_of("192.0.2.1"), target_ip_ = ip_of("192.0.2.2");
};

// ---- IP

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

// ---- Transport

class Tcp : public Header {
 public:
  explicit Tcp(std::uint16_t from = 40000, std::uint16_t to = 80) : src_(from), dst_(to) {}
  Tcp& src(std::uint16_t port) { return src_ = port, *this; }
  Tcp& dst(std::uint16_t port) { return dst_ = port, *this; }
  Tcp& flags(std::string_view letters) { return flags_ = flags_of(letters), *this; }
  Tcp& seq(std::uint32_t seq) { return seq_ = seq, *this; }
  Tcp& ack(std::uint32_t ack) { return ack_ = ack, *this; }
  Tcp& window(std::uint16_t window) { return window_ = window, *this; }
  Tcp& urgent(std::uint16_t urgent) { return urgent_ = urgent, *this; }
  Tcp& options(std::string_view bytes) { return options_ = bytes, *this; }  ///< Padded to words with zeros.
  Tcp& header_words(std::uint8_t words) { return words_ = words, *this; }
  Tcp& checksum(std::uint16_t checksum) { return checksum_ = checksum, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    std::string options = options_;
    options.resize((options.size() + 3) / 4 * 4, '\0');
    const unsigned words = words_.value_or(static_cast<std::uint8_t>(5 + options.size() / 4));
    std::string h = be(src_, 2) + be(dst_, 2) + be(seq_, 4) + be(ack_, 4) + be(words << 4, 1) + be(flags_, 1) + be(window_, 2) + be(0, 2) +
                    be(urgent_, 2) + options + inside;
    put(h, 16, checksum_.value_or(transport_checksum(place, 6, h)), 2);
    return h;
  }
  int ip_protocol() const override { return 6; }

 private:
  std::uint16_t src_, dst_;
  std::uint8_t flags_ = flags_of("A");
  std::uint32_t seq_ = 1000, ack_ = 0;
  std::uint16_t window_ = 65535, urgent_ = 0;
  std::string options_;
  std::optional<std::uint8_t> words_;
  std::optional<std::uint16_t> checksum_;
};

class Udp : public Header {
 public:
  explicit Udp(std::uint16_t from = 40000, std::uint16_t to = 53) : src_(from), dst_(to) {}
  Udp& src(std::uint16_t port) { return src_ = port, *this; }
  Udp& dst(std::uint16_t port) { return dst_ = port, *this; }
  Udp& length(std::uint16_t length) { return length_ = length, *this; }
  Udp& checksum(std::uint16_t checksum) { return checksum_ = checksum, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    std::string h = be(src_, 2) + be(dst_, 2) + be(length_ ? *length_ : 8 + inside.size(), 2) + be(0, 2) + inside;
    const std::uint16_t sum = transport_checksum(place, 17, h);
    put(h, 6, checksum_ ? *checksum_ : sum == 0 ? 0xffff : sum, 2);
    return h;
  }
  int ip_protocol() const override { return 17; }

 private:
  std::uint16_t src_, dst_;
  std::optional<std::uint16_t> length_, checksum_;
};

class Sctp : public Header {
 public:
  explicit Sctp(std::uint16_t from = 40000, std::uint16_t to = 2905) : src_(from), dst_(to) {}
  std::string wrap(std::string inside, const Place&) const override { return be(src_, 2) + be(dst_, 2) + be(1, 4) + be(0, 4) + inside; }
  int ip_protocol() const override { return 132; }

 private:
  std::uint16_t src_, dst_;
};

class Icmp : public Header {
 public:
  explicit Icmp(std::uint8_t type = 8, std::uint8_t code = 0) : type_(type), code_(code) {}
  Icmp& id(std::uint16_t id) { return id_ = id, *this; }
  Icmp& sequence(std::uint16_t sequence) { return sequence_ = sequence, *this; }
  Icmp& checksum(std::uint16_t checksum) { return checksum_ = checksum, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    std::string h = be(type_, 1) + be(code_, 1) + be(0, 2) + be(id_, 2) + be(sequence_, 2) + inside;
    const std::uint16_t sum = ip_protocol() == 58 ? transport_checksum(place, 58, h) : checksum_of(h);
    put(h, 2, checksum_.value_or(sum), 2);
    return h;
  }
  int ip_protocol() const override { return 1; }

 private:
  std::uint8_t type_, code_;
  std::uint16_t id_ = 0, sequence_ = 0;
  std::optional<std::uint16_t> checksum_;
};

/// The setters of Icmp give an Icmp, so give type and code first: Icmpv6(1, 4) / ….
class Icmpv6 : public Icmp {
 public:
  explicit Icmpv6(std::uint8_t type = 128, std::uint8_t code = 0) : Icmp(type, code) {}
  Icmpv6& id(std::uint16_t id) { return Icmp::id(id), *this; }
  Icmpv6& sequence(std::uint16_t sequence) { return Icmp::sequence(sequence), *this; }
  Icmpv6& checksum(std::uint16_t checksum) { return Icmp::checksum(checksum), *this; }
  int ip_protocol() const override { return 58; }
};

// ---- Tunnels

class Gre : public Header {
 public:
  Gre& key(std::uint32_t key) { return key_ = key, *this; }
  Gre& sequence(std::uint32_t sequence) { return sequence_ = sequence, *this; }
  Gre& with_checksum() { return checksum_ = true, *this; }
  Gre& routed() { return routed_ = true, *this; }
  Gre& protocol(std::uint16_t protocol) { return protocol_ = protocol, *this; }
  std::string wrap(std::string inside, const Place& place) const override {
    const unsigned flags = (checksum_ ? 0x8000U : 0U) | (routed_ ? 0x4000U : 0U) | (key_ ? 0x2000U : 0U) | (sequence_ ? 0x1000U : 0U);
    std::string h = be(flags, 2) + be(ether_type_behind(place, protocol_), 2);
    if (checksum_) h += be(0, 4);
    if (key_) h += be(*key_, 4);
    if (sequence_) h += be(*sequence_, 4);
    h += inside;
    if (checksum_) put(h, 4, checksum_of(h), 2);
    return h;
  }
  int ip_protocol() const override { return 47; }

 private:
  bool checksum_ = false, routed_ = false;
  std::optional<std::uint32_t> key_, sequence_;
  std::optional<std::uint16_t> protocol_;
};

/// GRE version 1 with a sequence number; Ppp() comes behind it.
class Pptp : public Header {
 public:
  explicit Pptp(std::uint16_t call) : call_(call) {}
  std::string wrap(std::string inside, const Place&) const override {
    return be(0x3001, 2) + be(0x880b, 2) + be(inside.size(), 2) + be(call_, 2) + be(1, 4) + inside;
  }
  int ip_protocol() const override { return 47; }

 private:
  std::uint16_t call_;
};

/// Behind Gre().sequence(n): type 2 or 3; type 1 has no header, so draw Gre().protocol(0x88be) / Eth().
class Erspan : public Header {
 public:
  Erspan(int type, std::uint16_t session) : type_(type), session_(session) {}
  std::string wrap(std::string inside, const Place&) const override {
    return be(type_ == 2 ? 0x1000 : 0x2000, 2) + be(session_, 2) + std::string(type_ == 2 ? 4 : 8, '\0') + inside;
  }
  int ether_type() const override { return type_ == 2 ? 0x88be : 0x22eb; }

 private:
  int type_;
  std::uint16_t session_;
};

class Vxlan : public Header {
 public:
  explicit Vxlan(std::uint32_t vni, std::uint8_t flags = 8) : vni_(vni), flags_(flags) {}
  std::string wrap(std::string inside, const Place&) const override { return be(flags_, 1) + be(0, 3) + be(vni_, 3) + be(0, 1) + inside; }

 private:
  std::uint32_t vni_;
  std::uint8_t flags_;
};

class Geneve : public Header {
 public:
  explicit Geneve(std::uint32_t vni, std::string_view options = {}) : vni_(vni), options_(options) {}
  std::string wrap(std::string inside, const Place& place) const override {
    return be(options_.size() / 4, 1) + be(0, 1) + be(ether_type_behind(place, std::nullopt), 2) + be(vni_, 3) + be(0, 1) + options_ + inside;
  }

 private:
  std::uint32_t vni_;
  std::string options_;
};

class GtpU : public Header {
 public:
  explicit GtpU(std::uint32_t teid) : teid_(teid) {}
  GtpU& message(std::uint8_t type) { return type_ = type, *this; }
  GtpU& sequence() { return flags_ |= 2, *this; }
  GtpU& extension() { return flags_ |= 4, *this; }  ///< A PDU session container (85h).
  std::string wrap(std::string inside, const Place&) const override {
    std::string h = flags_ != 0x30 ? be(1, 2) + be(0, 1) + be((flags_ & 4) != 0 ? 0x85 : 0, 1) : "";
    if ((flags_ & 4) != 0) h += be(1, 1) + be(0x1001, 2) + be(0, 1);
    h += inside;
    return be(flags_, 1) + be(type_, 1) + be(h.size(), 2) + be(teid_, 4) + h;
  }

 private:
  std::uint32_t teid_;
  std::uint8_t flags_ = 0x30, type_ = 255;
};

/// A data message with a length; Ppp().with_address() comes behind it.
class L2tp : public Header {
 public:
  std::string wrap(std::string inside, const Place&) const override {
    return be(0x4002, 2) + be(8 + inside.size(), 2) + be(1, 2) + be(1, 2) + inside;
  }
};

}  // namespace weir::kit
