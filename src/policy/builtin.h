// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the product ships as text and carries in itself: catalog/techniques.yaml, the profiles under catalog/policies, written into
// the program when it is built (cmake/embed.cmake). A policy includes a profile as `weir:m1037/NAME`.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

struct BuiltinFile {
  std::string_view path;  ///< From catalog/, such as "policies/lan.yaml".
  std::string_view text;
};

/// All of them, sorted by path.
std::span<const BuiltinFile> builtin_files();
/// Empty if there is none of that path.
std::string_view builtin_file(std::string_view path);

/// The text of the profile `m1037/NAME`; nothing if there is none.
std::optional<std::string> builtin_profile(std::string_view name);
/// "m1037/cloud", "m1037/dmz" …
std::vector<std::string> builtin_profile_names();

}  // namespace weir::policy
