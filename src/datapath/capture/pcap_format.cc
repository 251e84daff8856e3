// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/pcap_format.h"

#include <algorithm>
#include <utility>

#include "datapath/capture/link_type.h"

namespace weir::datapath {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kKuznetzov = 0xa1b2cd34;

bool known(std::uint32_t magic) { return magic == kMicroseconds || magic == kNanoseconds || magic == kKuznetzov; }

}  // namespace

bool PcapFormat::begins(Bytes first) {
  return first.size() >= 4 && (known(Reader(first).be32()) || known(Reader(first).le32()));
}

Result<PcapFormat> PcapFormat::parse(Bytes header) {
  CHECK(begins(header));
  if (header.size() < kHeaderBytes)
    return Error{"at byte 0: the pcap header is cut short: it has 24 bytes, " + std::to_string(header.size()) + " are there"};
  PcapFormat format;
  format.order_ = known(Reader(header).be32()) ? Order::Big : Order::Little;
  const Ordered in{header.data(), format.order_};
  const std::uint32_t magic = in.u32(0);
  const unsigned major = in.u16(4), minor = in.u16(6);
  if (major != 2) return Error{"at byte 4: pcap version " + std::to_string(major) + "." + std::to_string(minor) + " is not read; 2 is"};
  format.nanoseconds_ = magic == kNanoseconds;
  format.header_bytes_ = magic == kKuznetzov ? 24 : 16;
  // Before 2.3 the two lengths stood the other way round, and in 2.3 in some files.
  format.lengths_swapped_ = minor <= 3;
  format.bound_ = packet_bound(in.u32(16));
  // The upper half says how long the frame check sequence is, where the tool knew it.
  format.link_number_ = in.u32(20) & 0xffff;
  const auto link = link_of(format.link_number_);
  if (!link) return Error{"at byte 20: " + link_problem(format.link_number_)};
  format.link_ = *link;
  return format;
}

Step PcapFormat::step(Bytes ahead, Record& record) {
  if (ahead.size() < header_bytes_) return {StepKind::More, header_bytes_};
  const Ordered in{ahead.data(), order_};
  const std::uint32_t seconds = in.u32(0), fraction = in.u32(4);
  std::uint32_t captured = in.u32(8), wire = in.u32(12);
  if (lengths_swapped_ && captured > wire) std::swap(captured, wire);
  if (captured > bound_) {
    problem_ = "a record of " + std::to_string(captured) + " bytes is larger than the " + std::to_string(bound_) + " that this file may hold";
    return {StepKind::Broken};
  }
  const std::size_t size = std::size_t{header_bytes_} + captured;
  if (ahead.size() < size) return {StepKind::More, size};
  record.bytes = ahead.subspan(header_bytes_, captured);
  record.wire_bytes = std::max(captured, wire);
  record.link = link_;
  record.port = kNoPort;
  record.wall_ns = Nanoseconds{seconds} * kSecond + Nanoseconds{fraction} * (nanoseconds_ ? 1 : kMicrosecond);
  return {StepKind::Packet, size};
}

}  // namespace weir::datapath
