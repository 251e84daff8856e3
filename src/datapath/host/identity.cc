// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/identity.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"
#include "datapath/host/proc.h"

namespace weir::datapath {
namespace {

constexpr std::size_t kContainerIdBytes = 64;

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash != 0) out.push_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

bool is_hash(std::string_view text) {
  return text.size() == kContainerIdBytes && std::all_of(text.begin(), text.end(), [](char c) { return hex_value(c) >= 0; });
}

std::int64_t changed_ns(const struct stat& about) { return static_cast<std::int64_t>(about.st_mtim.tv_sec) * 1'000'000'000 + about.st_mtim.tv_nsec; }

std::string text_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

nlohmann::json json_of(const std::string& path) {
  const auto text = read_small_file(path, 4 << 20);
  return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

ContainerNames of_docker(const std::string& root, const std::string& id) {
  const nlohmann::json state = json_of(root + "/var/lib/docker/containers/" + id + "/config.v2.json");
  if (!state.is_object()) return {};
  return {without_slash(text_of(state, "Name")), text_of(state.value("Config", nlohmann::json()), "Image")};
}

ContainerNames of_podman(const std::string& root, const std::string& id) {
  const nlohmann::json all = json_of(root + "/var/lib/containers/storage/overlay-containers/containers.json");
  if (!all.is_array()) return {};
  for (const nlohmann::json& one : all) {
    if (text_of(one, "id") != id) continue;
    ContainerNames out;
    if (const auto names = one.find("names"); names != one.end() && names->is_array() && !names->empty() && names->front().is_string())
      out.name = names->front().get<std::string>();
    out.image = text_of(nlohmann::json::parse(text_of(one, "metadata"), nullptr, false), "image-name");
    return out;
  }
  return {};
}

/// The OCI bundle that containerd and CRI-O run: what Kubernetes and nerdctl wrote on it.
ContainerNames of_bundle(const std::string& file) {
  const nlohmann::json bundle = json_of(file);
  if (!bundle.is_object()) return {};
  const nlohmann::json notes = bundle.value("annotations", nlohmann::json());
  ContainerNames out;
  for (const char* key : {"io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name"})
    if (out.name.empty()) out.name = text_of(notes, key);
  for (const char* key : {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName", "nerdctl/image"})
    if (out.image.empty()) out.image = text_of(notes, key);
  return out;
}

ContainerNames of_containerd(const std::string& root, const std::string& id) {
  std::error_code none;
  const std::string tasks = root + "/run/containerd/io.containerd.runtime.v2.task";
  for (const auto& space : std::filesystem::directory_iterator(tasks, none)) {
    const ContainerNames found = of_bundle(space.path().string() + "/" + id + "/config.json");
    if (!found.name.empty() || !found.image.empty()) return found;
  }
  return of_bundle(root + "/run/containers/storage/overlay-containers/" + id + "/userdata/config.json");
}

}  // namespace

std::string service_of(std::string_view cgroup) {
  const auto parts = components(cgroup);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    if (part->ends_with(".service") || part->ends_with(".scope") || part->ends_with(".socket")) return std::string(*part);
  return {};
}

std::string container_of(std::string_view cgroup) {
  const auto parts = components(cgroup);
  for (auto at = parts.rbegin(); at != parts.rend(); ++at) {
    std::string_view part = *at;
    if (part.ends_with(".scope")) part.remove_suffix(6);
    if (part.starts_with("machine-")) return std::string(part.substr(8));
    if (part.starts_with("lxc.payload.")) return std::string(part.substr(12));
    if (at + 1 != parts.rend() && *(at + 1) == "lxc") return std::string(part);
    // docker-ID, libpod-ID, cri-containerd-ID, crio-ID, or the id alone; nerdctl and Kubernetes also SLICE:RUNTIME:ID.
    const std::size_t mark = part.find_last_of("-:");
    if (mark != std::string_view::npos) part.remove_prefix(mark + 1);
    if (is_hash(part)) return std::string(part);
  }
  return {};
}

/// If it changed.
void Identity::read_again(Names& names, const std::string& file) {
  struct stat about{};
  const std::int64_t changed = stat(file.c_str(), &about) == 0 ? changed_ns(about) : 0;
  if (changed == names.changed_ns) return;
  names.changed_ns = changed;
  names.by_id.clear();
  const std::string text = read_small_file(file, 16 << 20).value_or("");
  for_each_line(text, [&](std::string_view line) {  // name:password:id:…
    const std::size_t first = line.find(':'), second = line.find(':', first + 1), third = line.find(':', second + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return;
    const auto number = parse_number(line.substr(second + 1, third == std::string_view::npos ? third : third - second - 1));
    if (number && *number < UINT32_MAX) names.by_id.emplace(static_cast<std::uint32_t>(*number), line.substr(0, first));
  });
}

const std::string& Identity::name_in(Names& names, const std::string& file, std::uint32_t id) {
  static const std::string kNone;
  read_again(names, file);
  const auto found = names.by_id.find(id);
  return found == names.by_id.end() ? kNone : found->second;
}

std::optional<std::uint32_t> Identity::id_in(Names& names, const std::string& file, std::string_view name) {
  read_again(names, file);
  for (const auto& [id, known] : names.by_id)
    if (known == name) return id;
  return std::nullopt;
}

std::optional<std::uint32_t> Identity::uid_of(std::string_view name) { return id_in(users_, root_ + "/etc/passwd", name); }
std::optional<std::uint32_t> Identity::gid_of(std::string_view name) { return id_in(groups_, root_ + "/etc/group", name); }

std::string Identity::user(std::uint32_t uid) {
  const std::string& name = name_in(users_, root_ + "/etc/passwd", uid);
  return name.empty() ? std::to_string(uid) : name;
}

std::string Identity::group(std::uint32_t gid) {
  const std::string& name = name_in(groups_, root_ + "/etc/group", gid);
  return name.empty() ? std::to_string(gid) : name;
}

ContainerNames Identity::container(const std::string& id) {
  if (const auto known = containers_.find(id); known != containers_.end()) return known->second;
  ContainerNames out;
  if (is_hash(id)) {
    out = of_docker(root_, id);
    if (out.name.empty()) out = of_podman(root_, id);
    if (out.name.empty()) out = of_containerd(root_, id);
  } else {
    out.name = id;  // LXC and nspawn go by the name.
  }
  if (containers_.size() >= kKeptMax) containers_.clear();
  if (!out.name.empty()) containers_[id] = out;  // A runtime may write its files a moment later.
  return out;
}

std::string Identity::cgroup(const std::string& mounted, std::uint64_t id) {
  if (const auto known = cgroups_.find(id); known != cgroups_.end()) return known->second;
  // A handle of such a file system is the number itself (FILEID_KERNFS, include/linux/exportfs.h).
  alignas(file_handle) char bytes[sizeof(file_handle) + sizeof id] = {};
  auto* const handle = reinterpret_cast<file_handle*>(bytes);
  handle->handle_bytes = sizeof id;
  handle->handle_type = 0xfe;
  std::memcpy(bytes + sizeof(file_handle), &id, sizeof id);
  const int root = open(mounted.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int folder = root < 0 ? -1 : open_by_handle_at(root, handle, O_PATH | O_CLOEXEC);
  if (root >= 0) close(root);
  if (cgroups_.size() >= kKeptMax) cgroups_.clear();
  if (folder < 0) {  // Not allowed to a filter that runs without privileges.
    walk_cgroups(mounted);
    const auto found = cgroups_.find(id);
    return found == cgroups_.end() ? std::string() : found->second;
  }
  char shown[PATH_MAX];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(folder)).c_str(), shown, sizeof shown);
  close(folder);
  if (size <= 0) return {};
  std::string path(shown, static_cast<std::size_t>(size));
  if (path.starts_with(mounted)) path.erase(0, mounted.size());
  if (path.empty()) path = "/";
  cgroups_[id] = path;
  return path;
}

/// A group's number is the inode of its folder.
void Identity::walk_cgroups(const std::string& mounted) {
  namespace fs = std::filesystem;
  std::error_code gone;
  struct stat about{};
  if (stat(mounted.c_str(), &about) == 0) cgroups_[about.st_ino] = "/";
  for (fs::recursive_directory_iterator at(mounted, fs::directory_options::skip_permission_denied, gone), end; !gone && at != end; at.increment(gone)) {
    if (cgroups_.size() >= kKeptMax) return;
    if (at->is_directory(gone) && stat(at->path().c_str(), &about) == 0) cgroups_[about.st_ino] = at->path().string().substr(mounted.size());
  }
}

std::string Identity::sha256(const std::string& path, std::uint64_t inode) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about{};
  if (fd < 0) return {};
  std::string out;
  if (fstat(fd, &about) == 0 && about.st_ino == inode && S_ISREG(about.st_mode)) {
    const FileKey key{about.st_dev, about.st_ino, static_cast<std::uint64_t>(about.st_size), changed_ns(about)};
    if (const auto known = hashes_.find(key); known != hashes_.end()) {
      out = known->second;
    } else {
      const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
      std::vector<std::uint8_t> block(1 << 18);
      bool good = hash != nullptr && EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) == 1;
      ssize_t n = 0;
      while (good && (n = ::read(fd, block.data(), block.size())) > 0) good = EVP_DigestUpdate(hash.get(), block.data(), static_cast<std::size_t>(n)) == 1;
      std::uint8_t digest[EVP_MAX_MD_SIZE];
      unsigned size = 0;
      if (good && n == 0 && EVP_DigestFinal_ex(hash.get(), digest, &size) == 1) out = hex({digest, size});
      if (hashes_.size() >= kKeptMax) hashes_.clear();
      if (!out.empty()) hashes_[key] = out;
    }
  }
  close(fd);
  return out;
}

}  // namespace weir::datapath
