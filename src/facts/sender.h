// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sender: the process that has the socket of a packet, on a host. Plain and borrowed, as a frame is: whoever brings it owns the text.
// An empty text is not known. Two senders of one id are the same; a process that executes another file becomes another.
//
// What a fact comes to (view.cc): unknown where nobody has the packet's socket, or that part of its process is not known. Absent
// where it is known that there is none: a service or container of a process whose control group names neither, ancestors of the first.

#include <array>
#include <cstdint>
#include <string_view>

namespace weir {

struct Sender {
  static constexpr std::size_t kParentsMax = 8;

  std::uint64_t id = 0;         ///< Never 0.
  std::uint32_t pid = 0;        ///< 0: not known.
  std::uint8_t parents_count = 0;
  std::string_view path;        ///< As at exec, also where the file is gone since; `memfd:NAME` if it never had a path.
  std::string_view name;        ///< Last component of it.
  std::string_view cmdline;     ///< Joined by spaces.
  std::string_view sha256;      ///< Hex, of the file; only where someone asks.
  std::array<std::string_view, kParentsMax> parents;  ///< Paths of the ancestors, the nearest first; `unknown` where one is not known.
  std::string_view user, uid, group, gid;  ///< Names, and the numbers as text.
  std::string_view cgroup;      ///< Path from the root of the hierarchy.
  std::string_view service;     ///< Unit of the service manager.
  std::string_view container_id, container_name, container_image;
};

/// What every fact of a sender says where it is not known; a rule can ask for it.
inline constexpr std::string_view kUnknownSender = "unknown";

}  // namespace weir
