// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/pcap_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "datapath/capture/capture_reader.h"
#include "datapath/capture/link_type.h"

namespace weir::datapath {
namespace {

constexpr std::size_t kBufferBytes = 1024 * 1024;
constexpr std::size_t kReadBackFrames = 256;

// Fields in the machine's own order; both formats say which that is.
class Fields {
 public:
  explicit Fields(std::uint8_t* at) : at_(at) {}
  Fields& u16(std::uint16_t v) { return put(&v, sizeof v); }
  Fields& u32(std::uint32_t v) { return put(&v, sizeof v); }

 private:
  Fields& put(const void* value, std::size_t size) {
    std::memcpy(at_, value, size);
    at_ += size;
    return *this;
  }
  std::uint8_t* at_;
};

std::uint32_t padding(std::size_t size) { return static_cast<std::uint32_t>(-size & 3); }

}  // namespace

PcapLikeness likeness_of(const CaptureReader& reader) { return {reader.link_number(), reader.nanoseconds(), reader.packet_bytes_max()}; }

Result<PcapWriter> PcapWriter::open(const std::string& path, PcapLikeness likeness) {
  if (path == "-") return PcapWriter(STDOUT_FILENO, false, "standard output", likeness);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return Error{path + ": " + std::strerror(errno), errno};
  return PcapWriter(fd, true, path, likeness);
}

PcapWriter::PcapWriter(int fd, bool owned, std::string path, PcapLikeness likeness)
    : fd_(fd), owned_(owned), path_(std::move(path)), likeness_(likeness),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes)) {}

PcapWriter::PcapWriter(PcapWriter&& other) noexcept
    : fd_(other.fd_), owned_(other.owned_), path_(std::move(other.path_)), likeness_(other.likeness_),
      buffer_(std::move(other.buffer_)), used_(other.used_), written_(other.written_), begun_(other.begun_),
      pcapng_(other.pcapng_), link_(other.link_), interfaces_(std::move(other.interfaces_)), error_(std::move(other.error_)) {
  other.fd_ = -1;
}

PcapWriter::~PcapWriter() { (void)close(); }

void PcapWriter::write(const Frame& frame) {
  CHECK(fd_ >= 0);
  if (!error_.message.empty()) return;
  if (!begun_) {
    link_ = frame.link;
    pcap_header(number_for(frame.link));
  }
  if (!pcapng_ && frame.link != link_) become_pcapng();
  if (!error_.message.empty()) return;
  if (pcapng_) pcapng_packet(frame);
  else pcap_record(frame);
  ++written_;
}

Result<std::uint64_t> PcapWriter::close() {
  if (fd_ >= 0) {
    if (!begun_ && error_.message.empty()) pcap_header(static_cast<std::uint16_t>(likeness_.link_number));
    flush();
    // Network file systems tell only here that there was no room.
    if (owned_ && ::close(fd_) != 0) fail(std::strerror(errno), errno);
    fd_ = -1;
  }
  if (!error_.message.empty()) return error_;
  return written_;
}

void PcapWriter::pcap_header(std::uint16_t number) {
  begun_ = true;
  Fields(room(24))
      .u32(likeness_.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4)
      .u16(2)
      .u16(4)
      .u32(0)
      .u32(0)
      .u32(likeness_.packet_bytes_max)
      .u32(number);
}

void PcapWriter::pcap_record(const Frame& frame) {
  const std::uint64_t wall = static_cast<std::uint64_t>(std::max<Nanoseconds>(frame.time.wall_ns, 0));
  const std::uint64_t fraction = wall % kSecond / (likeness_.nanoseconds ? 1 : kMicrosecond);
  const auto size = static_cast<std::uint32_t>(frame.bytes.size());
  Fields(room(16))
      .u32(static_cast<std::uint32_t>(std::min<std::uint64_t>(wall / kSecond, UINT32_MAX)))
      .u32(static_cast<std::uint32_t>(fraction))
      .u32(size)
      .u32(frame.wire_bytes);
  append(frame.bytes);
}

