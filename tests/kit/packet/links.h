// SPDX-License-Identifier: Apache-2.0
#pragma once

// Headers of links, and ARP.

#include "tests/kit/packet/layers.h"

namespace weir::kit {

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

}  // namespace weir::kit
