// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rules of other tools on their way into our language: what an importer found, and the text of a policy that says it. Values are
// quoted whatever they are, so that no text of a stranger becomes YAML of its own.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::cli {

struct ImportedCondition {
  std::string key;  ///< As under `match`, `not.` included.
  std::vector<std::string> values;
  bool operator==(const ImportedCondition&) const = default;
};
using ImportedMatch = std::vector<ImportedCondition>;

struct ImportedRule {
  std::string name, action;
  ImportedMatch match;
  std::vector<ImportedMatch> unless;
  std::vector<std::string> techniques;
};

/// What was not taken over.
struct Unfit {
  std::size_t line = 0;  ///< Of the file, or the number of the rule where there are no lines.
  std::string what, reason;
};

struct Imported {
  std::string preamble;  ///< YAML that stands before the rules: zones, default.
  std::vector<ImportedRule> rules;
  std::vector<Unfit> unfit;
  std::vector<std::string> remarks;

  /// Adds a rule under a name that no other has.
  void add(ImportedRule rule);

 private:
  std::map<std::string, unsigned> names_;  ///< With the number that the next of the name takes.
};

/// Adds values to a key that must hold beside what is there; false if the key is there already with others.
bool require(ImportedMatch& match, std::string key, std::vector<std::string> values);

/// The whole policy.
std::string policy_text(const Imported& imported, std::string_view source);

/// `nft -j list ruleset`.
Imported import_nftables(std::string_view json);

struct SuricataVariables {
  std::vector<std::pair<std::string, std::string>> values;  ///< "HOME_NET" → "10.0.0.0/8,fd00::/8"
};
Imported import_suricata(std::string_view rules, const SuricataVariables& variables);

}  // namespace weir::cli
