// SPDX-License-Identifier: Apache-2.0
#include "service/events.h"

namespace weir::service {

Events::Events(EventWriter& writer, std::shared_ptr<const policy::RuleSet> rules, report::EveOptions options)
    : writer_(writer), rules_(std::move(rules)), eve_(report::Eve::to([this](std::string_view lines) { writer_.put(lines); }, *rules_, options)) {}

void Events::use(std::shared_ptr<const policy::RuleSet> rules) {
  eve_->flush();
  eve_->use(*rules);
  rules_ = std::move(rules);
}

void Events::tell_stats(Service& service) {
  const datapath::DatapathCounters& c = service.path().counters();
  std::vector<std::pair<std::string_view, std::uint64_t>> path = {
      {"received", c.received}, {"sent", c.sent}, {"emitted", c.emitted}, {"held-now", c.held_now}};
  for (std::size_t i = 0; i < datapath::kLosses; ++i)
    if (c.lost[i] != 0) path.emplace_back(datapath::name_of(static_cast<datapath::Loss>(i)), c.lost[i]);
  const std::pair<std::string_view, std::uint64_t> events[] = {{"dropped", writer_.dropped()}, {"bytes", writer_.written()}};
  const Time now = service.path().now();
  eve_->on_stats({.wall_ns = now.wall_ns,
                  .uptime_ns = now.mono_ns - service.started().mono_ns,
                  .counters = &service.engine().counters(),
                  .datapath = path,
                  .events = events});
}

}  // namespace weir::service
