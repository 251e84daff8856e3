// SPDX-License-Identifier: Apache-2.0
#pragma once

// Headers of tunnels.

#include "tests/kit/packet/layers.h"

namespace weir::kit {

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
