// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/byte_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace weir::datapath {
namespace {

// Small enough to stay in the second-level cache between the one who fills it and the one who reads it.
constexpr std::size_t kBufferBytes = 256 * 1024;
// As much of a mapped file is mapped in at a time, and as much stays mapped in behind the reader.
constexpr std::size_t kMappedWindow = 4 * 1024 * 1024;

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) {
    at_ = bytes.data();
    end_ = at_ + bytes.size();
  }
  bool refill(std::size_t want) override { return ahead().size() >= want; }
  bool bytes_stay() const override { return true; }
};

class DescriptorSource final : public BufferedSource {
 public:
  DescriptorSource(int fd, bool owned) : fd_(fd), owned_(owned) {}
  ~DescriptorSource() override {
    if (owned_) ::close(fd_);
  }

 protected:
  std::size_t pull(std::uint8_t* out, std::size_t room) override {
    ssize_t got;
    do got = ::read(fd_, out, room);
    while (got < 0 && errno == EINTR);
    if (got >= 0) return static_cast<std::size_t>(got);
    trouble_ = std::string("reading failed: ") + std::strerror(errno);
    return 0;
  }

 private:
  int fd_;
  bool owned_;
};

class MappedSource final : public ByteSource {
 public:
  MappedSource(int fd, bool owned, std::uint8_t* map, std::size_t size, std::size_t start)
      : fd_(fd), owned_(owned), map_(map), size_(size), dropped_(0) {
    at_ = end_ = map_ + start;
    ::madvise(map_, size_, MADV_SEQUENTIAL);
  }
  ~MappedSource() override {
    ::munmap(map_, size_);
    if (owned_) ::close(fd_);
  }

  bool refill(std::size_t want) override {
    if (ahead().size() >= want) return true;
    drop_behind();
    const std::size_t left = static_cast<std::size_t>(map_ + size_ - at_);
    const std::size_t shown = static_cast<std::size_t>(end_ - map_);
    const std::size_t until = std::min(size_, std::max(shown + kMappedWindow, shown - ahead().size() + std::min(want, left)));
    if (until == shown || !still_there(until)) return false;
    populate(shown, until);
    if (!trouble_.empty()) return false;
    end_ = map_ + until;
    return ahead().size() >= want;
  }
  bool bytes_stay() const override { return true; }

 private:
  static constexpr std::size_t kPage = 4096;

  // Pages given back stay readable (they would be mapped in again); one window is kept for frames that are still in use.
  void drop_behind() {
    const std::size_t at = static_cast<std::size_t>(at_ - map_);
    if (at < dropped_ + 2 * kMappedWindow) return;
    const std::size_t until = (at - kMappedWindow) / kPage * kPage;
    ::madvise(map_ + dropped_, until - dropped_, MADV_DONTNEED);
    dropped_ = until;
  }
  bool still_there(std::size_t until) {
    struct stat now;
    if (::fstat(fd_, &now) == 0 && now.st_size >= 0 && static_cast<std::size_t>(now.st_size) >= until) return true;
    trouble_ = "the file was cut while it was read";
    return false;
  }
  // One call maps in a whole window, where page faults would take it in small pieces. Old kernels (before 5.14) say EINVAL.
  void populate(std::size_t from, std::size_t until) {
#ifdef MADV_POPULATE_READ
    const std::size_t page = from / kPage * kPage;
    if (::madvise(map_ + page, until - page, MADV_POPULATE_READ) == 0) return;
    if (errno == EFAULT || errno == EIO || errno == EHWPOISON)
      trouble_ = std::string("reading failed: ") + std::strerror(errno);
#else
    (void)from;
    (void)until;
#endif
  }

  int fd_;
  bool owned_;
  std::uint8_t* map_;
  std::size_t size_;
  std::size_t dropped_;
};

Error system_error(const std::string& name, int code) { return {name + ": " + std::strerror(code), code}; }

}  // namespace

bool BufferedSource::refill(std::size_t want) {
  std::size_t have = ahead().size();
  if (have >= want) return true;
  if (ended_) return false;
  if (!buffer_ || want > buffer_bytes_) {
    const std::size_t larger = std::max(kBufferBytes, std::bit_ceil(want));
    auto grown = std::make_unique_for_overwrite<std::uint8_t[]>(larger);
    if (have > 0) std::memcpy(grown.get(), at_, have);
    buffer_ = std::move(grown);
    buffer_bytes_ = larger;
  } else if (have > 0) {
    std::memmove(buffer_.get(), at_, have);
  }
  at_ = buffer_.get();
  while (have < want && !ended_) {
    const std::size_t got = pull(buffer_.get() + have, buffer_bytes_ - have);
    if (got == 0 || !trouble_.empty()) ended_ = true;
    have += got;
  }
  end_ = at_ + have;
  return have >= want;
}

std::unique_ptr<ByteSource> source_of_bytes(Bytes bytes) { return std::make_unique<MemorySource>(bytes); }

Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) {
  const bool standard = path == "-";
  const std::string name = standard ? "standard input" : path;
  const int fd = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(name, errno);
  struct stat what;
  if (::fstat(fd, &what) != 0 || S_ISDIR(what.st_mode)) {
    const int code = S_ISDIR(what.st_mode) ? EISDIR : errno;
    if (!standard) ::close(fd);
    if (code == EISDIR) return Error{name + ": is a directory, not a capture", code};
    return system_error(name, code);
  }
  // Files of the kernel say that they are empty and are not: those are read.
  if (S_ISREG(what.st_mode) && what.st_size > 0) {
    const off_t start = standard ? ::lseek(fd, 0, SEEK_CUR) : 0;
    const std::size_t size = static_cast<std::size_t>(what.st_size);
    if (start >= 0 && static_cast<std::size_t>(start) < size) {
      void* map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
      if (map != MAP_FAILED)
        return std::unique_ptr<ByteSource>(std::make_unique<MappedSource>(fd, !standard, static_cast<std::uint8_t*>(map), size,
                                                                          static_cast<std::size_t>(start)));
    }
  }
  return std::unique_ptr<ByteSource>(std::make_unique<DescriptorSource>(fd, !standard));
}

}  // namespace weir::datapath
