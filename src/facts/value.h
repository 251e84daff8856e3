// SPDX-License-Identifier: Apache-2.0
#pragma once

// Value: 16 bytes that hold one value of a fact, whatever its type. The row of the field says how to read it.

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/address.h"

namespace weir {

class Value {
 public:
  Value() = default;
  static Value of_number(std::uint64_t number) {
    Value v;
    std::memcpy(v.raw_, &number, sizeof number);
    return v;
  }
  static Value of_text(std::string_view text) {
    Value v;
    const char* at = text.data();
    const auto size = static_cast<std::uint32_t>(text.size());
    std::memcpy(v.raw_, &at, sizeof at);
    std::memcpy(v.raw_ + 8, &size, sizeof size);
    return v;
  }
  static Value of_ip(const Ip& ip) {
    Value v;
    std::memcpy(v.raw_, ip.bytes.data(), 16);
    return v;
  }
  static Value of_mac(const Mac& mac) { return of_number(mac.value()); }

  std::uint64_t number() const {
    std::uint64_t n;
    std::memcpy(&n, raw_, sizeof n);
    return n;
  }
  std::string_view text() const {
    const char* at;
    std::uint32_t size;
    std::memcpy(&at, raw_, sizeof at);
    std::memcpy(&size, raw_ + 8, sizeof size);
    return {at, size};
  }
  Ip ip() const { return Ip::v6_bytes(raw_); }
  Mac mac() const { return Mac::from_value(number()); }

 private:
  alignas(8) std::uint8_t raw_[16] = {};
};
static_assert(sizeof(Value) == 16);

}  // namespace weir
