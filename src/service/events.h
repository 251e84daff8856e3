// SPDX-License-Identifier: Apache-2.0
#pragma once

// Events: what the lane reports, rendered on the lane and written elsewhere. The sink that a Service is given.

#include <memory>

#include "report/eve.h"
#include "service/event_writer.h"
#include "service/service.h"

namespace weir::service {

class Events final : public engine::EventSink {
 public:
  /// `writer` outlives it.
  Events(EventWriter& writer, std::shared_ptr<const policy::RuleSet> rules, report::EveOptions options);

  void on_alert(const engine::AlertRecord& record) override { eve_->on_alert(record); }
  void on_flow(const engine::FlowRecord& record) override { eve_->on_flow(record); }
  void on_transaction(const View& view, std::uint64_t flow_id) override { eve_->on_transaction(view, flow_id); }
  void on_released(const Decision&) override {}

  /// Numbers of the whole, as an event.
  void tell_stats(Service& service);
  /// From now on events name these rules.
  void use(std::shared_ptr<const policy::RuleSet> rules);
  /// After each turn of the lane.
  void flush() { eve_->flush(); }

 private:
  EventWriter& writer_;
  std::shared_ptr<const policy::RuleSet> rules_;
  std::unique_ptr<report::Eve> eve_;
};

}  // namespace weir::service
