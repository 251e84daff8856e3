// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prover: runs the catalogue's attacks and twins, laid onto a policy, through the engine, and says of each technique whether the
// policy stops it.
//
//   proven        every attack that could be laid is stopped, under a rule that names the technique; every twin passes
//   not proven    an attack got through, a twin was stopped, or no event names the technique
//   not assessed  a role is missing, or seeing it rests on facts that this version or a capture does not have
//
// Each attack and twin has a positive control: under the same zones without guards and rules it must get through, or it proves nothing.
// The same policy gives the same outcome.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "policy/catalog.h"
#include "policy/compile.h"

namespace weir::cli {

enum class Proof : std::uint8_t { Proven, NotProven, NotAssessed };
std::string_view name_of(Proof proof);  ///< "proven", "not proven", "not assessed"

/// What became of an attack or a twin.
struct CaseProof {
  const policy::CatalogCase* about = nullptr;
  bool attack = false;
  Proof proof = Proof::NotAssessed;
  std::string why;                 ///< Of what is not proven or not assessed.
  std::string packet;              ///< The line that got through or was stopped.
  std::vector<std::string> rules;  ///< That stopped it.
  std::set<RuleId> deciders;       ///< Every rule that decided any packet.
};

struct RowProof {
  const policy::CatalogRow* row = nullptr;
  Proof proof = Proof::NotAssessed;
  std::string why;
  std::vector<CaseProof> attacks, twins;
  std::vector<std::string> rules() const;  ///< That stopped the attacks, each once.
};

struct Proofs {
  std::vector<RowProof> rows;
  std::size_t count(Proof proof) const;
};

class Prover {
 public:
  Prover(const policy::Catalog& catalog, std::shared_ptr<const policy::RuleSet> rules);
  ~Prover();
  Proofs prove();

  /// A rule (or a guard's item), deleted: the rows that are no longer proven then.
  struct Mutation {
    std::string rule, place;
    std::vector<std::string> falls;
    std::vector<std::string> unmade;  ///< Facts it asks for that this version does not make: why nothing can fall.
  };
  /// Of the rows that `proofs` has proven.
  std::vector<Mutation> mutate(const Proofs& proofs);

 private:
  class Runner;
  std::unique_ptr<Runner> runner_;
};

}  // namespace weir::cli
