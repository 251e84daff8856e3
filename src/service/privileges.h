// SPDX-License-Identifier: Apache-2.0
#pragma once

// Privileges: root is needed to attach, not to run. After the ports are open the process keeps the capabilities that running needs, can get
// no others, can start no program, and is refused system calls that a filter has no business with. What an attacker who got into the
// lane could still do is what the filter itself does: send, receive, and read its policy.
//
// Kept: CAP_NET_RAW and CAP_NET_ADMIN (a port that vanished and came back is opened anew), CAP_BPF (its maps), CAP_DAC_READ_SEARCH (a policy
// that belongs to someone else).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::service {

/// Names of the capabilities that are kept, without "cap_".
std::vector<std::string_view> kept_capabilities();

/// For the whole process: threads that are there already are bound too. Nothing, or what could not be given up; then the process still has
/// what it had of that. Without capabilities of its own it only takes the system calls away.
std::optional<Error> give_up_privileges();

}  // namespace weir::service
