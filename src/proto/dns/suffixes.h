// SPDX-License-Identifier: Apache-2.0
#pragma once

// The registered domain of a name: what somebody bought, and what rates and tunnels are counted by. It is one label more
// than the public suffix. The product carries no full suffix list: a compact table names the common suffixes of two and
// three labels (co.uk, com.au …), those of reverse lookups, and those under which hosting and dynamic DNS services hand out
// names; whatever is not in it has a suffix of one label. A rare suffix that is missing makes the domain one label too
// short: what is counted together is then larger, never smaller.

#include <string_view>

#include "proto/dns/name.h"

namespace weir::proto::dns {

/// The part of name.text that is the registered domain; empty if the name is itself a suffix, or the root.
std::string_view registered_domain(const Name& name);
/// Likewise of a name as text, lower case, without a dot at its end.
std::string_view registered_domain(std::string_view text);

}  // namespace weir::proto::dns
