// SPDX-License-Identifier: Apache-2.0
#include "service/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace weir::service {
namespace {

Error failed(const std::string& what, const std::string& path) { return {what + " " + path + ": " + std::strerror(errno), errno}; }

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<std::string> read_whole(const std::string& path, std::size_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error{std::strerror(errno), errno};
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || text.size() > bytes_max) {
      const int code = n < 0 ? errno : EFBIG;
      ::close(fd);
      return Error{std::strerror(code), code};
    }
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return text;
}

bool sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

std::optional<Error> write_whole(const std::string& directory, const std::string& name, std::string_view bytes) {
  const std::string path = directory + "/" + name, fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("cannot write", fresh);
  const bool written = write_all(fd, bytes) && ::fsync(fd) == 0;
  const int code = errno;
  if (::close(fd) != 0 || !written) {
    errno = written ? errno : code;
    const Error error = failed("cannot write", fresh);
    ::unlink(fresh.c_str());
    return error;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0 || !sync_directory(directory)) return failed("cannot put in place", path);
  return std::nullopt;
}

}  // namespace weir::service
