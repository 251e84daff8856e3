// SPDX-License-Identifier: Apache-2.0
#pragma once

// Events as JSON lines after Suricata's EVE (CONTRACT section 4). The only place that knows how events look.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "engine/event.h"
#include "policy/compile.h"

namespace weir::report {

struct EveOptions {
  bool flows = false;    ///< An event for each flow that ends.
  bool records = false;  ///< An event for each transaction.
};

/// What a `stats` event tells, beside the time.
struct Stats {
  Nanoseconds wall_ns = 0, uptime_ns = 0;
  const engine::Counters* counters = nullptr;
  /// Counters by name: what the datapath received, sent and lost; what became of events.
  std::span<const std::pair<std::string_view, std::uint64_t>> datapath, events;
};

class Eve final : public engine::EventSink {
 public:
  /// Creates or empties the file; "-" is standard output. `rules` outlives the writer.
  static Result<std::unique_ptr<Eve>> open(const std::string& path, const policy::RuleSet& rules, EveOptions options);
  /// Gives whole lines to `take`, at flush() or when many have gathered.
  static std::unique_ptr<Eve> to(std::function<void(std::string_view lines)> take, const policy::RuleSet& rules, EveOptions options);
  ~Eve() override;

  void on_alert(const engine::AlertRecord& record) override;
  void on_flow(const engine::FlowRecord& record) override;
  void on_transaction(const View& view, std::uint64_t flow_id) override;
  void on_released(const Decision&) override {}

  void on_stats(const Stats& stats);
  /// From now on events are of these rules, which outlive the writer.
  void use(const policy::RuleSet& rules);
  /// Hands on what has gathered.
  void flush();
  /// Writes what is left; bytes written, or the first fault since open().
  Result<std::uint64_t> close();

  /// Facts that protocol records show.
  static FieldSet record_fields();

 private:
  struct State;
  explicit Eve(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::report
