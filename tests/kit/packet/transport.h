// SPDX-License-Identifier: Apache-2.0
#pragma once

// TCP, UDP, SCTP, ICMP.

#include "tests/kit/packet/layers.h"

namespace weir::kit {

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

}  // namespace weir::kit
