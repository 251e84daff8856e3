// SPDX-License-Identifier: Apache-2.0
#pragma once

// Refusals: which rules of a policy are certain at the call already, so that the kernel answers connect() and its like with EPERM and no
// packet leaves (bpf/refusal.h asks them there).
//
// A rule is lowered if it drops or rejects, is enforced for good, and asks for nothing but process.path and process.parent.path
// (written out, no patterns), user, group, ip.protocol, and the ends of the flow. Which calls are refused:
//
//   it asks for no ends                connect, a datagram to an address of its own choice, bind, and making a raw socket; any frame by a packet socket
//   of the ends only `from`: this host TCP's connect, and making a raw socket: what leaves by that cannot be told to be its; IP by a packet socket
//   the other end, too                 TCP's connect, also by a packet socket: a datagram may be the answer to somebody's question
//
// It stands if no rule that lets pass comes before it that might hold for the call (DESIGN, "Two questions, two rule sets"): such rules
// go along with as much of their conditions as is known, and where one holds the engine decides. What is not lowered, it decides anyway.
// Alerts, limits and rules in monitor mode that come before a refusal are not told of the call.

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "datapath/host/who_program.h"
#include "policy/rule.h"

namespace weir::datapath {

struct Refusals {
  std::vector<weir_refusal> rows;
  std::vector<WhoProgram::NamedPath> named;
  std::uint32_t rules = 0;  ///< Rules of the policy among them that refuse.
};

struct HostFacts {
  std::vector<Ip> addresses;  ///< Of this host, without loopback.
  std::function<std::optional<std::uint32_t>(std::string_view)> uid_of, gid_of;  ///< By name.
};

Refusals refusals_of(const policy::Policy& policy, const HostFacts& host);
/// Addresses of this network namespace, without loopback.
std::vector<Ip> own_addresses();

}  // namespace weir::datapath
