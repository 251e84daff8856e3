// SPDX-License-Identifier: Apache-2.0
#pragma once

// LINKTYPE_ numbers as capture files carry them (the registry that tcpdump.org keeps, and the pcapng draft refers to):
// those we read, and the names of those we do not, so that an error can say what the file holds.

#include <cstdint>
#include <optional>
#include <string>

#include "facts/frame.h"

namespace weir::datapath {

/// How frames of that link type are read, or nothing if we do not read them.
std::optional<LinkType> link_of(std::uint32_t number);
/// The number that files which we write carry for a link.
std::uint16_t number_of(LinkType link);
/// "IEEE802_11 (105)", or "link type 4711".
std::string link_name(std::uint32_t number);
/// The sentence that says that a link type is not read, and which are.
std::string link_problem(std::uint32_t number);

}  // namespace weir::datapath
