// SPDX-License-Identifier: Apache-2.0
#include "service/event_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::service {
namespace {

int open_events(const std::string& path) {
  if (path.empty()) return -1;
  if (path == "-") return STDOUT_FILENO;
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

}  // namespace

Result<std::unique_ptr<EventWriter>> EventWriter::open(Options options) {
  const int fd = open_events(options.path);
  if (fd < 0 && !options.path.empty()) return Error{"cannot write events to " + options.path + ": " + std::strerror(errno), errno};
  return std::unique_ptr<EventWriter>(new EventWriter(std::move(options), fd));
}

EventWriter::EventWriter(Options options, int fd) : options_(std::move(options)), fd_(fd), ring_(options_.ring_bytes) {
  thread_ = std::thread([this] { run(); });
}

EventWriter::~EventWriter() { (void)close(); }

bool EventWriter::put(std::string_view lines) {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  if (lines.size() > ring_.size() - (head - tail_.load(std::memory_order_acquire))) {
    dropped_.fetch_add(static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n')), std::memory_order_relaxed);
    return false;
  }
  const std::size_t at = head % ring_.size(), first = std::min(lines.size(), ring_.size() - at);
  std::memcpy(&ring_[at], lines.data(), first);
  std::memcpy(ring_.data(), lines.data() + first, lines.size() - first);
  head_.store(head + lines.size(), std::memory_order_release);
  rings_.fetch_add(1, std::memory_order_release);
  rings_.notify_one();
  return true;
}

void EventWriter::run() {
  std::string lines;
  for (;;) {
    const std::uint32_t heard = rings_.load(std::memory_order_acquire);
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed), head = head_.load(std::memory_order_acquire);
    if (tail == head) {
      if (ending_.load(std::memory_order_acquire)) return;
      rings_.wait(heard, std::memory_order_acquire);
      continue;
    }
    // Pieces end where a put() ended, so that they are whole lines.
    const std::size_t at = tail % ring_.size(), size = head - tail, first = std::min<std::size_t>(size, ring_.size() - at);
    lines.assign(&ring_[at], first);
    lines.append(ring_.data(), size - first);
    tail_.store(head, std::memory_order_release);
    write(lines);
  }
}

void EventWriter::write(std::string_view lines) {
  if (options_.follow) options_.follow(lines);
  if (reopen_.exchange(false, std::memory_order_relaxed) && !options_.path.empty() && options_.path != "-") {
    if (const int fd = open_events(options_.path); fd >= 0) {
      if (fd_ >= 0) ::close(fd_);
      fd_ = fd;
    }
  }
  if (fd_ < 0) return;
  while (!lines.empty()) {
    const ssize_t n = ::write(fd_, lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (fault_ == 0) fault_ = errno;
      refused_.fetch_add(lines.size(), std::memory_order_relaxed);
      return;
    }
    written_.fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
    lines.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::optional<Error> EventWriter::close() {
  if (thread_.joinable()) {
    ending_.store(true, std::memory_order_release);
    rings_.fetch_add(1, std::memory_order_release);
    rings_.notify_one();
    thread_.join();
    if (fd_ > STDERR_FILENO) ::close(fd_);
    fd_ = -1;
  }
  if (fault_ == 0) return std::nullopt;
  return Error{"cannot write events to " + options_.path + ": " + std::strerror(fault_), fault_};
}

}  // namespace weir::service
