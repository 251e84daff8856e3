// SPDX-License-Identifier: Apache-2.0
#include "policy/builtin.h"

namespace weir::policy {
namespace {

constexpr std::string_view kFolder = "policies/", kEnding = ".yaml", kFamily = "m1037/";

}  // namespace

std::string_view builtin_file(std::string_view path) {
  for (const BuiltinFile& file : builtin_files())
    if (file.path == path) return file.text;
  return {};
}

std::optional<std::string> builtin_profile(std::string_view name) {
  if (!name.starts_with(kFamily)) return std::nullopt;
  const std::string_view text =
      builtin_file(std::string(kFolder) + std::string(name.substr(kFamily.size())) + std::string(kEnding));
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

std::vector<std::string> builtin_profile_names() {
  std::vector<std::string> out;
  for (const BuiltinFile& file : builtin_files())
    if (file.path.starts_with(kFolder) && file.path.ends_with(kEnding))
      out.push_back(std::string(kFamily) +
                    std::string(file.path.substr(kFolder.size(), file.path.size() - kFolder.size() - kEnding.size())));
  return out;
}

}  // namespace weir::policy
