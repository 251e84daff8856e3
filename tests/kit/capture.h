// SPDX-License-Identifier: Apache-2.0
#pragma once

// Capture files built in memory, as readable as a list of their packets:
//
//   PcapFile(Order::Big, PcapFile::kNano).packet(1, 5, "abc").bytes()
//   PcapngFile().section(Order::Little).interface({.name = "lan0"}).enhanced(0, ticks, "abc").bytes()
//
// They write what they are told, also what no tool would write; raw() adds any bytes.

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::kit {

enum class Order { Little, Big };

class CaptureBytes {
 public:
  const std::string& bytes() const { return bytes_; }

 protected:
  explicit CaptureBytes(Order order) : order_(order) {}
  void number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_ += static_cast<char>(value >> 8 * (order_ == Order::Little ? i : size - 1 - i));
  }
  void u16(std::uint64_t value) { number(value, 2); }
  void u32(std::uint64_t value) { number(value, 4); }

  Order order_;
  std::string bytes_;
};

class PcapFile : public CaptureBytes {
 public:
  static constexpr std::uint32_t kMicro = 0xa1b2c3d4, kNano = 0xa1b23c4d, kKuznetzov = 0xa1b2cd34;

  explicit PcapFile(Order order = Order::Little, std::uint32_t magic = kMicro, std::uint32_t link = 1, std::uint32_t snaplen = 65535)
      : CaptureBytes(order), magic_(magic) {
    u32(magic), u16(2), u16(4), u32(0), u32(0), u32(snaplen), u32(link);
  }
  PcapFile& packet(std::uint32_t seconds, std::uint32_t fraction, std::string_view bytes, std::int64_t wire = -1) {
    u32(seconds), u32(fraction), u32(bytes.size()), u32(wire < 0 ? bytes.size() : static_cast<std::uint64_t>(wire));
    if (magic_ == kKuznetzov) u32(0), u32(0);
    return raw(bytes);
  }
  /// A record header that claims `captured` bytes, without any.
  PcapFile& claim(std::uint32_t captured) {
    u32(0), u32(0), u32(captured), u32(captured);
    return *this;
  }
  PcapFile& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

 private:
  std::uint32_t magic_;
};

struct PcapngInterface {
  std::uint16_t link = 1;
  std::uint32_t snaplen = 0;
  std::string_view name = {};
  int resolution = -1;  ///< if_tsresol as in the file, -1: not there.
  std::int64_t offset_seconds = 0;
};

class PcapngFile : public CaptureBytes {
 public:
  PcapngFile() : CaptureBytes(Order::Little) {}

  PcapngFile& section(Order order = Order::Little) {
    order_ = order;
    return block(0x0a0d0d0a, [this] { u32(0x1a2b3c4d), u16(1), u16(0), number(~std::uint64_t{0}, 8); });
  }
  PcapngFile& interface(PcapngInterface made = {}) {
    return block(1, [&] {
      u16(made.link), u16(0), u32(made.snaplen);
      if (!made.name.empty()) u16(2), u16(made.name.size()), padded(made.name);
      if (made.resolution >= 0) u16(9), u16(1), padded(std::string(1, static_cast<char>(made.resolution)));
      if (made.offset_seconds != 0) u16(14), u16(8), number(static_cast<std::uint64_t>(made.offset_seconds), 8);
      u16(0), u16(0);
    });
  }
  PcapngFile& enhanced(std::uint32_t interface, std::uint64_t ticks, std::string_view bytes, std::uint32_t wire = 0) {
    return block(6, [&] { u32(interface), u32(ticks >> 32), u32(ticks), u32(bytes.size()), u32(wire ? wire : bytes.size()), padded(bytes); });
  }
  PcapngFile& simple(std::string_view bytes, std::uint32_t wire) {
    return block(3, [&] { u32(wire), padded(bytes); });
  }
  PcapngFile& old_packet(std::uint16_t interface, std::uint64_t ticks, std::string_view bytes) {
    return block(2, [&] { u16(interface), u16(0), u32(ticks >> 32), u32(ticks), u32(bytes.size()), u32(bytes.size()), padded(bytes); });
  }
  PcapngFile& other(std::uint32_t type, std::size_t body_bytes) {
    return block(type, [&] { bytes_.append(body_bytes, 'x'); });
  }
  PcapngFile& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

 private:
  template <typename F>
  PcapngFile& block(std::uint32_t type, F&& body) {
    const std::size_t start = bytes_.size();
    u32(type), u32(0);
    body();
    const std::size_t size = bytes_.size() - start + 4;
    u32(size);
    const std::string length = bytes_.substr(bytes_.size() - 4);
    bytes_.replace(start + 4, 4, length);
    return *this;
  }
  void padded(std::string_view bytes) {
    bytes_ += bytes;
    bytes_.append(-bytes.size() & 3, '\0');
  }
};

}  // namespace weir::kit
