// SPDX-License-Identifier: Apache-2.0
#pragma once

// MappedFile: a list file as one piece of text, read only. Regular files are mapped and pages that have been read can be
// given back, so a list does not stand in memory beside the set that is made of it; pipes are read to their end.
// A file that is cut shorter by someone while we read it ends the process (SIGBUS), as with every mapping: lists are replaced by rename.

#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::policy {

class MappedFile {
 public:
  static constexpr std::size_t kPipeBytesMax = std::size_t{1} << 30;

  /// The error says the path and what the system said.
  static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  /// Lives as long as this.
  std::string_view text() const { return mapping_ != nullptr ? std::string_view(mapping_, size_) : std::string_view(read_); }
  /// What lies before `offset` will hardly be read again. It still may be.
  void release_before(std::size_t offset);

 private:
  MappedFile() = default;
  char* mapping_ = nullptr;
  std::size_t size_ = 0, released_ = 0;
  std::string read_;
};

}  // namespace weir::policy
