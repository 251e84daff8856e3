// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files that are read whole, and written whole or not at all: a new file, synced, then renamed over the old one.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::service {

/// The error is the system's; EFBIG where it is longer than `bytes_max`.
Result<std::string> read_whole(const std::string& path, std::size_t bytes_max);
/// `directory`/`name`, for this user alone.
std::optional<Error> write_whole(const std::string& directory, const std::string& name, std::string_view bytes);
/// What was done to names in the directory holds after a crash.
bool sync_directory(const std::string& path);

}  // namespace weir::service
