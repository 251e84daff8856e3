// SPDX-License-Identifier: Apache-2.0
#include "policy/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::policy {

namespace {

Error failed(const std::string& path, int code) {
  return {"cannot read " + path + ": " + std::strerror(code), code};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int value() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (file.value() < 0 || fstat(file.value(), &about) != 0) return failed(path, errno);
  if (S_ISDIR(about.st_mode)) return failed(path, EISDIR);
  MappedFile mapped;
  if (S_ISREG(about.st_mode) && about.st_size > 0) {
    mapped.size_ = static_cast<std::size_t>(about.st_size);
    void* at = mmap(nullptr, mapped.size_, PROT_READ, MAP_PRIVATE, file.value(), 0);
    if (at == MAP_FAILED) return failed(path, errno);
    mapped.mapping_ = static_cast<char*>(at);
    madvise(at, mapped.size_, MADV_SEQUENTIAL);
    return mapped;
  }
  std::array<char, 65536> part;
  while (true) {
    const ssize_t got = read(file.value(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, errno);
    if (got == 0) return mapped;
    if (mapped.read_.size() > kPipeBytesMax) return failed(path, EFBIG);
    mapped.read_.append(part.data(), static_cast<std::size_t>(got));
  }
}

void MappedFile::release_before(std::size_t offset) {
  constexpr std::size_t kStep = std::size_t{4} << 20;  // Whole pages, and seldom a system call.
  const std::size_t until = offset / kStep * kStep;
  if (mapping_ == nullptr || until <= released_ || until > size_) return;
  madvise(mapping_ + released_, until - released_, MADV_DONTNEED);
  released_ = until;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)), size_(std::exchange(other.size_, 0)), released_(other.released_),
      read_(std::move(other.read_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(size_, other.size_);
  std::swap(released_, other.released_);
  std::swap(read_, other.read_);
  return *this;
}

MappedFile::~MappedFile() {
  if (mapping_ != nullptr) munmap(mapping_, size_);
}

}  // namespace weir::policy
