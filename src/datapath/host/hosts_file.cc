// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/hosts_file.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>

#include "base/text.h"

namespace weir::datapath {
namespace {

std::string_view take_word(std::string_view& line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return line = {};
  line.remove_prefix(first);
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

/// As it is compared; nothing if it is no name of a host.
std::optional<std::string> read_name(std::string_view word) {
  if (word.ends_with('.')) word.remove_suffix(1);
  if (word.empty() || word.size() > 253) return std::nullopt;
  const auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || static_cast<unsigned char>(c) >= 0x80; };
  if (!std::all_of(word.begin(), word.end(), fits)) return std::nullopt;
  return lower(word);
}

/// Of every device, the loopback device too: services are often given addresses there.
std::vector<Ip> addresses_here() {
  std::vector<Ip> out;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return out;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    if (one->ifa_addr->sa_family == AF_INET) out.push_back(Ip::v4(ntohl(reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr.s_addr)));
    else if (one->ifa_addr->sa_family == AF_INET6) out.push_back(Ip::v6_bytes(reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr.s6_addr));
  }
  freeifaddrs(all);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

void parse_hosts(std::string_view text, state::HostNames& names) {
  names.listed.clear();
  names.lines_skipped = 0;
  for_each_line(text, [&](std::string_view line) {
    line = line.substr(0, line.find('#'));
    const std::string_view word = take_word(line);
    if (word.empty()) return;
    // A link-local address may bear the device that it is behind: fe80::1%eth0.
    const auto address = parse_ip(word.substr(0, word.find('%')));
    bool right = address.has_value(), any = false;
    for (std::string_view next = take_word(line); right && !next.empty(); next = take_word(line)) {
      auto name = read_name(next);
      any = true;
      right = name.has_value() && names.listed.size() < kHostsListedMax;
      if (right && !address->is_loopback() && !address->is_unspecified()) names.listed.push_back({*address, std::move(*name)});
    }
    if (!right || !any) ++names.lines_skipped;
  });
  std::stable_sort(names.listed.begin(), names.listed.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
}

HostsWatch::HostsWatch(Options options) : options_(std::move(options)) {}

HostsWatch::~HostsWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  bell_.notify_all();
  if (thread_.joinable()) thread_.join();
}

HostsWatch::Stamp HostsWatch::stamp() const {
  struct stat file{};
  if (::stat(options_.path.c_str(), &file) != 0) return {};
  return {static_cast<std::int64_t>(file.st_ctim.tv_sec) * kSecond + file.st_ctim.tv_nsec, file.st_size, file.st_ino};
}

/// True where something changed. A file that is not there lists nothing.
bool HostsWatch::look_again() {
  std::vector<Ip> own = addresses_here();
  const Stamp stamp = this->stamp();
  const bool same_file = stamp == seen_;
  if (same_file && own == now_.own) return false;
  now_.own = std::move(own);
  if (!same_file) {
    seen_ = stamp;
    std::string text;
    if (std::ifstream file(options_.path, std::ios::binary); file && stamp.size >= 0) {
      text.resize(std::min(static_cast<std::size_t>(stamp.size) + 1, kHostsBytesMax));
      file.read(text.data(), static_cast<std::streamsize>(text.size()));
      text.resize(static_cast<std::size_t>(file.gcount()));
    }
    parse_hosts(text, now_);
  }
  return true;
}

std::shared_ptr<const state::HostNames> HostsWatch::look() {
  (void)look_again();
  return std::make_shared<state::HostNames>(now_);
}

void HostsWatch::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void HostsWatch::run() {
  std::unique_lock lock(mutex_);
  while (!bell_.wait_for(lock, std::chrono::nanoseconds(options_.look_ns), [this] { return ending_; })) {
    lock.unlock();
    if (look_again()) options_.tell(std::make_shared<state::HostNames>(now_));
    lock.lock();
  }
}

}  // namespace weir::datapath
