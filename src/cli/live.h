// SPDX-License-Identifier: Apache-2.0
#pragma once

// Live: what the verbs that stand in the path of traffic have in common. Which ports or host, how they are taken, and the signals that end it.

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "datapath/datapath.h"
#include "service/service.h"

namespace weir::datapath {
class QueueHost;
}

namespace weir::cli {

struct LiveOptions {
  std::vector<std::string> bridge;  ///< Ports to stand between; empty: the host.
  std::string fail = "closed", attach = "auto", cgroup, mark = "0x78000000";
  std::uint32_t flows_max = 1 << 20;
};

/// The best way that the system allows, or the one that was asked for.
struct Opened {
  std::unique_ptr<datapath::Datapath> path;
  datapath::QueueHost* host = nullptr;  ///< The same, where it is a host's.
  engine::Carrier* carrier = nullptr;
  engine::Stopper* stopper = nullptr;
  std::string why;  ///< There is no better way.
};

std::uint64_t random_seed();
datapath::FailMode fail_mode(const LiveOptions& options);
Result<Opened> open_bridge(const LiveOptions& options);
/// `devices`: those of the host, by the numbers that rules have for them.
Result<Opened> open_host(const LiveOptions& options, const std::vector<std::string>& devices);

/// While one of these lives, SIGINT and SIGTERM end the service and SIGHUP makes it reload.
class Signals {
 public:
  explicit Signals(service::Service& running);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  static constexpr int kNumbers[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction before_[3];
};

}  // namespace weir::cli