void PcapWriter::pcapng_section() {
  Fields(room(28)).u32(0x0a0d0d0a).u32(28).u32(0x1a2b3c4d).u16(1).u16(0).u32(UINT32_MAX).u32(UINT32_MAX).u32(28);
}

void PcapWriter::pcapng_packet(const Frame& frame) {
  auto at = std::find(interfaces_.begin(), interfaces_.end(), frame.link);
  if (at == interfaces_.end()) {
    // Times in nanoseconds: option if_tsresol (9), one byte, 10^-9.
    Fields(room(32)).u32(1).u32(32).u16(number_for(frame.link)).u16(0).u32(likeness_.packet_bytes_max).u16(9).u16(1).u32(9).u32(0).u32(32);
    at = interfaces_.insert(interfaces_.end(), frame.link);
  }
  const std::uint64_t wall = static_cast<std::uint64_t>(std::max<Nanoseconds>(frame.time.wall_ns, 0));
  const auto size = static_cast<std::uint32_t>(frame.bytes.size());
  const std::uint32_t length = 32 + size + padding(size);
  Fields(room(28))
      .u32(6)
      .u32(length)
      .u32(static_cast<std::uint32_t>(at - interfaces_.begin()))
      .u32(static_cast<std::uint32_t>(wall >> 32))
      .u32(static_cast<std::uint32_t>(wall))
      .u32(size)
      .u32(frame.wire_bytes);
  append(frame.bytes);
  std::uint8_t* end = room(padding(size) + 4);
  std::memset(end, 0, padding(size));
  Fields(end + padding(size)).u32(length);
}

// The pcap is read back from its own file into a new one beside it, which then takes its name.
void PcapWriter::become_pcapng() {
  flush();
  if (!error_.message.empty()) return;
  struct stat what;
  if (!owned_ || ::lstat(path_.c_str(), &what) != 0 || !S_ISREG(what.st_mode))
    return fail("frames of " + link_name(number_for(link_)) + " are followed by one of another link type, which only a regular file can take", 0);
  auto before = CaptureReader::open(path_);
  if (!before) return fail(before.error().message, before.error().code);
  const std::string beside = path_ + ".pcapng-part";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, what.st_mode & 0777);
  if (fd < 0) return fail("creating " + beside + ": " + std::strerror(errno), errno);
  ::close(fd_);
  fd_ = fd;
  pcapng_ = true;
  pcapng_section();
  std::array<Frame, kReadBackFrames> frames;
  for (std::size_t got; (got = before->next(frames)) > 0;)
    for (std::size_t i = 0; i < got; ++i) pcapng_packet(frames[i]);
  if (before->fault()) return fail("reading back: " + before->fault()->message, 0);
  if (::rename(beside.c_str(), path_.c_str()) != 0) fail("renaming " + beside + ": " + std::strerror(errno), errno);
}

std::uint16_t PcapWriter::number_for(LinkType link) const {
  return link_of(likeness_.link_number) == link ? static_cast<std::uint16_t>(likeness_.link_number) : number_of(link);
}

// Room for a few fields in the buffer.
std::uint8_t* PcapWriter::room(std::size_t size) {
  if (kBufferBytes - used_ < size) flush();
  used_ += size;
  return buffer_.get() + used_ - size;
}

void PcapWriter::append(Bytes bytes) {
  if (bytes.empty()) return;
  if (kBufferBytes - used_ < bytes.size()) flush();
  if (bytes.size() > kBufferBytes) return write_out(bytes.data(), bytes.size());
  std::memcpy(buffer_.get() + used_, bytes.data(), bytes.size());
  used_ += bytes.size();
}

void PcapWriter::flush() {
  write_out(buffer_.get(), used_);
  used_ = 0;
}

void PcapWriter::write_out(const std::uint8_t* at, std::size_t size) {
  while (size > 0 && error_.message.empty()) {
    const ssize_t done = ::write(fd_, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail(std::strerror(errno), errno);
    at += done;
    size -= static_cast<std::size_t>(done);
  }
}

void PcapWriter::fail(std::string why, int code) {
  if (error_.message.empty()) error_ = {path_ + ": " + std::move(why), code};
}

}  // namespace weir::datapath
