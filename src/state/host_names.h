// SPDX-License-Identifier: Apache-2.0
#pragma once

// HostNames: what a host knows of names beyond the packets that it sees: its own addresses, which are one client of DNS however many there
// are, and the names that its file of hosts gives. Made whole, never changed; a newer one takes its place.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"

namespace weir::state {

struct HostNames {
  struct Listed {
    Ip address;
    std::string name;  ///< Lower case, without a dot at its end.
  };
  std::vector<Ip> own;         ///< Sorted. Loopback addresses need not be there.
  std::vector<Listed> listed;  ///< Sorted by address; the names of one in the order of the file.
  std::uint64_t lines_skipped = 0;  ///< Of the file: what was no line of an address and names, or beyond its bound.

  bool is_own(const Ip& ip) const { return ip.is_loopback() || std::binary_search(own.begin(), own.end(), ip); }
  /// Calls with each name that the file gives the address.
  template <typename F>
  void for_each(const Ip& address, F&& call) const {
    auto at = std::lower_bound(listed.begin(), listed.end(), address, [](const Listed& l, const Ip& ip) { return l.address < ip; });
    for (; at != listed.end() && at->address == address; ++at) call(std::string_view(at->name));
  }
};

}  // namespace weir::state
