// SPDX-License-Identifier: Apache-2.0
#pragma once

// What leaves the lane for reports: plain records, rendered elsewhere (report/). A sink must not change anything: counting
// and reporting never change a verdict.

#include "facts/view.h"
#include "policy/rule.h"

namespace weir::engine {

/// A verdict by a rule, guard or default. Once a flow or transaction; repeated denials of packets are gathered (`count`).
struct AlertRecord {
  RuleId rule = kNoRule;
  policy::Action action = policy::Action::Alert;
  Reason reason = Reason::Rule;
  bool blocked = false;
  bool monitored = false;  ///< It would have been.
  std::uint32_t count = 1;
  std::uint64_t frame = 0;
  std::uint64_t flow_id = 0;  ///< 0: no flow.
  Nanoseconds wall_ns = 0;
  bool has_ip = false;
  bool is_arp = false;   ///< `src` and `dst` are its sender and target.
  Ip src, dst;  ///< Ends of the packet; ports zero where there are none.
  std::uint16_t src_port = 0, dst_port = 0;
  std::uint8_t protocol = 0;
  std::uint8_t icmp_type = 0, icmp_code = 0;
  AppId app = kUnknownApp;
  ZoneId from = kNoZone, to = kNoZone;
  PortIndex port = kNoPort;
  std::uint16_t vlan = 0;
  Mac src_mac, dst_mac;
  bool has_mac = false;
  const Sender* sender = nullptr;  ///< Who opened the flow, where that is known. Valid during the call.
};

struct FlowRecord {
  std::uint64_t flow_id = 0, first_frame = 0;
  FlowEnds ends;
  std::uint8_t icmp_type = 0, icmp_code = 0;  ///< Of the first packet,
  bool icmp_by_server = false;                ///< which the server sent.
  ZoneId from = kNoZone, to = kNoZone;
  PortIndex port = kNoPort;
  AppId app = kUnknownApp;
  std::array<AppId, kChainMax> chain{};
  std::uint8_t chain_count = 0;
  bool app_hidden = false;
  std::uint64_t packets[2] = {0, 0}, bytes[2] = {0, 0};
  std::uint64_t dropped_packets = 0;
  Nanoseconds start_wall_ns = 0, end_wall_ns = 0;
  enum class State : std::uint8_t { New, Established, Closed } state = State::New;
  enum class Ended : std::uint8_t { Timeout, Closed, Reset, Shutdown, Evicted, Replaced } ended = Ended::Timeout;
  enum class Acted : std::uint8_t { Passed, Dropped, Limited } acted = Acted::Passed;
  RuleId rule = kNoRule;
  const Sender* sender = nullptr;  ///< As in an alert.
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on_alert(const AlertRecord& record) = 0;
  virtual void on_flow(const FlowRecord& record) = 0;
  /// A transaction was described, or what view.parser tells of a flow as a whole (a hello): its facts, before they are forgotten. One that
  /// the flow's end cut short comes then, with a frame of number 0.
  virtual void on_transaction(const View& view, std::uint64_t flow_id) = 0;
  /// A frame that was held is decided.
  virtual void on_released(const Decision& decision) = 0;
};

/// Counted for status and for the summary of a replay.
struct Counters {
  std::uint64_t packets = 0, bytes = 0, passed = 0, dropped = 0, rewritten = 0, flows = 0;
  std::uint64_t held = 0, holds_overflowed = 0;
  std::uint64_t senders_proven = 0;  ///< Answered when they were asked whether a SYN was theirs.
  std::uint64_t flows_evicted = 0, pool_empty = 0, streams_lost = 0;
  std::array<std::uint64_t, 16> stopped_by_reason{};
  std::array<std::uint64_t, kFlawsCount> flaws{};
  struct PerRule {
    std::uint64_t packets = 0, flows = 0;  ///< Stopped, or matched by an alert.
  };
  std::vector<PerRule> rules;  ///< By RuleId; one more at the end for `default`.
  struct PerApp {
    std::uint64_t flows = 0, packets = 0, bytes = 0;
  };
  std::vector<PerApp> apps;  ///< By AppId, of ended flows.
};

}  // namespace weir::engine
