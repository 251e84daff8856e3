// SPDX-License-Identifier: Apache-2.0
#pragma once

// Conntrack: the kernel's table of connections, as far as a host's filter needs it (linux/netfilter/nfnetlink_conntrack.h): marks set, marks
// taken away, and what went by since. Requests are gathered and leave in one call.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "datapath/host/netlink.h"
#include "facts/flow.h"

namespace weir::datapath {

/// A connection as the kernel shows it.
struct Connection {
  Ip src, dst;                     ///< Of the direction that began it, as they were then.
  std::uint16_t src_port = 0, dst_port = 0;
  std::uint8_t protocol = 0;
  std::uint32_t id = 0;            ///< 0: not told.
  std::uint32_t mark = 0;
  std::uint32_t left_s = 0;        ///< Until it is forgotten if nothing comes.
  bool counted = false;            ///< The two below are kept.
  std::uint64_t packets[2] = {0, 0}, bytes[2] = {0, 0};  ///< By direction, that of the beginning first. Of IP packets.
  std::uint8_t tcp_state = 0;      ///< enum tcp_conntrack.
};

/// Which connection is meant: any of the two directions names it. What is translated at both ends cannot be named by what a filter sees.
struct ConnectionName {
  FlowEnds ends;
  bool reversed = false;  ///< From the server to the client.
};

class Conntrack {
 public:
  static Result<Conntrack> open();
  Conntrack(Conntrack&&) noexcept = default;
  Conntrack& operator=(Conntrack&&) noexcept = default;

  /// The bits of `mask` become `mark`. Gathered until send(); what fails is told by nothing.
  void set_mark(const ConnectionName& name, std::uint32_t mark, std::uint32_t mask);
  void send();
  /// Nothing: there is none of that name.
  std::optional<Connection> read(const ConnectionName& name);
  /// Each connection takes those bits off its mark. Gives how many had some.
  std::size_t clear_marks(std::uint32_t mask);

 private:
  Conntrack() : batch_(64 * 1024) {}
  void put_name(NetlinkBatch& batch, const ConnectionName& name);

  Netlink netlink_;
  NetlinkBatch batch_;
};

/// Connections count their packets from now on, if they did not. True: they did not.
bool turn_on_counting();
void turn_off_counting();

}  // namespace weir::datapath
