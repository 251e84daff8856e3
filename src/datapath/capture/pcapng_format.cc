// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/pcapng_format.h"

#include <algorithm>

#include "datapath/capture/link_type.h"

namespace weir::datapath {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a;  // the same in both orders
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kOldPacket = 2;
constexpr std::uint32_t kSimple = 3;
constexpr std::uint32_t kEnhanced = 6;
constexpr std::uint32_t kOrderMagic = 0x1a2b3c4d;

constexpr std::uint16_t kOptionEnd = 0, kOptionName = 2, kOptionResolution = 9, kOptionOffset = 14;
constexpr std::uint8_t kResolutionDefault = 6;

constexpr std::size_t kInterfacesMax = 65'536;
// Options stand behind a packet's bytes and before an interface's end; comments are all that makes them large.
constexpr std::uint32_t kOptionBytesMax = 1024 * 1024;
constexpr std::uint32_t kPacketBlockMax = kSnapMax + kOptionBytesMax;

__extension__ typedef unsigned __int128 Wide;

}  // namespace

bool PcapngFormat::begins(Bytes first) { return first.size() >= 4 && Reader(first).be32() == kSection; }

Step PcapngFormat::step(Bytes ahead, Record& record) {
  if (trailing_ != 0) {
    if (ahead.size() < 4) return {StepKind::More, 4};
    const std::uint32_t repeated = Ordered{ahead.data(), order_}.u32(0);
    if (repeated != trailing_)
      return broken("the block's second length is " + std::to_string(repeated) + ", its first " + std::to_string(trailing_));
    trailing_ = 0;
    return {StepKind::Pass, 4};
  }
  if (ahead.size() < kHeaderBytes) return {StepKind::More, kHeaderBytes};
  if (begins(ahead)) return section(ahead);
  const Ordered in{ahead.data(), order_};
  const std::uint32_t type = in.u32(0), length = in.u32(4);
  if (length < 12 || length % 4 != 0) return broken("a block of type " + std::to_string(type) + " says that it has " + std::to_string(length) + " bytes");
  const bool carries = type == kEnhanced || type == kSimple || type == kOldPacket;
  if (!carries && type != kInterface) {
    trailing_ = length;
    return {StepKind::Pass, length - 4};
  }
  if (length > (carries ? kPacketBlockMax : kOptionBytesMax))
    return broken("a block of type " + std::to_string(type) + " has " + std::to_string(length) + " bytes, more than one may have");
  if (ahead.size() < length) return {StepKind::More, length};
  const Bytes block = ahead.first(length);
  if (!ends_agree(block)) return {StepKind::Broken};
  return carries ? packet(block, type, record) : interface(block);
}

Step PcapngFormat::section(Bytes ahead) {
  constexpr std::size_t kFixed = 28;
  if (ahead.size() < kFixed) return {StepKind::More, kFixed};
  const std::uint32_t magic = Reader(ahead.subspan(8)).be32();
  if (magic != kOrderMagic && magic != __builtin_bswap32(kOrderMagic)) return broken("a section header without the mark of its byte order");
  order_ = magic == kOrderMagic ? Order::Big : Order::Little;
  const Ordered in{ahead.data(), order_};
  const std::uint32_t length = in.u32(4);
  if (length < kFixed || length % 4 != 0) return broken("a section header says that it has " + std::to_string(length) + " bytes");
  if (in.u16(12) != 1) return broken("pcapng version " + std::to_string(in.u16(12)) + "." + std::to_string(in.u16(14)) + " is not read; 1 is");
  interfaces_.clear();
  trailing_ = length;
  return {StepKind::Pass, length - 4};
}

Step PcapngFormat::interface(Bytes block) {
  if (block.size() < 20) return broken("an interface block of " + std::to_string(block.size()) + " bytes");
  if (interfaces_.size() == kInterfacesMax) return broken("more than " + std::to_string(kInterfacesMax) + " interfaces in a section");
  const Ordered in{block.data(), order_};
  const std::uint32_t number = in.u16(8);
  const auto link = link_of(number);
  Interface made{number, link.value_or(LinkType::Ethernet), link.has_value(), kResolutionDefault, kNoPort, in.u32(12), 0};
  std::size_t at = 16;
  const std::size_t end = block.size() - 4;
  while (end - at >= 4) {
    const std::uint16_t code = in.u16(at), size = in.u16(at + 2);
    at += 4;
    if (code == kOptionEnd) break;
    if (size > end - at) return broken("an interface's option of " + std::to_string(size) + " bytes runs past its block");
    if (code == kOptionName && port_of_) {
      const std::string_view name = as_text(block.subspan(at, size));
      made.port = port_of_(name.substr(0, name.find('\0')));
    } else if (code == kOptionResolution && size >= 1) {
      made.resolution = block[at];
    } else if (code == kOptionOffset && size >= 8) {
      made.offset_seconds = static_cast<std::int64_t>(in.u64(at));
    }
    at += std::min<std::size_t>((std::size_t{size} + 3) & ~std::size_t{3}, end - at);
  }
  const unsigned exponent = made.resolution & 0x7f;
  nanoseconds_ = nanoseconds_ || exponent > ((made.resolution & 0x80) ? 19U : 6U);
  if (made.readable && !link_seen_) {
    link_seen_ = true;
    link_number_ = number;
  }
  bound_ = std::max(bound_, packet_bound(made.snaplen));
  interfaces_.push_back(made);
  return {StepKind::Pass, block.size()};
}

