// SPDX-License-Identifier: Apache-2.0
#include "datapath/datapath.h"

namespace weir::datapath {

std::string_view name_of(Loss loss) {
  constexpr std::string_view kNames[kLosses] = {"ring-full", "truncated", "held-full",   "no-port",    "too-long",
                                                "send-full", "send-failed", "same-port", "link-local", "bad-source",
                                                "early"};
  return kNames[static_cast<std::size_t>(loss)];
}

std::string_view name_of(Attach attach) {
  constexpr std::string_view kNames[] = {"none", "packet", "xdp-generic", "xdp"};
  return kNames[static_cast<std::size_t>(attach)];
}

std::string_view name_of(FailMode mode) { return mode == FailMode::Open ? "open" : "closed"; }

}  // namespace weir::datapath
