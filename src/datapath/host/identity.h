// SPDX-License-Identifier: Apache-2.0
#pragma once

// Identity: numbers and paths that the kernel gives, as the names that a policy uses: users, groups, control groups, services,
// containers, hashes of files. What cannot be told is empty, which reads as unknown.
//
// Names of users and groups come from the system's own files (passwd(5), group(5)), read again when they change; directories over the
// network are not asked. A container's name and image come from its runtime's state files.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weir::datapath {

/// Unit of systemd that a control group is of: "ssh.service", or "" where it is of none ("user.slice/…/session-3.scope": a session's
/// scope is its unit).
std::string service_of(std::string_view cgroup);
/// Container id that a control group names as Docker, Podman, CRI-O, containerd, LXC and nspawn do; "" if it is of none.
std::string container_of(std::string_view cgroup);

struct ContainerNames {
  std::string name, image;
};

class Identity {
 public:
  /// `root`: where the system's files begin, for tests.
  explicit Identity(std::string root = "") : root_(std::move(root)) {}

  std::string user(std::uint32_t uid);
  std::string group(std::uint32_t gid);
  std::optional<std::uint32_t> uid_of(std::string_view name);
  std::optional<std::uint32_t> gid_of(std::string_view name);
  ContainerNames container(const std::string& id);
  /// Path of a control group in the unified hierarchy that is mounted at `mounted`, by its number.
  std::string cgroup(const std::string& mounted, std::uint64_t id);
  /// Of the file, if it is the one that has this inode; hex. The first question about a file reads it whole.
  std::string sha256(const std::string& path, std::uint64_t inode);

 private:
  struct Names {
    std::int64_t changed_ns = -1;
    std::unordered_map<std::uint32_t, std::string> by_id;
  };
  const std::string& name_in(Names& names, const std::string& file, std::uint32_t id);
  void walk_cgroups(const std::string& mounted);
  void read_again(Names& names, const std::string& file);
  std::optional<std::uint32_t> id_in(Names& names, const std::string& file, std::string_view name);

  static constexpr std::size_t kKeptMax = 4096;  ///< Of each memory; then it begins anew.
  std::string root_;
  Names users_, groups_;
  std::unordered_map<std::uint64_t, std::string> cgroups_;
  std::map<std::string, ContainerNames> containers_;
  struct FileKey {
    std::uint64_t device, inode, size;
    std::int64_t changed_ns;
    auto operator<=>(const FileKey&) const = default;
  };
  std::map<FileKey, std::string> hashes_;
};

}  // namespace weir::datapath
