// SPDX-License-Identifier: Apache-2.0
#pragma once

// OwnPackets: sends packets that the engine made (resets, refusals, answers) as the ends that they name would, towards wherever their
// destination is: a process of this host sees its connection refused, another host has them by the route. They carry a mark, so that they
// are not asked about.

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace weir::datapath {

class OwnPackets {
 public:
  static Result<OwnPackets> open(std::uint32_t mark);
  OwnPackets(OwnPackets&& other) noexcept;
  OwnPackets& operator=(OwnPackets&& other) noexcept;
  ~OwnPackets();

  /// A whole packet from its IP header on. `device`: where a link-local destination is. False: it was refused.
  bool send(Bytes packet, std::uint32_t device);
  void close();

 private:
  OwnPackets() = default;
  int v4_ = -1, v6_ = -1;
};

}  // namespace weir::datapath
