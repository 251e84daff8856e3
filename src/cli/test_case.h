// SPDX-License-Identifier: Apache-2.0
#pragma once

// A case of a policy's tests: a directory with policy.yaml and either traffic.convo, whose lines say what is expected, or a
// capture with expect.json ("capture", "drop", "pass": numbers of frames such as "1-3,7", "rules", "techniques"). run_case()
// plays it and tells what came out otherwise, so that a person can act on it.

#include <string>
#include <vector>

namespace weir::cli {

/// Something that was expected and did not come.
struct Mismatch {
  std::string where;               ///< "traffic.convo:12" or "x.pcap, frames 7-92"; empty for the case as a whole.
  std::string packet;              ///< The line, or the packet's ends.
  std::string expected, came;
  std::vector<std::string> why;    ///< First reasons, from explain.
};

struct CaseResult {
  std::string name;                ///< The directory.
  std::string broken;              ///< Not empty: it could not be played at all, and why.
  std::size_t packets = 0, expectations = 0, wrong = 0;
  std::vector<Mismatch> mismatches;  ///< Neighbours with the same fault are one.

  bool passed() const { return broken.empty() && wrong == 0; }
};

struct CaseOptions {
  std::string captures;            ///< Where captures are sought that are not beside the case or above it.
};

/// The directories below (or at) `path` that are cases, sorted.
std::vector<std::string> cases_below(const std::string& path);
CaseResult run_case(const std::string& directory, const CaseOptions& options);

/// "1-3,7" → pairs, first and last included; false if it is not that.
bool parse_frames(const std::string& text, std::vector<std::pair<std::uint64_t, std::uint64_t>>& out);

}  // namespace weir::cli
