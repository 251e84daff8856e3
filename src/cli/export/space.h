// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flows as boxes: what a rule says of headers, exactly, so that rules can be laid over each other, cut out of each other, and
// written in the words of targets that know no order. A box is a product of sets, one for each key; a rule is a list of boxes.

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "cli/export/range_set.h"

namespace weir::cli {

__extension__ using Address = unsigned __int128;
using AddressSet = RangeSet<Address>;
using NumberSet = RangeSet<std::uint32_t>;

Address number_of(const Ip& ip);
Ip ip_of(Address number);

namespace whole {
const AddressSet& v4();
const AddressSet& v6();         ///< Without what is written inside ::ffff:0:0/96.
const AddressSet& addresses();  ///< Both.
const NumberSet& protocols();   ///< 0–255
const NumberSet& ports();       ///< 0–65535; where a box has fewer, its protocols have ports.
const NumberSet& icmp();        ///< ICMP's types, and 256 and ICMPv6's; where a box has fewer, its protocols are these two.
const NumberSet& states();      ///< FlowState
}  // namespace whole

struct Box {
  AddressSet from = whole::addresses(), to = whole::addresses();
  NumberSet protocols = whole::protocols(), ports = whole::ports(), client_ports = whole::ports(), icmp = whole::icmp(),
            states = whole::states();

  bool empty() const {
    return from.empty() || to.empty() || protocols.empty() || ports.empty() || client_ports.empty() || icmp.empty() ||
           states.empty();
  }
  bool any_port() const { return ports == whole::ports(); }
  bool any_client_port() const { return client_ports == whole::ports(); }
  bool any_icmp() const { return icmp == whole::icmp(); }
  bool operator==(const Box&) const = default;
};
using Boxes = std::vector<Box>;

Box operator&(const Box& a, const Box& b);
bool meet(const Boxes& a, const Boxes& b);
Boxes meeting(const Boxes& a, const Boxes& b);  ///< What is in both.
/// What is in `a` and not in `b`; nothing if that takes more than `most` boxes.
std::optional<Boxes> without(const Boxes& a, const Boxes& b, std::size_t most = 4096);

/// The part of one version of IP, and of one protocol. Empty boxes are left out.
Boxes of_version(const Boxes& boxes, bool v6);

/// As it is written: a set of IPv6 alone goes over what is written inside ::ffff:0:0/96, which no packet of IPv6 has.
AddressSet as_written(const AddressSet& set);
/// The prefixes that make up a set as it is written, ascending; nothing if there are more than `most`.
std::optional<std::vector<Prefix>> prefixes_of(const AddressSet& set, std::size_t most = 4096);

}  // namespace weir::cli
