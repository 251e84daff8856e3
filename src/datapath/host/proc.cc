// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "base/text.h"

namespace weir::datapath {
namespace {

/// The number behind `key` at the beginning of a line: field `place` of several, from 0.
std::uint64_t number_behind(std::string_view text, std::string_view key, std::size_t place = 0) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = text.substr(at + key.size());
  rest = rest.substr(0, rest.find('\n'));
  for (std::size_t i = 0;; ++i) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    if (i == place) return parse_number(word).value_or(0);
    rest.remove_prefix(word.size());
    if (rest.empty()) return 0;
  }
}

}  // namespace

std::optional<std::string> read_small_file(const std::string& path, std::size_t bytes_max) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string out;
  char block[4096];
  ssize_t n;
  while ((n = read(fd, block, sizeof block)) > 0 && out.size() < bytes_max) out.append(block, static_cast<std::size_t>(n));
  close(fd);
  if (n < 0 && out.empty()) return std::nullopt;
  return out;
}

std::string plain_path(std::string_view shown, bool gone, bool& rootless) {
  constexpr std::string_view kGone = " (deleted)", kMemfd = "/memfd:";
  if (gone && shown.ends_with(kGone)) shown.remove_suffix(kGone.size());
  rootless = gone && shown.starts_with(kMemfd);
  if (rootless) shown.remove_prefix(1);
  return std::string(shown);
}

std::vector<std::uint32_t> Proc::pids() const {
  std::vector<std::uint32_t> out;
  DIR* const folder = opendir(root_.c_str());
  if (folder == nullptr) return out;
  while (const dirent* entry = readdir(folder))
    if (const auto pid = parse_number(entry->d_name); pid && *pid <= INT_MAX) out.push_back(static_cast<std::uint32_t>(*pid));
  closedir(folder);
  return out;
}

std::string Proc::cgroup_of(std::uint32_t pid) const {
  const auto text = read_small_file(folder(pid) + "/cgroup");
  if (!text) return {};
  std::string out;
  for_each_line(*text, [&](std::string_view line) {
    if (line.starts_with("0::")) out = line.substr(3);
  });
  return out;
}

std::optional<ProcProcess> Proc::process(std::uint32_t pid) const {
  const std::string at = folder(pid);
  const auto stat = read_small_file(at + "/stat"), status = read_small_file(at + "/status");
  if (!stat || !status) return std::nullopt;
  ProcProcess out{.pid = pid};
  // The name in brackets may hold anything: fields are counted from the last bracket (proc(5)).
  const std::size_t bracket = stat->rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  const std::string_view fields = std::string_view(*stat).substr(bracket);
  out.parent = static_cast<std::uint32_t>(number_behind(fields, ")", 1));
  out.start_ticks = number_behind(fields, ")", 19);
  out.uid = static_cast<std::uint32_t>(number_behind(*status, "\nUid:", 1));
  out.gid = static_cast<std::uint32_t>(number_behind(*status, "\nGid:", 1));
  const std::string exe = at + "/exe";
  char shown[PATH_MAX];
  const ssize_t size = readlink(exe.c_str(), shown, sizeof shown);
  struct stat about{};
  if (size > 0 && ::stat(exe.c_str(), &about) == 0) {
    out.path = plain_path({shown, static_cast<std::size_t>(size)}, about.st_nlink == 0, out.rootless);
    out.inode = about.st_ino;
    out.device = about.st_dev;
  }
  out.cmdline = read_small_file(at + "/cmdline", 4096).value_or("");
  out.cgroup = cgroup_of(pid);
  return out;
}

void Proc::for_each_socket(std::uint32_t pid, const std::function<void(std::uint64_t)>& call) const {
  const std::string at = folder(pid) + "/fd";
  DIR* const open_files = opendir(at.c_str());
  if (open_files == nullptr) return;
  while (const dirent* entry = readdir(open_files)) {
    char shown[64];
    const ssize_t size = readlinkat(dirfd(open_files), entry->d_name, shown, sizeof shown);
    if (size <= 0) continue;
    std::string_view text(shown, static_cast<std::size_t>(size));
    if (!text.starts_with("socket:[") || !text.ends_with(']')) continue;
    text.remove_prefix(8);
    text.remove_suffix(1);
    if (const auto inode = parse_number(text)) call(*inode);
  }
  closedir(open_files);
}

}  // namespace weir::datapath
