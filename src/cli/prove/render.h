// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `weir prove` found, for people and for other programs: a matrix on the terminal, JSON, a page of HTML that needs no script,
// a layer for the ATT&CK Navigator (layer format 4.5), a STIX 2.1 bundle. The same proofs render to the same text.

#include <string>
#include <vector>

#include "cli/prove/prover.h"

namespace weir::cli {

struct ProofReport {
  std::string policy_path;
  const policy::Policy& policy;
  Proofs proofs;
  std::vector<Prover::Mutation> mutations;  ///< If they were asked for.
  double seconds = 0;
};

std::string render_text(const ProofReport& report, bool colour, bool verbose);
std::string render_json(const ProofReport& report);
std::string render_html(const ProofReport& report);
std::string render_navigator(const ProofReport& report);
std::string render_stix(const ProofReport& report);

}  // namespace weir::cli