bool PcapngFormat::packet_fields(Bytes block, std::uint32_t type, PacketFields& fields) {
  const Ordered in{block.data(), order_};
  const std::size_t fixed = type == kSimple ? 12 : 28;
  if (block.size() < fixed + 4) {
    problem_ = "a packet block of " + std::to_string(block.size()) + " bytes";
    return false;
  }
  fields.at = fixed;
  fields.timed = type != kSimple;
  if (type == kSimple) {
    fields.interface = 0;
    fields.wire = fields.captured = in.u32(8);
    fields.ticks = 0;
  } else {
    fields.interface = type == kEnhanced ? in.u32(8) : in.u16(8);
    fields.ticks = std::uint64_t{in.u32(12)} << 32 | in.u32(16);
    fields.captured = in.u32(20);
    fields.wire = in.u32(24);
  }
  if (fields.interface >= interfaces_.size()) {
    problem_ = "a packet of interface " + std::to_string(fields.interface) + ", which its section does not describe";
    return false;
  }
  return true;
}

Step PcapngFormat::packet(Bytes block, std::uint32_t type, Record& record) {
  PacketFields fields;
  if (!packet_fields(block, type, fields)) return {StepKind::Broken};
  const Interface& from = interfaces_[fields.interface];
  if (!from.readable) return broken(link_problem(from.link_number));
  const std::uint32_t room = static_cast<std::uint32_t>(block.size() - 4 - fields.at);
  if (type == kSimple) {
    // Only the snapshot length tells how many bytes were kept (draft section 4.4).
    if (from.snaplen != 0) fields.captured = std::min(fields.captured, from.snaplen);
    fields.captured = std::min(fields.captured, room);
  }
  if (fields.captured > room)
    return broken("a packet of " + std::to_string(fields.captured) + " bytes in a block that holds " + std::to_string(room));
  if (fields.captured > packet_bound(from.snaplen))
    return broken("a packet of " + std::to_string(fields.captured) + " bytes is larger than the " +
                  std::to_string(packet_bound(from.snaplen)) + " that its interface may bring");
  record.bytes = block.subspan(fields.at, fields.captured);
  record.wire_bytes = std::max(fields.captured, fields.wire);
  record.link = from.link;
  record.port = from.port;
  if (fields.timed) last_wall_ns_ = wall(from, fields.ticks);
  record.wall_ns = last_wall_ns_;
  return {StepKind::Packet, block.size()};
}

bool PcapngFormat::ends_agree(Bytes block) {
  const Ordered in{block.data(), order_};
  const std::uint32_t repeated = in.u32(block.size() - 4);
  if (repeated == block.size()) return true;
  problem_ = "the block's second length is " + std::to_string(repeated) + ", its first " + std::to_string(block.size());
  return false;
}

Step PcapngFormat::broken(std::string why) {
  problem_ = std::move(why);
  return {StepKind::Broken};
}

// if_tsresol (draft section 4.2): ticks of 10^-n seconds, or of 2^-n where the top bit is set; if_tsoffset: seconds to add.
Nanoseconds PcapngFormat::wall(const Interface& interface, std::uint64_t ticks) {
  const unsigned n = interface.resolution & 0x7f;
  Wide ns;
  if (interface.resolution & 0x80) {
    const std::uint64_t seconds = n < 64 ? ticks >> n : 0;
    const std::uint64_t part = n < 64 ? ticks & ((std::uint64_t{1} << n) - 1) : ticks;
    ns = static_cast<Wide>(seconds) * kSecond + (static_cast<Wide>(part) * kSecond >> n);
  } else if (n <= 9) {
    ns = ticks;
    for (unsigned i = n; i < 9; ++i) ns *= 10;
  } else {
    for (unsigned i = 9; i < n && ticks != 0; ++i) ticks /= 10;
    ns = ticks;
  }
  // Each part is cut to kWallMax first, so that their sum cannot overflow.
  const Nanoseconds since = ns > static_cast<Wide>(kWallMax) ? kWallMax : static_cast<Nanoseconds>(ns);
  constexpr std::int64_t kSecondsMax = kWallMax / kSecond;
  const Nanoseconds offset = std::clamp(interface.offset_seconds, -kSecondsMax, kSecondsMax) * kSecond;
  return std::clamp<Nanoseconds>(since + offset, 0, kWallMax);
}

}  // namespace weir::datapath
