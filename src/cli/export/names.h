// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of hosts as rules ask for them, one by one: what resolvers and inspectors of content are told.

#include <optional>
#include <string>
#include <vector>

#include "policy/compile.h"

namespace weir::cli {

struct HostName {
  std::string name;
  bool itself = true, below = false;
};

/// Every name that a condition on a domain asks for; nothing where it asks for what no list of names can say (`not.`, patterns,
/// `absent`).
std::optional<std::vector<HostName>> names_of(const policy::Condition& condition);

/// A condition on names of hosts: dns.qname, server.name, tls.sni, http.host …
bool asks_names(const policy::Condition& condition, const Vocabulary& words);

}  // namespace weir::cli
