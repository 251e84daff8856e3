// SPDX-License-Identifier: Apache-2.0
#include "service/policy_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "service/whole_file.h"

namespace weir::service {
namespace {

constexpr std::string_view kFirstLine = "weir-policy 1\n";
constexpr std::size_t kCopyBytesMax = std::size_t{2} << 30;

Error failed(const std::string& what, const std::string& path) { return {what + " " + path + ": " + std::strerror(errno), errno}; }

}  // namespace

std::string PolicyCopy::encode() const {
  std::string out(kFirstLine);
  for (const auto& [path, text] : files) {
    out += std::to_string(text.size()) + ' ' + path + '\n';
    out += text;
    out += '\n';
  }
  return out;
}

std::optional<PolicyCopy> PolicyCopy::decode(std::string_view bytes) {
  if (!bytes.starts_with(kFirstLine)) return std::nullopt;
  bytes.remove_prefix(kFirstLine.size());
  PolicyCopy out;
  while (!bytes.empty()) {
    const std::size_t line_end = bytes.find('\n'), space = bytes.find(' ');
    if (line_end == std::string_view::npos || space == std::string_view::npos || space > line_end) return std::nullopt;
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + space, size);
    if (error != std::errc() || end != bytes.data() + space || size > bytes.size()) return std::nullopt;
    std::string path(bytes.substr(space + 1, line_end - space - 1));
    bytes.remove_prefix(line_end + 1);
    if (size >= bytes.size() || bytes[size] != '\n') return std::nullopt;
    out.files.emplace_back(std::move(path), std::string(bytes.substr(0, size)));
    bytes.remove_prefix(size + 1);
  }
  if (out.files.empty()) return std::nullopt;
  return out;
}

ReadFile PolicyCopy::reader() const {
  return [this](const std::string& path) -> Result<std::string> {
    for (const auto& [name, text] : files)
      if (name == path) return text;
    return Error{std::strerror(ENOENT), ENOENT};
  };
}

ReadFile PolicyCopy::recorder() {
  files.clear();
  return [this](const std::string& path) -> Result<std::string> {
    for (const auto& [name, text] : files)
      if (name == path) return text;  // Named twice: one reading for both.
    Result<std::string> text = read_whole(path, kCopyBytesMax);
    if (text.ok()) files.emplace_back(path, *text);
    return text;
  };
}

Result<PolicyStore> PolicyStore::open(std::string directory) {
  if (directory.empty()) return PolicyStore("");
  // Beside a socket below a folder that nobody made yet; where that cannot be, the next call tells.
  if (const std::size_t slash = directory.rfind('/'); slash != std::string::npos && slash != 0) ::mkdir(directory.substr(0, slash).c_str(), 0755);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return failed("cannot make", directory);
  struct stat seen{};
  if (::stat(directory.c_str(), &seen) != 0) return failed("cannot use", directory);
  if (!S_ISDIR(seen.st_mode)) return Error{directory + " is no directory", ENOTDIR};
  // Whoever could write there could put a policy in force.
  if ((seen.st_uid != ::geteuid() && seen.st_uid != 0) || (seen.st_mode & 022) != 0)
    return Error{directory + " can be written by others than this user: its policies are not to be trusted", EPERM};
  return PolicyStore(std::move(directory));
}

std::optional<PolicyCopy> PolicyStore::read(const char* name) const {
  if (directory_.empty()) return std::nullopt;
  const Result<std::string> bytes = read_whole(directory_ + "/" + name, kCopyBytesMax);
  if (!bytes.ok()) return std::nullopt;
  return PolicyCopy::decode(bytes.value());
}

std::optional<Error> PolicyStore::write(const char* name, const PolicyCopy& copy) {
  if (directory_.empty()) return std::nullopt;
  return write_whole(directory_, name, copy.encode());
}

std::optional<Error> PolicyStore::forget_unconfirmed() {
  if (directory_.empty()) return std::nullopt;
  const std::string path = directory_ + "/unconfirmed";
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("cannot remove", path);
  sync_directory(directory_);
  return std::nullopt;
}

}  // namespace weir::service
