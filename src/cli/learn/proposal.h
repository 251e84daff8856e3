// SPDX-License-Identifier: Apache-2.0
#pragma once

// Proposal: atoms put together into rules. Least first: a rule asks for everything that its evidence names. What differs in one part only is
// put together in that part, as a list; a list that would be absurd becomes what holds its members:
//
//   names      more than names_max of one registered domain      → .domain
//   addresses  more than hosts_max of one /24 (IPv6: /64)        → that prefix, and so on with /16 (/48)
//   ports      more than kPortsMax                               → from the least to the greatest
//   a port of the ephemeral range that was met but twice         → that range; the application stands for it
//
// A rule that another one covers is not written; what it was seen to cover is added to that one. The order is that of the text: the same
// atoms make the same rules.

#include <span>
#include <string>
#include <vector>

#include "cli/learn/observer.h"
#include "policy/rule.h"

namespace weir::cli {

struct Granularity {
  std::size_t hosts_max = 8, names_max = 4;
};

struct PortRange {
  std::uint16_t first = 0, last = 0;
  auto operator<=>(const PortRange&) const = default;
};

struct Proposal {
  static constexpr std::size_t kPortsMax = 16;
  static constexpr std::uint16_t kEphemeralBegins = 32768;  ///< Of Linux; IANA's begins higher.

  std::string process;
  std::vector<Prefix> from;         ///< Empty: whoever the process is.
  AppId app = kNoApp;
  std::vector<std::string> names;   ///< `.example.org`: it and all below it. Empty: by address.
  std::vector<Prefix> to;           ///< Empty: by name, or anywhere.
  std::vector<PortRange> ports;     ///< Empty: it has none, or any.
  std::uint8_t protocol = 0;
  std::vector<int> icmp_types;      ///< Empty: no ICMP, or any.
  bool reversed = false;            ///< `ports` are the client's.
  Tally tally;
};

std::vector<Proposal> propose(std::span<const Atom> atoms, const Granularity& how);

struct Heading {
  std::vector<std::string> lines;  ///< Comment at the top: where it comes from.
  bool included = false;           ///< To be included by a base policy: rules alone.
};
/// The policy's text; every byte of it follows from its arguments.
std::string render(std::span<const Proposal> proposals, const Heading& heading);
/// `2024-01-01T00:00:00Z`.
std::string utc(Nanoseconds wall_ns);

}  // namespace weir::cli
