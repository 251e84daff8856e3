// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/capture_reader.h"

#include <algorithm>
#include <string_view>

#include "datapath/capture/link_type.h"
#include "datapath/capture/unpack.h"

namespace weir::datapath {
namespace {

// What people hand to a reader of captures that is none that we read, by its first bytes.
struct Foreign {
  std::string_view first;
  std::string_view name;
};
using namespace std::string_view_literals;
constexpr Foreign kForeign[] = {
    {"\xa1\xb2\xc3\xcb"sv, "a Nokia pcap"},
    {"\xcb\xc3\xb2\xa1"sv, "a Nokia pcap"},
    {"\xa1\xe2\xcb\x12"sv, "an AIX iptrace-like pcap"},
    {"\x1c\x00\x01\xac"sv, "an IXIA hardware capture"},
    {"\xac\x01\x00\x1c"sv, "an IXIA hardware capture"},
    {"\x1c\x00\x01\xab"sv, "an IXIA software capture"},
    {"\xab\x01\x00\x1c"sv, "an IXIA software capture"},
    {"snoop\0"sv, "a snoop capture"},
    {"btsnoop\0"sv, "a btsnoop capture"},
    {"GMBU"sv, "a Network Monitor capture"},
    {"RTSS"sv, "a Network Monitor capture"},
    {"TRSNIFF data"sv, "a Sniffer capture"},
    {"iptrace "sv, "an AIX iptrace"},
    {"\xfd" "7zXZ"sv, "packed by xz (unpack it first; gzip and zstd are read as they are)"},
    {"BZh"sv, "packed by bzip2 (unpack it first; gzip and zstd are read as they are)"},
    {"\x04\x22\x4d\x18"sv, "packed by lz4 (unpack it first; gzip and zstd are read as they are)"},
    {"PK\x03\x04"sv, "a zip archive (unpack it first; gzip and zstd are read as they are)"},
};
constexpr std::size_t kMagicBytes = 12;

std::string not_a_capture(Bytes first) {
  for (const Foreign& foreign : kForeign)
    if (as_text(first).starts_with(foreign.first)) return "is " + std::string(foreign.name) + ", not pcap or pcapng";
  if (first.size() < 4) return "is no capture: it has only " + std::to_string(first.size()) + (first.size() == 1 ? " byte" : " bytes");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string magic;
  for (const std::uint8_t byte : first.first(4)) {
    magic += kDigits[byte >> 4];
    magic += kDigits[byte & 15];
  }
  return "is neither pcap nor pcapng: it begins with " + magic;
}

}  // namespace

CaptureReader::CaptureReader(std::unique_ptr<ByteSource> source, Format format, CaptureOptions options, std::string name)
    : source_(std::move(source)), format_(std::move(format)), options_(std::move(options)), name_(std::move(name)),
      number_(options_.first_number), mono_ns_(options_.first_mono_ns) {
  std::visit([this](auto& f) { prime(f); }, format_);
}

Result<CaptureReader> CaptureReader::open(const std::string& path, CaptureOptions options) {
  auto source = open_source(path);
  if (!source) return source.error();
  return begin(std::move(*source), std::move(options), path == "-" ? "standard input" : path);
}

Result<CaptureReader> CaptureReader::from_bytes(Bytes bytes, CaptureOptions options, std::string name) {
  return begin(source_of_bytes(bytes), std::move(options), std::move(name));
}

Result<CaptureReader> CaptureReader::begin(std::unique_ptr<ByteSource> source, CaptureOptions options, std::string name) {
  source->refill(kMagicBytes);
  const Packing packing = packing_of(source->ahead());
  if (packing != Packing::None) {
    source = unpack(std::move(source), packing);
    source->refill(kMagicBytes);
  }
  const Bytes first = source->ahead();
  if (first.size() < kMagicBytes && !source->trouble().empty()) return Error{name + ": " + source->trouble()};
  if (first.empty()) return Error{name + (packing == Packing::None ? ": is empty" : ": is empty when unpacked")};
  if (PcapngFormat::begins(first)) {
    PcapngFormat format(options.port_of);
    return CaptureReader(std::move(source), std::move(format), std::move(options), std::move(name));
  }
  if (!PcapFormat::begins(first)) return Error{name + ": " + not_a_capture(first)};
  source->refill(PcapFormat::kHeaderBytes);
  auto format = PcapFormat::parse(source->ahead());
  if (!format) return Error{name + ": " + format.error().message};
  source->skip(PcapFormat::kHeaderBytes);
  return CaptureReader(std::move(source), std::move(*format), std::move(options), std::move(name));
}

bool CaptureReader::nanoseconds() const {
  return std::visit([](const auto& f) { return f.nanoseconds(); }, format_);
}

std::uint32_t CaptureReader::link_number() const {
  return std::visit([](const auto& f) { return f.link_number(); }, format_);
}

std::uint32_t CaptureReader::packet_bytes_max() const {
  return std::visit([](const auto& f) { return f.packet_bytes_max(); }, format_);
}

std::size_t CaptureReader::next(std::span<Frame> out) {
  if (ended_ || out.empty()) return 0;
  return std::visit([this, out](auto& f) { return read(f, out); }, format_);
}

template <typename F>
std::size_t CaptureReader::read(F& format, std::span<Frame> out) {
  if (passing_ > 0 && !bring(format, passing_)) return 0;
  const std::uint64_t began = source_->offset();
  std::size_t filled = 0;
  Record record;
  while (filled < out.size()) {
    if (!format.inside_block()) unit_offset_ = source_->offset();
    const Step step = format.step(source_->ahead(), record);
    if (step.kind == StepKind::Packet) {
      source_->skip(static_cast<std::size_t>(step.size));
      stamp(out[filled++], record);
    } else if (step.kind == StepKind::Broken) {
      // The packets before the fault go out first; the same step fails again on the next call.
      if (filled == 0) end_early(format.problem());
      break;
    } else if (step.kind == StepKind::Pass && step.size <= source_->ahead().size()) {
      source_->skip(static_cast<std::size_t>(step.size));
    } else {
      // More bytes may move those that are already handed out, so what is there goes first. A step that passes bytes over has
      // changed the format, so those bytes are owed.
      if (step.kind == StepKind::Pass) passing_ = step.size;
      if (filled > 0) break;
      if (!bring(format, step.size)) break;
    }
  }
  last_bytes_ = static_cast<std::size_t>(source_->offset() - began);
  return filled;
}

// Meets a step's demand from the source; false at the end of the stream, clean or not.
template <typename F>
bool CaptureReader::bring(F& format, std::uint64_t size) {
  if (passing_ > 0) {
    if (pass()) return true;
  } else if (source_->refill(static_cast<std::size_t>(size))) {
    return true;
  }
  if (!source_->trouble().empty()) {
    end_early(source_->trouble());
  } else if (format.inside_block() || !source_->ahead().empty()) {
    const std::uint64_t have = source_->offset() - unit_offset_ + source_->ahead().size();
    const std::uint64_t need = passing_ > 0 || format.inside_block() ? 0 : size;
    end_early(need == 0 ? "a block is cut short: the stream ends " + std::to_string(have) + " bytes into it"
                        : "a record is cut short: it needs " + std::to_string(need) + " bytes, " + std::to_string(have) + " are left");
  }
  ended_ = true;
  return false;
}

bool CaptureReader::pass() {
  while (passing_ > 0) {
    const std::size_t now = static_cast<std::size_t>(std::min<std::uint64_t>(passing_, source_->ahead().size()));
    source_->skip(now);
    passing_ -= now;
    if (passing_ > 0 && !source_->refill(1)) return false;
  }
  return true;
}

// Passes over what stands before the first packet, so that links and resolution are known when the reader is opened. The
// step that finds the packet is repeated by read().
template <typename F>
void CaptureReader::prime(F& format) {
  Record record;
  while (!ended_) {
    if (!format.inside_block()) unit_offset_ = source_->offset();
    const Step step = format.step(source_->ahead(), record);
    if (step.kind == StepKind::Packet) return;
    if (step.kind == StepKind::Broken) return end_early(format.problem());
    if (step.kind == StepKind::Pass) passing_ = step.size;
    bring(format, step.size);
  }
}

void CaptureReader::stamp(Frame& frame, const Record& record) {
  if (!timed_) {
    timed_ = true;
    mono_minus_wall_ns_ = mono_ns_ - record.wall_ns;
  }
  mono_ns_ = std::max(mono_ns_, record.wall_ns + mono_minus_wall_ns_);
  frame.bytes = record.bytes;
  frame.wire_bytes = record.wire_bytes;
  frame.port = options_.port != kNoPort ? options_.port : record.port;
  frame.link = record.link;
  frame.checksum_partial = false;
  frame.number = number_++;
  frame.time = {mono_ns_, record.wall_ns};
}

void CaptureReader::end_early(const std::string& why) {
  const bool after = number_ != options_.first_number;
  fault_ = CaptureFault{name_ + ": at byte " + std::to_string(unit_offset_) + ", after " +
                            std::to_string(number_ - options_.first_number) + " packets: " + why,
                        unit_offset_, after};
  ended_ = true;
}

}  // namespace weir::datapath
