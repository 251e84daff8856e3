// SPDX-License-Identifier: Apache-2.0
#pragma once

// PolicyStore: the policy as a running filter keeps it, so that a change that nobody confirmed does not outlive the filter. A policy is
// more than one file, and the user may change any of them; what is kept is a copy of them all, as they were read.
//
// In a directory of its own, each written whole or not at all (a new file, synced, then renamed):
//
//   good          the policy last put in force for good
//   unconfirmed   one that was tried, and not confirmed or taken back. While the files on disk still are that, a start takes `good`.
//
//   copy:  "weir-policy 1\n"  { size:decimal ' ' path '\n'  text:size '\n' } …   the main file first

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weir::service {

using ReadFile = std::function<Result<std::string>(const std::string& path)>;

struct PolicyCopy {
  std::vector<std::pair<std::string, std::string>> files;  ///< Path and text, in the order of reading.

  bool empty() const { return files.empty(); }
  bool operator==(const PolicyCopy&) const = default;
  std::string encode() const;
  static std::optional<PolicyCopy> decode(std::string_view bytes);
  /// Reads from the copy and nothing else. The copy outlives what is returned.
  ReadFile reader() const;
  /// Reads from the system and keeps what it read here.
  ReadFile recorder();
};

class PolicyStore {
 public:
  /// Makes the directory if it is missing. Without one (an empty path) nothing is kept and nothing is found.
  static Result<PolicyStore> open(std::string directory);

  std::optional<PolicyCopy> good() const { return read("good"); }
  std::optional<PolicyCopy> unconfirmed() const { return read("unconfirmed"); }
  /// Nothing, or what the system said.
  std::optional<Error> keep_good(const PolicyCopy& copy) { return write("good", copy); }
  std::optional<Error> keep_unconfirmed(const PolicyCopy& copy) { return write("unconfirmed", copy); }
  std::optional<Error> forget_unconfirmed();

 private:
  explicit PolicyStore(std::string directory) : directory_(std::move(directory)) {}
  std::optional<PolicyCopy> read(const char* name) const;
  std::optional<Error> write(const char* name, const PolicyCopy& copy);

  std::string directory_;
};

}  // namespace weir::service
