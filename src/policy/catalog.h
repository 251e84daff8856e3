// SPDX-License-Identifier: Apache-2.0
#pragma once

// Catalog: the techniques that ATT&CK's mitigation M1037 names, as catalog/techniques.yaml tells them: what a filter owes each, attacks
// and benign twins as conversations over roles, what remains possible. The text is part of the program; read once, immutable.
//
// A conversation's ends are roles (`inside`, `resolver`), a second host of a role is `inside2`, its IPv6 address `inside-v6`; `{bad-name}` in
// a line is a name of the role's set. `weir prove` lays them onto a policy. What a conversation needs in facts is told by `facts`: one
// that this version does not make, or that a capture does not have, keeps it from being shown.

#include <string>
#include <string_view>
#include <vector>

#include "policy/diagnostics.h"

namespace weir::policy {

struct CatalogCase {
  std::string name, what;
  std::string rule;                ///< Of a profile, which stops this attack; empty for twins.
  std::vector<std::string> facts;  ///< What seeing it rests on beyond what every build has.
  std::string traffic;             ///< Lines of a conversation. Of an attack those with `drop` must be stopped.
};

struct CatalogRow {
  std::string id, name, obligation;
  std::string now;                 ///< The id that replaces this older one, or empty.
  std::vector<std::string> d3fend, stand;
  std::vector<std::string> needs;  ///< Roles without which nothing is shown.
  std::string remains;             ///< What stays possible, and why.
  std::vector<CatalogCase> attacks, twins;
  std::uint32_t line = 0;
};

struct Catalog {
  std::vector<CatalogRow> rows;  ///< Sorted by id.
  std::vector<std::pair<std::string, std::string>> roles;  ///< Name and meaning.
  const CatalogRow* row(std::string_view id) const;
  bool has_role(std::string_view name) const;
};

/// The built-in one. Its text is ours: a mistake in it is our bug (CHECK).
const Catalog& catalog();
/// Reads one; what is wrong with it is added to `out`.
Catalog parse_catalog(std::string_view name, std::string_view text, Diagnostics& out);

/// The rule or guard of that name as a profile writes it, and the profile ("m1037/lan"); empty texts if no profile has it.
struct ProfileRule {
  std::string profile, text;
};
ProfileRule profile_rule(std::string_view name);

}  // namespace weir::policy
